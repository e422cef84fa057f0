//! `everkey` without arguments: where to begin, as long as nobody has.

use crate::cli::usage::help;
use crate::cli::verbs::VERBS;
use everkey_client::UserConfiguration;

const BEGIN: &str = "\
everkey: sign in once and stay signed in, everywhere

Nobody has signed in here yet. Begin with one of these:

  everkey login                       failproofai, by a code sent to you
  everkey login --server URL          the same, at an everkey-server
  everkey login --profile achilles    by a code that you approve in a browser
  everkey login --profile dot-ai      in your browser
  everkey login --profile binboi      with an access token from its dashboard

For any OAuth or OpenID Connect server:

  everkey profile add work --provider oauth --issuer https://id.example.com
  everkey login --profile work

`everkey --help` lists all commands, `everkey COMMAND --help` explains one.
";

/// The page to print.
pub fn page() -> String {
    let is_first_run = UserConfiguration::read().is_ok_and(|configuration| {
        configuration.config.mistakes.is_empty()
            && !configuration.profiles.iter().any(|profile| configuration.is_used(profile))
    });
    if is_first_run { BEGIN.to_owned() } else { help::general(VERBS) }
}
