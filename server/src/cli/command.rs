//! The commands, and the smallest of them whole.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::cli::accounts::{ClientsCommand, UsersCommand};
use crate::cli::keys::KeysCommand;
use crate::cli::limits::LimitsCommand;
use crate::cli::listing::ListOptions;
use crate::cli::serve::{ServeCommand, after_help};
use crate::cli::sign_up::SignUpCommand;
use crate::cli::values::Unrepeated;
use crate::db::DatabaseLocation;

/// The self-hosted api-server: signs people in by email code and keeps their sessions.
#[derive(Debug, Parser)]
#[command(name = "everkey-server", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct ServerCli {
    /// What to do.
    #[command(subcommand)]
    pub command: ServerCommand,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum ServerCommand {
    /// Run the server until it is told to stop (SIGTERM, Ctrl-C)
    #[command(after_long_help = after_help())]
    Serve(Box<ServeCommand>),
    /// Bring the database's schema up to date, and say what was done
    ///
    /// `serve` does so by itself unless it is given --no-migrate.
    Migrate(ListOptions),
    /// Look after the accounts of users
    #[command(subcommand)]
    Users(UsersCommand),
    /// Decide who may have an account
    #[command(subcommand)]
    SignUp(SignUpCommand),
    /// Look after the OAuth clients that registered
    #[command(subcommand)]
    Clients(ClientsCommand),
    /// List every session: whose, how often rotated, how ended; or end one
    Sessions(SessionsCommand),
    /// List what happened: sign-ins, rotations, replays, refusals
    Events(ListOptions),
    /// List the limits in force and whom they hold, or let somebody go
    Limits(LimitsCommand),
    /// Change or list the server's own keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Copy the database to a new file while the server runs
    Backup(BackupCommand),
}

/// `everkey-server sessions`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SessionsCommand {
    /// How to list
    #[command(flatten)]
    pub listing: ListOptions,

    /// What else to do
    #[command(subcommand)]
    pub command: Option<OneSession>,
}

/// What to do with one session.
#[derive(Debug, Subcommand)]
pub enum OneSession {
    /// End one session: its tokens work no more
    End {
        /// The session's id, as `sessions` lists it
        #[arg(value_name = "ID")]
        id: String,
        /// Where to look
        #[command(flatten)]
        listing: ListOptions,
    },
}

/// `everkey-server backup`.
#[derive(Debug, Args)]
#[command(after_help = "The keys are not in it: back their file up as well, and apart from the database.")]
pub struct BackupCommand {
    /// The new file, mode 0600. A SQLite database is copied whole; of PostgreSQL it is pg_dump's custom format, to be
    /// restored with pg_restore
    #[arg(value_name = "TO")]
    pub to: PathBuf,

    /// The database to copy
    #[arg(
        long,
        value_name = "sqlite:PATH|postgres://...",
        env = "EVERKEY_SERVER_DATABASE",
        value_parser = Unrepeated::<DatabaseLocation>::new(),
        hide_env_values = true
    )]
    pub database: Option<DatabaseLocation>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        ServerCli::command().debug_assert();
    }
}
