//! One file per subcommand.

mod backup;
mod clients;
mod files;
mod keys;
mod limits;
mod list;
mod listen;
mod migrate;
mod serve;
mod sign_up;
mod users;

use crate::cli::{OneSession, ServerCommand};
use crate::command_error::CommandError;

/// Carries a command out. Returns once it is done, or with what a person should know.
pub async fn run(command: ServerCommand) -> Result<(), CommandError> {
    match command {
        ServerCommand::Serve(options) => serve::run(*options).await,
        ServerCommand::Migrate(listing) => migrate::run(&listing).await,
        ServerCommand::Users(command) => users::run(command).await,
        ServerCommand::SignUp(command) => sign_up::run(command).await,
        ServerCommand::Clients(command) => clients::run(command).await,
        ServerCommand::Sessions(sessions) => match sessions.command {
            None => list::sessions(&sessions.listing).await,
            Some(OneSession::End { id, listing }) => users::end_session(&id, &listing).await,
        },
        ServerCommand::Events(listing) => list::events(&listing).await,
        ServerCommand::Limits(command) => limits::run(command).await,
        ServerCommand::Keys(command) => keys::run(command),
        ServerCommand::Backup(backup) => backup::run(&backup).await,
    }
}
