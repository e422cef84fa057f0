//! `everkey-server sign-up`.

use serde::Serialize;

use crate::actions::accounts::sign_up::{self, SignUpChange};
use crate::cli::{ListOptions, SignUpCommand};
use crate::command_error::CommandError;
use crate::commands::files;
use crate::commands::list::{Row, print, unreadable};
use crate::db::{Database, retry};
use crate::rules::sign_up::{SignUpEntry, SignUpMode};
use crate::time::{SystemClock, TimeSource as _};

/// Looks after who may sign up.
pub(super) async fn run(command: SignUpCommand) -> Result<(), CommandError> {
    match command {
        SignUpCommand::Show(listing) => show(&open(&listing).await?, &listing).await,
        SignUpCommand::Set { mode, listing } => change(SignUpChange::Mode(mode.into()), &listing).await,
        SignUpCommand::Allow(asked) => change(SignUpChange::Allow(asked.entries), &asked.listing).await,
        SignUpCommand::Forbid(asked) => change(SignUpChange::Forbid(asked.entries), &asked.listing).await,
    }
}

async fn change(change: SignUpChange, listing: &ListOptions) -> Result<(), CommandError> {
    let store = open(listing).await?;
    retry(|| sign_up::change(&store, &change, None, SystemClock.now())).await.map_err(|error| {
        CommandError::new(
            format!("it was not done: {error}"),
            "Check that the database can be written, and try again.",
        )
    })?;
    show(&store, listing).await
}

async fn open(listing: &ListOptions) -> Result<Database, CommandError> {
    files::open_ready(&files::place(listing.database.as_ref())?).await
}

async fn show(store: &Database, listing: &ListOptions) -> Result<(), CommandError> {
    let settings = sign_up::settings(store).await.map_err(unreadable)?;
    let list = settings.list.iter().map(|entry: &SignUpEntry| entry.as_str().to_owned()).collect();
    let row = SettingsRow { sign_up: settings.mode.map_or("unset", SignUpMode::as_str), list };
    print(listing.json, &[row])
}

#[derive(Serialize)]
struct SettingsRow {
    sign_up: &'static str,
    list: Vec<String>,
}

impl Row for SettingsRow {
    fn text(&self) -> String {
        let who = match self.sign_up {
            "unset" => "nobody has decided: open on loopback without a trusted proxy, else invited",
            "open" => "open: everybody may sign up",
            "invited" => "invited: who is on the list, or is invited into a workspace, may sign up",
            "listed" => "listed: who is on the list may sign up",
            _ => "closed: nobody may sign up",
        };
        let lines = self.list.iter().map(|entry| format!("  {entry}"));
        std::iter::once(who.to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
    }
}
