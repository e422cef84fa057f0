//! `everkey-server sign-up`.

use serde::Serialize;

use crate::actions::accounts::sign_up::{self, SignUpChange};
use crate::cli::{ListOptions, SignUpCommand, SignUpEntries};
use crate::command_error::CommandError;
use crate::commands::list::{Row, open_ready, print, refused, unreadable};
use crate::db::{Database, retry};
use crate::rules::sign_up::{SignUpEntry, SignUpMode};
use crate::time::{SystemClock, TimeSource as _};

/// Looks after who may sign up.
pub(super) async fn run(command: SignUpCommand) -> Result<(), CommandError> {
    match command {
        SignUpCommand::Show(listing) => show(&open_ready(&listing).await?, &listing).await,
        SignUpCommand::Set { mode, listing } => {
            let store = open_ready(&listing).await?;
            change(&store, SignUpChange::Mode(mode.into())).await?;
            show(&store, &listing).await
        }
        SignUpCommand::Allow(SignUpEntries { entries, listing }) => {
            let store = open_ready(&listing).await?;
            change(&store, SignUpChange::Allow(entries)).await?;
            show(&store, &listing).await
        }
        SignUpCommand::Forbid(asked) => forbid(asked).await,
    }
}

async fn change(store: &Database, change: SignUpChange) -> Result<u64, CommandError> {
    retry(|| sign_up::change(store, &change, None, SystemClock.now())).await.map_err(refused)
}

/// Takes entries off the list. Whoever another entry still lets in is named.
async fn forbid(asked: SignUpEntries) -> Result<(), CommandError> {
    let SignUpEntries { entries, listing } = asked;
    let store = open_ready(&listing).await?;
    if change(&store, SignUpChange::Forbid(entries.clone())).await? == 0 {
        return Err(CommandError::new(
            "the list holds none of these",
            "See what it holds with `everkey-server sign-up show`. An account that is there already is ended with `users disable`.",
        ));
    }
    let list = sign_up::settings(&store).await.map_err(unreadable)?.list;
    for (entry, domain) in entries.iter().filter_map(|entry| Some((entry, entry.domain()?))) {
        if list.contains(&domain) {
            eprintln!("{} may still sign up, because {} is on the list.", entry.as_str(), domain.as_str());
        }
    }
    show(&store, &listing).await
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
