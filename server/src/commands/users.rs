//! `everkey-server users` and `everkey-server sessions end`.

use serde::Serialize;

use crate::actions::accounts::operator::{self, AccountChange};
use crate::cli::{ListOptions, OneUser, UsersCommand};
use crate::command_error::CommandError;
use crate::commands::list::{Row, SessionRow, open_ready, print, refused, unreadable};
use crate::db::retry;
use crate::db::users::{AccountStatus, StoredUser};
use crate::teams::db::files::AuthorFiles;
use crate::time::{SystemClock, TimeSource as _};

/// Looks after accounts.
pub(super) async fn run(command: UsersCommand) -> Result<(), CommandError> {
    match command {
        UsersCommand::List(listing) => {
            let store = open_ready(&listing).await?;
            let users =
                store.begin_reading().await.map_err(unreadable)?.every_user().await.map_err(unreadable)?;
            let rows: Vec<UserRow> = users.iter().map(UserRow::of).collect();
            print(listing.json, &rows)
        }
        UsersCommand::Show(user) => show(&user).await,
        UsersCommand::Disable(user) => change(&user, AccountChange::Status(AccountStatus::Disabled)).await,
        UsersCommand::Enable(user) => change(&user, AccountChange::Status(AccountStatus::Active)).await,
        UsersCommand::SetPlan { user, plan } => change(&user, AccountChange::Plan(plan)).await,
        UsersCommand::SetPlatformRole { user, role } => {
            change(&user, AccountChange::Platform(role.into())).await
        }
        UsersCommand::SetName { user, name } => change(&user, AccountChange::Name(name)).await,
        UsersCommand::SetAchillesRole { user, role } => {
            change(&user, AccountChange::AchillesRole(role.0)).await
        }
        UsersCommand::SignOut { user, tokens } => change(&user, AccountChange::SignOut { tokens }).await,
        UsersCommand::Files(listing) => files(&listing).await,
        UsersCommand::DeleteReports(user) => delete_reports(&user).await,
        UsersCommand::ResetSecondFactor(user) => reset_second_factor(&user).await,
    }
}

pub(super) async fn end_session(id: &str, listing: &ListOptions) -> Result<(), CommandError> {
    let store = open_ready(listing).await?;
    let ended = retry(|| operator::end_session(&store, id, SystemClock.now())).await.map_err(refused)?;
    match ended {
        None => Err(CommandError::new(
            format!("there is no session {id}"),
            "See which there are with `everkey-server sessions`.",
        )),
        Some(ended) => print(listing.json, &[Ended { session_id: id, ended }]),
    }
}

async fn show(user: &OneUser) -> Result<(), CommandError> {
    let store = open_ready(&user.listing).await?;
    let mut tx = store.begin_reading().await.map_err(unreadable)?;
    let found = tx.user_with_email(&user.email).await.map_err(unreadable)?.ok_or_else(|| unknown(user))?;
    let sessions = tx.unended_sessions_of(&found.id).await.map_err(unreadable)?;
    print(user.listing.json, &[UserRow::of(&found)])?;
    print(user.listing.json, &sessions.iter().map(SessionRow::of).collect::<Vec<_>>())
}

async fn change(user: &OneUser, change: AccountChange) -> Result<(), CommandError> {
    let store = open_ready(&user.listing).await?;
    let changed = retry(|| operator::change(&store, &user.email, &change, SystemClock.now())).await;
    let changed = changed.map_err(refused)?.ok_or_else(|| unknown(user))?;
    let row = Changed {
        user: UserRow::of(&changed.user),
        sessions_ended: changed.sessions,
        tokens_revoked: changed.tokens,
        links_revoked: changed.left.shares,
        invitations_ended: changed.left.invitations,
    };
    print(user.listing.json, &[row])
}

async fn files(listing: &ListOptions) -> Result<(), CommandError> {
    let store = open_ready(listing).await?;
    let mut tx = store.begin_reading().await.map_err(unreadable)?;
    let rows: Vec<FilesRow> =
        tx.store_by_author().await.map_err(unreadable)?.into_iter().map(FilesRow::of).collect();
    print(listing.json, &rows)
}

async fn delete_reports(user: &OneUser) -> Result<(), CommandError> {
    let store = open_ready(&user.listing).await?;
    let deleted = retry(|| operator::delete_reports(&store, &user.email, SystemClock.now())).await;
    let reports = deleted.map_err(refused)?.ok_or_else(|| unknown(user))?;
    print(user.listing.json, &[ReportsDeleted { user: user.email.as_str(), reports }])
}

async fn reset_second_factor(user: &OneUser) -> Result<(), CommandError> {
    let store = open_ready(&user.listing).await?;
    let reset = retry(|| operator::reset_second_factor(&store, &user.email, SystemClock.now())).await;
    let email = user.email.as_str();
    if reset.map_err(refused)?.ok_or_else(|| unknown(user))? {
        return print(user.listing.json, &[Reset { user: email, second_factor: "off" }]);
    }
    Err(CommandError::new(
        format!("{email} has no second factor"),
        "A code by mail is enough for it to sign in; if that fails, see `everkey-server users show`.",
    ))
}

fn unknown(user: &OneUser) -> CommandError {
    CommandError::new(
        format!("nobody has signed in as {}", user.email.as_str()),
        "See who has with `everkey-server users list`.",
    )
}

#[derive(Serialize)]
struct UserRow {
    user: String,
    user_id: String,
    name: String,
    status: &'static str,
    plan: String,
    platform_role: &'static str,
    created_at: String,
}

impl UserRow {
    fn of(user: &StoredUser) -> Self {
        Self {
            user: user.email.clone(),
            user_id: user.id.clone(),
            name: user.name.clone(),
            status: user.status.as_str(),
            plan: user.plan.clone(),
            platform_role: user.platform.as_str(),
            created_at: user.created_at.rfc3339(),
        }
    }
}

impl Row for UserRow {
    fn text(&self) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!("  {:?}", self.name) };
        format!(
            "{}{name}  {}  {}  plan {}  platform role {}  created {}",
            self.user, self.user_id, self.status, self.plan, self.platform_role, self.created_at
        )
    }
}

#[derive(Serialize)]
struct Changed {
    #[serde(flatten)]
    user: UserRow,
    sessions_ended: u64,
    tokens_revoked: u64,
    links_revoked: u64,
    invitations_ended: u64,
}

impl Row for Changed {
    fn text(&self) -> String {
        let mut text = self.user.text();
        for (count, one, many) in [
            (self.sessions_ended, "session ended", "sessions ended"),
            (self.tokens_revoked, "access token revoked", "access tokens revoked"),
            (self.links_revoked, "share link revoked", "share links revoked"),
            (self.invitations_ended, "invitation withdrawn", "invitations withdrawn"),
        ] {
            match count {
                0 => {}
                1 => text.push_str(&format!("  1 {one}")),
                count => text.push_str(&format!("  {count} {many}")),
            }
        }
        text
    }
}

#[derive(Serialize)]
struct Reset<'a> {
    user: &'a str,
    second_factor: &'static str,
}

impl Row for Reset<'_> {
    fn text(&self) -> String {
        format!("{}  second factor {}", self.user, self.second_factor)
    }
}

#[derive(Serialize)]
struct Ended<'a> {
    session_id: &'a str,
    /// `false` if it had ended before.
    ended: bool,
}

impl Row for Ended<'_> {
    fn text(&self) -> String {
        if self.ended {
            format!("ended {}", self.session_id)
        } else {
            format!("{} had ended before", self.session_id)
        }
    }
}

#[derive(Serialize)]
struct FilesRow {
    user: String,
    status: &'static str,
    files: u64,
    stored_bytes: u64,
    /// Announced, and not sent yet.
    awaited_bytes: u64,
}

impl FilesRow {
    fn of(of: AuthorFiles) -> Self {
        let AuthorFiles { email: user, status, files, stored: stored_bytes, awaited: awaited_bytes } = of;
        Self { user, status: status.as_str(), files, stored_bytes, awaited_bytes }
    }
}

impl Row for FilesRow {
    fn text(&self) -> String {
        let Self { user, status, files, stored_bytes, awaited_bytes } = self;
        format!("{user}  {status}  {files} files  {stored_bytes} bytes stored, {awaited_bytes} awaited")
    }
}

#[derive(Serialize)]
struct ReportsDeleted<'a> {
    user: &'a str,
    reports: u64,
}

impl Row for ReportsDeleted<'_> {
    fn text(&self) -> String {
        format!("{}  {} reports deleted", self.user, self.reports)
    }
}
