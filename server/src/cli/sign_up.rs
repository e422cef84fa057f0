//! `everkey-server sign-up`.

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::listing::ListOptions;
use crate::rules::sign_up::{SignUpEntry, SignUpMode};

/// `everkey-server sign-up`: who may have an account. Running servers act on it at once.
#[derive(Debug, Subcommand)]
pub enum SignUpCommand {
    /// Show who may sign up
    Show(ListOptions),
    /// Decide who may sign up; who has an account goes on signing in
    Set {
        /// Who
        #[arg(value_name = "WHO", value_enum)]
        mode: SignUpChoice,
        /// Where
        #[command(flatten)]
        listing: ListOptions,
    },
    /// Put addresses or whole domains on the list
    Allow(SignUpEntries),
    /// Take addresses or domains off the list
    Forbid(SignUpEntries),
}

/// Who may sign up.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SignUpChoice {
    /// Everybody
    Open,
    /// Who is on the list, and who is invited into a workspace
    Invited,
    /// Who is on the list
    Listed,
    /// Nobody
    Closed,
}

impl From<SignUpChoice> for SignUpMode {
    fn from(choice: SignUpChoice) -> Self {
        match choice {
            SignUpChoice::Open => Self::Open,
            SignUpChoice::Invited => Self::Invited,
            SignUpChoice::Listed => Self::Listed,
            SignUpChoice::Closed => Self::Closed,
        }
    }
}

/// Which entries of the list.
#[derive(Debug, Args)]
pub struct SignUpEntries {
    /// Addresses such as ada@example.com, or domains such as example.com
    #[arg(value_name = "WHO", required = true, value_parser = entry)]
    pub entries: Vec<SignUpEntry>,

    /// Where
    #[command(flatten)]
    pub listing: ListOptions,
}

fn entry(text: &str) -> Result<SignUpEntry, String> {
    SignUpEntry::parse(text).map_err(|error| error.to_string())
}
