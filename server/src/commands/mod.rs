//! One file per subcommand.

mod files;
mod list;
mod serve;

use crate::cli::Command;
use crate::trouble::Trouble;

/// Carries a command out. Returns once it is done, or with what a person should know.
pub async fn run(command: Command) -> Result<(), Trouble> {
    match command {
        Command::Serve(options) => serve::run(*options).await,
        Command::Sessions(listing) => list::sessions(&listing).await,
        Command::Events(listing) => list::events(&listing).await,
    }
}
