//! Room for so many connections at a time. Where there is none left, one gives way, so that the newest always gets in: one of
//! a process that has more than its share, else one on which nothing is going on, the oldest first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Room for connections; its clones are the same room.
#[derive(Clone, Debug)]
pub struct Room(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: u32,
    /// How many places a process may have before its own give way first.
    share: usize,
    free: Arc<Semaphore>,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// Counts what happens, so that what came first is known.
    moment: u64,
    places: BTreeMap<u64, Occupant>,
}

#[derive(Debug)]
struct Occupant {
    process: Option<i32>,
    activity: Activity,
    since: u64,
    way_out: Arc<Notify>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Activity {
    /// Nothing is going on.
    Silent,
    Busy,
    /// It is there to stay, or leaves already.
    Settled,
}

/// A connection that has a place in the room, until this is dropped.
#[derive(Debug)]
pub struct Guest {
    id: u64,
    room: Room,
    way_out: Arc<Notify>,
    _free: Option<OwnedSemaphorePermit>,
}

/// Something goes on on such a connection, until this is dropped.
#[derive(Debug)]
pub struct Busy {
    id: u64,
    room: Room,
}

impl Room {
    /// Room for `most`; a process that has more than `share` of them gives way first.
    pub fn new(most: u32, share: usize) -> Self {
        let free = Arc::new(Semaphore::new(most as usize));
        Self(Arc::new(Shared { most, share, free, taken: Mutex::default() }))
    }

    /// Takes a place for a connection of this process, where that is known. Waits for one that gives way to be gone.
    pub async fn enter(&self, process: Option<i32>) -> Guest {
        let mut free = Arc::clone(&self.0.free).try_acquire_owned().ok();
        if free.is_none() {
            self.make_way();
            free = Arc::clone(&self.0.free).acquire_owned().await.ok();
        }
        let mut taken = self.taken();
        let (id, way_out) = (taken.next_moment(), Arc::new(Notify::new()));
        let occupant =
            Occupant { process, activity: Activity::Silent, since: id, way_out: Arc::clone(&way_out) };
        taken.places.insert(id, occupant);
        Guest { id, room: self.clone(), way_out, _free: free }
    }

    /// Waits until everybody has left.
    pub async fn empty(&self) {
        let _ = self.0.free.acquire_many(self.0.most).await;
    }

    fn make_way(&self) {
        let mut taken = self.taken();
        let mut have: BTreeMap<i32, usize> = BTreeMap::new();
        for process in taken.places.values().filter_map(|one| one.process) {
            *have.entry(process).or_default() += 1;
        }
        let too_many = |one: &Occupant| {
            let has = one.process.and_then(|process| have.get(&process)).copied().unwrap_or_default();
            has.saturating_sub(self.0.share)
        };
        let first = taken
            .places
            .values_mut()
            .filter(|one| one.activity != Activity::Settled)
            .min_by_key(|one| (Reverse(too_many(one)), one.activity, one.since));
        if let Some(first) = first {
            first.activity = Activity::Settled;
            first.way_out.notify_one();
        }
    }

    fn change(&self, id: u64, activity: Activity) {
        let mut taken = self.taken();
        let since = taken.next_moment();
        if let Some(one) = taken.places.get_mut(&id).filter(|one| one.activity != Activity::Settled) {
            (one.activity, one.since) = (activity, since);
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn next_moment(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }
}

impl Guest {
    /// Something goes on here now.
    pub fn busy(&self) -> Busy {
        self.room.change(self.id, Activity::Busy);
        Busy { id: self.id, room: self.room.clone() }
    }

    /// From now on it gives way to nobody.
    pub fn stay(&self) {
        self.room.change(self.id, Activity::Settled);
    }

    /// Resolves once it has to give way.
    pub async fn gives_way(&self) {
        self.way_out.notified().await;
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.room.taken().places.remove(&self.id);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.room.change(self.id, Activity::Silent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// What a future has come to; nothing here waits for the system.
    fn now<T>(future: impl Future<Output = T>) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    fn enter(room: &Room, process: i32) -> Guest {
        now(room.enter(Some(process))).expect("a place that is free")
    }

    /// Lets one more in, where one of `there` has to leave; which it was.
    fn enters_instead(room: &Room, process: i32, there: &mut Vec<Guest>) -> usize {
        let mut more = pin!(room.enter(Some(process)));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(more.as_mut().poll(&mut cx).is_pending(), "it is full");
        let leaves = there.iter().position(|place| now(place.gives_way()).is_some()).expect("one gives way");
        drop(there.remove(leaves));
        assert!(there.iter().all(|place| now(place.gives_way()).is_none()), "one is enough");
        let Poll::Ready(place) = more.as_mut().poll(&mut cx) else { panic!("there is room") };
        there.push(place);
        leaves
    }

    #[test]
    fn the_longest_silent_gives_way_and_the_busy_stay() {
        let room = Room::new(3, 3);
        let mut there: Vec<Guest> = (1..=3).map(|process| enter(&room, process)).collect();
        let busy = there[0].busy();
        assert_eq!(enters_instead(&room, 4, &mut there), 1);
        // What has just ended is the youngest silence.
        drop(busy);
        assert_eq!(enters_instead(&room, 5, &mut there), 1);
        let _busy: Vec<Busy> = there.iter().map(Guest::busy).collect();
        assert_eq!(enters_instead(&room, 6, &mut there), 0, "where all are busy, the first of them");
    }

    #[test]
    fn a_process_with_more_than_its_share_gives_way_first() {
        let room = Room::new(5, 2);
        let mut there: Vec<Guest> = [1, 2, 2, 2, 3].map(|process| enter(&room, process)).into();
        let _busy: Vec<Busy> = there[1..4].iter().map(Guest::busy).collect();
        assert_eq!(enters_instead(&room, 4, &mut there), 1, "though it is busy and others are silent");
        assert_eq!(enters_instead(&room, 2, &mut there), 0, "two are its share");
    }

    #[test]
    fn those_who_stay_give_way_to_nobody() {
        let room = Room::new(2, 1);
        let mut there: Vec<Guest> = [1, 1].map(|process| enter(&room, process)).into();
        there[0].stay();
        drop(there[0].busy());
        assert_eq!(enters_instead(&room, 1, &mut there), 1);
        there[1].stay();
        assert!(now(room.enter(Some(2))).is_none(), "it waits");
        there.clear();
        assert!(now(room.empty()).is_some());
    }
}
