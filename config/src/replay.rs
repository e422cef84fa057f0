//! What a profile says about its server's way with refresh tokens that come twice.

use crate::file_text::{ConfigError, Source, Table};
use everkey_proto::ReplayRule;

/// `replay` and `not_processed` of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplaySettings {
    /// What the server does with a refresh token that comes twice; none means what everkey knows or learns.
    pub rule: Option<ReplayRule>,
    /// The statuses with which the server refuses a refresh before it has processed it, such as 503.
    pub not_processed: Vec<u16>,
}

pub(crate) fn read(source: Source<'_>, table: &mut Table<'_>) -> Result<ReplaySettings, ConfigError> {
    let rule = match table.text("replay")? {
        Some(word) => Some(word.value.parse().map_err(|_| {
            let message =
                format!("`replay`: there is no {:?}; there are {}", word.value, ReplayRule::WORDS.join(", "));
            source.error(word.at, Some("replay"), message)
        })?),
        None => None,
    };
    let Some(statuses) = table.numbers("not_processed")? else {
        return Ok(ReplaySettings { rule, not_processed: Vec::new() });
    };
    let read = |number: &i64| u16::try_from(*number).ok().filter(|status| (400..600).contains(status));
    match statuses.value.iter().map(read).collect() {
        Some(not_processed) => Ok(ReplaySettings { rule, not_processed }),
        None => {
            let message = "`not_processed` takes statuses of errors, 400 to 599".to_owned();
            Err(source.error(statuses.at, Some("not_processed"), message))
        }
    }
}
