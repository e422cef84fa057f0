//! What every program of everkey does for its own safety: no core dumps, and a look at files and folders before they are used.
//! Deliberately absent: what the files say, logging.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod acl;
pub mod certificates;
pub mod file;
pub mod folder;
pub mod memory;
mod rights;
mod way;

pub use rights::{Unfit, ask_for_owners};
