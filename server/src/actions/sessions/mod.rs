//! Sessions that have tokens: they begin, rotate and end.

pub mod begin;
pub mod error;
pub mod logout;
pub mod refresh;
pub mod tokens;
