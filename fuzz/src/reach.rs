//! Whether an input got past the reader: a corpus that is only refused tests nothing behind the refusal.

use std::cell::Cell;

thread_local! {
    static DEEP: Cell<bool> = const { Cell::new(false) };
}

/// A target calls this once the reader has accepted the input.
pub fn deep() {
    DEEP.set(true);
}

/// Whether the last input on this thread was accepted; asking forgets it.
pub fn was_deep() -> bool {
    DEEP.replace(false)
}
