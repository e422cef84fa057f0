//! The command line.

mod accounts;
mod command;
mod keys;
mod listing;
mod serve;
mod values;

pub use accounts::{Clients, OneClient, OneUser, PlatformRole, Users};
pub use command::{Backup, Cli, Command, OneSession, Sessions};
pub use keys::{Keys, KeysFile};
pub use listing::Listing;
pub use serve::{LogFormat, Retry, Serve};
