//! Whether somebody signs in from where, and with what, they have signed in before.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::rules::caller::NetworkCaller;
use crate::rules::program::describe;

/// Whether both the network and the program are among the earlier ones. Both are compared coarsely: an address changes
/// within its network, a program with each update.
pub fn is_known(earlier: &[(Option<String>, Option<String>)], caller: &NetworkCaller) -> bool {
    let (here, with) = (network(&caller.address.to_string()), describe(&caller.program));
    let same_network = |address: &str| network(address) == here;
    earlier.iter().any(|(address, _)| address.as_deref().is_some_and(same_network))
        && earlier.iter().any(|(_, program)| describe(program.as_deref().unwrap_or_default()) == with)
}

/// The /24 or /48 that an address is in.
fn network(address: &str) -> Option<IpAddr> {
    Some(match address.parse().ok()? {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & (u32::MAX << 8))),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 80))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::address::NetworkAddress;

    fn caller(ip: &str, program: &str) -> NetworkCaller {
        let address = NetworkAddress::find(ip.parse().unwrap(), std::iter::empty(), &[]);
        NetworkCaller::new(address, Some(program))
    }

    #[test]
    fn a_place_is_known_by_its_network_and_its_program() {
        let earlier = [
            (Some("192.0.2.7".to_owned()), Some("everkey/0.4.0 (linux)".to_owned())),
            (Some("2001:db8:1:2::".to_owned()), None),
        ];
        for (ip, program, known) in [
            ("192.0.2.200", "everkey/0.5.0 (linux)", true),
            ("2001:db8:1:ffff::1", "everkey/1", true),
            ("192.0.2.7", "", true),
            ("192.0.3.7", "everkey/0.4.0", false),
            ("2001:db8:2::1", "everkey/0.4.0", false),
            ("192.0.2.7", "curl/8", false),
        ] {
            assert_eq!(is_known(&earlier, &caller(ip, program)), known, "{ip} {program}");
        }
        assert!(!is_known(&[], &caller("192.0.2.7", "")));
    }
}
