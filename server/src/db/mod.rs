//! The database: its queries, in SQL that SQLite and PostgreSQL both understand, and its transactions.

pub mod audit;
pub mod authorizations;
pub mod browser_sessions;
pub mod clients;
pub mod codes;
pub mod copy;
mod database;
pub mod devices;
mod dialect;
mod error;
pub mod holds;
pub mod left_behind;
pub mod let_in;
pub mod location;
pub mod made_by_session;
pub mod memberships;
mod operator;
pub mod personal_tokens;
pub mod profile;
pub mod reminders;
mod retry;
pub(crate) mod row;
pub mod second_factor;
mod session_bounds;
pub mod sessions;
pub mod sign_up;
pub mod throttle;
pub mod tokens;
mod tx;
pub mod users;

pub use database::{Database, OpenError};
pub use error::DbError;
pub use location::DatabaseLocation;
pub use retry::{Contention, retry};
pub use tx::Tx;
