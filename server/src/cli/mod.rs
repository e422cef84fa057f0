//! The command line.

mod accounts;
mod command;
mod examples;
mod keys;
mod limits;
mod listing;
mod serve;
mod sign_up;
mod values;

pub use accounts::{ClientsCommand, OneClient, OneUser, PlatformRole, UsersCommand};
pub use command::{BackupCommand, OneSession, ServerCli, ServerCommand, SessionsCommand};
pub use examples::command_line;
pub use keys::{KeysCommand, KeysFile};
pub use limits::{LimitsCommand, OneHold};
pub use listing::ListOptions;
pub use serve::{LogFormat, Retry, ServeCommand};
pub use sign_up::{SignUpCommand, SignUpEntries};
