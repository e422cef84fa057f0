//! Device grants (RFC 8628): a device asks, a person approves or denies it in a browser, and the device, which polls,
//! fetches its tokens once.

mod decide;
mod look_up;
mod organisation;
mod poll;
mod request;

pub use decide::{Decider, DecisionOutcome, decide};
pub use look_up::{LookUpOutcome, look_up};
pub use organisation::current_organisation;
pub use poll::{DeviceTokens, PollOutcome, known_grant, poll};
pub use request::{DeviceAuthorization, request};
