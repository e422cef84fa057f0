//! Signs in with a login code. A right, a wrong and a missing code take the same steps.

use uuid::Uuid;

use crate::actions::accounts::sign_up;
use crate::actions::second_factor::check::{self, FactorProof, FactorVerdict};
use crate::actions::sessions::begin::{NewTokenSession, begin};
use crate::actions::sessions::tokens::TokenPair;
use crate::actions::sign_in::error::SignInError;
use crate::actions::sign_in::request_code::{guess_limits, ledgers, wrong_at_email, wrong_from};
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::codes::{Guesser, StoredCode};
use crate::db::throttle::EventId;
use crate::db::users::{AccountStatus, StoredUser};
use crate::db::{Tx, retry};
use crate::digest::Digest;
use crate::rules::address::NetworkAddress;
use crate::rules::audit_event::AuditEvent;
use crate::rules::caller::NetworkCaller;
use crate::rules::code_guess::{CodeLength, GuessDecision, GuessFacts, GuessWay, decide};
use crate::rules::email::Email;
use crate::rules::rate::Rate;
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

/// A guess at a login code.
#[derive(Clone, Copy, Debug)]
pub struct CodeGuess<'a> {
    pub email: &'a Email,
    pub code: &'a LoginCode,
    /// The request that it names, by its hash.
    pub request: Option<Digest>,
    pub from: NetworkAddress,
}

/// Counts the guess, compares it, and begins a first-party session if it is right. A user with a second factor must
/// answer that too; as long as they have not, the code stays usable.
pub async fn verify_code(
    app: &AppState,
    guess: CodeGuess<'_>,
    second: Option<&SecondFactorAnswer>,
    caller: &NetworkCaller,
) -> Result<CodeSignIn, SignInError> {
    let proof = prove(app, guess).await?;
    retry(|| sign_in(app, &proof, second, caller)).await
}

/// A right guess that has not been used yet. It can be used once, for as long as its code works.
#[derive(Debug)]
pub struct CodeProof {
    email: Email,
    code_id: String,
    way: GuessWay,
    from: NetworkAddress,
    counted: Vec<EventId>,
}

/// Counts the guess and compares it. A wrong, a dead and a missing code are the same refusal.
pub async fn prove(app: &AppState, guess: CodeGuess<'_>) -> Result<CodeProof, SignInError> {
    let counted = retry(|| count(app, guess)).await?;
    match matching(app, guess, &counted.codes) {
        Some(code_id) => Ok(CodeProof {
            email: guess.email.clone(),
            code_id: code_id.to_owned(),
            way: counted.way,
            from: guess.from,
            counted: counted.events,
        }),
        None => match counted.if_wrong {
            Rate::Open => retry(|| refuse(app, guess.email)).await,
            Rate::Full { retry_after } => Err(SignInError::RateLimited { retry_after }),
        },
    }
}

impl CodeProof {
    /// Uses the code up within `tx`, and returns whom it proves. Errors if it was used meanwhile, or the account is
    /// disabled, or there is none and may be none.
    pub async fn take(&self, app: &AppState, tx: &mut Tx, now: Timestamp) -> Result<StoredUser, SignInError> {
        if !tx.use_code(self.way, &self.code_id).await? {
            return Err(SignInError::CodeRejected);
        }
        for event in &self.counted {
            tx.uncount_event(event).await?;
        }
        if !sign_up::admits(app, tx, &self.email, now).await? {
            return Err(SignInError::CodeRejected);
        }
        tx.note_network(&self.email, &self.from.to_string(), now).await?;
        let user = tx.user_by_email(&self.email, now).await?;
        match user.status {
            AccountStatus::Active => Ok(user),
            AccountStatus::Disabled => Err(SignInError::CodeRejected),
        }
    }

    /// Takes back within `tx` that the code was used up there.
    async fn give_back(&self, tx: &mut Tx) -> Result<(), SignInError> {
        Ok(tx.give_code_back(&self.code_id).await?)
    }
}

/// A guess that is counted and not yet compared.
struct CountedGuess {
    /// What it may be compared with.
    codes: Vec<StoredCode>,
    way: GuessWay,
    /// Whether a wrong one is refused or limited.
    if_wrong: Rate,
    events: Vec<EventId>,
}

/// Commits the guess before anything is compared.
async fn count(app: &AppState, guess: CodeGuess<'_>) -> Result<CountedGuess, SignInError> {
    let (limits, length) = (&app.limits, guess.code.length());
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let network = guess.from.to_string();
    let guesser = Guesser { request: guess.request, network: &network };
    let mut codes = tx.live_codes_for_update(guess.email, guesser, now).await?;
    let ledgers = ledgers(&mut tx, limits, guess.email, now).await?;
    let by_network = wrong_from(limits, guess.from);
    let by_pair = wrong_at_email(limits, guess.from, guess.email);
    let facts = GuessFacts {
        length,
        names_request: guess.request.is_some(),
        network: by_network.room(&mut tx, now).await?,
        pair: by_pair.room(&mut tx, now).await?,
        familiar: ledgers.familiar,
        new: ledgers.new,
    };
    let rules: Vec<_> = codes.iter().map(|code| code.facts).collect();
    let (places, way, if_wrong) = match decide(guess_limits(limits), facts, &rules, now) {
        GuessDecision::Limited { retry_after } => return Err(SignInError::RateLimited { retry_after }),
        GuessDecision::Compare { codes, way, if_wrong } => (codes, way, if_wrong),
    };
    let mut place = 0..;
    codes.retain(|_| place.next().is_some_and(|place| places.contains(&place)));
    if length == CodeLength::Short {
        let ids: Vec<&str> = codes.iter().map(|code| code.id.as_str()).collect();
        tx.count_guess(way, &ids).await?;
    }
    let mut events = Vec::new();
    // A window that is full needs no more.
    for (limit, rate) in [(&by_network, facts.network), (&by_pair, facts.pair)] {
        if rate == Rate::Open {
            events.extend(limit.count(&mut tx, now).await?);
        }
    }
    tx.commit().await?;
    Ok(CountedGuess { codes, way, if_wrong, events })
}

/// The id of the code that the guess matches. Without a code the same work is done in vain.
fn matching<'a>(app: &AppState, guess: CodeGuess<'_>, codes: &'a [StoredCode]) -> Option<&'a str> {
    if codes.is_empty() {
        let hash = guess.code.hash(&app.keys.current(), &Uuid::nil().to_string(), guess.email);
        std::hint::black_box(hash == Digest::sha256(&[]));
    }
    let matches = |code: &&StoredCode| {
        let key = app.keys.find(&code.key_id);
        key.is_some_and(|key| guess.code.hash(&key, &code.id, guess.email) == code.hash)
    };
    codes.iter().find(matches).map(|code| code.id.as_str())
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
        NewTokenSession { user: &user, grant: &grant, how: ProofMethod::Otp, approved_by: None, caller },
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
    let (event, name) = (AuditEvent::CodeRefused, app.pseudonym(email));
    let entry = AuditEntry { event, session: None, generation: None, detail: Some(&name) };
    tx.record(entry, app.now()).await?;
    tx.commit().await?;
    Err(SignInError::CodeRejected)
}
