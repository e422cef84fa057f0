//! The keys in use and those they replaced.

use std::sync::Arc;

use crate::keys::ServerKey;
use crate::time::Timestamp;

/// The set in use, and the older ones that what was made before still needs.
#[derive(Clone, Debug)]
pub struct KeyHistory {
    current: Arc<ServerKey>,
    older: Vec<Arc<ServerKey>>,
}

impl KeyHistory {
    /// New things are made with `current`; `older` is still known.
    pub fn new(current: ServerKey, older: Vec<ServerKey>) -> Self {
        Self { current: Arc::new(current), older: older.into_iter().map(Arc::new).collect() }
    }

    /// The set that new tokens and codes are made with.
    pub fn current(&self) -> &Arc<ServerKey> {
        &self.current
    }

    /// Every set, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &Arc<ServerKey>> {
        std::iter::once(&self.current).chain(&self.older)
    }

    /// The set with this id, if it is still kept.
    pub fn find(&self, id: &str) -> Option<&Arc<ServerKey>> {
        self.all().find(|key| key.id == id)
    }

    /// With a new current set; the one that was current becomes the first of the older ones.
    pub fn with_current(&self, new: ServerKey) -> Self {
        Self { current: Arc::new(new), older: self.all().cloned().collect() }
    }

    /// Every set with the moment it was replaced at, the current one first.
    pub fn replaced(&self) -> impl Iterator<Item = (&Arc<ServerKey>, Option<Timestamp>)> {
        let replaced = std::iter::once(None).chain(self.all().map(|newer| Some(newer.created_at)));
        self.all().zip(replaced)
    }

    /// Without the sets that were replaced before `horizon`.
    pub fn since(&self, horizon: Timestamp) -> Self {
        let kept = self.replaced().filter(|(_, at)| at.is_some_and(|at| at >= horizon));
        Self { current: Arc::clone(&self.current), older: kept.map(|(key, _)| Arc::clone(key)).collect() }
    }
}
