//! What the operator does to accounts and sessions, from the command line. Each change is audited.

use crate::actions::server_error::ServerError;
use crate::db::audit::AuditEntry;
use crate::db::clients::OAuthClient;
use crate::db::left_behind::LeftBehind;
use crate::db::made_by_session::TokensOf;
use crate::db::sessions::SessionEndReason;
use crate::db::throttle::ThrottleKind;
use crate::db::users::{AccountStatus, Platform, StoredUser};
use crate::db::{Database, Tx};
use crate::rules::achilles_role::AchillesRole;
use crate::rules::audit_event::AuditEvent;
use crate::rules::email::Email;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub enum AccountChange {
    /// Whether it may be used. An account that may not loses its sessions, so that they don't come back with it.
    Status(AccountStatus),
    Plan(String),
    /// Its role in the installation.
    Platform(Platform),
    /// What its user is called; empty for nothing.
    Name(String),
    /// Its role at the achilles CLI outside workspaces; `None` for what follows from its platform role.
    AchillesRole(Option<AchillesRole>),
    /// Nothing but the end of its sessions; and of its personal access tokens, share links and open invitations if these
    /// are to end, too.
    SignOut {
        tokens: bool,
    },
}

#[derive(Clone, Debug)]
pub struct ChangedAccount {
    /// The account as it is then.
    pub user: StoredUser,
    pub sessions: u64,
    /// How many personal access tokens were revoked.
    pub tokens: u64,
    /// The links and invitations that ended.
    pub left: LeftBehind,
}

/// Changes the account with this email; `None` if there is no such account.
pub async fn change(
    store: &Database,
    email: &Email,
    change: &AccountChange,
    now: Timestamp,
) -> Result<Option<ChangedAccount>, ServerError> {
    let mut tx = store.begin().await?;
    let Some(mut user) = tx.user_with_email(email).await? else { return Ok(None) };
    let (mut sessions, mut tokens, mut left) = (0, 0, LeftBehind::default());
    let detail = match change {
        AccountChange::Status(status) => {
            user.status = *status;
            tx.set_status(&user.id, *status).await?;
            if *status == AccountStatus::Disabled {
                sessions = tx.end_sessions_of(&user.id, SessionEndReason::Logout, now).await?;
            }
            format!("status {}", status.as_str())
        }
        AccountChange::Plan(plan) => {
            user.plan.clone_from(plan);
            tx.set_plan(&user.id, plan).await?;
            format!("plan {plan}")
        }
        AccountChange::Platform(role) => {
            user.platform = *role;
            tx.set_platform_role(&user.id, *role).await?;
            format!("platform role {}", role.as_str())
        }
        AccountChange::Name(name) => {
            user.name.clone_from(name);
            tx.set_name(&user.id, name).await?;
            "name".to_owned()
        }
        AccountChange::AchillesRole(role) => {
            tx.set_achilles_role(&user.id, *role).await?;
            format!("achilles role {}", role.map_or("default", AchillesRole::as_str))
        }
        AccountChange::SignOut { tokens: too } => {
            sessions = tx.end_sessions_of(&user.id, SessionEndReason::Logout, now).await?;
            if *too {
                tokens = tx.revoke_personal_tokens_of(&user.id, now).await?;
                // No session has an empty id, so these are all of them.
                left = tx.end_left_behind(TokensOf::Others { user: &user.id, session: "" }, now).await?;
            }
            match left {
                _ if !*too => "signed out".to_owned(),
                LeftBehind { shares: 0, invitations: 0 } => "signed out, tokens revoked".to_owned(),
                LeftBehind { shares, invitations } => {
                    format!("signed out, tokens revoked, with {shares} links and {invitations} invitations")
                }
            }
        }
    };
    tx.record_operator(AuditEvent::OperatorChanged, &user.id, None, &detail, now).await?;
    tx.commit().await?;
    Ok(Some(ChangedAccount { user, sessions, tokens, left }))
}

/// Takes an account's second factor away, with its recovery codes and remembered browsers: for someone who lost them.
/// `Some(false)` if it had none, `None` if there is no such account.
pub async fn reset_second_factor(
    store: &Database,
    email: &Email,
    now: Timestamp,
) -> Result<Option<bool>, ServerError> {
    let mut tx = store.begin().await?;
    let Some(user) = tx.user_with_email(email).await? else { return Ok(None) };
    let was_on = tx.factor_for_update(&user.id).await?.is_some_and(|factor| factor.confirmed_at.is_some());
    if was_on {
        tx.delete_factor(&user.id).await?;
        let detail = "second factor reset";
        tx.record_operator(AuditEvent::OperatorChanged, &user.id, None, detail, now).await?;
    }
    tx.commit().await?;
    Ok(Some(was_on))
}

/// Deletes every report that the account with this email wrote. Returns how many there were; `None` if there is no such
/// account.
pub async fn delete_reports(
    store: &Database,
    email: &Email,
    now: Timestamp,
) -> Result<Option<u64>, ServerError> {
    let mut tx = store.begin().await?;
    let Some(user) = tx.user_with_email(email).await? else { return Ok(None) };
    let deleted = tx.delete_reports_of(&user.id).await?;
    let detail = format!("{deleted} reports deleted");
    tx.record_operator(AuditEvent::OperatorChanged, &user.id, None, &detail, now).await?;
    tx.commit().await?;
    Ok(Some(deleted))
}

/// Forgets what a limit has counted for somebody, named as the limit counts them or by the email of an account. Returns how many events there were. Whom it held is not in the audit, which
/// names no addresses.
pub async fn lift_hold(
    store: &Database,
    key: &str,
    kinds: &[ThrottleKind],
    who: &str,
    now: Timestamp,
) -> Result<u64, ServerError> {
    let mut tx = store.begin().await?;
    let by_id = with_ids(&mut tx, who).await?;
    let mut events = 0;
    for kind in kinds {
        events += tx.lift_hold(*kind, who).await?;
        if by_id != who {
            events += tx.lift_hold(*kind, &by_id).await?;
        }
    }
    if events > 0 {
        let detail = format!("hold of {key} lifted");
        let event = AuditEvent::OperatorChanged;
        tx.record(AuditEntry { event, session: None, generation: None, detail: Some(&detail) }, now).await?;
        tx.commit().await?;
    }
    Ok(events)
}

/// The same words with the id of an account in place of its email.
async fn with_ids(tx: &mut Tx, words: &str) -> Result<String, ServerError> {
    let mut named = Vec::new();
    for word in words.split_whitespace() {
        let user = match Email::parse(word) {
            Ok(email) => tx.user_with_email(&email).await?,
            Err(_) => None,
        };
        named.push(user.map_or_else(|| word.to_owned(), |user| user.id));
    }
    Ok(named.join(" "))
}

/// Ends one session. `Some(false)` if it had ended before, `None` if there is none with this id.
pub async fn end_session(store: &Database, id: &str, now: Timestamp) -> Result<Option<bool>, ServerError> {
    let mut tx = store.begin().await?;
    let Some(session) = tx.session_for_update(id).await? else { return Ok(None) };
    let ended = tx.end_session(id, SessionEndReason::Logout, now).await?;
    if ended {
        let (event, user) = (AuditEvent::OperatorChanged, session.user.id.as_str());
        tx.record_operator(event, user, Some(id), "session ended", now).await?;
    }
    tx.commit().await?;
    Ok(Some(ended))
}

/// Lets a client introspect the access tokens of every client, or no longer. Returns it as it is then; `None` if there is
/// no such client with a secret.
pub async fn let_introspect(
    store: &Database,
    id: &str,
    may: bool,
    now: Timestamp,
) -> Result<Option<OAuthClient>, ServerError> {
    let mut tx = store.begin().await?;
    if !tx.let_introspect(id, may).await? {
        return Ok(None);
    }
    let client = tx.client(id).await?;
    let detail = format!(
        "client {id} {} every client's tokens",
        if may { "introspects" } else { "no longer introspects" }
    );
    let entry = AuditEntry {
        event: AuditEvent::OperatorChanged,
        session: None,
        generation: None,
        detail: Some(detail.as_str()),
    };
    tx.record(entry, now).await?;
    tx.commit().await?;
    Ok(client)
}
