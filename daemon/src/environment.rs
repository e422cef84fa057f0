//! What the environment says. Every variable that the agent reads is read here or in `logging.rs`.

use crate::http::typed_base_url;
use anyhow::{Result, anyhow, bail};
use everkey_config::paths::{FoundFolder, Places};
use everkey_session::hex;
use sha2::{Digest, Sha256};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The least time between automatic refreshes of one session, in milliseconds.
const GAP_MS: u64 = 30_000;

pub fn places() -> Result<Places> {
    let uid = rustix::process::geteuid().as_raw();
    Ok(Places::find(path, folder, uid)?)
}

fn folder(path: &Path) -> Option<FoundFolder> {
    let found = std::fs::metadata(path).ok().filter(Metadata::is_dir)?;
    Some(FoundFolder { owner: found.uid(), mode: found.mode() })
}

#[derive(Clone)]
pub struct Environment {
    /// failproofai's server.
    pub server: Option<String>,
    pub auth_dir: Option<PathBuf>,
    pub gap_ms: u64,
    /// For how many seconds dot-ai's tokens shall work, if not as long as usual.
    pub dot_ai_ttl_secs: Option<u64>,
    pub machine: String,
    /// Names this run of the machine.
    pub boot_id: String,
    /// Whether a service manager started this process, or what it descends from.
    pub is_service: bool,
}

impl Environment {
    pub fn read() -> Result<Self> {
        let auth_dir = path("FAILPROOFAI_AUTH_DIR");
        if auth_dir.as_ref().is_some_and(|dir| dir.is_relative()) {
            bail!("FAILPROOFAI_AUTH_DIR must be an absolute path");
        }
        let named = text("FAILPROOF_API_URL").or_else(|| text("FAILPROOFAI_API_URL"));
        let server = named.map(|server| typed_base_url(&server)).transpose();
        Ok(Self {
            server: server.map_err(|why| anyhow!("FAILPROOF_API_URL: {why}"))?,
            auth_dir,
            gap_ms: gap_ms(),
            dot_ai_ttl_secs: dot_ai_ttl_secs(),
            machine: machine(),
            boot_id: boot_id(),
            is_service: ["INVOCATION_ID", "NOTIFY_SOCKET"].into_iter().any(|name| text(name).is_some()),
        })
    }

    #[cfg(test)]
    pub fn empty() -> Self {
        Self {
            server: None,
            auth_dir: None,
            gap_ms: GAP_MS,
            dot_ai_ttl_secs: None,
            machine: String::new(),
            boot_id: String::new(),
            is_service: false,
        }
    }
}

fn gap_ms() -> u64 {
    #[cfg(feature = "test-hooks")]
    if let Some(ms) = crate::test_hooks::refresh_gap_ms() {
        return ms;
    }
    GAP_MS
}

/// dot-ai's own variable. What is no number of seconds counts as absent: it is no reason to serve nobody.
fn dot_ai_ttl_secs() -> Option<u64> {
    text("DOT_AI_TOKEN_TTL_SECONDS")?.trim().parse().ok().filter(|secs| *secs > 0)
}

/// Tells machines apart without naming this one.
fn machine() -> String {
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    hex(&Sha256::digest(format!("everkey {}", id.trim())))[..16].to_owned()
}

/// New with every start of the machine. Where it can't be read, no two agents share one.
fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    if id.trim().is_empty() { format!("process {}", std::process::id()) } else { id.trim().to_owned() }
}

/// Where the certificates are that are trusted in place of the system's, by the variables that say so.
pub fn certificates() -> Vec<(&'static str, String)> {
    let names = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
    names.into_iter().filter_map(|name| Some((name, path(name)?.to_string_lossy().into_owned()))).collect()
}

/// The proxy for https, and the variable that names it.
pub fn https_proxy() -> Option<(&'static str, String)> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    names.into_iter().find_map(|name| Some((name, text(name)?)))
}

/// The hosts that no proxy is for.
pub fn no_proxy() -> String {
    text("NO_PROXY").or_else(|| text("no_proxy")).unwrap_or_default()
}

fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
