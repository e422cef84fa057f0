//! Signs a browser in: an address, a code sent there, and perhaps a second factor. Each step has a cookie of its own,
//! so a cookie planted before a step is worth nothing after it.

use crate::actions::browser::begin::{NewBrowserSession, begin};
use crate::actions::second_factor::browsers;
use crate::actions::second_factor::check::{self, FactorVerdict};
use crate::actions::server_error::ServerError;
use crate::actions::sign_in::error::SignInError;
use crate::actions::sign_in::request_code::{LoginCodeSent, request_code};
use crate::actions::sign_in::verify_code::{CodeGuess, prove};
use crate::app::AppState;
use crate::db::browser_sessions::StoredSignIn;
use crate::db::users::{AccountStatus, StoredUser};
use crate::db::{DbError, Tx, retry};
use crate::rules::address::NetworkAddress;
use crate::rules::caller::NetworkCaller;
use crate::rules::email::Email;
use crate::rules::local_path::LocalPath;
use crate::time::Timestamp;
use crate::tokens::browser::BrowserSecret;
use crate::tokens::code::LoginCode;
use crate::tokens::totp::SecondFactorAnswer;

/// The browser's cookies when it sends a code.
#[derive(Clone, Copy, Debug)]
pub struct BrowserCookies<'a> {
    /// The cookie of its sign-in.
    pub sign_in: &'a BrowserSecret,
    /// The cookie of a session that it has had.
    pub session: Option<&'a BrowserSecret>,
    /// The cookie of a browser that is spared the second factor.
    pub remembered: Option<&'a BrowserSecret>,
    /// Who it is, as far as the network tells.
    pub caller: &'a NetworkCaller,
}

/// How far a right code led.
#[derive(Debug)]
pub enum SignInStep {
    /// The browser is signed in.
    Done {
        /// The cookie of its session.
        session: BrowserSecret,
        /// Where to go on.
        next: LocalPath,
        /// The cookie that spares this browser the second factor next time, if it is remembered.
        remembered: Option<BrowserSecret>,
    },
    /// A second factor is missing; the browser is not signed in.
    SecondFactor {
        /// The cookie to prove it with.
        sign_in: BrowserSecret,
    },
}

/// Sends a code, and begins a sign-in that only the browser with the returned cookie can go on with.
pub async fn ask(
    app: &AppState,
    email: &Email,
    next: &LocalPath,
    client: NetworkAddress,
) -> Result<BrowserSecret, SignInError> {
    let cookie = BrowserSecret::random().map_err(ServerError::from)?;
    request_code(app, email.clone(), cookie.hash(), client).await?;
    retry(|| async {
        let mut tx = app.store.begin().await?;
        let expires_at = app.now().plus(app.limits.code_ttl);
        let new = StoredSignIn { email: email.clone(), next: next.clone(), proved: None, expires_at };
        tx.insert_sign_in(&cookie.hash(), &new).await?;
        tx.commit().await?;
        Ok::<_, DbError>(())
    })
    .await?;
    Ok(cookie)
}

/// Sends another code for the sign-in under way. `NotUnderWay` if there is none.
pub async fn ask_again(
    app: &AppState,
    cookie: &BrowserSecret,
    client: NetworkAddress,
) -> Result<LoginCodeSent, SignInError> {
    let sign_in = under_way(app, cookie).await?.ok_or(SignInError::NotUnderWay)?;
    let sent = request_code(app, sign_in.email, cookie.hash(), client).await?;
    retry(|| async {
        let mut tx = app.store.begin().await?;
        tx.prolong_sign_in(&cookie.hash(), app.now().plus(app.limits.code_ttl)).await?;
        tx.commit().await?;
        Ok::<_, DbError>(())
    })
    .await?;
    Ok(sent)
}

/// The sign-in of this cookie that waits for a code.
pub async fn under_way(app: &AppState, cookie: &BrowserSecret) -> Result<Option<StoredSignIn>, ServerError> {
    Ok(find(app, cookie).await?.filter(|sign_in| sign_in.proved.is_none()))
}

/// The sign-in of this cookie that waits for a second factor. Its `proved` says whose.
pub async fn half_way(app: &AppState, cookie: &BrowserSecret) -> Result<Option<StoredSignIn>, ServerError> {
    Ok(find(app, cookie).await?.filter(|sign_in| sign_in.proved.is_some()))
}

/// Counts the guess, compares it, and goes on if it is right. `NotUnderWay` if no sign-in is under way.
pub async fn prove_code(
    app: &AppState,
    browser: BrowserCookies<'_>,
    guess: &LoginCode,
) -> Result<SignInStep, SignInError> {
    let sign_in = under_way(app, browser.sign_in).await?.ok_or(SignInError::NotUnderWay)?;
    let request = Some(browser.sign_in.hash());
    let from = browser.caller.address;
    let proof = prove(app, CodeGuess { email: &sign_in.email, code: guess, request, from }).await?;
    retry(|| async {
        let mut tx = app.store.begin().await?;
        let now = app.now();
        let sign_in = live(&mut tx, browser.sign_in, now).await?.ok_or(SignInError::NotUnderWay)?;
        let user = proof.take(app, &mut tx, now).await?;
        let step = if check::is_on(&mut tx, &user.id).await? {
            match browsers::recall(app, &mut tx, &user.id, browser.remembered, browser.caller, now).await? {
                Some(cookie) => {
                    let step = finish(app, &mut tx, browser, &sign_in, &user, now).await?;
                    if let SignInStep::Done { session, .. } = &step {
                        tx.note_remembered_use(&cookie.hash(), &session.hash()).await?;
                    }
                    step.remembering(cookie)
                }
                None => half(app, &mut tx, browser, &sign_in, &user, now).await?,
            }
        } else {
            finish(app, &mut tx, browser, &sign_in, &user, now).await?
        };
        tx.commit().await?;
        Ok(step)
    })
    .await
}

/// Checks the second factor of a half-way sign-in, and finishes it if the answer is right. `NotUnderWay` if none is
/// half-way.
pub async fn prove_second(
    app: &AppState,
    browser: BrowserCookies<'_>,
    answer: &SecondFactorAnswer,
    remember: bool,
) -> Result<SignInStep, SignInError> {
    retry(|| async {
        let (mut tx, now) = (app.store.begin().await?, app.now());
        let sign_in = live(&mut tx, browser.sign_in, now).await?.ok_or(SignInError::NotUnderWay)?;
        let (user, _) = sign_in.proved.as_ref().ok_or(SignInError::NotUnderWay)?;
        let user = tx.user(user).await?.filter(|user| user.status == AccountStatus::Active);
        let user = user.ok_or(SignInError::NotUnderWay)?;
        let refusal = match check::check(app, &mut tx, &user.id, answer, now).await? {
            FactorVerdict::Right(proof) => {
                let mut step = finish(app, &mut tx, browser, &sign_in, &user, now).await?;
                if remember {
                    step =
                        step.remembering(browsers::remember(&mut tx, &user.id, browser.caller, now).await?);
                }
                proof.notify_owner(app, &mut tx, &user, browser.caller, now).await?;
                tx.commit().await?;
                return Ok(step);
            }
            FactorVerdict::Wrong => SignInError::SecondFactorRejected,
            FactorVerdict::Limited { retry_after } => SignInError::RateLimited { retry_after },
            // Turned off meanwhile: this sign-in waits for something that is no more.
            FactorVerdict::Off => SignInError::NotUnderWay,
        };
        tx.commit().await?;
        Err(refusal)
    })
    .await
}

impl SignInStep {
    fn remembering(self, cookie: BrowserSecret) -> Self {
        match self {
            Self::Done { session, next, remembered: _ } => {
                Self::Done { session, next, remembered: Some(cookie) }
            }
            Self::SecondFactor { sign_in } => Self::SecondFactor { sign_in },
        }
    }
}

async fn half(
    app: &AppState,
    tx: &mut Tx,
    browser: BrowserCookies<'_>,
    sign_in: &StoredSignIn,
    user: &StoredUser,
    now: Timestamp,
) -> Result<SignInStep, ServerError> {
    let cookie = BrowserSecret::random()?;
    let proved = Some((user.id.clone(), now));
    let half = StoredSignIn { proved, expires_at: now.plus(app.limits.code_ttl), ..sign_in.clone() };
    tx.delete_sign_in(&browser.sign_in.hash()).await?;
    tx.insert_sign_in(&cookie.hash(), &half).await?;
    Ok(SignInStep::SecondFactor { sign_in: cookie })
}

/// Ends the sign-in and begins the browser's session, within `tx`: the last step, whichever came before.
pub async fn finish(
    app: &AppState,
    tx: &mut Tx,
    browser: BrowserCookies<'_>,
    sign_in: &StoredSignIn,
    user: &StoredUser,
    now: Timestamp,
) -> Result<SignInStep, ServerError> {
    tx.delete_sign_in(&browser.sign_in.hash()).await?;
    let new = NewBrowserSession { user, caller: browser.caller, proved_at: now, replaces: browser.session };
    let session = begin(app, tx, new, now).await?;
    Ok(SignInStep::Done { session, next: sign_in.next.clone(), remembered: None })
}

/// The sign-in of this cookie within `tx`, locked, unless it has lapsed.
pub async fn live(
    tx: &mut Tx,
    cookie: &BrowserSecret,
    now: Timestamp,
) -> Result<Option<StoredSignIn>, ServerError> {
    let sign_in = tx.sign_in_for_update(&cookie.hash()).await?;
    Ok(sign_in.filter(|sign_in| now < sign_in.expires_at))
}

async fn find(app: &AppState, cookie: &BrowserSecret) -> Result<Option<StoredSignIn>, ServerError> {
    retry(|| async {
        let mut tx = app.store.begin().await?;
        let sign_in = live(&mut tx, cookie, app.now()).await?;
        tx.commit().await?;
        Ok(sign_in)
    })
    .await
}
