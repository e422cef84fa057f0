//! `/authorize`: a client asks, through the user's browser, to act for them. GET only ever shows a page; the answer is a
//! POST from that page. Requests are GETs: a form that another site sends here fails the page's own checks.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::actions::oauth::approve::{self, AuthorizationRequest};
use crate::actions::oauth::grant::longest_access;
use crate::app::AppState;
use crate::db::clients::OAuthClient;
use crate::pages::display_time::DisplayTime;
use crate::pages::error::{PageError, wait};
use crate::pages::form::PageForm;
use crate::pages::layout::{HtmlPage, SeeOther};
use crate::pages::signed_in::{SignedInBrowser, sign_in_again_path, sign_in_path};
use crate::rules::local_path::LocalPath;
use crate::rules::oauth::client::GrantType;
use crate::rules::oauth::redirect::Redirect;
use crate::rules::oauth::request::{
    AuthorizationDenied, Parameters, PromptParameter, RequestedAuthorization, UntrustedRequest,
};
use crate::rules::oauth::scope::Scope;
use crate::tokens::browser::FormToken;

/// A request whose client and redirect address hold.
struct Trusted {
    client: OAuthClient,
    redirect: Redirect,
    parameters: Parameters,
}

async fn trusted(app: &AppState, query: Option<&str>) -> Result<Trusted, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default()).map_err(page)?;
    let id = parameters.client().map_err(page)?;
    let client = approve::client(app, id).await?.ok_or_else(|| page(UntrustedRequest::Client))?;
    let redirect = parameters.redirect(&client.registered).map_err(page)?;
    if redirect.is_at(&app.public_url) {
        return Err(page(UntrustedRequest::Redirect));
    }
    Ok(Trusted { client, redirect, parameters })
}

/// Nothing leads back to an app that can't be trusted to be one.
fn page(why: UntrustedRequest) -> PageError {
    let (title, text) = match why {
        UntrustedRequest::TooLong => {
            ("This link is too long", "The app that sent you here asks for too much at once.")
        }
        UntrustedRequest::Client => (
            "This app is not known here",
            "The link that brought you here names no app that is registered on this server. Go back and begin again.",
        ),
        UntrustedRequest::Redirect => (
            "This link leads somewhere else",
            "The app that sent you here wants the answer at an address that it did not register. Nothing was sent \
             there. If you followed a link from a mail or a chat, it may be a trap.",
        ),
    };
    PageError::new(StatusCode::BAD_REQUEST, title, text)
}

impl Trusted {
    fn asked(&self, requested: &RequestedAuthorization) -> AuthorizationRequest {
        AuthorizationRequest {
            client: self.client.clone(),
            redirect: self.redirect.as_str().to_owned(),
            challenge: requested.challenge,
            scopes: requested.scopes.clone(),
            nonce: requested.nonce.clone(),
        }
    }

    /// The client's address with `answer`, its `state`, and who answers (RFC 9207).
    fn with(&self, app: &AppState, answer: &[(&str, &str)]) -> String {
        let mut all = answer.to_vec();
        all.extend(self.parameters.state().map(|state| ("state", state)));
        all.push(("iss", &app.public_url));
        self.redirect.with(&all)
    }

    /// The client's address with an error.
    fn back(
        &self,
        app: &AppState,
        AuthorizationDenied { error, description }: AuthorizationDenied,
    ) -> String {
        self.with(app, &[("error", error), ("error_description", description)])
    }

    /// Sends the browser back to the client, or shows the way where a form may not lead there by itself.
    fn go_back(&self, place: String) -> Response {
        if self.redirect.csp_source().is_none() {
            return HtmlPage::new(WayBackPage { name: self.redirect.place(), place }).into_response();
        }
        let Ok(place) = HeaderValue::try_from(place) else {
            return PageError::new(StatusCode::BAD_REQUEST, "This link leads nowhere", "Begin again.")
                .into_response();
        };
        let headers = [
            (header::LOCATION, place),
            // The code must not be told on from where it arrives.
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ];
        (StatusCode::SEE_OTHER, headers).into_response()
    }

    fn denied(&self, app: &AppState, denied: AuthorizationDenied) -> Response {
        self.go_back(self.back(app, denied))
    }

    /// Tells the client, if the person at this browser has allowed it something before. Anybody can register a client, so a
    /// link to this server would else lead to an address of anybody's choice unseen (RFC 9700 section 4.11.2): the person is
    /// told, and may go on by themselves.
    async fn turned_down(
        &self,
        app: &AppState,
        signed_in: Option<&SignedInBrowser>,
        denied: AuthorizationDenied,
    ) -> Result<Response, PageError> {
        let known = match signed_in {
            Some(signed_in) => approve::has_allowed(app, &signed_in.session, &self.client).await?,
            None => false,
        };
        if known {
            return Ok(self.denied(app, denied));
        }
        let text = format!(
            "An app asks for something that this server can't do without you: {} Nothing was sent to it. Its answer would \
             go to {}, which nobody here has checked.",
            denied.description,
            self.redirect.place()
        );
        Ok(PageError::new(StatusCode::BAD_REQUEST, "This app asks in a wrong way", text)
            .with_link(self.back(app, denied), "Go back to the app")
            .into_response())
    }

    /// This very request, for the sign-in to lead back to.
    fn here(query: &str) -> LocalPath {
        LocalPath::parse(&format!("/authorize?{query}")).unwrap_or_else(LocalPath::home)
    }

    /// To the sign-in first. Whoever comes back from it has proved who they are since now.
    fn sign_in(&self, app: &AppState, path: fn(&LocalPath) -> String) -> Response {
        SeeOther::to(path(&Self::here(&self.parameters.query_after(app.now())))).into_response()
    }
}

#[derive(Template)]
#[template(path = "way_back.html")]
struct WayBackPage {
    name: String,
    place: String,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage {
    form_token: FormToken,
    email: String,
    /// What the client calls itself.
    name: String,
    registered: DisplayTime,
    place: String,
    is_local: bool,
    wishes: Vec<String>,
    query: String,
    other_account: String,
}

/// `GET /authorize`: asks the user, who may have to sign in first.
pub async fn show(
    State(app): State<Arc<AppState>>,
    RawQuery(query): RawQuery,
    signed_in: Option<SignedInBrowser>,
) -> Result<Response, PageError> {
    let trusted = trusted(&app, query.as_deref()).await?;
    let requested = match trusted.parameters.requested(&trusted.client.registered) {
        Ok(requested) => requested,
        Err(denied) => return trusted.turned_down(&app, signed_in.as_ref(), denied).await,
    };
    let silent = requested.prompt == PromptParameter::None;
    let known = if silent { signed_in.clone() } else { None };
    match (requested.prompt, recent(&app, signed_in, &requested)) {
        (PromptParameter::None, Recent::Yes(_)) => {
            trusted.turned_down(&app, known.as_ref(), CONSENT_REQUIRED).await
        }
        (PromptParameter::None, Recent::TooOld | Recent::No) => {
            trusted.turned_down(&app, known.as_ref(), LOGIN_REQUIRED).await
        }
        (_, Recent::TooOld) => Ok(trusted.sign_in(&app, sign_in_again_path)),
        (_, Recent::No) => Ok(trusted.sign_in(&app, sign_in_path)),
        (_, Recent::Yes(signed_in)) => Ok(consent(&app, &trusted, &requested, &signed_in)),
    }
}

const LOGIN_REQUIRED: AuthorizationDenied =
    AuthorizationDenied { error: "login_required", description: "The user is to sign in first." };
const CONSENT_REQUIRED: AuthorizationDenied =
    AuthorizationDenied { error: "consent_required", description: "This server asks the user every time." };
const ACCESS_DENIED: AuthorizationDenied =
    AuthorizationDenied { error: "access_denied", description: "The user did not allow it." };

fn consent(
    app: &AppState,
    trusted: &Trusted,
    requested: &RequestedAuthorization,
    signed_in: &SignedInBrowser,
) -> Response {
    let registered = &trusted.client.registered;
    // Any token tells whose it is, and it is the grant that a client registered which gives it refresh tokens.
    let stays = registered.grants.contains(&GrantType::Refresh);
    let shown = |scope: &Scope| match scope {
        Scope::OpenId => true,
        Scope::OfflineAccess => stays,
        Scope::Profile | Scope::Email => requested.scopes.has(*scope),
    };
    let mut wishes: Vec<_> =
        Scope::ALL.into_iter().filter(shown).map(|scope| scope.in_words().to_owned()).collect();
    if !stays {
        let most = wait(longest_access(app));
        wishes.push(format!("use what you allow here for up to {most}, without asking again"));
    }
    let query = trusted.parameters.query();
    let again = Trusted::here(&trusted.parameters.query_after(app.now()));
    let template = ConsentPage {
        form_token: signed_in.form_token,
        email: signed_in.session.user.email.clone(),
        name: registered.name.clone(),
        registered: DisplayTime::new(trusted.client.created_at, app.now()),
        place: trusted.redirect.place(),
        is_local: trusted.redirect.is_local(),
        wishes,
        query,
        other_account: sign_in_again_path(&again),
    };
    HtmlPage::new(template).allowing_form_target(trusted.redirect.csp_source()).into_response()
}

/// What the consent page sends.
#[derive(Deserialize)]
pub struct ConsentForm {
    answer: String,
}

/// `POST /authorize`: what the user answered. The request is in the address again, and is checked again.
pub async fn answer(
    State(app): State<Arc<AppState>>,
    RawQuery(query): RawQuery,
    signed_in: Option<SignedInBrowser>,
    PageForm(form): PageForm<ConsentForm>,
) -> Result<Response, PageError> {
    let trusted = trusted(&app, query.as_deref()).await?;
    let requested = match trusted.parameters.requested(&trusted.client.registered) {
        Ok(requested) => requested,
        Err(denied) => return Ok(trusted.denied(&app, denied)),
    };
    let signed_in = match recent(&app, signed_in, &requested) {
        Recent::Yes(signed_in) => signed_in,
        Recent::TooOld => return Ok(trusted.sign_in(&app, sign_in_again_path)),
        Recent::No => return Err(PageError::signed_out()),
    };
    let asked = trusted.asked(&requested);
    match form.answer.as_str() {
        "allow" => {
            let code = approve::allow(&app, &signed_in.session, signed_in.proved_at, &asked).await?;
            Ok(trusted.go_back(trusted.with(&app, &[("code", code.expose())])))
        }
        "deny" => {
            approve::deny(&app, &signed_in.session, &asked).await?;
            Ok(trusted.denied(&app, ACCESS_DENIED))
        }
        _ => Err(PageError::forged()),
    }
}

/// Whether someone is signed in who proved who they are recently enough.
enum Recent {
    Yes(Box<SignedInBrowser>),
    TooOld,
    No,
}

fn recent(app: &AppState, signed_in: Option<SignedInBrowser>, requested: &RequestedAuthorization) -> Recent {
    match signed_in {
        None => Recent::No,
        Some(signed_in) if requested.accepts(signed_in.proved_at, app.now()) => {
            Recent::Yes(Box::new(signed_in))
        }
        Some(_) => Recent::TooOld,
    }
}
