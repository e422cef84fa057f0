//! What can be done: each action reads facts, asks the rules, and writes the decision in one transaction.
//! No HTTP here; every kind of route shares these.

pub mod accounts;
pub(crate) mod alarm;
pub mod bearer_session;
pub mod browser;
pub mod device;
pub(crate) mod letters;
pub mod limit;
pub mod oauth;
pub mod personal_tokens;
pub mod reminders;
pub mod second_factor;
pub mod server_error;
pub mod sessions;
pub mod sign_in;
