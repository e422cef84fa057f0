//! `everkey-server limits`.

use serde::Serialize;

use crate::actions::accounts::operator;
use crate::cli::{LimitsCommand, ListOptions, OneHold};
use crate::command_error::CommandError;
use crate::commands::list::{Row, open_ready, print, refused, unreadable};
use crate::db::holds::LimitHold;
use crate::db::retry;
use crate::db::throttle::ThrottleKind;
use crate::limits::Limits;
use crate::time::{SystemClock, TimeSource as _, Timestamp};

/// Lists the limits, or lifts a hold.
pub(super) async fn run(command: LimitsCommand) -> Result<(), CommandError> {
    if let Some(OneHold::Lift { key, who, listing }) = command.command {
        return lift(&key, &who, &listing).await;
    }
    let limits = command.limits.as_deref().map(Limits::load).transpose()?.unwrap_or_default();
    let store = open_ready(&command.listing).await?;
    let mut tx = store.begin_reading().await.map_err(unreadable)?;
    let now = SystemClock.now();
    let mut rows = Vec::new();
    for (key, value, what) in limits.in_force() {
        let mut row = LimitRow { limit: key, value, what, held: Vec::new() };
        for kind in ThrottleKind::COUNTED.iter().filter(|kind| kind.limit_key() == Some(key)) {
            if let Some(limit) = kind.limit(&limits) {
                let holds = tx.holds(*kind, limit, now).await.map_err(unreadable)?;
                row.held.extend(holds.into_iter().map(|hold| Held::of(hold, now)));
            }
        }
        rows.push(row);
    }
    print(command.listing.json, &rows)
}

async fn lift(key: &str, who: &str, listing: &ListOptions) -> Result<(), CommandError> {
    let kinds: Vec<ThrottleKind> =
        ThrottleKind::COUNTED.iter().copied().filter(|kind| kind.limit_key() == Some(key)).collect();
    if kinds.is_empty() {
        return Err(CommandError::new(
            format!("the limit '{key}' holds nobody"),
            "Run `everkey-server limits` for the limits and whom they hold.",
        ));
    }
    let store = open_ready(listing).await?;
    let lifted = retry(|| operator::lift_hold(&store, key, &kinds, who, SystemClock.now())).await;
    match lifted.map_err(refused)? {
        0 => Err(CommandError::new(
            format!("{key} has counted nothing for {who}"),
            "Run `everkey-server limits` for whom it holds, and write them the same way.",
        )),
        events => print(listing.json, &[Lifted { limit: key, who, events }]),
    }
}

#[derive(Serialize)]
struct LimitRow {
    limit: &'static str,
    /// As it stands in a `--limits` file.
    value: String,
    what: &'static str,
    held: Vec<Held>,
}

#[derive(Serialize)]
struct Held {
    who: String,
    until: String,
    /// Seconds from now.
    wait: u64,
}

impl Held {
    fn of(hold: LimitHold, now: Timestamp) -> Self {
        Self { who: hold.subject, until: hold.until.rfc3339(), wait: hold.until.since(now).as_secs() }
    }
}

impl Row for LimitRow {
    fn text(&self) -> String {
        let mut text = format!("{} = {}  # {}", self.limit, self.value, self.what);
        for held in &self.held {
            text.push_str(&format!("\n    holds {} until {} ({} s)", held.who, held.until, held.wait));
        }
        text
    }
}

#[derive(Serialize)]
struct Lifted<'a> {
    limit: &'a str,
    who: &'a str,
    /// How many counted events were forgotten.
    events: u64,
}

impl Row for Lifted<'_> {
    fn text(&self) -> String {
        format!("{} no longer holds {}: {} events forgotten", self.limit, self.who, self.events)
    }
}
