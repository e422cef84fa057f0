//! Logging, and the core's notices as log lines. No line holds a secret: the types that hold one print
//! `****`, and what others wrote passes `everkey-redact`.

use everkey_redact::RedactedWriter;
use everkey_reminder::{ReminderNotice, Untold};
use everkey_session::{Error, Notice, StoreError};
use tracing_subscriber::EnvFilter;

/// Logs to stderr; `EVERKEY_LOG` sets the level (`info` unless told). Libraries stay at `warn`, since their
/// traces may hold what was sent.
pub fn start() {
    let level = std::env::var("EVERKEY_LOG").unwrap_or_default();
    let level = match level.as_str() {
        known @ ("error" | "warn" | "info" | "debug" | "trace") => known,
        _ => "info",
    };
    let filter = EnvFilter::new(format!("warn,{}={level}", env!("CARGO_CRATE_NAME")));
    let journald = std::env::var_os("JOURNAL_STREAM").is_some();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| RedactedWriter::new(std::io::stderr()))
        // It would complain on stderr, with a macro that panics when the disk is full.
        .log_internal_errors(false)
        .with_ansi(false)
        .with_target(false);
    // systemd's journal has its own clock.
    everkey_redact::log_panics();
    let _ = if journald { subscriber.without_time().try_init() } else { subscriber.try_init() };
}

pub fn log(profile: &str, notice: &Notice) {
    let message = |error: Error| crate::messages::failure(&error).message;
    match notice {
        Notice::SignedIn => tracing::info!(profile, "signed in"),
        Notice::Refreshed => tracing::info!(profile, "refreshed"),
        Notice::Adopted => tracing::info!(profile, "took over a session that another program wrote"),
        Notice::SignedOut(out) => {
            tracing::info!(profile, why = message(Error::NotSignedIn(out.clone())), "signed out");
        }
        Notice::Ended(over) => {
            tracing::warn!(profile, why = message(Error::NeedsLogin(*over)), "session ended")
        }
        Notice::RefreshFailed(net) => {
            tracing::warn!(profile, why = message(Error::Net(net.clone())), "refresh failed; trying again");
        }
        Notice::SignInAhead { by, why } => {
            tracing::warn!(profile, by, why = crate::messages::why_ahead(*why), "a sign-in may be needed");
        }
        Notice::StoreFailed(store) => store_failed(profile, store),
        Notice::Tightened => {
            tracing::warn!(profile, "the session file was readable by others; its mode is 0600 now");
        }
        Notice::SetAside(name) => {
            tracing::warn!(profile, kept = name, "the session file was damaged and set aside")
        }
        Notice::GaveWay => {
            tracing::info!(profile, "another program wrote the session file first; its session stands")
        }
        Notice::Recovered => tracing::info!(profile, "finished what a crash had cut short"),
        Notice::Alarm => {
            tracing::error!(profile, "the api-server answered for another user or session; dropped")
        }
        Notice::Revoked => tracing::info!(profile, "the api-server has confirmed the sign-out"),
        Notice::RevocationDropped => {
            tracing::warn!(profile, "a sign-out was never confirmed by the api-server");
        }
    }
}

/// The same for the reminder.
pub fn log_reminder(profile: &str, notice: &ReminderNotice) {
    match notice {
        ReminderNotice::Set(reminder) => tracing::info!(profile, due_at = reminder.at, "reminder set"),
        ReminderNotice::Cleared => tracing::info!(profile, "reminder cleared"),
        ReminderNotice::Due(reminder) => tracing::info!(profile, due_at = reminder.at, "reminder due"),
        ReminderNotice::Untold(Untold::Refused) => {
            tracing::warn!(profile, "the api-server refuses the reminder; it is kept here alone");
        }
        ReminderNotice::Untold(Untold::Yet(net)) => {
            let why = crate::messages::failure(&Error::Net(net.clone())).message;
            tracing::warn!(profile, why, "the api-server does not know of the reminder yet; trying again");
        }
        ReminderNotice::StoreFailed(store) => store_failed(profile, store),
    }
}

fn store_failed(profile: &str, store: &StoreError) {
    let why = crate::messages::failure(&Error::Store(store.clone())).message;
    tracing::error!(profile, why, "file trouble");
}
