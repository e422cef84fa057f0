//! What people read, as text: one file a system whose documents show their own, one for everything else.

pub mod achilles;
pub mod agent;
pub mod binboi;
pub mod callers;
pub mod dot_ai;
pub mod events;
pub mod login;
pub mod reminder;
