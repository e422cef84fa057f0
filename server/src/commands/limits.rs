//! `everkey-server limits`.

use serde::Serialize;

use crate::actions::accounts::operator;
use crate::cli::{LimitsCommand, ListOptions, OneHold};
use crate::command_error::CommandError;
use crate::commands::list::{Row, open_ready, print, refused, unreadable};
use crate::db::throttle::ThrottleKind;
use crate::db::{DbError, Tx, retry};
use crate::limits::Limits;
use crate::time::{SystemClock, TimeSource as _, Timestamp};

/// Of those whom a limit holds, how many people are shown; programs get all.
const SHOWN: usize = 20;

/// Why a limit has no hold to lift.
const KEPT_ELSEWHERE: &str = "It is a ceiling, a time, or kept in the memory of each server; give `serve` another number with --limits.";

/// Lists the limits, or lifts a hold.
pub(super) async fn run(command: LimitsCommand) -> Result<(), CommandError> {
    if let Some(OneHold::Lift { key, who, listing }) = command.command {
        return lift(&key, &who.join(" "), &listing).await;
    }
    let limits = command.limits.as_deref().map(Limits::load).transpose()?.unwrap_or_default();
    if command.limits.is_none() {
        eprintln!("These are the defaults. If `serve` has --limits FILE, give it here, too.");
    }
    let store = open_ready(&command.listing).await?;
    let mut tx = store.begin_reading().await.map_err(unreadable)?;
    let now = SystemClock.now();
    let mut rows = Vec::new();
    for (key, value, what) in limits.in_force() {
        let mut row = LimitRow { limit: key, value, what, held: Vec::new() };
        for kind in ThrottleKind::COUNTED.iter().filter(|kind| kind.limit_key() == Some(key)) {
            if let Some(limit) = kind.limit(&limits) {
                let holds = tx.holds(*kind, limit, now).await.map_err(unreadable)?;
                for hold in holds {
                    let who = with_emails(&mut tx, &hold.subject).await.map_err(unreadable)?;
                    row.held.push(Held::of(who, hold.until, now));
                }
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
        let known = Limits::default().in_force().iter().any(|(known, ..)| *known == key);
        return Err(if known {
            CommandError::new(format!("nothing is counted for {key} that could be forgotten"), KEPT_ELSEWHERE)
        } else {
            CommandError::new(
                format!("there is no limit '{key}'"),
                "Run `everkey-server limits` for the limits and whom they hold.",
            )
        });
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

/// The same words with the email of an account in place of its id.
async fn with_emails(tx: &mut Tx, words: &str) -> Result<String, DbError> {
    let mut named = Vec::new();
    for word in words.split(' ') {
        let user = if uuid::Uuid::try_parse(word).is_ok() { tx.user(word).await? } else { None };
        named.push(user.map_or_else(|| word.to_owned(), |user| user.email));
    }
    Ok(named.join(" "))
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
    fn of(who: String, until: Timestamp, now: Timestamp) -> Self {
        Self { who, until: until.rfc3339(), wait: until.since(now).as_secs() }
    }
}

impl Row for LimitRow {
    fn text(&self) -> String {
        let mut text = format!("{} = {}  # {}", self.limit, self.value, self.what);
        for held in self.held.iter().take(SHOWN) {
            text.push_str(&format!("\n    holds {} until {} ({} s)", held.who, held.until, held.wait));
        }
        if self.held.len() > SHOWN {
            text.push_str(&format!("\n    and {} more; --json lists them all", self.held.len() - SHOWN));
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
