//! Checks of the repository itself: what its files import, name and point at. Nothing is built or run for them.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arrows;
mod comments;
mod imports;
mod links;
mod manifests;
mod modules;
mod names;
mod repository;
mod resolve;
mod size;
mod test_hooks;
