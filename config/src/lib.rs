//! What agent and clients both know of one user's set-up: where things live, what `config.toml` says, which profiles there
//! are, and which kinds of server. Texts come in, values come out.
//! Deliberately absent: I/O, environment access, anything on the wire.
#![forbid(unsafe_code)]

pub mod achilles;
pub mod file;
mod file_text;
mod mistakes;
mod names;
pub mod network;
pub mod paths;
pub mod profile;
mod provider;
mod redirect;
pub mod replay;
mod resource;

pub use mistakes::{Mistake, Touched};
pub use names::{is_built_in, is_plain_name, is_word_name};
pub use provider::ProviderKind;
