//! The cryptography behind https.

use anyhow::{Result, anyhow};

/// Once for the whole process.
pub fn install() -> Result<()> {
    rustls::crypto::ring::default_provider().install_default().map_err(|_| anyhow!("TLS is set up twice"))
}
