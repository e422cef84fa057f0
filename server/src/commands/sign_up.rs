//! `everkey-server sign-up`.

use serde::Serialize;

use crate::actions::accounts::sign_up::{self, SignUpChange};
use crate::cli::{ListOptions, SignUpCommand};
use crate::command_error::CommandError;
use crate::commands::list::{Row, open_ready, print, refused, unreadable};
use crate::db::{Database, retry};
use crate::rules::sign_up::{SignUpEntry, SignUpMode};
use crate::time::{SystemClock, TimeSource as _};

/// Looks after who may sign up.
pub(super) async fn run(command: SignUpCommand) -> Result<(), CommandError> {
    match command {
        SignUpCommand::Show(listing) => show(&open_ready(&listing).await?, &listing).await,
        SignUpCommand::Set { mode, listing } => change(SignUpChange::Mode(mode.into()), &listing).await,
        SignUpCommand::Allow(asked) => change(SignUpChange::Allow(asked.entries), &asked.listing).await,
        SignUpCommand::Forbid(asked) => change(SignUpChange::Forbid(asked.entries), &asked.listing).await,
    }
}

async fn change(change: SignUpChange, listing: &ListOptions) -> Result<(), CommandError> {
    let store = open_ready(listing).await?;
    retry(|| sign_up::change(&store, &change, None, SystemClock.now())).await.map_err(refused)?;
    show(&store, listing).await
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
            "unset" => {
                "not set: open while the server listens on loopback alone, has its public address there and trusts no proxy; otherwise \
                 invited"
            }
            "open" => "open: everybody may sign up",
            "invited" => "invited: who is on the list, or is invited into a workspace, may sign up",
            "listed" => "listed: who is on the list may sign up",
            _ => "closed: nobody may sign up",
        };
        let lines = self.list.iter().map(|entry| format!("  {entry}"));
        std::iter::once(who.to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
    }
}
