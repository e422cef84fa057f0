//! Looking after accounts, and who may have one: as the operator on the command line, and as a platform admin.

pub mod admin;
pub mod error;
pub mod operator;
pub mod profile;
pub mod sign_up;
