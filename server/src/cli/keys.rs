//! `everkey-server keys`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::cli::values::{Unrepeated, ttl};
use crate::db::DatabaseLocation;

/// `everkey-server keys`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make new keys; running servers use them within seconds, and what the old ones made goes on working
    Rotate {
        /// Which keys
        #[command(flatten)]
        file: KeysFile,
        /// How long replaced keys are kept: the longest --refresh-ttl of the servers that use them
        #[arg(long, value_name = "SPAN", default_value = "30d", value_parser = ttl)]
        refresh_ttl: Duration,
    },
    /// List the keys, without their secrets
    List {
        /// Which keys
        #[command(flatten)]
        file: KeysFile,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
}

/// Which keys file.
#[derive(Debug, Args)]
pub struct KeysFile {
    /// The keys file; left out, the one beside the SQLite database
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,

    /// The database that the keys stand beside
    #[arg(
        long,
        value_name = "sqlite:PATH|postgres://...",
        env = "EVERKEY_SERVER_DATABASE",
        value_parser = Unrepeated::<DatabaseLocation>::new(),
        hide_env_values = true
    )]
    pub database: Option<DatabaseLocation>,
}
