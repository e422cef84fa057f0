//! What a planted fault makes of an effect.

use everkey_proto::Secret;
use everkey_reminder::{ProfileEffect, ProfileInput};
use everkey_session::{Effect, JobResult, Op};

/// What becomes of an effect.
pub enum Twist {
    Pass(ProfileEffect),
    /// These instead.
    Swap(Vec<ProfileEffect>),
    /// It is done, but the agent is told so at once.
    Acknowledge(ProfileEffect, Op, ProfileInput),
    /// It is not done, and the agent is told that it was.
    Pretend(Op, JobResult),
}

pub fn pass(effect: Effect) -> Twist {
    Twist::Pass(ProfileEffect::Session(effect))
}

pub fn swap<const N: usize>(effects: [Effect; N]) -> Twist {
    Twist::Swap(effects.map(ProfileEffect::Session).into())
}

/// The intent's op follows the connection's.
pub fn fresh_key(stored: Op) -> Secret {
    Secret::new(format!("key {}", stored.0))
}
