//! The contract's `/api/auth/*` routes for signing in and out, of the profile `failproofai`.

use crate::agent;
use crate::app::App;
use crate::body::Fields;
use crate::problem::{Problem, asked_again};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use everkey_client::{Field, Reminder, Revocation, Secret, State as Stand, Status, Step};
use everkey_proto::request::{self, Answer, Login, Logout, ProfileCall};
use everkey_proto::{DEFAULT_PROFILE, Entry, SignInMethod};
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
    let begun = step(Login { scheme: Some(SignInMethod::Otp) }).await;
    app.feed().wake();
    let flow = match begun? {
        Step::Ask { flow, field: Field::Email | Field::Code, .. } => flow,
        step => return Err(unexpected(&step)),
    };
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
}

/// Signs in with a code that was sent to this address, be it the last one that was asked for or not.
pub async fn login_verify(State(app): State<App>, Fields(attempt): Fields<Attempt>) -> Response {
    let email = address(attempt.email.as_ref())?;
    let code = attempt.code.filter(|code| !code.expose().trim().is_empty());
    let code = code.ok_or_else(|| Problem::invalid("code must be the code from the email."))?;
    if !six_digits(code.expose()) {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "That is not a code: it has six digits.",
        ));
    }
    let flow = match step(Login { scheme: Some(SignInMethod::Otp) }).await? {
        Step::Ask { flow, field: Field::Email | Field::Code, .. } => flow,
        step => return Err(unexpected(&step)),
    };
    let answered = step(Answer { flow, entry: Entry::Code { email, code } }).await;
    app.feed().wake();
    match answered? {
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

/// Whether it can be a code, with the spaces and dashes that people paste.
fn six_digits(code: &str) -> bool {
    let code = code.trim().replace([' ', '-'], "");
    code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())
}
