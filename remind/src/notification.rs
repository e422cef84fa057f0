//! A notification on the desktop (Desktop Notifications Specification 1.2), if there is one.

use everkey_proto::errand::Errand;
use everkey_proto::text::harmless;
use std::collections::HashMap;
use std::time::Duration;
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
    let (replaces, icon, actions, lasts): (u32, _, &[&str], i32) = (0, "appointment-soon", &[], -1);
    let hints = HashMap::from([("urgency", Variant::from(1u8))]);
    let body = body(&errand.email);
    let notification = ("everkey", replaces, icon, SUMMARY, body.as_str(), actions, hints, lasts);
    let path = "/org/freedesktop/Notifications";
    bus.call_method(Some(NAME), path, Some(NAME), "Notify", &notification).await?;
    Ok(())
}

const SUMMARY: &str = "Time for the next audit";

/// Receivers may take it for markup.
fn body(email: &str) -> String {
    let email = harmless(email, 254).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("{email} asked to be reminded of it. `everkey reminder set` sets the next one.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s01_an_address_is_no_markup() {
        let body = body("\u{1b}[1m<a href=\"http://evil\">&\u{202e}@x");
        assert!(body.starts_with("[1m&lt;a href=\"http://evil\"&gt;&amp;@x asked"), "{body}");
    }
}
