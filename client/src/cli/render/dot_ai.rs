//! dot-ai's `auth status`: one section for each kind of token there is.

use crate::cli::terminal::{dates, output};
use everkey_client::{State, Status};

/// A token from an option or a variable.
pub struct Given {
    /// What may be shown of it.
    pub masked: String,
    /// Where it comes from.
    pub source: String,
    /// What the server says of it, in words.
    pub verdict: Option<String>,
}

/// Whether any of the tokens is good.
pub fn is_signed_in(status: &Status, given: Option<&Given>, now: u64) -> bool {
    let session = has_session(status) && !is_expired(status, now);
    given.is_some() || !status.token_refused && (status.masked_static_token.is_some() || session)
}

/// The sections; `now` is in unix seconds.
pub fn status(status: &Status, given: Option<&Given>, now: u64, login: &str) -> String {
    let mut sections = Vec::new();
    if let Some(given) = given {
        let mut section = format!(
            "Static token:\n  Authenticated via: Static token\n  Token: {}\n  Source: {}",
            given.masked, given.source
        );
        if let Some(verdict) = &given.verdict {
            section = format!("{section}\n  Status: {verdict}");
        }
        sections.push(section);
    }
    if has_session(status) {
        let mut lines = vec!["OAuth session:".to_owned(), "  Authenticated via: OAuth".to_owned()];
        lines.extend(status.masked_token.as_ref().map(|token| format!("  Token: {}", output::plain(token))));
        lines.extend(status.access_expires_at.map(|at| format!("  Token expires: {}", dates::rfc3339(at))));
        lines.push(if status.token_refused && status.masked_static_token.is_none() {
            format!("  Status: REFUSED by the server — run '{login}' to re-authenticate")
        } else if is_expired(status, now) {
            format!("  Status: EXPIRED — run '{login}' to re-authenticate")
        } else {
            "  Status: Valid".to_owned()
        });
        sections.push(lines.join("\n"));
    }
    if let Some(masked) = &status.masked_static_token {
        let masked = output::plain(masked);
        let refused = if status.token_refused { "\n  Status: REFUSED by the server" } else { "" };
        sections
            .push(format!("Static token:\n  Authenticated via: Static token\n  Token: {masked}{refused}"));
    }
    if sections.is_empty() {
        return format!("Not authenticated.\nRun '{login}' or set --token / DOT_AI_AUTH_TOKEN.");
    }
    sections.join("\n\n")
}

fn has_session(status: &Status) -> bool {
    status.masked_token.is_some() && status.masked_token != status.masked_static_token
}

fn is_expired(status: &Status, now: u64) -> bool {
    let over = status.state == State::NeedsLogin && !status.token_refused;
    over || status.access_expires_at.is_some_and(|at| at <= now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_client::SignInMethod;
    use std::collections::BTreeMap;

    fn with(token: Option<&str>, fixed: Option<&str>, state: State) -> Status {
        Status {
            profile: "dot-ai".to_owned(),
            server: "http://localhost:3456".to_owned(),
            session_file: "/h/.config/dot-ai/credentials.json".to_owned(),
            state,
            reason: None,
            user: None,
            scheme: SignInMethod::Browser,
            masked_token: token.map(str::to_owned),
            access_expires_at: token.map(|_| 1_772_971_200),
            refresh_expires_at: None,
            next_refresh_at: None,
            last_error: None,
            pending_revocations: 0,
            provider: "dot-ai".to_owned(),
            about: BTreeMap::new(),
            masked_static_token: fixed.map(str::to_owned),
            reminder: None,
            next_wake: None,
            replay: None,
            sign_in_by: None,
            token_served: false,
            token_refused: false,
            proxy: None,
            certificates: Vec::new(),
        }
    }

    const LOGIN: &str = "dot-ai auth login";

    #[test]
    fn the_document_is_followed() {
        let both = with(Some("eyJhbGci...abcd"), Some("eyJhbGci...wxyz"), State::Valid);
        assert_eq!(
            status(&both, None, 0, LOGIN),
            "OAuth session:\n  Authenticated via: OAuth\n  Token: eyJhbGci...abcd\n  \
             Token expires: 2026-03-08T12:00:00Z\n  Status: Valid\n\n\
             Static token:\n  Authenticated via: Static token\n  Token: eyJhbGci...wxyz"
        );
        assert_eq!(
            status(&with(None, None, State::SignedOut), None, 0, LOGIN),
            "Not authenticated.\nRun 'dot-ai auth login' or set --token / DOT_AI_AUTH_TOKEN."
        );
    }

    #[test]
    fn what_has_expired_says_what_to_run() {
        let late = with(Some("a"), None, State::Valid);
        assert!(is_signed_in(&late, None, 0));
        assert!(!is_signed_in(&late, None, u64::MAX));
        let said = status(&late, None, u64::MAX, LOGIN);
        assert!(said.ends_with("  Status: EXPIRED — run 'dot-ai auth login' to re-authenticate"), "{said}");
    }

    #[test]
    fn a_token_from_outside_comes_first_and_says_so() {
        let given = Given {
            masked: "****".to_owned(),
            source: "DOT_AI_AUTH_TOKEN".to_owned(),
            verdict: Some("Valid".to_owned()),
        };
        assert_eq!(
            status(&with(None, None, State::SignedOut), Some(&given), 0, LOGIN),
            "Static token:\n  Authenticated via: Static token\n  Token: ****\n  Source: DOT_AI_AUTH_TOKEN\n  Status: Valid"
        );
    }
}
