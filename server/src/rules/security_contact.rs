//! Whom to tell about a hole in this server, and how RFC 9116 has it written.

use std::fmt::Write as _;
use std::time::Duration;

use crate::time::Timestamp;

/// Where the text is served.
pub const PATH: &str = "/.well-known/security.txt";

/// How long the words count. A server that answers has them from its configuration, so they are as good as new.
const GOOD_FOR: Duration = Duration::from_secs(30 * 86_400);

/// What whoever runs the server says of reports.
#[derive(Clone, Debug)]
pub struct SecurityContact {
    /// Where reports go, the best place first.
    pub contacts: Vec<String>,
    /// A page that says how reports are dealt with.
    pub policy: Option<String>,
}

impl SecurityContact {
    /// The text of security.txt.
    pub fn text(&self, public_url: &str, now: Timestamp) -> String {
        let mut text: String = self.contacts.iter().map(|contact| format!("Contact: {contact}\n")).collect();
        let expires = Timestamp::from_secs(now.plus(GOOD_FOR).secs());
        let _ = writeln!(text, "Expires: {}", expires.rfc3339());
        // An address without TLS is none that anybody could trust.
        if public_url.starts_with("https://") {
            let _ = writeln!(text, "Canonical: {public_url}{PATH}");
        }
        if let Some(policy) = &self.policy {
            let _ = writeln!(text, "Policy: {policy}");
        }
        text
    }
}
