//! `/dashboard/access-tokens`: personal access tokens, each shown once.
//!
//! A token is shown in the answer to the form that made it, which nothing keeps. Each form makes one token: sent again,
//! by a reload, it leads to the list.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use uuid::Uuid;

use crate::actions::browser::session::still_open;
use crate::actions::browser::single_use_form::{self, FormId};
use crate::actions::limit::LimitError;
use crate::actions::personal_tokens::{
    NewPersonalToken, PersonalTokenList, TokenAsker, TokenCreation, TokenRevocation, create, list, revoke,
};
use crate::actions::server_error::ServerError;
use crate::app::AppState;
use crate::db::personal_tokens::StoredPersonalToken;
use crate::db::{DbError, retry};
use crate::pages::display_time::DisplayTime;
use crate::pages::error::{PageError, set_retry_after, wait};
use crate::pages::form::{PageForm, PageQuery};
use crate::pages::layout::{HtmlPage, SeeOther};
use crate::pages::navigation::{NavigationSection, Who};
use crate::pages::signed_in::{SignedInBrowser, sign_in_again_path};
use crate::rules::local_path::LocalPath;
use crate::rules::personal_token::{LONGEST_NAME, PersonalTokenRequest, PersonalTokenStanding, TokenLapse};
use crate::rules::second_factor::recent;
use crate::secret::SecretText;
use crate::time::Timestamp;
use crate::tokens::totp::SecondFactorAnswer;

const PATH: &str = "/dashboard/access-tokens";

const NOT_AN_ANSWER: &str = "Type the six digits your app shows, or one of your recovery codes.";
const WRONG: &str = "That code is wrong, or was used before. Wait for the next one your app shows.";

#[derive(Template)]
#[template(path = "access_tokens.html")]
struct TokensPage {
    who: Who,
    form_id: FormId,
    notice: Option<&'static str>,
    alert: Option<String>,
    name: String,
    lapse: Lapse,
    /// Whether the last sign-in is fresh enough to make one.
    recent: bool,
    sign_in_again: String,
    has_second_factor: bool,
    plan: &'static str,
    most: u32,
    live: u32,
    tokens: Vec<Row>,
    /// Where a program signs in with one.
    server: String,
}

#[derive(Template)]
#[template(path = "access_token_made.html")]
struct MadePage {
    who: Who,
    name: String,
    token: SecretText,
    lapses: Option<DisplayTime>,
    server: String,
}

/// A token as the page shows it.
struct Row {
    id: String,
    name: String,
    prefix: String,
    created: DisplayTime,
    used: Option<DisplayTime>,
    lapses: Option<DisplayTime>,
    standing: PersonalTokenStanding,
}

impl Row {
    fn of(token: StoredPersonalToken, now: Timestamp) -> Self {
        Self {
            standing: token.standing(now),
            id: token.id,
            name: token.name,
            prefix: token.prefix,
            created: DisplayTime::new(token.created_at, now),
            used: token.last_used_at.map(|at| DisplayTime::new(at, now)),
            lapses: token.expires_at.map(|at| DisplayTime::new(at, now)),
        }
    }

    fn is_live(&self) -> bool {
        self.standing == PersonalTokenStanding::Live
    }

    /// What its badge says.
    fn as_str(&self) -> &'static str {
        match self.standing {
            PersonalTokenStanding::Live => "Active",
            PersonalTokenStanding::Revoked => "Revoked",
            PersonalTokenStanding::Lapsed => "Expired",
        }
    }
}

/// How long a token is to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Lapse {
    #[serde(rename = "30d")]
    Month,
    #[serde(rename = "90d")]
    Quarter,
    #[serde(rename = "365d")]
    Year,
    #[serde(rename = "never")]
    Never,
}

impl Lapse {
    const ALL: [Self; 4] = [Self::Month, Self::Quarter, Self::Year, Self::Never];

    fn as_str(self) -> &'static str {
        match self {
            Self::Month => "30d",
            Self::Quarter => "90d",
            Self::Year => "365d",
            Self::Never => "never",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Month => "In 30 days",
            Self::Quarter => "In 90 days",
            Self::Year => "In a year",
            Self::Never => "Never, until I revoke it",
        }
    }

    fn asked(self) -> TokenLapse {
        match self {
            Self::Month => TokenLapse::Days(30),
            Self::Quarter => TokenLapse::Days(90),
            Self::Year => TokenLapse::Days(365),
            Self::Never => TokenLapse::Never,
        }
    }
}

/// The query of the page.
#[derive(Deserialize)]
pub(super) struct TokensQuery {
    done: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageQuery(done): PageQuery<TokensQuery>,
) -> Result<Response, PageError> {
    let notice = match done.done.as_deref() {
        Some("revoked") => Some("The token was revoked. Whatever used it is locked out from now on."),
        Some("already") => Some(
            "That token was made already, and can't be shown again. If you did not copy it, revoke it and make another.",
        ),
        Some(_) | None => None,
    };
    Ok(HtmlPage::new(page(&app, &signed_in, notice).await?).into_response())
}

async fn page(
    app: &AppState,
    signed_in: &SignedInBrowser,
    notice: Option<&'static str>,
) -> Result<TokensPage, PageError> {
    let user = &signed_in.session.user;
    let (PersonalTokenList { tokens, live, plan, at }, has_second_factor) = retry(|| async {
        let mut tx = app.store.begin_reading().await?;
        let listing = list(&mut tx, user, app.now()).await?;
        let has_second_factor = tx.has_factor(&user.id).await?;
        tx.commit().await?;
        Ok::<_, DbError>((listing, has_second_factor))
    })
    .await?;
    Ok(TokensPage {
        who: Who::at(NavigationSection::AccessTokens, signed_in),
        form_id: FormId::new(at),
        notice,
        alert: None,
        name: String::new(),
        lapse: Lapse::Quarter,
        recent: recent(signed_in.proved_at, app.limits.fresh_sign_in, at),
        sign_in_again: again_path(),
        has_second_factor,
        plan: plan.name,
        most: plan.personal_tokens,
        live,
        tokens: tokens.into_iter().map(|token| Row::of(token, at)).collect(),
        server: app.public_url.clone(),
    })
}

fn again_path() -> String {
    sign_in_again_path(&LocalPath::parse(PATH).unwrap_or_else(LocalPath::home))
}

#[derive(Deserialize)]
pub(super) struct CreateTokenForm {
    name: String,
    lapse: Lapse,
    form_id: String,
    /// The second factor, from who has one.
    code: Option<SecretText>,
}

pub(super) async fn make(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageForm(form): PageForm<CreateTokenForm>,
) -> Result<Response, PageError> {
    let request = match PersonalTokenRequest::new(&form.name, form.lapse.asked()) {
        Ok(request) => request,
        Err(bad) => {
            return again(&app, &signed_in, form, StatusCode::UNPROCESSABLE_ENTITY, bad.to_string()).await;
        }
    };
    let second = match form.code.as_ref().map(SecondFactorAnswer::parse).transpose() {
        Ok(second) => second,
        Err(_) => {
            let alert = NOT_AN_ANSWER.to_owned();
            return again(&app, &signed_in, form, StatusCode::UNPROCESSABLE_ENTITY, alert).await;
        }
    };
    let asker = TokenAsker {
        session: &signed_in.session,
        proved_at: signed_in.proved_at,
        second: second.as_ref(),
        caller: &signed_in.caller,
    };
    let (status, alert, wait_for) = match try_to_make(&app, asker, &request, &form.form_id).await {
        Ok(Some(TokenCreation::Made(made))) => return Ok(shown_once(&app, &signed_in, made)),
        Ok(Some(TokenCreation::Stale)) => return Ok(SeeOther::to(again_path()).into_response()),
        Ok(Some(TokenCreation::SecondFactorMissing)) => {
            (StatusCode::UNPROCESSABLE_ENTITY, NOT_AN_ANSWER.to_owned(), None)
        }
        Ok(Some(TokenCreation::SecondFactorWrong)) => {
            (StatusCode::UNPROCESSABLE_ENTITY, WRONG.to_owned(), None)
        }
        Ok(Some(TokenCreation::PlanFull(plan))) => {
            let most = plan.personal_tokens;
            let alert =
                format!("Your plan includes {most} active tokens. Revoke one before you make another.");
            (StatusCode::FORBIDDEN, alert, None)
        }
        Ok(None) => return Ok(SeeOther::to(format!("{PATH}?done=already")).into_response()),
        Err(LimitError::RateLimited { retry_after }) => {
            let alert = format!("That was too often. Wait {}, then try again.", wait(retry_after));
            (StatusCode::TOO_MANY_REQUESTS, alert, Some(retry_after))
        }
        Err(error @ LimitError::Server(_)) => return Err(error.into()),
    };
    let mut response = again(&app, &signed_in, form, status, alert).await?;
    if let Some(span) = wait_for {
        set_retry_after(&mut response, span);
    }
    Ok(response)
}

/// The page again, with what was typed and why it was not done.
async fn again(
    app: &AppState,
    signed_in: &SignedInBrowser,
    form: CreateTokenForm,
    status: StatusCode,
    alert: String,
) -> Result<Response, PageError> {
    let page = page(app, signed_in, None).await?;
    let page = TokensPage { alert: Some(alert), name: form.name, lapse: form.lapse, ..page };
    Ok(HtmlPage::new(page).status(status).into_response())
}

/// `None` if this very form made a token before.
async fn try_to_make(
    app: &AppState,
    asker: TokenAsker<'_>,
    request: &PersonalTokenRequest,
    form_id: &str,
) -> Result<Option<TokenCreation>, LimitError> {
    let Some(form_id) = FormId::parse(form_id) else { return Ok(None) };
    retry(|| async {
        let mut tx = app.store.begin().await?;
        let now = app.now();
        still_open(&mut tx, asker.session).await?;
        if !single_use_form::is_open(&mut tx, asker.session, &form_id, now).await? {
            return Ok(None);
        }
        let creation = create(app, &mut tx, asker, request, now).await?;
        if let TokenCreation::Made(_) = creation {
            single_use_form::use_up(&mut tx, asker.session, &form_id, now).await?;
        }
        tx.commit().await?;
        Ok(Some(creation))
    })
    .await
}

fn shown_once(app: &AppState, signed_in: &SignedInBrowser, made: NewPersonalToken) -> Response {
    let page = MadePage {
        who: Who::at(NavigationSection::AccessTokens, signed_in),
        name: made.record.name,
        token: made.token,
        lapses: made.record.expires_at.map(|at| DisplayTime::new(at, app.now())),
        server: app.public_url.clone(),
    };
    HtmlPage::new(page).with_script().into_response()
}

#[derive(Deserialize)]
pub(super) struct RevokeTokenForm {
    token: String,
}

pub(super) async fn end(
    State(app): State<Arc<AppState>>,
    signed_in: SignedInBrowser,
    PageForm(form): PageForm<RevokeTokenForm>,
) -> Result<SeeOther, PageError> {
    let token = &Uuid::parse_str(&form.token).map_or_else(|_| String::new(), |id| id.to_string());
    let done = retry(|| async {
        let mut tx = app.store.begin().await?;
        let session = still_open(&mut tx, &signed_in.session).await?;
        let done = revoke(&mut tx, &session, token, app.now()).await?;
        tx.commit().await?;
        Ok::<_, ServerError>(done)
    })
    .await?;
    match done {
        TokenRevocation::Revoked => Ok(SeeOther::to(format!("{PATH}?done=revoked"))),
        TokenRevocation::Unknown => {
            let text = "You have no token of that kind any more. Nothing was changed.";
            let error = PageError::new(StatusCode::NOT_FOUND, "There is no such token", text);
            Err(error.with_link(PATH, "Back to your access tokens"))
        }
    }
}
