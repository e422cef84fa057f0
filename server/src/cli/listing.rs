//! What every command that lists something takes.

use clap::Args;

use crate::cli::values::Unrepeated;
use crate::db::Place;

/// How to list.
#[derive(Debug, Args)]
pub struct Listing {
    /// The database to read
    #[arg(
        long,
        value_name = "sqlite:PATH|postgres://...",
        env = "EVERKEY_SERVER_DATABASE",
        value_parser = Unrepeated::<Place>::new(),
        hide_env_values = true
    )]
    pub database: Option<Place>,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}
