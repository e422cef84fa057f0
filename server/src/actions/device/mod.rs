//! Device grants (RFC 8628): a device asks, a person approves or denies it in a browser, and the device, which polls,
//! fetches its tokens once.

mod ask;
mod decide;
mod look_up;
mod organisation;
mod poll;

pub use ask::{DeviceAuthorization, ask};
pub use decide::{Decided, Judge, decide};
pub use look_up::{LookedUp, look_up};
pub use organisation::current_organisation;
pub use poll::{Granted, Polled, poll};
