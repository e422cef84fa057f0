//! When to refresh and when to try again: pure functions of what is known.

use crate::kept_clients::KeptClient;
use crate::registration::Endpoints;
use crate::replay::ReplayKnowledge;
use crate::time::{Boot, Moment};
use everkey_proto::SignInMethod;

/// What a profile is set up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The contract of its provider.
    pub policy: Policy,
    /// The server to use where no sign-in has pinned one.
    pub server: String,
    /// Whether somebody has named it, so that the next sign-in goes there; else it goes where the last one went.
    pub server_is_named: bool,
    /// The session file, to compare with what a client expects.
    pub session_file: String,
    /// Names this machine, so that a copied home folder is noticed.
    pub machine: String,
    /// Names this run of the machine: a time of the boot clock means nothing in another one.
    pub boot_id: String,
    /// Whether a revocation waits until its token was used for the last time; see
    /// [`Effect::Farewell`](crate::Effect::Farewell).
    pub announces_revocations: bool,
}

/// What a provider's contract says about its sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How a person signs in: the first unless they choose another.
    pub schemes: Vec<SignInMethod>,
    /// How a session gets its next access token.
    pub renewal: Renewal,
    /// Whether the server can be told that a session has ended.
    pub revokes: bool,
    /// Whether the server says whose a token is.
    pub identifies: bool,
    /// Whether access tokens stop working once the server has ended their session. Of a server that keeps RR-1 that is
    /// known without it.
    pub access_ends_with_session: bool,
    /// How an OAuth client comes to know its server; none for everything else.
    pub oauth: Option<OauthClient>,
    /// Refresh at the latest so many seconds before expiry.
    pub margin_secs: u64,
    /// What is known of how servers treat a refresh token that comes twice.
    pub replay: ReplayKnowledge,
    /// Milliseconds between two automatic refreshes, whatever the server says; 30 s except in tests.
    pub gap_ms: u64,
}

/// How a session gets its next access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// By a refresh token, good for one use (RFC 6749 section 6).
    RefreshToken,
    /// The client asks for one as itself, as often as it likes (RFC 6749 section 4.4).
    ClientCredentials,
    /// Not at all: the person signs in again.
    None,
}

/// An OAuth client before it knows its server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OauthClient {
    /// What the server calls itself, exactly as configured; a slash at its end counts. Empty where nobody said.
    pub issuer: String,
    /// Where the endpoints are.
    pub discovery: Discovery,
    /// The id that the server gave beforehand; none means to register.
    pub client_id: Option<String>,
    /// What to ask for; none means what the server offers of the usual.
    pub scope: Option<String>,
    /// What tokens are to be good for (RFC 8707).
    pub resources: Vec<String>,
    /// Where browsers come back to.
    pub callback: CallbackAddress,
    /// Clients that were registered before and are still good.
    pub kept: Vec<KeptClient>,
    /// Whether each sign-in registers a client of its own, for a server that does not remember them for long.
    pub registers_anew: bool,
    /// For how many seconds tokens shall work (`requested_expiry`); none means as the server likes.
    pub lifetime_secs: Option<u64>,
}

/// Where browsers come back to (RFC 8252 section 7.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackAddress {
    /// Whether it says `localhost`; a literal address is better, since `localhost` may be somebody else's.
    pub localhost: bool,
    pub port: CallbackPort,
    pub path: String,
}

impl Default for CallbackAddress {
    fn default() -> Self {
        Self { localhost: false, port: CallbackPort::Free, path: "/callback".to_owned() }
    }
}

impl CallbackAddress {
    /// The port of an address that differs from this in nothing else.
    pub fn port_of(&self, url: &str) -> Option<u16> {
        let port = url.rsplit(':').next()?.split('/').next()?.parse().ok()?;
        (self.url(port) == url).then_some(port)
    }

    /// The address, once the port is known.
    pub fn url(&self, port: u16) -> String {
        let host = if self.localhost { "localhost" } else { "127.0.0.1" };
        format!("http://{host}:{port}{}", self.path)
    }
}

/// Which port browsers come back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackPort {
    /// Any that is free.
    Free,
    /// This one if it is free, else any.
    Rather(u16),
    /// This one and no other.
    Only(u16),
}

/// How the endpoints are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Discovery {
    /// From the server's metadata (RFC 8414).
    #[default]
    Metadata,
    /// They are known.
    Given(Endpoints),
    /// At `/register`, `/authorize` and `/token` of the server.
    UsualPaths,
}

/// The longest wait between two tries of anything, in milliseconds.
pub const LONGEST_RETRY_MS: u64 = 60_000;

/// The longest that a server's Retry-After is believed, in seconds.
pub const LONGEST_RETRY_AFTER_SECS: u64 = 86_400;

/// How many milliseconds before expiry a token of this lifetime is refreshed: the larger of the margin and
/// 20 % of the lifetime, up to 5 % earlier by jitter (`permille` of it), never more than half the lifetime.
pub fn refresh_ahead_ms(lifetime_secs: u64, margin_secs: u64, permille: u64) -> u64 {
    let lifetime = lifetime_secs.saturating_mul(1000);
    let margin = margin_secs.saturating_mul(1000).max(lifetime / 5);
    let jitter = (lifetime / 20 / 1000).saturating_mul(permille);
    margin.saturating_add(jitter).min(lifetime / 2)
}

/// The least time between two automatic refreshes of a token of this lifetime, in milliseconds: the usual, or half the
/// lifetime where that is less. A token that is issued for no more than a second is not worth a loop.
pub fn refresh_gap_ms(usual_ms: u64, lifetime_secs: Option<u64>) -> u64 {
    const LEAST_MS: u64 = 5_000;
    match lifetime_secs {
        None | Some(0 | 1) => usual_ms,
        Some(secs) => usual_ms.min((secs.saturating_mul(1000) / 2).max(LEAST_MS)),
    }
}

/// When to try again after so many failures in a row: 1 s, 2 s, 4 s ... 60 s, each 0 to 50 % less by jitter.
pub fn retry_at(now: &Moment, failures: u32) -> Boot {
    let step = 1000u64.checked_shl(failures.saturating_sub(1).min(16)).unwrap_or(LONGEST_RETRY_MS);
    let step = step.min(LONGEST_RETRY_MS);
    now.boot.plus_ms(step - step / 2 * now.random_permille("retry") / 1000)
}

/// How long to wait between slow tries once the first few have failed, in seconds.
const SLOW_RETRY_SECS: u64 = 600;

/// The same for what may take days: every ten minutes once the first few tries have failed.
pub fn slow_retry_at(now: &Moment, failures: u32) -> Boot {
    match failures {
        0..=6 => retry_at(now, failures),
        _ => now.boot.plus_secs(SLOW_RETRY_SECS),
    }
}

/// When to try again after the server asked to wait, 0 to 10 % later by jitter.
pub fn retry_after(now: &Moment, secs: u64) -> Boot {
    let ms = secs.min(LONGEST_RETRY_AFTER_SECS) * 1000;
    now.boot.plus_ms(ms + ms / 10 * now.random_permille("retry after") / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(dice: u8) -> Moment {
        Moment { boot: Boot(5_000), wall: 0, dice: [dice; 32] }
    }

    #[test]
    fn the_larger_of_margin_and_fifth_counts_up_to_half() {
        assert_eq!(refresh_ahead_ms(3600, 60, 0), 720_000);
        assert_eq!(refresh_ahead_ms(3600, 1000, 0), 1_000_000);
        assert_eq!(refresh_ahead_ms(60, 60, 0), 30_000);
        assert_eq!(refresh_ahead_ms(3600, 60, 999), 720_000 + 180 * 999);
        assert_eq!(refresh_ahead_ms(1, 60, 999), 500);
        assert!(refresh_ahead_ms(u64::MAX, u64::MAX, 999) <= u64::MAX / 2);
    }

    #[test]
    fn short_lived_tokens_may_be_refreshed_sooner() {
        let gap = |secs| refresh_gap_ms(30_000, secs);
        assert_eq!([gap(None), gap(Some(3600)), gap(Some(60))], [30_000; 3]);
        assert_eq!([gap(Some(20)), gap(Some(12)), gap(Some(2))], [10_000, 6_000, 5_000]);
        assert_eq!([gap(Some(0)), gap(Some(1))], [30_000; 2], "N20: absurd lifetimes make no loop");
        assert_eq!(refresh_gap_ms(100, Some(20)), 100);
    }

    #[test]
    fn n17_retries_are_at_most_a_minute_apart() {
        for failures in 0..200 {
            for dice in 0..20 {
                let wait = moment(dice).boot.ms_until(retry_at(&moment(dice), failures));
                assert!((500..=LONGEST_RETRY_MS).contains(&wait), "{wait} ms after {failures}");
            }
        }
    }

    #[test]
    fn n15_retry_after_is_clamped_to_a_day() {
        let wait = |secs| moment(1).boot.ms_until(retry_after(&moment(1), secs));
        assert!((86_400_000..=95_040_000).contains(&wait(u64::MAX)));
        assert_eq!(wait(0), 0);
    }
}
