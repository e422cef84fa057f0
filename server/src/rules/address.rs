//! Whose network address counts: the peer's, or what a trusted proxy says; IPv6 by its /64.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

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
}

impl fmt::Display for NetworkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A household or a host gets a whole /64, so that is what one limit covers.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
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
}
