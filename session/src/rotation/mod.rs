//! The rotation of one session's tokens, S0 to S6 of docs/rotation.md. It owns the session while somebody is signed in.

mod access;
mod adopt;
mod answer;
mod commit;
mod doubt;
mod end;
mod machine;
mod plan;
mod send;
mod state;

pub(crate) use machine::{Rotation, RotationEvent, RotationOutcome};
pub(crate) use state::ArrivedSession;
