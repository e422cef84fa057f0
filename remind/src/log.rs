//! Logging to stderr, which is the agent's.

use everkey_redact::RedactedWriter;
use tracing_subscriber::EnvFilter;

/// Libraries stay at `warn`.
pub fn start() {
    let journald = std::env::var_os("JOURNAL_STREAM").is_some();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(concat!("warn,", env!("CARGO_CRATE_NAME"), "=info")))
        .with_writer(|| RedactedWriter::new(std::io::stderr()))
        // It would complain on stderr, with a macro that panics when the disk is full.
        .log_internal_errors(false)
        .with_ansi(false)
        .with_target(false);
    // systemd's journal has its own clock.
    everkey_redact::log_panics();
    let _ = if journald { subscriber.without_time().try_init() } else { subscriber.try_init() };
}
