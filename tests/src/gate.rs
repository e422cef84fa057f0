//! A gate that something waits at until the test opens it.

use crate::wait::until;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Closed when made; what comes to it waits until it is opened, for good.
#[derive(Clone, Default)]
pub struct Gate(Arc<Inside>);

#[derive(Default)]
struct Inside {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    open: bool,
    came: usize,
}

impl Gate {
    /// Waits until something has come to the gate.
    pub fn reached(&self) {
        until("a request to come to the gate", || self.state().came > 0);
    }

    /// Lets everything through from now on.
    pub fn open(&self) {
        self.state().open = true;
        self.0.opened.notify_all();
    }

    /// Comes to the gate and waits there.
    pub(crate) fn pass(&self) {
        let mut state = self.state();
        state.came += 1;
        let _open =
            self.0.opened.wait_while(state, |state| !state.open).unwrap_or_else(PoisonError::into_inner);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
