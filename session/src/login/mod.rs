//! Sign-ins: one a profile, outliving connections; a second caller joins it or begins anew.

mod callers;
mod flow;
mod kept_sign_in;
mod machine;
mod method_machine;
mod next_step;
mod oauth_client;
mod schemes;
mod store;

pub use kept_sign_in::KeptSignIn;
pub(crate) use machine::{Login, LoginEvent, LoginOutcome};
