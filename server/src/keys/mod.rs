//! The server's own keys. They live in a file of their own, never in the database.

pub mod es256;
pub mod file;
pub mod history;
mod ring;
pub mod seal;
mod server_key;

pub use ring::KeyRing;
pub use server_key::{NotMade, ServerKey};
