//! Logging to stderr. No line holds a link's key, a cookie, or anything that was typed.

use everkey_redact::RedactedWriter;
use tracing_subscriber::EnvFilter;

/// Logs warnings of this program alone unless `EVERKEY_LOG` says otherwise; libraries say nothing, since their
/// traces may hold what was sent.
pub fn start() {
    let level = std::env::var("EVERKEY_LOG").unwrap_or_default();
    let level = match level.as_str() {
        known @ ("error" | "warn" | "info" | "debug" | "trace") => known,
        _ => "warn",
    };
    let filter = EnvFilter::new(format!("off,{}={level}", env!("CARGO_CRATE_NAME")));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| RedactedWriter::new(std::io::stderr()))
        .log_internal_errors(false)
        .with_ansi(false)
        .with_target(false);
    everkey_redact::log_panics();
    let _ = subscriber.try_init();
}
