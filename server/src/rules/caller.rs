//! Who asks, as far as the network tells: an address and what a program calls itself.

use crate::rules::address::NetworkAddress;
use crate::rules::text::kept;

/// The longest program name kept, in characters.
const LONGEST: usize = 120;

/// The network side of a request. Both parts are claims: they are shown to people and never decide anything
/// but rate limits.
#[derive(Clone, Debug)]
pub struct NetworkCaller {
    pub address: NetworkAddress,
    /// What the program calls itself (`User-Agent`): visible ASCII and spaces, at most 120 characters.
    pub program: String,
}

impl NetworkCaller {
    /// A caller at `address` that calls itself `user_agent`, of which nothing unprintable is kept.
    pub fn new(address: NetworkAddress, user_agent: Option<&str>) -> Self {
        let printable = |c: &char| c.is_ascii_graphic() || *c == ' ';
        Self {
            address,
            program: kept(user_agent.unwrap_or("")).chars().filter(printable).take(LONGEST).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_is_short_and_printable() {
        let address = NetworkAddress::find([192, 0, 2, 1].into(), std::iter::empty(), &[]);
        assert_eq!(NetworkCaller::new(address, None).program, "");
        assert_eq!(NetworkCaller::new(address, Some("curl/8\u{1b}[31m\n")).program, "curl/8[31m");
        assert_eq!(NetworkCaller::new(address, Some(&"x".repeat(500))).program.len(), LONGEST);
        let token = format!("tool/1 binboi_pat_0a1b2c3d_{}", "0123456789abcdef01".repeat(2));
        assert_eq!(NetworkCaller::new(address, Some(&token)).program, "tool/1 [redacted:everkey-token]");
    }
}
