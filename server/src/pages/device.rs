//! Approving a device. The person types the code even when the address carries one: a link that someone sent must not
//! be enough. Nothing is ever approved by opening a page.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::actions::device::{self, Decider, DecisionOutcome, LookUpOutcome};
use crate::actions::limit::LimitError;
use crate::app::AppState;
use crate::db::devices::DeviceGrant;
use crate::http::client::RequestCaller;
use crate::pages::display_time::DisplayTime;
use crate::pages::error::{PageError, set_retry_after, wait};
use crate::pages::form::{PageForm, PageQuery};
use crate::pages::layout::{HtmlPage, SeeOther};
use crate::pages::navigation::{NavigationSection, Who};
use crate::pages::signed_in::{SignedInBrowser, sign_in_path};
use crate::rules::device::{Asker, DeviceDecision};
use crate::rules::local_path::LocalPath;
use crate::rules::oauth::scope::{Scope, Scopes};
use crate::rules::program;
use crate::secret::SecretText;
use crate::tokens::device::UserCode;
use crate::tokens::device_reference;

#[derive(Template)]
#[template(path = "device.html")]
struct Enter {
    who: Who,
    /// Whether the address carried a code.
    carried: bool,
    alert: Option<String>,
}

#[derive(Template)]
#[template(path = "device_confirm.html")]
struct Confirm {
    who: Who,
    reference: String,
    name: String,
    program: String,
    /// All that it said of itself, if that is more.
    calls_itself: Option<String>,
    address: String,
    asked: DisplayTime,
    wants: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "device_done.html")]
struct Done {
    who: Who,
    name: String,
    approved: bool,
}

/// A code in the address. It is not looked at.
#[derive(Deserialize)]
pub(super) struct Carried {
    user_code: Option<SecretText>,
    code: Option<SecretText>,
}

/// `GET /device`, `/cli/verify` and `/cli-auth`: asks for the code.
pub(super) async fn show(
    signed_in: Option<SignedInBrowser>,
    PageQuery(carried): PageQuery<Carried>,
) -> Result<Response, PageError> {
    let Some(signed_in) = signed_in else {
        // Without the query: the code has no business in the sign-in's address.
        let here = LocalPath::parse("/device").unwrap_or_else(LocalPath::home);
        return Ok(SeeOther::to(sign_in_path(&here)).into_response());
    };
    let carried = carried.user_code.is_some() || carried.code.is_some();
    Ok(HtmlPage::new(Enter { who: who(&signed_in), carried, alert: None }).into_response())
}

/// What was typed.
#[derive(Deserialize)]
pub(super) struct UserCodeForm {
    code: SecretText,
}

/// `POST /device`: shows what the code stands for.
pub(super) async fn look_up(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    RequestCaller(caller): RequestCaller,
    PageForm(typed): PageForm<UserCodeForm>,
) -> Result<Response, PageError> {
    let code = match UserCode::parse(&typed.code) {
        Ok(code) => code,
        Err(error) => return Ok(again(&signed_in, StatusCode::BAD_REQUEST, error.to_string())),
    };
    match device::look_up(&app, &signed_in.session, &code, &caller).await {
        Ok(LookUpOutcome::Found(grant)) => Ok(confirm(&app, &signed_in, *grant)),
        Ok(LookUpOutcome::Nothing) => {
            let alert = "This code is wrong, has expired, or was used before. Look at your device again; if the \
                         code is right, begin there anew.";
            Ok(again(&signed_in, StatusCode::BAD_REQUEST, alert.to_owned()))
        }
        Err(LimitError::RateLimited { retry_after }) => {
            let alert = format!("Too many wrong codes. Wait {}, then try again.", wait(retry_after));
            let mut response = again(&signed_in, StatusCode::TOO_MANY_REQUESTS, alert);
            set_retry_after(&mut response, retry_after);
            Ok(response)
        }
        Err(error @ LimitError::Server(_)) => Err(error.into()),
    }
}

/// What was decided.
#[derive(Deserialize)]
pub(super) struct DecisionForm {
    grant: String,
    verdict: String,
}

/// `POST /device/decision`: approves or denies.
pub(super) async fn decide(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageForm(decision): PageForm<DecisionForm>,
) -> Result<Response, PageError> {
    let verdict = match decision.verdict.as_str() {
        "approve" => DeviceDecision::Approve,
        "deny" => DeviceDecision::Deny,
        _ => return Err(begin_again(StatusCode::BAD_REQUEST, "Choose Approve or Deny.")),
    };
    let Some(id) = device_reference::open(&app.keys, &signed_in.session.id, &decision.grant) else {
        return Err(begin_again(
            StatusCode::BAD_REQUEST,
            "It was made for another sign-in of yours. Type the code again.",
        ));
    };
    let judge = Decider { session: &signed_in.session, proved_at: signed_in.proved_at };
    match device::decide(&app, judge, &id, verdict).await? {
        DecisionOutcome::Stands(grant) => {
            let (name, approved) = (name_of(&grant.asker), verdict == DeviceDecision::Approve);
            Ok(HtmlPage::new(Done { who: who(&signed_in), name, approved }).into_response())
        }
        DecisionOutcome::Otherwise => Err(begin_again(
            StatusCode::CONFLICT,
            "It was approved or denied before, and that stands. If you did not do it, look at your sessions.",
        )),
        DecisionOutcome::Expired | DecisionOutcome::Unknown => Err(begin_again(
            StatusCode::GONE,
            "The code has expired, and nothing was approved. Begin on your device anew.",
        )),
    }
}

fn confirm(app: &AppState, signed_in: &SignedInBrowser, grant: DeviceGrant) -> Response {
    let reference = device_reference::seal(&app.keys.current(), &signed_in.session.id, &grant.id);
    let program = program::describe(&grant.program);
    let calls_itself = Some(grant.program).filter(|raw| !raw.is_empty() && program.as_ref() != Some(raw));
    let page = Confirm {
        who: who(signed_in),
        reference,
        name: name_of(&grant.asker),
        wants: wants(&grant.asker),
        program: program.unwrap_or_else(|| "It does not say".to_owned()),
        calls_itself,
        address: grant.address,
        asked: DisplayTime::new(grant.created_at, app.now()),
    };
    HtmlPage::new(page).into_response()
}

fn again(signed_in: &SignedInBrowser, status: StatusCode, alert: String) -> Response {
    HtmlPage::new(Enter { who: who(signed_in), carried: false, alert: Some(alert) })
        .status(status)
        .into_response()
}

fn begin_again(status: StatusCode, why: &'static str) -> PageError {
    PageError::new(status, "This request no longer works", why).with_link("/device", "Type a code")
}

fn who(signed_in: &SignedInBrowser) -> Who {
    Who::at(NavigationSection::Elsewhere, signed_in)
}

fn name_of(asker: &Asker) -> String {
    match asker.name() {
        "" => "A tool without a name".to_owned(),
        name => name.to_owned(),
    }
}

fn wants(asker: &Asker) -> Vec<&'static str> {
    match asker {
        Asker::Client { scope, .. } => Scopes::read(scope).iter().map(Scope::in_words).collect(),
        Asker::Achilles => vec![
            "act as you in achilles",
            "see your name and your email address",
            "stay signed in until you revoke it",
        ],
    }
}
