//! How often, how long: the contract's numbers, and the TOML file that may override each of them.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::command_error::CommandError;
use crate::duration;
use crate::rules::rate::Limit;

/// Makes of one table the struct, its defaults, the windows that events are kept for, and the list in `serve --help`.
/// A value is a `span`, a `pause` between two events, a `count`, or a `limit`: so many in a window.
macro_rules! limits {
    ($($name:ident: $kind:ident($($value:tt)+), $help:literal;)+) => {
        /// Every limit the server enforces. Field names are the keys of the `--limits` file.
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Limits {
            $(
                #[doc = $help]
                #[serde(deserialize_with = "read")]
                pub $name: limits!(@type $kind),
            )+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: limits!(@default $kind $($value)+),)+ }
            }
        }

        impl Limits {
            /// Each key, its value in force as TOML, and what it is.
            pub fn in_force(&self) -> Vec<(&'static str, String, &'static str)> {
                vec![$((stringify!($name), self.$name.shown(), $help),)+]
            }

            /// The spans that must be longer than nothing, each with its key.
            fn spans(&self) -> Vec<(&'static str, Duration)> {
                [$(limits!(@span $kind $name self.$name),)+].into_iter().flatten().collect()
            }

            /// How long an event may count for any of the limits.
            pub fn longest_window(&self) -> Duration {
                [$(limits!(@window $kind self.$name),)+].into_iter().fold(Duration::ZERO, Duration::max)
            }
        }

        /// Each key, its default as TOML, and what it is.
        const LISTED: &[(&str, &str, &str)] =
            &[$((stringify!($name), limits!(@toml $kind $($value)+), $help),)+];
    };
    (@type span) => { Duration };
    (@type pause) => { Duration };
    (@type count) => { u32 };
    (@type limit) => { Limit };
    (@default count $n:literal) => { $n };
    (@default limit $max:literal per $n:literal $unit:ident) => { Limit { max: $max, window: limits!(@secs $n $unit) } };
    (@default $span:ident $n:literal $unit:ident) => { limits!(@secs $n $unit) };
    (@secs $n:literal s) => { Duration::from_secs($n) };
    (@secs $n:literal m) => { Duration::from_secs($n * 60) };
    (@secs $n:literal h) => { Duration::from_secs($n * 3600) };
    (@secs $n:literal d) => { Duration::from_secs($n * 86_400) };
    (@span span $name:ident $value:expr) => { Some((stringify!($name), $value)) };
    (@span $other:ident $name:ident $value:expr) => { None };
    (@window limit $value:expr) => { $value.window };
    (@window pause $value:expr) => { $value };
    (@window $other:ident $value:expr) => { Duration::ZERO };
    (@toml count $n:literal) => { stringify!($n) };
    (@toml limit $max:literal per $n:literal $unit:ident) => {
        concat!("{ max = ", $max, ", window = \"", $n, stringify!($unit), "\" }")
    };
    (@toml $span:ident $n:literal $unit:ident) => { concat!("\"", $n, stringify!($unit), "\"") };
}

limits! {
    code_ttl: span(10 m), "how long a login code works";
    code_cooldown: pause(30 s), "pause between two codes for one email asked for in one network";
    codes_per_email: limit(5 per 15 m), "codes for one email asked for in one network";
    codes_per_ip: limit(20 per 15 m), "codes asked for in one network for emails new there";
    letters_per_email: limit(10 per 15 m), "letters with codes to one email";
    letters_per_email_daily: limit(100 per 1 d), "letters with codes to one email in a day";
    guesses_per_code: count(5), "guesses after which a code is dead";
    failures_per_email: limit(200 per 1 d), "guesses at one email's six-digit codes";
    failures_per_email_and_ip: limit(50 per 1 d), "one network's guesses at one email";
    failures_per_ip: limit(300 per 15 m), "refused guesses from one network";
    familiar_for: span(90 d), "how long a network is known to an email";
    web_idle: span(7 d), "how long a browser stays signed in unused";
    web_longest: span(30 d), "how long a browser stays signed in at all";
    registrations_per_ip: limit(20 per 1 h), "OAuth clients registered from one network";
    client_failures_per_ip: limit(30 per 15 m), "failed OAuth client authentications";
    code_exchanges_per_ip: limit(120 per 1 m), "refused authorization codes";
    longest_access: span(30 d), "longest access token that a client without refresh tokens may ask for";
    clients_most: count(10000), "OAuth clients at once; beyond it unused ones make room";
    unused_clients_kept: span(30 d), "how long an OAuth client that nobody ever allowed anything is kept";
    sessions_per_user: count(500), "sessions of one user at once";
    ended_sessions_kept: span(90 d), "how long it is kept that a session was there";
    audit_kept: span(180 d), "how long lines of the audit are kept, at least 31 days";
    alarms_kept: span(730 d), "how long lines that tell of attacks are kept, at least 366 days";
    rotations_per_session: limit(120 per 1 m), "refreshes of one session";
    contested_rotation: span(5 m), "how long another key gets 409 before it is an alarm";
    refused_tokens_per_ip: limit(30 per 15 m), "refused personal access tokens";
    tokens_per_user: limit(30 per 1 h), "personal access tokens made by one user";
    token_lapse: span(90 d), "how long a personal access token works if not asked";
    fresh_sign_in: span(10 m), "how old a sign-in may be that makes a token";
    letters_per_user: limit(5 per 1 d), "letters of one kind about one account";
    app_alarms_per_user: limit(20 per 1 d), "letters about alarms of apps to one account";
    consents_per_user: limit(120 per 1 h), "apps and devices let in by one user";
    creations_per_user: limit(200 per 1 h), "workspaces, invitations, reports, links";
    connections: count(1024), "connections at once";
    connections_per_ip: count(256), "connections at once from one address or /48, but for trusted proxies";
    share_opens_per_ip: limit(60 per 1 m), "openings of one share link in one network";
    device_code_ttl: span(10 m), "how long the codes of a device sign-in work";
    device_codes_per_ip: limit(10 per 15 m), "device sign-ins asked for in one network";
    wrong_user_codes_per_user: limit(5 per 10 m), "wrong device codes typed by one user";
    wrong_user_codes_per_ip: limit(60 per 10 m), "wrong device codes typed in one network";
    achilles_polls_per_ip: limit(60 per 1 m), "polls of one achilles sign-in";
    achilles_refreshes_per_ip: limit(10 per 15 m), "refused refreshes of the achilles CLI";
    report_retention: span(365 d), "how long a report is kept unless its author asks otherwise";
    longest_report_retention: span(1095 d), "the longest that a report's author may ask for";
    incomplete_reports: span(1 d), "how long a report's files are awaited";
    files_per_report: count(100), "files of one report";
    file_mib: count(100), "MiB of one file";
    workspace_files: count(10000), "files of one workspace";
    workspace_mib: count(1024), "MiB of one workspace's files";
    user_mib: count(4096), "MiB of the files of one user's reports, in all workspaces";
    store_mib: count(20480), "MiB of all files, each counted as 4 KiB more";
    transfer_stall: span(30 s), "the longest pause of an upload or download";
    longest_transfer: span(1 h), "how long an upload or download may take";
    transfers: count(64), "uploads and downloads at once, in each process";
    transfers_of_one: count(6), "uploads and downloads at once of one user or network";
    second_factor_failures: limit(5 per 10 m), "wrong answers to one user's second factor";
}

impl Limits {
    /// Every key with its default and what it is, one a line: a `--limits` file that changes nothing.
    pub fn listing() -> String {
        LISTED.iter().map(|(key, value, help)| format!("  {key} = {value}  # {help}\n")).collect()
    }

    /// The limits in a TOML file; what it leaves out keeps the contract's number. Errors if it can't be
    /// read, is not TOML, names an unknown key, or holds a number that makes no sense.
    pub fn load(path: &Path) -> Result<Self, CommandError> {
        let shown = path.display();
        let unreadable = |why: String| {
            CommandError::new(
                format!("can't read the limits file {shown}: {why}"),
                "Check the path given to --limits.",
            )
        };
        let text = everkey_guard::file::read_trusted(path).map_err(|why| unreadable(why.to_string()))?;
        let text = text.ok_or_else(|| unreadable(rustix::io::Errno::NOENT.to_string()))?;
        let invalid = |why: &str| {
            CommandError::new(
                format!("the limits file {shown} is not valid: {why}"),
                "Run `everkey-server serve --help` for the keys it may hold, or leave --limits out.",
            )
        };
        let limits: Self = toml::from_str(&text).map_err(|error| invalid(error.message()))?;
        limits.check().map_err(|why| invalid(&why))?;
        Ok(limits)
    }

    /// Errs where a span is too short to make sense.
    fn check(&self) -> Result<(), String> {
        for (key, span) in self.spans() {
            let least = match key {
                "audit_kept" => AUDIT_STAYS,
                "alarms_kept" => ALARMS_STAY,
                _ => Duration::from_secs(1),
            };
            if span < least {
                return Err(format!("{key} must be at least \"{}\"", duration::shown(least)));
            }
        }
        Ok(())
    }
}

/// How long the database lets no line of the audit go, whatever is asked of it; and none that tells of an attack.
pub const AUDIT_STAYS: Duration = Duration::from_secs(31 * 86_400);
pub const ALARMS_STAY: Duration = Duration::from_secs(366 * 86_400);

/// A value in the file.
trait Setting: Sized {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// As TOML.
    fn shown(&self) -> String;
}

fn read<'de, D: Deserializer<'de>, T: Setting>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// `value`, if it is not less than `least`.
fn at_least<T: Setting + PartialOrd, E: serde::de::Error>(value: T, least: T) -> Result<T, E> {
    if value < least {
        Err(E::custom(format_args!("it must be at least {}", least.shown())))
    } else {
        Ok(value)
    }
}

impl Setting for u32 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        at_least(Self::deserialize(deserializer)?, 1)
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Setting for Duration {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        duration::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }

    fn shown(&self) -> String {
        format!("\"{}\"", duration::shown(*self))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimit {
    max: u32,
    #[serde(deserialize_with = "read")]
    window: Duration,
}

impl Setting for Limit {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawLimit::deserialize(deserializer)?;
        if raw.max == 0 {
            return Err(serde::de::Error::custom("max must be at least 1"));
        }
        Ok(Self { max: raw.max, window: raw.window })
    }

    fn shown(&self) -> String {
        format!("{{ max = {}, window = {} }}", self.max, self.window.shown())
    }
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
    fn the_limits_shown_in_the_help_are_the_defaults() {
        let listing = Limits::listing();
        assert_eq!(toml::from_str::<Limits>(&listing).unwrap(), Limits::default());
        for line in listing.lines() {
            assert!(line.len() <= 100, "{line}");
        }
    }

    #[test]
    fn what_is_in_force_reads_back_as_itself() {
        let limits = Limits { code_ttl: Duration::from_secs(5400), guesses_per_code: 7, ..Limits::default() };
        let text: String =
            limits.in_force().iter().map(|(key, value, _)| format!("{key} = {value}\n")).collect();
        assert_eq!(toml::from_str::<Limits>(&text).unwrap(), limits);
    }

    #[test]
    fn events_are_kept_for_the_longest_window() {
        assert_eq!(Limits::default().longest_window(), Duration::from_secs(86_400));
        let paused = Limits { code_cooldown: Duration::from_secs(90_000), ..Limits::default() };
        assert_eq!(paused.longest_window(), Duration::from_secs(90_000));
        let patient = Limits {
            second_factor_failures: Limit { max: 1, window: Duration::from_secs(100_000) },
            ..Limits::default()
        };
        assert_eq!(patient.longest_window(), Duration::from_secs(100_000));
    }

    #[test]
    fn spans_too_short_to_make_sense_are_refused() {
        for (text, hint) in [
            ("audit_kept = \"30d\"", "audit_kept must be at least \"31d\""),
            ("alarms_kept = \"1d\"", "alarms_kept must be at least \"366d\""),
            ("fresh_sign_in = \"0s\"", "fresh_sign_in must be at least \"1s\""),
        ] {
            assert_eq!(toml::from_str::<Limits>(text).unwrap().check().unwrap_err(), hint);
        }
        assert_eq!(toml::from_str::<Limits>("code_cooldown = \"0s\"").unwrap().check(), Ok(()));
        assert_eq!(Limits::default().check(), Ok(()));
    }

    #[test]
    fn unknown_keys_and_senseless_numbers_are_named() {
        for (text, hint) in [
            ("codes_per_emial = 3", "codes_per_emial"),
            ("codes_per_ip = { max = 1, window = \"1m\", burst = 2 }", "burst"),
            ("codes_per_ip = { max = 0, window = \"1m\" }", "at least 1"),
            ("code_ttl = \"ten\"", "not a time span"),
            ("guesses_per_code = -1", "invalid value"),
            ("connections = 0", "at least 1"),
        ] {
            let error = toml::from_str::<Limits>(text).unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
