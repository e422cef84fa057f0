//! Whose network address counts: the peer's, or what a trusted proxy says; IPv6 by its /64, /56 and /48.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The network address that rate limits count by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkAddress(IpAddr);

impl NetworkAddress {
    /// Finds the client. `forwarded` holds the values of X-Forwarded-For in order; they are read from
    /// the nearest hop backwards, and only as long as each hop is a trusted proxy.
    pub fn find<'a>(
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a str>,
        trusted: &[IpNet],
    ) -> Self {
        let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
        let mut nearest = peer.to_canonical();
        for hop in forwarded.rev().flat_map(|value| value.rsplit(',')) {
            if !is_trusted(&nearest) {
                break;
            }
            match hop.trim().parse::<IpAddr>() {
                Ok(ip) => nearest = ip.to_canonical(),
                Err(_) => break,
            }
        }
        Self(network(nearest))
    }

    /// The networks that it is in, narrowest first, each with how many times the limit of one it gets together. Who has
    /// a /64 often has a /56 or a /48 of them.
    pub fn blocks(self) -> Vec<(String, u32)> {
        let mut blocks = vec![(self.to_string(), 1)];
        if let IpAddr::V6(ip) = self.0 {
            blocks.extend(WIDER.map(|(prefix, factor)| {
                let network = Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << (128 - prefix)));
                (format!("{network}/{prefix}"), factor)
            }));
        }
        blocks
    }
}

impl fmt::Display for NetworkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The prefixes of wider networks, and how many times the limit of a /64 each has.
const WIDER: [(u32, u32); 2] = [(56, 4), (48, 8)];

/// How many times the limit of one network a subject has that ends in a network as [`NetworkAddress::blocks`] names it.
pub fn factor_of(subject: &str) -> u32 {
    let prefix = subject.rsplit_once('/').and_then(|(_, prefix)| prefix.parse().ok());
    WIDER.iter().find(|(wider, _)| Some(*wider) == prefix).map_or(1, |(_, factor)| *factor)
}

/// A household or a host gets a whole /64, so that is what one limit covers. What only carries IPv4 counts as that: behind
/// one NAT64 or Teredo server all clients share a /64, and each IPv4 address is a /48 of 6to4.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => carried_ipv4(ip)
            .map_or_else(|| Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64)).into(), IpAddr::V4),
    }
}

/// The IPv4 address of a client behind NAT64 (RFC 6052), 6to4 (RFC 3056) or Teredo (RFC 4380).
fn carried_ipv4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let pair = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match ip.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(pair(high, low)),
        [0x2002, high, low, ..] => Some(pair(high, low)),
        [0x2001, 0, .., high, low] => Some(pair(!high, !low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        NetworkAddress::find(peer.parse().unwrap(), forwarded.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn an_untrusted_peer_is_itself_whatever_it_claims() {
        assert_eq!(find("198.51.100.7", &["10.9.9.9"], &[]), "198.51.100.7");
        assert_eq!(find("198.51.100.7", &["10.9.9.9"], &["127.0.0.0/8"]), "198.51.100.7");
    }

    #[test]
    fn only_what_the_trusted_proxy_says_is_believed() {
        let nets = &["127.0.0.0/8", "10.0.0.0/8"];
        assert_eq!(find("127.0.0.1", &["203.0.113.5"], nets), "203.0.113.5");
        assert_eq!(find("127.0.0.1", &["1.1.1.1, 203.0.113.5, 10.0.0.2"], nets), "203.0.113.5");
        assert_eq!(find("127.0.0.1", &["1.1.1.1", "203.0.113.5"], nets), "203.0.113.5");
        assert_eq!(find("127.0.0.1", &["1.1.1.1, nonsense"], nets), "127.0.0.1");
        assert_eq!(find("127.0.0.1", &[], nets), "127.0.0.1");
    }

    #[test]
    fn ipv6_counts_by_its_64_and_mapped_ipv4_as_ipv4() {
        assert_eq!(find("2001:db8:1:2:3:4:5:6", &[], &[]), "2001:db8:1:2::");
        assert_eq!(find("::ffff:192.0.2.1", &[], &[]), "192.0.2.1");
        assert_eq!(find("::ffff:127.0.0.1", &["192.0.2.1"], &["127.0.0.1/32"]), "192.0.2.1");
    }

    #[test]
    fn addresses_that_carry_ipv4_count_as_that() {
        assert_eq!(find("64:ff9b::192.0.2.1", &[], &[]), "192.0.2.1");
        assert_eq!(find("2002:c000:201:7::9", &[], &[]), "192.0.2.1");
        assert_eq!(find("2001:0:4136:e378:8000:63bf:3fff:fdfe", &[], &[]), "192.0.2.1");
        assert_eq!(find("2001:db8:0:1::2", &[], &[]), "2001:db8:0:1::");
    }

    #[test]
    fn a_48_has_few_times_what_a_64_has() {
        let blocks = |ip: &str| NetworkAddress::find(ip.parse().unwrap(), std::iter::empty(), &[]).blocks();
        let named = |blocks: &[(&str, u32)]| -> Vec<(String, u32)> {
            blocks.iter().map(|(name, factor)| ((*name).to_owned(), *factor)).collect()
        };
        assert_eq!(
            blocks("2001:db8:1:234::5"),
            named(&[("2001:db8:1:234::", 1), ("2001:db8:1:200::/56", 4), ("2001:db8:1::/48", 8)])
        );
        assert_eq!(blocks("192.0.2.1"), named(&[("192.0.2.1", 1)]));
        for (name, factor) in blocks("2001:db8:1:234::5") {
            assert_eq!(factor_of(&format!("ada@example.com from {name}")), factor);
        }
    }
}
