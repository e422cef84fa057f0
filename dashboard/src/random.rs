//! Random bytes and hashes, in hexadecimal.

use everkey_client::Secret;
use std::fmt::Write as _;

/// So many random bytes.
///
/// # Errors
/// Where the system has none.
pub fn random<const BYTES: usize>() -> Result<Secret, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(Secret::new(hexadecimal(&bytes)))
}

/// Two letters a byte.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
