//! Signs in with a login code. A right, a wrong and a missing code take the same steps.

use uuid::Uuid;

use crate::actions::accounts::sign_up;
use crate::actions::second_factor::check::{self, FactorProof, FactorVerdict};
use crate::actions::sessions::begin::{NewTokenSession, begin};
use crate::actions::sessions::tokens::TokenPair;
use crate::actions::sign_in::error::SignInError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::codes::StoredCode;
use crate::db::throttle::{EventId, ThrottleKind};
use crate::db::users::{AccountStatus, StoredUser};
use crate::db::{Tx, retry};
use crate::digest::Digest;
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::code_guess::{GuessDecision, GuessLimits, decide};
use crate::rules::email::Email;
use crate::rules::session_kind::{ProofMethod, SessionKind};
use crate::time::Timestamp;
use crate::tokens::code::LoginCode;
use crate::tokens::totp::SecondFactorAnswer;

/// Someone has signed in.
#[derive(Debug)]
pub struct CodeSignIn {
    pub user: StoredUser,
    pub tokens: TokenPair,
}

/// Counts the guess, compares it, and begins a first-party session if it is right. A user with a second factor must
/// answer that too; as long as they have not, the code stays usable.
pub async fn verify_code(
    app: &AppState,
    email: &Email,
    guess: &LoginCode,
    second: Option<&SecondFactorAnswer>,
    caller: &NetworkCaller,
) -> Result<CodeSignIn, SignInError> {
    let proof = prove(app, email, guess).await?;
    retry(|| sign_in(app, &proof, second, caller)).await
}

/// A right guess that has not been used yet. It can be used once, for as long as its code works.
#[derive(Debug)]
pub struct CodeProof {
    email: Email,
    code_id: String,
    failure: EventId,
}

/// Counts the guess and compares it. A wrong, a dead and a missing code are the same refusal.
pub async fn prove(app: &AppState, email: &Email, guess: &LoginCode) -> Result<CodeProof, SignInError> {
    let (live, failure) = retry(|| count(app, email)).await?;
    match matching(app, email, guess, live.as_ref()) {
        Some(code_id) => Ok(CodeProof { email: email.clone(), code_id: code_id.to_owned(), failure }),
        None => retry(|| refuse(app, email)).await,
    }
}

impl CodeProof {
    /// Uses the code up within `tx`, and returns whom it proves. Errors if it was used meanwhile, or the account is
    /// disabled, or there is none and may be none.
    pub async fn take(&self, app: &AppState, tx: &mut Tx, now: Timestamp) -> Result<StoredUser, SignInError> {
        if !tx.use_code(&self.email, &self.code_id).await? {
            return Err(SignInError::CodeRejected);
        }
        tx.uncount_event(&self.failure).await?;
        if !sign_up::admits(app, tx, &self.email, now).await? {
            return Err(SignInError::CodeRejected);
        }
        let user = tx.user_by_email(&self.email, now).await?;
        match user.status {
            AccountStatus::Active => Ok(user),
            AccountStatus::Disabled => Err(SignInError::CodeRejected),
        }
    }

    /// Takes back within `tx` that the code was used up there, and that it was guessed at.
    async fn give_back(&self, tx: &mut Tx) -> Result<(), SignInError> {
        tx.give_code_back(&self.email, &self.code_id).await?;
        Ok(())
    }
}

/// Commits the guess before anything is compared. Returns the code if it may be compared with.
async fn count(app: &AppState, email: &Email) -> Result<(Option<StoredCode>, EventId), SignInError> {
    let limit = app.limits.failures_per_email;
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let nth_failure = tx.nth_newest(ThrottleKind::FailedGuess, email.as_str(), limit.max).await?;
    let code = tx.code_for_update(email).await?;
    let limits = GuessLimits { per_code: app.limits.guesses_per_code, failures_per_email: limit };
    let live = match decide(limits, code.as_ref().map(|code| code.facts), nth_failure, now) {
        GuessDecision::Limited { retry_after } => return Err(SignInError::RateLimited { retry_after }),
        GuessDecision::Compare => code,
        GuessDecision::Dead => None,
    };
    let failure = tx.count_event(ThrottleKind::FailedGuess, email.as_str(), limit, now).await?;
    tx.count_guess(email).await?;
    tx.commit().await?;
    Ok((live, failure))
}

/// The id of the code that the guess matches. Without a code the same work is done in vain.
fn matching<'a>(
    app: &AppState,
    email: &Email,
    guess: &LoginCode,
    code: Option<&'a StoredCode>,
) -> Option<&'a str> {
    match code {
        Some(code) => {
            let key = app.keys.find(&code.key_id)?;
            (guess.hash(&key, &code.id, email) == code.hash).then_some(code.id.as_str())
        }
        None => {
            let id = Uuid::nil().to_string();
            let hash = guess.hash(&app.keys.current(), &id, email);
            std::hint::black_box(hash == Digest::sha256(&[]));
            None
        }
    }
}

async fn sign_in(
    app: &AppState,
    proof: &CodeProof,
    second: Option<&SecondFactorAnswer>,
    caller: &NetworkCaller,
) -> Result<CodeSignIn, SignInError> {
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let user = proof.take(app, &mut tx, now).await?;
    let proved = match ask_second(app, &mut tx, &user, second, now).await? {
        Ok(proved) => proved,
        Err(refusal) => {
            proof.give_back(&mut tx).await?;
            tx.commit().await?;
            return Err(refusal);
        }
    };
    let grant = SessionKind::FirstParty;
    let (session, tokens) = begin(
        app,
        &mut tx,
        NewTokenSession { user: &user, grant: &grant, how: ProofMethod::Otp, caller },
        now,
    )
    .await?;
    if let Some(proved) = proved {
        proved.notify_owner(app, &mut tx, &session.user, caller, now).await?;
    }
    tx.commit().await?;
    Ok(CodeSignIn { user: session.user, tokens })
}

/// Within `tx`, which must be committed either way: what the user has shown beyond the code, or what is missing.
async fn ask_second(
    app: &AppState,
    tx: &mut Tx,
    user: &StoredUser,
    second: Option<&SecondFactorAnswer>,
    now: Timestamp,
) -> Result<Result<Option<FactorProof>, SignInError>, SignInError> {
    let Some(answer) = second else {
        let asked = check::is_on(tx, &user.id).await?;
        return Ok(if asked { Err(SignInError::SecondFactorRequired) } else { Ok(None) });
    };
    Ok(match check::check(app, tx, &user.id, answer, now).await? {
        FactorVerdict::Off => Ok(None),
        FactorVerdict::Right(proof) => Ok(Some(proof)),
        FactorVerdict::Wrong => Err(SignInError::SecondFactorRejected),
        FactorVerdict::Limited { retry_after } => Err(SignInError::RateLimited { retry_after }),
    })
}

async fn refuse(app: &AppState, email: &Email) -> Result<CodeProof, SignInError> {
    let mut tx = app.store.begin().await?;
    let name = app.pseudonym(email);
    let entry =
        AuditEntry { event: AuditEvent::CodeRefused, session: None, generation: None, detail: Some(&name) };
    tx.record(entry, app.now()).await?;
    tx.commit().await?;
    Err(SignInError::CodeRejected)
}
