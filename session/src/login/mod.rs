//! Sign-ins: one a profile, outliving connections; a second caller joins it or begins anew.

mod callers;
mod flow;

mod machine;
mod method_machine;
mod next_life;
mod next_step;
mod oauth_client;
mod schemes;
mod store;

pub(crate) use machine::{Login, LoginEvent, LoginOutcome};
