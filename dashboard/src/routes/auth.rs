//! The contract's `/api/auth/*` routes for signing in and out, of the profile `failproofai`.

use crate::agent;
use crate::app::App;
use crate::body::Fields;
use crate::problem::{Problem, asked_again};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use everkey_client::{Field, Reminder, Revocation, Secret, SignInUnderWay, State as Stand, Status, Step};
use everkey_proto::request::{self, Answer, Login, Logout, ProfileCall, UnderWay};
use everkey_proto::{DEFAULT_PROFILE, Entry, FlowId, SignInMethod, pasted};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) type Response = Result<Json<Value>, Problem>;

/// Who is signed in, and their reminder; asks the agent and no network.
pub async fn status() -> Response {
    let status = standing().await?;
    let active = is_active(&status);
    let reminder = status.reminder.as_ref().filter(|_| active).map(in_contract);
    let mut answer = json!({ "authenticated": active, "reminder": reminder });
    if let Some(user) = status.user.filter(|_| active) {
        answer["user"] = json!({ "id": user.id, "email": user.email });
    }
    Ok(Json(answer))
}

/// What a request for a code says.
#[derive(Deserialize)]
pub struct WantedCode {
    email: Option<Value>,
}

/// Has a code sent, or another one.
pub async fn login_request(State(app): State<App>, Fields(wanted): Fields<WantedCode>) -> Response {
    let email = address(wanted.email.as_ref())?;
    let begun = begin(|other| replaces(other, &email)).await;
    app.feed().wake();
    let flow = begun?;
    match step(Answer { flow, entry: Entry::Email(email) }).await? {
        Step::Ask { again: Some(failure), .. } => Err(Problem::of_contract(asked_again(failure))),
        Step::Ask { field: Field::Code, sent, .. } => {
            let (expires_in, resend) =
                sent.map_or((None, None), |sent| (sent.expires_in, sent.resend_available_in));
            Ok(Json(json!({
                "status": "code_sent", "expires_in": expires_in, "resend_available_in": resend,
            })))
        }
        step => Err(unexpected(&step)),
    }
}

/// What an attempt with a code says.
#[derive(Deserialize)]
pub struct Attempt {
    email: Option<Value>,
    code: Option<Secret>,
    second_factor: Option<Secret>,
}

/// Signs in with a code that was sent to this address, be it the last one that was asked for or not.
pub async fn login_verify(State(app): State<App>, Fields(attempt): Fields<Attempt>) -> Response {
    let email = address(attempt.email.as_ref())?;
    let code = attempt.code.filter(|code| !code.expose().trim().is_empty());
    let code = code.ok_or_else(|| Problem::invalid("code must be the code from the email."))?;
    if pasted::code(code.expose()).is_none() {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "That is not a code: it has six digits, or sixteen.",
        ));
    }
    let second_factor = attempt.second_factor.filter(|answer| !answer.expose().trim().is_empty());
    let flow = begin(|other| UnderWay::Join(other.flow)).await?;
    let mut answered = step(Answer { flow, entry: Entry::Code { email, code } }).await;
    if let (Ok(Step::Ask { field: Field::SecondFactor, again: None, .. }), Some(text)) =
        (&answered, second_factor)
    {
        answered = step(Answer { flow, entry: Entry::Text(text) }).await;
    }
    app.feed().wake();
    match answered? {
        Step::Ask { field: Field::SecondFactor, again: None, tries, .. } => {
            let message = "This account has a second factor.";
            let hint = "Send the same code again with second_factor: the six digits your app shows, or a recovery code.";
            let problem = Problem::new(StatusCode::FORBIDDEN, "second_factor_required", message);
            Err(problem.hint(hint).tries_left(tries))
        }
        Step::Done { user, .. } => Ok(Json(json!({ "authenticated": true, "user": user }))),
        Step::Ask { again: Some(failure), tries, .. } => {
            Err(Problem::of_contract(asked_again(failure)).tries_left(tries))
        }
        step => Err(unexpected(&step)),
    }
}

/// Signs out; the local session is gone whatever the api-server says.
pub async fn logout(State(app): State<App>) -> Response {
    let logged_out = agent::act(Some(DEFAULT_PROFILE.to_owned()), Logout).await;
    app.feed().wake();
    let mut answer = json!({ "authenticated": false });
    match logged_out.map_err(Problem::of_contract)?.revocation {
        Revocation::NothingToDo => {}
        Revocation::Revoked => answer["upstream"] = "revoked".into(),
        Revocation::Queued | Revocation::NotConfirmed | Revocation::Impossible => {
            answer["upstream"] = "failed".into();
        }
    }
    Ok(Json(answer))
}

/// How the profile stands, where an agent runs.
pub(super) async fn standing() -> Result<Status, Problem> {
    agent::ask(Some(DEFAULT_PROFILE.to_owned()), request::Status).await.map_err(Problem::of_contract)
}

/// The same for whoever means to change something: starts the agent if none runs.
pub(super) async fn standing_to_act() -> Result<Status, Problem> {
    agent::act(Some(DEFAULT_PROFILE.to_owned()), request::Status).await.map_err(Problem::of_contract)
}

/// Whether somebody is signed in, and it is not over.
pub(super) fn is_active(status: &Status) -> bool {
    match status.state {
        Stand::Valid | Stand::Refreshing | Stand::Offline | Stand::Uncertain => true,
        Stand::ReadOnly => status.user.is_some(),
        Stand::NeedsLogin => status.token_served,
        Stand::SignedOut => false,
    }
}

/// A reminder as the contract writes it.
pub(super) fn in_contract(reminder: &Reminder) -> Value {
    json!({ "next_audit_at": reminder.at, "user_email": reminder.email, "set_at": reminder.set_at })
}

/// The sign-in of another person ends when a code is wanted for this address: the contract has no word for asking.
fn replaces(other: &SignInUnderWay, email: &str) -> UnderWay {
    match &other.email {
        Some(address) if address.eq_ignore_ascii_case(email) => UnderWay::Join(other.flow),
        Some(_) | None => UnderWay::Replace(other.flow),
    }
}

/// A sign-in, where one is under way as `what_becomes` of it.
async fn begin(what_becomes: impl Fn(&SignInUnderWay) -> UnderWay) -> Result<FlowId, Problem> {
    let login = |under_way| Login { scheme: Some(SignInMethod::Otp), under_way };
    let asked = |login| agent::act(Some(DEFAULT_PROFILE.to_owned()), login);
    let mut begun = asked(login(None)).await;
    if let Some(other) = begun.as_ref().err().and_then(|failure| failure.under_way.as_deref()) {
        let under_way = what_becomes(other);
        begun = asked(login(Some(under_way))).await;
    }
    match begun.map_err(Problem::of_contract)? {
        Step::Ask { flow, field: Field::Email | Field::Code | Field::SecondFactor, .. } => Ok(flow),
        step => Err(unexpected(&step)),
    }
}

/// One exchange of the sign-in.
async fn step(call: impl ProfileCall<Reply = Step> + Send + 'static) -> Result<Step, Problem> {
    agent::act(Some(DEFAULT_PROFILE.to_owned()), call).await.map_err(Problem::of_contract)
}

fn unexpected(step: &Step) -> Problem {
    match step {
        Step::Done { user, .. } => {
            let who = user.as_ref().map_or_else(String::new, |user| format!(" as {}", user.email));
            let message = format!("Already signed in{who}.");
            Problem::new(StatusCode::CONFLICT, "already_signed_in", message).hint("Sign out first.")
        }
        Step::Ask { .. } | Step::Show { .. } | Step::Open { .. } => {
            let message = "Another sign-in is under way.";
            Problem::new(StatusCode::CONFLICT, "sign_in_under_way", message).hint("Finish it first.")
        }
    }
}

fn address(given: Option<&Value>) -> Result<String, Problem> {
    let text = given.and_then(Value::as_str).map(str::trim).unwrap_or_default();
    let parts = text.rsplit_once('@');
    let whole = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    let odd = |c: char| c.is_control() || c.is_whitespace();
    if !whole || text.len() > 254 || text.chars().any(odd) {
        return Err(Problem::invalid("email must be an address such as name@example.com."));
    }
    Ok(text.to_owned())
}
