//! The configuration as `config.toml` and the environment have it.

use super::checked::{Checked, TableSection};
use super::finding::FindingKind;
use everkey_client::{Failure, UserConfiguration, environment, hint_text};
use everkey_proto::Code;

/// What is wrong in the configuration. A file that can't be read at all is told with the files.
pub fn check(configuration: &UserConfiguration) -> Checked {
    let mut checked = Checked::of(TableSection::Setup);
    let file = &configuration.places.config;
    for mistake in configuration.config.mistakes.iter().filter(|mistake| mistake.error.line > 0) {
        let what = mistake.error.in_file(file);
        let to_do = format!("Mend that line. {}", mistake.consequence());
        checked.findings.push(FindingKind::ConfigMistake.of(file.display().to_string(), what, to_do));
    }
    if let Some(name) = environment::profile()
        && let Err(failure) = configuration.profile(Some(&name))
        && failure.code == Code::UnknownProfile
    {
        let what = format!("EVERKEY_PROFILE names {name:?}, and there is no such profile.");
        checked.findings.push(FindingKind::UnknownProfile.of(name, what, hint_text(&failure.hint)));
    }
    checked
}

/// Without a folder to look into there is nothing more to find.
pub fn no_home(failure: &Failure) -> Checked {
    let to_do = match hint_text(&failure.hint) {
        hint if hint.is_empty() => "Then run `everkey doctor` again.".to_owned(),
        hint => hint,
    };
    let findings = vec![FindingKind::NoHome.of("", failure.message.clone(), to_do)];
    Checked { findings, ..Checked::of(TableSection::Setup) }
}
