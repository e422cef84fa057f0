//! What several verbs take: the account, its server, a token for this one command, and whether to print JSON.

use everkey_client::Secret;

/// What was given of it.
#[derive(Debug, Clone, Default)]
pub struct SharedOptions {
    pub json: bool,
    pub profile: Option<String>,
    /// The option that names the server, and what it says.
    pub server: Option<(&'static str, String)>,
    pub token: Option<TokenOption>,
}

/// Where `--token` says the token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenOption {
    /// `--token T`
    Given(Secret),
    /// `--token -`
    StandardInput,
}
