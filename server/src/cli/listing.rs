//! What every command that lists something takes.

use clap::Args;

use crate::cli::values::Unrepeated;
use crate::db::DatabaseLocation;

/// How to list.
#[derive(Debug, Args)]
pub struct ListOptions {
    /// The database to read
    #[arg(
        long,
        value_name = "sqlite:PATH|postgres://...",
        env = "EVERKEY_SERVER_DATABASE",
        value_parser = Unrepeated::<DatabaseLocation>::new(),
        hide_env_values = true
    )]
    pub database: Option<DatabaseLocation>,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}
