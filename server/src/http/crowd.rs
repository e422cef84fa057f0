//! Who is connected. Nobody who only sends slowly keeps others out: when there is no room, the connection goes that has waited
//! longest for something from its client, first of the same network, then of the network that has most. Requests that the
//! server works on are never cut off.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::Notify;

use crate::metrics::METRICS;

/// How many connections there may be at once.
#[derive(Clone, Debug)]
pub struct CrowdLimits {
    pub all: usize,
    /// Of one network, unless a trusted proxy is there.
    pub of_one: usize,
    pub trusted: Vec<IpNet>,
}

/// All connections of a server.
#[derive(Debug)]
pub struct Crowd {
    limits: CrowdLimits,
    table: Mutex<Table>,
    /// Somebody left, or can be asked to.
    moved: Notify,
}

#[derive(Debug, Default)]
struct Table {
    ticks: u64,
    members: BTreeMap<u64, Member>,
}

#[derive(Debug)]
struct Member {
    network: IpAddr,
    /// Since when its client has owed something; unset while the server works for it.
    owes_since: Option<u64>,
    leave: Arc<Notify>,
}

/// One connection's place; it is free again once this is dropped.
#[derive(Debug)]
pub struct Place {
    crowd: Arc<Crowd>,
    id: u64,
    leave: Arc<Notify>,
}

impl Crowd {
    pub fn new(limits: CrowdLimits) -> Arc<Self> {
        Arc::new(Self { limits, table: Mutex::default(), moved: Notify::new() })
    }

    /// A place for a new connection from `ip`, for which another one may have to leave. `None` if its network has all it may
    /// have. Waits while the server works for as many as there may be.
    pub async fn admit(self: &Arc<Self>, ip: IpAddr) -> Option<Place> {
        let ip = ip.to_canonical();
        let (network, trusted) = (network(ip), self.limits.trusted.iter().any(|net| net.contains(&ip)));
        loop {
            let moved = self.moved.notified();
            {
                let mut table = self.table();
                if !trusted
                    && table.of(network) >= self.limits.of_one
                    && !table.send_off(|one| one == network)
                {
                    METRICS.turned_away();
                    return None;
                }
                let full = table.members.len() >= self.limits.all;
                if !full || table.greediest().is_some_and(|most| table.send_off(|one| one == most)) {
                    return Some(self.seat(&mut table, network));
                }
            }
            moved.await;
        }
    }

    fn seat(self: &Arc<Self>, table: &mut Table, network: IpAddr) -> Place {
        let (id, leave) = (table.tick(), Arc::new(Notify::new()));
        table.members.insert(id, Member { network, owes_since: Some(id), leave: Arc::clone(&leave) });
        Place { crowd: Arc::clone(self), id, leave }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn tick(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }

    fn of(&self, network: IpAddr) -> usize {
        self.members.values().filter(|member| member.network == network).count()
    }

    /// The network with most connections whose clients owe something.
    fn greediest(&self) -> Option<IpAddr> {
        let mut counts = BTreeMap::<IpAddr, usize>::new();
        for member in self.members.values().filter(|member| member.owes_since.is_some()) {
            *counts.entry(member.network).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(network, _)| network)
    }

    /// Ends the connection whose client has owed something longest. `false` if there is none.
    fn send_off(&mut self, whose: impl Fn(IpAddr) -> bool) -> bool {
        let owing = self.members.iter().filter(|(_, member)| whose(member.network));
        let longest = owing.filter_map(|(id, member)| Some((member.owes_since?, *id))).min();
        let Some(member) = longest.and_then(|(_, id)| self.members.remove(&id)) else { return false };
        member.leave.notify_one();
        METRICS.turned_away();
        true
    }
}

impl Place {
    /// The server works for it now.
    pub fn works(&self) {
        self.note(None);
    }

    /// Its client is to send or to take something, from now on.
    pub fn owes(&self) {
        let tick = self.crowd.table().tick();
        self.note(Some(tick));
        self.crowd.moved.notify_one();
    }

    fn note(&self, owes_since: Option<u64>) {
        if let Some(member) = self.crowd.table().members.get_mut(&self.id) {
            member.owes_since = owes_since;
        }
    }

    /// Returns once somebody else needs the place.
    pub async fn wanted(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.table().members.remove(&self.id);
        self.crowd.moved.notify_one();
    }
}

/// What one owner is likely to have: a machine's own addresses, an IPv4 address, or a /48.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        _ if ip.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 80))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(all: usize, of_one: usize) -> Arc<Crowd> {
        Crowd::new(CrowdLimits { all, of_one, trusted: vec!["10.0.0.1/32".parse().unwrap()] })
    }

    async fn gone(place: &Place) -> bool {
        tokio::select! {
            biased;
            () = place.wanted() => true,
            () = std::future::ready(()) => false,
        }
    }

    async fn admit(crowd: &Arc<Crowd>, ip: &str) -> Option<Place> {
        crowd.admit(ip.parse().unwrap()).await
    }

    #[tokio::test]
    async fn one_networks_newcomer_takes_the_place_of_its_oldest() {
        let crowd = crowd(10, 2);
        let first = admit(&crowd, "192.0.2.1").await.unwrap();
        let second = admit(&crowd, "192.0.2.1").await.unwrap();
        let other = admit(&crowd, "192.0.2.2").await.unwrap();
        first.works();
        let third = admit(&crowd, "192.0.2.1").await.unwrap();
        assert!(!gone(&first).await && gone(&second).await && !gone(&other).await && !gone(&third).await);
        third.works();
        assert!(admit(&crowd, "192.0.2.1").await.is_none(), "the server works for both");
        drop(first);
        assert!(admit(&crowd, "192.0.2.1").await.is_some());
    }

    #[tokio::test]
    async fn a_full_house_sends_off_the_greediest() {
        let crowd = crowd(4, 3);
        let mut greedy = Vec::new();
        for last in 1..=3 {
            greedy.push(admit(&crowd, &format!("2001:db8:7:{last}::1")).await.unwrap());
        }
        let modest = admit(&crowd, "192.0.2.1").await.unwrap();
        let newcomer = admit(&crowd, "192.0.2.2").await.unwrap();
        assert!(gone(&greedy[0]).await && !gone(&greedy[1]).await);
        assert!(!gone(&modest).await && !gone(&newcomer).await);
    }

    #[tokio::test]
    async fn a_proxy_may_have_all_and_loopback_is_one() {
        let crowd = crowd(4, 1);
        let held = [admit(&crowd, "10.0.0.1").await.unwrap(), admit(&crowd, "10.0.0.1").await.unwrap()];
        assert!(!gone(&held[0]).await && !gone(&held[1]).await);
        let mine = admit(&crowd, "127.0.0.1").await.unwrap();
        let _next = admit(&crowd, "127.9.9.9").await.unwrap();
        assert!(gone(&mine).await);
    }

    #[tokio::test]
    async fn who_has_just_sent_something_stays_longer() {
        let crowd = crowd(2, 2);
        let (first, second) =
            (admit(&crowd, "192.0.2.1").await.unwrap(), admit(&crowd, "192.0.2.1").await.unwrap());
        first.owes();
        let _third = admit(&crowd, "192.0.2.1").await.unwrap();
        assert!(!gone(&first).await && gone(&second).await);
    }

    #[tokio::test]
    async fn while_the_server_works_for_all_a_newcomer_waits() {
        let crowd = crowd(1, 1);
        let only = admit(&crowd, "192.0.2.1").await.unwrap();
        only.works();
        let waiting = tokio::spawn({
            let crowd = Arc::clone(&crowd);
            async move { admit(&crowd, "192.0.2.2").await.is_some() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(only);
        assert!(waiting.await.unwrap());
    }
}
