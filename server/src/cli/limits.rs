//! `everkey-server limits`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::listing::ListOptions;

/// `everkey-server limits`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct LimitsCommand {
    /// How to list
    #[command(flatten)]
    pub listing: ListOptions,

    /// The TOML file that `serve` is given; without it the defaults are shown
    #[arg(long, value_name = "FILE")]
    pub limits: Option<PathBuf>,

    /// What else to do
    #[command(subcommand)]
    pub command: Option<OneHold>,
}

/// What to do with one hold.
#[derive(Debug, Subcommand)]
pub enum OneHold {
    /// Forget what a limit has counted for somebody, so that they can go on at once
    Lift {
        /// The limit's key, as `limits` lists it
        #[arg(value_name = "LIMIT")]
        key: String,
        /// Whom it holds, as `limits` lists them
        #[arg(value_name = "WHO", required = true)]
        who: Vec<String>,
        /// Where to look
        #[command(flatten)]
        listing: ListOptions,
    },
}
