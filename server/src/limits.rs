//! How often, how long: the contract's numbers, and the TOML file that may override each of them.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::duration;
use crate::rules::rate::Limit;
use crate::trouble::Trouble;

/// Every limit the server enforces. Field names are the keys of the `--limits` file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How long a login code works.
    #[serde(deserialize_with = "span")]
    pub code_ttl: Duration,
    /// The pause between two codes for one email.
    #[serde(deserialize_with = "span")]
    pub code_cooldown: Duration,
    /// Codes sent to one email.
    #[serde(deserialize_with = "limit")]
    pub codes_per_email: Limit,
    /// Codes asked for from one network address.
    #[serde(deserialize_with = "limit")]
    pub codes_per_ip: Limit,
    /// Guesses after which a code is dead.
    pub guesses_per_code: u32,
    /// Wrong or dead guesses at one email's codes.
    #[serde(deserialize_with = "limit")]
    pub failures_per_email: Limit,
    /// How long a browser stays signed in without being used.
    #[serde(deserialize_with = "span")]
    pub web_idle: Duration,
    /// How long a browser stays signed in however much it is used.
    #[serde(deserialize_with = "span")]
    pub web_longest: Duration,
    /// OAuth clients registered from one network address.
    #[serde(deserialize_with = "limit")]
    pub registrations_per_ip: Limit,
    /// Failed OAuth client authentications from one network address.
    #[serde(deserialize_with = "limit")]
    pub client_failures_per_ip: Limit,
    /// Authorization codes brought from one network address, right or wrong.
    #[serde(deserialize_with = "limit")]
    pub code_exchanges_per_ip: Limit,
    /// Rotations of one session.
    #[serde(deserialize_with = "limit")]
    pub rotations_per_session: Limit,
    /// Refused personal access tokens from one network address.
    #[serde(deserialize_with = "limit")]
    pub refused_tokens_per_ip: Limit,
    /// Personal access tokens made by one user.
    #[serde(deserialize_with = "limit")]
    pub tokens_per_user: Limit,
    /// Workspaces, invitations, reports and links made by one user.
    #[serde(deserialize_with = "limit")]
    pub creations_per_user: Limit,
    /// Share links opened from one network address, working or not.
    #[serde(deserialize_with = "limit")]
    pub share_opens_per_ip: Limit,
    /// How long the codes of a device grant work.
    #[serde(deserialize_with = "span")]
    pub device_code_ttl: Duration,
    /// Device grants asked for from one network address.
    #[serde(deserialize_with = "limit")]
    pub device_codes_per_ip: Limit,
    /// Wrong user codes typed by one user.
    #[serde(deserialize_with = "limit")]
    pub wrong_user_codes_per_user: Limit,
    /// Wrong user codes typed at one network address.
    #[serde(deserialize_with = "limit")]
    pub wrong_user_codes_per_ip: Limit,
    /// Polls of the achilles CLI from one network address.
    #[serde(deserialize_with = "limit")]
    pub achilles_polls_per_ip: Limit,
    /// Refreshes of the achilles CLI from one network address.
    #[serde(deserialize_with = "limit")]
    pub achilles_refreshes_per_ip: Limit,
    /// Wrong answers to one user's second factor.
    #[serde(deserialize_with = "limit")]
    pub second_factor_failures: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Self {
            code_ttl: minutes(10),
            code_cooldown: Duration::from_secs(30),
            codes_per_email: Limit { max: 5, window: minutes(15) },
            codes_per_ip: Limit { max: 20, window: minutes(15) },
            guesses_per_code: 5,
            failures_per_email: Limit { max: 50, window: minutes(24 * 60) },
            web_idle: minutes(7 * 24 * 60),
            web_longest: minutes(30 * 24 * 60),
            registrations_per_ip: Limit { max: 20, window: minutes(60) },
            client_failures_per_ip: Limit { max: 30, window: minutes(15) },
            code_exchanges_per_ip: Limit { max: 120, window: minutes(1) },
            rotations_per_session: Limit { max: 120, window: minutes(1) },
            refused_tokens_per_ip: Limit { max: 30, window: minutes(15) },
            tokens_per_user: Limit { max: 30, window: minutes(60) },
            creations_per_user: Limit { max: 200, window: minutes(60) },
            share_opens_per_ip: Limit { max: 60, window: minutes(1) },
            device_code_ttl: minutes(10),
            device_codes_per_ip: Limit { max: 10, window: minutes(15) },
            wrong_user_codes_per_user: Limit { max: 5, window: minutes(10) },
            wrong_user_codes_per_ip: Limit { max: 5, window: minutes(10) },
            achilles_polls_per_ip: Limit { max: 60, window: minutes(1) },
            achilles_refreshes_per_ip: Limit { max: 10, window: minutes(15) },
            second_factor_failures: Limit { max: 5, window: minutes(10) },
        }
    }
}

impl Limits {
    /// How long an event may count for any of the limits.
    pub fn longest_window(&self) -> Duration {
        let counted = [
            self.codes_per_email,
            self.codes_per_ip,
            self.failures_per_email,
            self.refused_tokens_per_ip,
            self.tokens_per_user,
            self.creations_per_user,
            self.share_opens_per_ip,
            self.registrations_per_ip,
            self.client_failures_per_ip,
            self.code_exchanges_per_ip,
            self.device_codes_per_ip,
            self.wrong_user_codes_per_user,
            self.wrong_user_codes_per_ip,
            self.achilles_polls_per_ip,
            self.achilles_refreshes_per_ip,
            self.second_factor_failures,
        ];
        counted.iter().map(|limit| limit.window).fold(self.code_cooldown, Duration::max)
    }

    /// The limits in a TOML file; what it leaves out keeps the contract's number. Errors if it can't be
    /// read, is not TOML, names an unknown key, or holds a number that makes no sense.
    pub fn load(path: &Path) -> Result<Self, Trouble> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Trouble::new(
                format!("can't read the limits file {shown}: {error}"),
                "Check the path given to --limits.",
            )
        })?;
        toml::from_str(&text).map_err(|error| {
            Trouble::new(
                format!("the limits file {shown} is not valid: {}", error.message()),
                "Run `everkey-server serve --help` for the keys it may hold, or leave --limits out.",
            )
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimit {
    max: u32,
    #[serde(deserialize_with = "span")]
    window: Duration,
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Limit, D::Error> {
    let raw = RawLimit::deserialize(deserializer)?;
    if raw.max == 0 {
        return Err(serde::de::Error::custom("max must be at least 1"));
    }
    Ok(Limit { max: raw.max, window: raw.window })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_leaves_out_keeps_its_default() {
        let text = "code_cooldown = \"0s\"\ncodes_per_ip = { max = 7, window = \"1m\" }";
        let limits: Limits = toml::from_str(text).unwrap();
        let expected = Limits {
            code_cooldown: Duration::ZERO,
            codes_per_ip: Limit { max: 7, window: Duration::from_secs(60) },
            ..Limits::default()
        };
        assert_eq!(limits, expected);
        assert_eq!(toml::from_str::<Limits>("").unwrap(), Limits::default());
    }

    #[test]
    fn unknown_keys_and_senseless_numbers_are_named() {
        for (text, hint) in [
            ("codes_per_emial = 3", "codes_per_emial"),
            ("codes_per_ip = { max = 1, window = \"1m\", burst = 2 }", "burst"),
            ("codes_per_ip = { max = 0, window = \"1m\" }", "at least 1"),
            ("code_ttl = \"ten\"", "not a time span"),
            ("guesses_per_code = -1", "invalid value"),
        ] {
            let error = toml::from_str::<Limits>(text).unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
