//! Signs in with a login code. A right, a wrong and a missing code take the same steps.

use uuid::Uuid;

use super::Refusal;
use super::issue::{self, Tokens};
use crate::app::App;
use crate::db::audit::{Entry, Event};
use crate::db::codes::StoredCode;
use crate::db::throttle::{EventId, Kind};
use crate::db::tokens::NewToken;
use crate::db::users::{Status, User};
use crate::digest::Digest;
use crate::rules::email::Email;
use crate::rules::guess::{Decision, decide};
use crate::tokens::code::LoginCode;
use crate::tokens::refresh::RefreshToken;

/// Someone has signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// Their tokens.
    pub tokens: Tokens,
}

/// Counts the guess, compares it, and begins a session if it is right.
pub async fn verify_code(app: &App, email: &Email, guess: &LoginCode) -> Result<SignedIn, Refusal> {
    let (live, failure) = count(app, email).await?;
    match matching(app, email, guess, live.as_ref()) {
        Some(code_id) => sign_in(app, email, code_id, &failure).await,
        None => refuse(app, email).await,
    }
}

/// Commits the guess before anything is compared. Returns the code if it may be compared with.
async fn count(app: &App, email: &Email) -> Result<(Option<StoredCode>, EventId), Refusal> {
    let limit = app.limits.failures_per_email;
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let nth_failure = tx.nth_newest(Kind::FailedGuess, email.as_str(), limit.max).await?;
    let code = tx.code_for_update(email).await?;
    let live = match decide(&app.limits, code.as_ref().map(|code| code.facts), nth_failure, now) {
        Decision::Limited { retry_after } => return Err(Refusal::RateLimited { retry_after }),
        Decision::Compare => code,
        Decision::Dead => None,
    };
    let failure = tx.count_event(Kind::FailedGuess, email.as_str(), limit, now).await?;
    tx.count_guess(email).await?;
    tx.commit().await?;
    Ok((live, failure))
}

/// The id of the code that the guess matches. Without a code the same work is done in vain.
fn matching<'a>(
    app: &App,
    email: &Email,
    guess: &LoginCode,
    code: Option<&'a StoredCode>,
) -> Option<&'a str> {
    match code {
        Some(code) => {
            let key = app.keys.find(&code.key_id)?;
            (guess.hash(key, &code.id, email) == code.hash).then_some(code.id.as_str())
        }
        None => {
            let id = Uuid::nil().to_string();
            let hash = guess.hash(app.keys.current(), &id, email);
            std::hint::black_box(hash == Digest::sha256(&[]));
            None
        }
    }
}

async fn sign_in(app: &App, email: &Email, code_id: &str, failure: &EventId) -> Result<SignedIn, Refusal> {
    let mut tx = app.store.begin().await?;
    let now = app.now();
    if !tx.use_code(email, code_id).await? {
        return Err(Refusal::CodeRejected);
    }
    tx.uncount_event(failure).await?;
    let user = tx.user_by_email(email, now).await?;
    match user.status {
        Status::Active => {}
        Status::Disabled => return Err(Refusal::CodeRejected),
    }

    let (session, refresh) = (Uuid::new_v4().to_string(), RefreshToken::random()?);
    let expires_at = now.plus(app.policy.refresh_ttl);
    tx.insert_session(&session, &user, now).await?;
    let token =
        NewToken { hash: refresh.hash(), session: &session, generation: 1, issued_at: now, expires_at };
    tx.insert_token(&token).await?;
    let stored = tx.session_for_update(&session).await?;
    tx.record(Entry { event: Event::Login, session: stored.as_ref(), generation: None, detail: None }, now)
        .await?;
    let tokens = issue::pair(app, &user, &session, 1, refresh, expires_at, now)?;
    tx.commit().await?;
    Ok(SignedIn { user, tokens })
}

async fn refuse(app: &App, email: &Email) -> Result<SignedIn, Refusal> {
    let mut tx = app.store.begin().await?;
    let name = app.pseudonym(email);
    let entry = Entry { event: Event::CodeRefused, session: None, generation: None, detail: Some(&name) };
    tx.record(entry, app.now()).await?;
    tx.commit().await?;
    Err(Refusal::CodeRejected)
}
