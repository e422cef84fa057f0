//! What the environment says. Every variable that the client reads is read here.

use everkey_proto::place::Places;
use everkey_proto::{Code, DEFAULT_PROFILE, Expect, Failure};
use std::path::PathBuf;

/// Where the agent's things are.
pub fn places() -> Result<Places, Failure> {
    let uid = rustix::process::geteuid().as_raw();
    Places::find(path, |dir| dir.is_dir(), uid).map_err(|e| Failure {
        code: Code::Storage,
        message: format!("{e}."),
        hint: "Set HOME, or EVERKEY_HOME to a folder of your own.".to_owned(),
        retry_after_secs: None,
    })
}

/// What this caller takes for granted, by its flags and environment.
pub fn expect(profile: Option<&str>, server: Option<&str>) -> Expect {
    let failproofai = profile.unwrap_or(DEFAULT_PROFILE) == DEFAULT_PROFILE;
    let named = || text("FAILPROOF_API_URL").or_else(|| text("FAILPROOFAI_API_URL"));
    Expect {
        server: server.map(str::to_owned).or_else(|| named().filter(|_| failproofai)),
        session_file: auth_dir()
            .filter(|_| failproofai)
            .map(|dir| dir.join("auth.json").to_string_lossy().into_owned()),
    }
}

/// `FAILPROOFAI_AUTH_DIR`, made absolute: the agent has another working folder.
pub fn auth_dir() -> Option<PathBuf> {
    path("FAILPROOFAI_AUTH_DIR").and_then(|dir| std::path::absolute(dir).ok())
}

fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
