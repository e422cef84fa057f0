//! Fuzz targets: one plain function for each reader of what somebody else wrote.
//! A target asserts what must hold for every input, not merely that nothing panics.
//! Deliberately absent: how inputs are made. `tests/corpus.rs` replays and mutates the kept ones on stable Rust;
//! `libfuzzer/` looks for new ones, guided by coverage.
#![forbid(unsafe_code)]

pub mod measure;
pub mod mutate;
pub mod reach;
pub mod targets;

use targets::{
    answers, callback, config, hello, jwt, lines, messages, of_achilles, of_oauth, redact, reminder,
    server_text, server_url, session_file, store, streams, waits,
};

/// One target: reads the input, panics if a property does not hold.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also the name of its folder in `corpus/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("agent_stream", streams::agent_reads),
    ("client_stream", streams::client_reads),
    ("hello", hello::bodies),
    ("request", messages::request),
    ("reply", messages::reply),
    ("json_hello", lines::hello),
    ("json_request", lines::request),
    ("json_reply", lines::reply),
    ("session_failproofai", session_file::failproofai),
    ("session_achilles", session_file::achilles),
    ("session_binboi", session_file::binboi),
    ("session_dot_ai", session_file::dot_ai),
    ("session_oauth", session_file::oauth),
    ("journal", store::journal),
    ("journal_torn", store::journal_torn),
    ("sidecar", store::sidecar),
    ("revocation", store::revocation),
    ("clients", store::clients),
    ("reminder", reminder::file),
    ("reminder_book", reminder::book),
    ("refresh_answer", answers::refresh),
    ("login_answer", answers::login),
    ("probe_answer", answers::probe),
    ("revoke_answer", answers::revoke),
    ("achilles_answer", of_achilles::any),
    ("oauth_answer", of_oauth::any),
    ("callback", callback::queries),
    ("config", config::profiles),
    ("achilles_config", config::of_achilles),
    ("jwt", jwt::claims),
    ("retry_after", waits::retry_after),
    ("http_date", waits::http_date),
    ("server_url", server_url::base_url),
    ("server_text", server_text::sentences),
    ("redact", redact::stream),
    ("redact_token", redact::token),
];

pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}
