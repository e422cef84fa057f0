//! `everkey link NAME`: everkey under a profile's name.

use crate::cli::profile_link::{self, Existing, in_the_way};
use crate::cli::terminal::output;
use crate::cli::usage::error::VerbError;
use crate::cli::usage::option::{Arguments, VerbOption};
use crate::cli::usage::shared_rows as rows;
use crate::cli::usage::verb::VerbHelp;
use crate::cli::usage::word_kind::WordKind;
use everkey_client::{Failure, UserConfiguration};
use everkey_config::is_word_name;
use everkey_proto::Code;
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Default)]
struct Args {
    dir: Option<PathBuf>,
}

const OPTIONS: &[VerbOption<Args>] = &[
    VerbOption::<Args>::value("dir", "DIR", "put the link into this folder", |args, dir| {
        args.dir = Some(dir.into());
        Ok(())
    })
    .taking(WordKind::Folder),
    rows::json(),
];

pub fn help() -> VerbHelp {
    VerbHelp::new(
        "
  everkey link achilles
  achilles login

Usage: everkey link NAME [OPTIONS]

Makes a link named NAME to this program, so that `achilles login` or
`dot-ai auth status` works as that tool's documents say. NAME is an account of
`everkey profile list`.

Options:
{options}

Without --dir the link goes beside everkey if that folder can be written to,
else into ~/.local/bin. Nothing but such a link is ever overwritten.
",
        OPTIONS,
    )
    .taking(WordKind::Profile)
}

pub fn run(arguments: Arguments) -> Result<ExitCode, VerbError> {
    let parsed = arguments.read(OPTIONS)?;
    let name = parsed.word("the name of an account, as in `everkey link achilles`")?;
    check_name(name)?;
    let program = profile_link::program()?;
    let dir = profile_link::folder(&program, parsed.own.dir.as_deref())?;
    let path = dir.join(name);
    fs::create_dir_all(&dir).map_err(|e| in_the_way(&dir, &e.to_string()))?;
    match profile_link::existing(&path, &program) {
        Existing::Nothing => symlink(&program, &path),
        Existing::Ours => profile_link::replace(&program, &path),
        Existing::Other => {
            let what = "something else is there, and it stays";
            return Err(in_the_way(&path, what).into());
        }
    }
    .map_err(|e| in_the_way(&path, &e.to_string()))?;
    let warning = profile_link::warning(name, &dir);
    if parsed.shared.json {
        output::json(&json!({ "link": path, "program": program, "warning": warning }));
    } else {
        output::line(format_args!("{} is everkey for the profile {name}.", path.display()));
        if let Some(warning) = warning {
            output::error_line(format_args!("warning: {warning}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check_name(name: &str) -> Result<(), Failure> {
    if name == "everkey" || !is_word_name(name) || !UserConfiguration::read()?.knows(name) {
        let hint = if name.starts_with("achilles/") {
            "Run `everkey link achilles`, then `achilles config use PROFILE`."
        } else {
            "A link is named after a profile: `everkey profile list` shows them."
        };
        return Err(Failure::new(
            Code::UnknownProfile,
            format!("There is no profile {name:?} to link to."),
            hint,
        ));
    }
    Ok(())
}
