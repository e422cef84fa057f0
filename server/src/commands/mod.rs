//! One file per subcommand.

mod backup;
mod clients;
mod files;
mod keys;
mod list;
mod migrate;
mod serve;
mod users;

use crate::cli::{Command, OneSession};
use crate::trouble::Trouble;

/// Carries a command out. Returns once it is done, or with what a person should know.
pub async fn run(command: Command) -> Result<(), Trouble> {
    match command {
        Command::Serve(options) => serve::run(*options).await,
        Command::Migrate(listing) => migrate::run(&listing).await,
        Command::Users(command) => users::run(command).await,
        Command::Clients(command) => clients::run(command).await,
        Command::Sessions(sessions) => match sessions.command {
            None => list::sessions(&sessions.listing).await,
            Some(OneSession::End { id, listing }) => users::end_session(&id, &listing).await,
        },
        Command::Events(listing) => list::events(&listing).await,
        Command::Keys(command) => keys::run(command),
        Command::Backup(backup) => backup::run(&backup).await,
    }
}
