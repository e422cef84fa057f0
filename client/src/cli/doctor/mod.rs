//! What is wrong with this user's everkey. Each check looks and changes nothing; together they take three seconds at most.

mod agent;
mod checked;
mod disks;
mod files;
pub mod finding;
pub mod log;
mod parts;
mod processes;
pub mod run;
mod servers;
mod sessions;
mod setup;
mod text;
mod units;

pub use text::{print, whole};
