//! Looking after accounts: as the operator on the command line, and as a platform admin.

pub mod admin;
pub mod error;
pub mod operator;
pub mod profile;
