//! What the environment says: places, accounts, TLS. Every variable that the agent reads is read here or in `logging.rs`.

use crate::broker::Account;
use crate::http::base_url;
use crate::provider::Provider;
use crate::store::Store;
use anyhow::{Context, Result, anyhow};
use everkey_proto::DEFAULT_PROFILE;
use everkey_proto::place::Places;
use everkey_session::Settings;
use everkey_session::record::hex;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// The least time between automatic refreshes of one session, in milliseconds.
const GAP_MS: u64 = 30_000;

/// Where everything is.
pub fn places() -> Result<Places> {
    let uid = rustix::process::geteuid().as_raw();
    Ok(Places::find(path, |dir| dir.is_dir(), uid)?)
}

/// The accounts to serve.
pub fn accounts(places: &Places) -> Result<Vec<Account>> {
    let provider = Provider::Failproofai;
    let named = text("FAILPROOF_API_URL").or_else(|| text("FAILPROOFAI_API_URL"));
    let server = named.unwrap_or_else(|| provider.default_server().to_owned());
    let server = base_url(&server).map_err(|why| anyhow!("FAILPROOF_API_URL: {why}"))?;
    let auth_dir = path("FAILPROOFAI_AUTH_DIR");
    if auth_dir.as_ref().is_some_and(|dir| dir.is_relative()) {
        return Err(anyhow!("FAILPROOFAI_AUTH_DIR must be an absolute path"));
    }
    let session_file = places.failproofai_session(auth_dir);
    // The folder must be there before it can be watched; what goes wrong is told when the file is needed.
    if let Some(dir) = session_file.parent() {
        let _ = crate::store::make_dir(dir);
    }
    let settings = Settings {
        policy: provider.policy(gap_ms()?),
        server,
        session_file: session_file.to_string_lossy().into_owned(),
        machine: machine(),
    };
    let store = Store::new(provider, DEFAULT_PROFILE, session_file.clone(), &places.state);
    Ok(vec![Account { name: DEFAULT_PROFILE.to_owned(), provider, session_file, settings, store }])
}

/// The cryptography behind https, once for the whole process.
pub fn tls() -> Result<()> {
    rustls::crypto::ring::default_provider().install_default().map_err(|_| anyhow!("TLS is set up twice"))
}

/// Only tests set this: nobody should refresh more often than every 30 s.
fn gap_ms() -> Result<u64> {
    match text("EVERKEY_TEST_REFRESH_GAP_MS") {
        Some(ms) => ms.parse().context("EVERKEY_TEST_REFRESH_GAP_MS must be a number of milliseconds"),
        None => Ok(GAP_MS),
    }
}

/// Tells machines apart without naming this one.
fn machine() -> String {
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    hex(&Sha256::digest(format!("everkey {}", id.trim())))[..16].to_owned()
}

fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
