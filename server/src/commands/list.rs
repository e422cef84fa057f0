//! `everkey-server sessions` and `everkey-server events`.

use std::io::{self, Write};

use serde::Serialize;

use crate::actions::server_error::ServerError;
use crate::cli::ListOptions;
use crate::command_error::CommandError;
use crate::commands::files;
use crate::db::audit::AuditLine;
use crate::db::sessions::StoredSession;
use crate::db::{Database, DbError};

/// Lists every session, oldest first.
pub(super) async fn sessions(listing: &ListOptions) -> Result<(), CommandError> {
    let store = open(listing).await?;
    let sessions =
        store.begin_reading().await.map_err(unreadable)?.all_sessions().await.map_err(unreadable)?;
    let rows: Vec<SessionRow<'_>> = sessions.iter().map(SessionRow::of).collect();
    print(listing.json, &rows)
}

/// Lists every event, oldest first.
pub(super) async fn events(listing: &ListOptions) -> Result<(), CommandError> {
    let store = open(listing).await?;
    let mut after = 0;
    loop {
        let lines =
            store.begin_reading().await.map_err(unreadable)?.audit_after(after).await.map_err(unreadable)?;
        let Some(last) = lines.last() else { return Ok(()) };
        after = last.id;
        let rows: Vec<EventRow<'_>> = lines.iter().map(EventRow::of).collect();
        print(listing.json, &rows)?;
    }
}

/// A row that can be shown to people and to programs.
pub(super) trait Row: Serialize {
    fn text(&self) -> String;
}

/// Times are RFC 3339, UTC.
#[derive(Serialize)]
pub(super) struct SessionRow<'a> {
    user: &'a str,
    user_id: &'a str,
    session_id: &'a str,
    generation: i64,
    created_at: String,
    rotated_at: Option<String>,
    revoked_at: Option<String>,
    revoked_why: Option<&'static str>,
}

impl<'a> SessionRow<'a> {
    pub(super) fn of(session: &'a StoredSession) -> Self {
        Self {
            user: &session.user.email,
            user_id: &session.user.id,
            session_id: &session.id,
            generation: session.generation,
            created_at: session.created_at.rfc3339(),
            rotated_at: session.rotated_at.map(|at| at.rfc3339()),
            revoked_at: session.ended.map(|(at, _)| at.rfc3339()),
            revoked_why: session.ended.map(|(_, why)| why.as_str()),
        }
    }
}

impl Row for SessionRow<'_> {
    fn text(&self) -> String {
        let state = match (&self.revoked_at, self.revoked_why) {
            (Some(at), Some(why)) => format!("revoked {at} ({why})"),
            (None, _) | (_, None) => "live".to_owned(),
        };
        let rotated = self.rotated_at.as_deref().unwrap_or("never");
        format!(
            "{}  {}  generation {}  created {}  rotated {rotated}  {state}",
            self.user, self.session_id, self.generation, self.created_at
        )
    }
}

#[derive(Serialize)]
struct EventRow<'a> {
    id: i64,
    at: String,
    event: &'a str,
    user_id: Option<&'a str>,
    session_id: Option<&'a str>,
    generation: Option<i64>,
    detail: Option<&'a str>,
}

impl<'a> EventRow<'a> {
    fn of(line: &'a AuditLine) -> Self {
        Self {
            id: line.id,
            at: line.at.rfc3339(),
            event: &line.event,
            user_id: line.user_id.as_deref(),
            session_id: line.session_id.as_deref(),
            generation: line.generation,
            detail: line.detail.as_deref(),
        }
    }
}

impl Row for EventRow<'_> {
    fn text(&self) -> String {
        let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let generation = self.generation.map_or("-".to_owned(), |generation| generation.to_string());
        format!(
            "{}  {:<18}  user {}  session {}  generation {generation}  {}",
            self.at,
            self.event,
            or_dash(self.user_id),
            or_dash(self.session_id),
            or_dash(self.detail)
        )
    }
}

async fn open(listing: &ListOptions) -> Result<Database, CommandError> {
    files::open_existing(&files::place(listing.database.as_ref())?).await
}

/// Prints rows for people, or one JSON object a line.
pub(super) fn print<R: Row>(json: bool, rows: &[R]) -> Result<(), CommandError> {
    match write(&mut io::stdout().lock(), json, rows) {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            Err(CommandError::new(format!("can't write the list: {error}"), "Check where its output goes."))
        }
        Ok(()) => Ok(()),
    }
}

fn write<R: Row>(out: &mut impl Write, json: bool, rows: &[R]) -> io::Result<()> {
    for row in rows {
        if json {
            serde_json::to_writer(&mut *out, row)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{}", row.text())?;
        }
    }
    out.flush()
}

/// Opens the database that a command changes: it must have this program's schema.
pub(super) async fn open_ready(listing: &ListOptions) -> Result<Database, CommandError> {
    files::open_ready(&files::place(listing.database.as_ref())?).await
}

/// What is said when a change was not made.
pub(super) fn refused(error: ServerError) -> CommandError {
    CommandError::new(
        format!("it was not done: {error}"),
        "Check that the database can be written, and try again.",
    )
}

/// What is said when a list can't be read.
pub(super) fn unreadable(error: DbError) -> CommandError {
    CommandError::new(
        error.to_string(),
        "Check that `everkey-server serve` has run on this database, in this version.",
    )
}
