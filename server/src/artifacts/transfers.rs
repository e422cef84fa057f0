//! Transfers under way: so many at once in all, and so many of one user or network.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

type Counts = Arc<Mutex<HashMap<String, u32>>>;

pub struct Transfers {
    places: Arc<Semaphore>,
    of_one: u32,
    under_way: Counts,
}

/// A place for one transfer, given back when dropped.
pub struct TransferSlot {
    _place: OwnedSemaphorePermit,
    who: String,
    under_way: Counts,
}

/// There is no place for another transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSlot {
    /// Others have them all.
    #[error("too many transfers are under way")]
    All,
    /// Whoever asks has enough of them.
    #[error("too many transfers of theirs are under way")]
    Own,
}

impl Transfers {
    pub fn new(in_all: u32, of_one: u32) -> Self {
        let places = Arc::new(Semaphore::new(in_all as usize));
        Self { places, of_one, under_way: Counts::default() }
    }

    /// A place for one more transfer of `who`: a user's id, or a network.
    pub fn enter(&self, who: &str) -> Result<TransferSlot, NoSlot> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let own = under_way.get(who).copied().unwrap_or(0);
        if own >= self.of_one {
            return Err(NoSlot::Own);
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| NoSlot::All)?;
        under_way.insert(who.to_owned(), own + 1);
        Ok(TransferSlot { _place: place, who: who.to_owned(), under_way: Arc::clone(&self.under_way) })
    }
}

impl Drop for TransferSlot {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        match under_way.get_mut(&self.who) {
            Some(own) if *own > 1 => *own -= 1,
            Some(_) | None => drop(under_way.remove(&self.who)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_every_place_and_each_comes_back() {
        let transfers = Transfers::new(3, 2);
        let (one, two) = (transfers.enter("ada"), transfers.enter("ada"));
        assert_eq!(transfers.enter("ada").err(), Some(NoSlot::Own));
        let three = transfers.enter("bob");
        assert_eq!(transfers.enter("bob").err(), Some(NoSlot::All));
        drop((one, three));
        assert!(transfers.enter("ada").is_ok() && transfers.enter("bob").is_ok());
        drop(two);
        assert!(transfers.under_way.lock().unwrap().is_empty());
    }
}
