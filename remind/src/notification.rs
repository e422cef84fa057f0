//! A notification on the desktop (Desktop Notifications Specification 1.2), if there is one.

use everkey_proto::errand::Errand;
use everkey_proto::text::harmless;
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;
use zbus::{Connection, Variant};

/// How long everything about the bus may take.
const PATIENCE: Duration = Duration::from_secs(3);

const NAME: &str = "org.freedesktop.Notifications";

/// Shows it. A machine without a desktop is nothing to complain about.
pub async fn show(errand: &Errand) {
    match timeout(PATIENCE, notify(errand)).await {
        Ok(Ok(())) => {}
        Ok(Err(e)) => tracing::info!(error = %e, "no notification could be shown"),
        Err(_late) => tracing::info!("no notification could be shown: the session bus does not answer"),
    }
}

async fn notify(errand: &Errand) -> zbus::Result<()> {
    let bus = Connection::session().await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let Words { icon, summary, body } = words(errand, now);
    let (replaces, actions, lasts): (u32, &[&str], i32) = (0, &[], -1);
    let hints = HashMap::from([("urgency", Variant::from(1u8))]);
    let notification = ("everkey", replaces, icon, summary.as_str(), body.as_str(), actions, hints, lasts);
    let path = "/org/freedesktop/Notifications";
    bus.call_method(Some(NAME), path, Some(NAME), "Notify", &notification).await?;
    Ok(())
}

struct Words {
    icon: &'static str,
    summary: String,
    body: String,
}

fn words(errand: &Errand, now: u64) -> Words {
    match errand {
        Errand::Reminder { email, .. } => Words {
            icon: "appointment-soon",
            summary: "Time for the next audit".to_owned(),
            body: format!(
                "{} asked to be reminded of it. `everkey reminder set` sets the next one.",
                plain(email)
            ),
        },
        Errand::SignIn { profile, by, why } => {
            let profile = plain(profile);
            let when = by.map_or_else(String::new, |by| format!(" {}", ahead(by.saturating_sub(now))));
            Words {
                icon: "dialog-password",
                summary: format!("{profile}: a sign-in may be needed{when}"),
                body: format!("{}. `everkey login --profile {profile}` signs in again.", plain(why)),
            }
        }
    }
}

/// Receivers may take it for markup.
fn plain(text: &str) -> String {
    harmless(text, 254).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A span of seconds as people say it.
fn ahead(secs: u64) -> String {
    let (number, unit) = match secs {
        0..60 => return "at once".to_owned(),
        60..7_200 => (secs / 60, "minute"),
        7_200..172_800 => (secs / 3_600, "hour"),
        _ => (secs / 86_400, "day"),
    };
    format!("in {number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s01_an_address_is_no_markup() {
        let email = "\u{1b}[1m<a href=\"http://evil\">&\u{202e}@x".to_owned();
        let Words { body, .. } = words(&Errand::Reminder { at: 0, email, command: None }, 0);
        assert!(body.starts_with("[1m&lt;a href=\"http://evil\"&gt;&amp;@x asked"), "{body}");
    }

    #[test]
    fn a_sign_in_ahead_says_which_when_and_why() {
        let errand = |by| Errand::SignIn { profile: "work".into(), by, why: "the sign-in ends".into() };
        let Words { summary, body, .. } = words(&errand(Some(1_000 + 3 * 86_400)), 1_000);
        assert_eq!(summary, "work: a sign-in may be needed in 3 days");
        assert_eq!(body, "the sign-in ends. `everkey login --profile work` signs in again.");
        let summary = |by| words(&errand(by), 1_000).summary;
        assert_eq!(summary(Some(1_060)), "work: a sign-in may be needed in 1 minute");
        assert_eq!(summary(Some(900)), "work: a sign-in may be needed at once");
        assert_eq!(summary(None), "work: a sign-in may be needed");
    }
}
