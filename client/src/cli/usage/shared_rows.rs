//! The rows of the options that several verbs take, and how their values are parsed.

use super::option::{OptionText, VerbOption};
use super::shared_options::TokenOption;
use super::word_kind::WordKind;
use everkey_client::{Secret, SignInMethod};

pub const fn json<A>() -> VerbOption<A> {
    json_as("print JSON, one object a line")
}

/// `--json` where there is more to say of it.
pub const fn json_as<A>(help: &'static str) -> VerbOption<A> {
    VerbOption::shared(OptionText::flag("json", help), |shared, _| shared.json = true)
}

pub const fn profile<A>() -> VerbOption<A> {
    profile_as("the account (see `everkey profile list`)")
}

/// `--profile` where there is more to say of it.
pub const fn profile_as<A>(help: &'static str) -> VerbOption<A> {
    let text = OptionText::value("profile", "NAME", help);
    VerbOption::shared(text, |shared, name| shared.profile = Some(name)).short('p').taking(WordKind::Profile)
}

pub const fn server<A>() -> VerbOption<A> {
    server_as("fail unless this is the account's server")
}

/// `--server` where it means something else.
pub const fn server_as<A>(help: &'static str) -> VerbOption<A> {
    let text = OptionText::value("server", "URL", help);
    VerbOption::shared(text, |shared, url| shared.server = Some(("--server", url)))
}

/// binboi's name of `--server`.
pub const fn api<A>() -> VerbOption<A> {
    let text = OptionText::value("api", "URL", "binboi's name of --server");
    VerbOption::shared(text, |shared, url| shared.server = Some(("--api", url)))
}

/// dot-ai's name of `--server`.
pub const fn server_url<A>() -> VerbOption<A> {
    let text = OptionText::value("server-url", "URL", "dot-ai's name of --server");
    VerbOption::shared(text, |shared, url| shared.server = Some(("--server-url", url)))
}

pub const fn token<A>() -> VerbOption<A> {
    token_as("binboi, dot-ai: use this token, once; - is the one on standard input")
}

/// `--token` where it means something else.
pub const fn token_as<A>(help: &'static str) -> VerbOption<A> {
    VerbOption::shared(OptionText::value("token", "T", help), |shared, token| {
        shared.token = Some(match token.as_str() {
            "-" => TokenOption::StandardInput,
            _ => TokenOption::Given(Secret::new(token)),
        });
    })
}

/// A way to sign in; the error is the sentence for the user.
pub fn parse_scheme(text: &str) -> Result<SignInMethod, String> {
    text.parse::<SignInMethod>().map_err(|_| {
        let shown = everkey_proto::text::harmless(text, 40);
        format!("{shown:?} is no scheme; there are otp, device, browser and token")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::usage::error::UsageError;
    use crate::cli::usage::option::Arguments;
    use crate::cli::usage::shared_options::SharedOptions;

    fn read(options: &[(&str, &str)]) -> Result<SharedOptions, UsageError> {
        let table: &[VerbOption<()>] = &[json(), profile(), server(), api(), server_url(), token()];
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Arguments { words: Vec::new(), options }.read_options(table).map(|parsed| parsed.shared)
    }

    #[test]
    fn options_set_their_fields_and_the_last_one_wins() {
        let shared = read(&[("json", ""), ("profile", "a"), ("profile", "b"), ("token", "t")]).unwrap();
        assert!(shared.json);
        assert_eq!(shared.profile.as_deref(), Some("b"));
        assert_eq!(shared.token, Some(TokenOption::Given(Secret::new("t"))));
        assert_eq!(read(&[("token", "-")]).unwrap().token, Some(TokenOption::StandardInput));
        for (name, spelled) in [("server", "--server"), ("api", "--api"), ("server-url", "--server-url")] {
            assert_eq!(read(&[(name, "http://a")]).unwrap().server, Some((spelled, "http://a".to_owned())));
        }
        assert_eq!(read(&[("past", "")]).unwrap_err(), UsageError::UnknownOption("past".to_owned()));
    }
}
