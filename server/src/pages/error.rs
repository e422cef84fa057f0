//! Errors as calm pages: what happened, and what to do.

use std::time::Duration;

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::error::ApiError;
use crate::pages::layout::HtmlPage;

/// An error page. Its texts are for people and repeat nothing they sent.
#[derive(Clone, Debug)]
pub struct PageError(Box<Shown>);

#[derive(Clone, Debug, Template)]
#[template(path = "error.html")]
struct Shown {
    status: StatusCode,
    title: String,
    text: String,
    link: Option<(String, &'static str)>,
    retry_after: Option<Duration>,
}

impl PageError {
    /// A page with this status, headed `title`; `text` says what happened and what to do.
    pub fn new(status: StatusCode, title: impl Into<String>, text: impl Into<String>) -> Self {
        let (title, text) = (title.into(), text.into());
        Self(Box::new(Shown { status, title, text, link: None, retry_after: None }))
    }

    /// With a link to where it goes on.
    pub fn with_link(mut self, path: impl Into<String>, label: &'static str) -> Self {
        self.0.link = Some((path.into(), label));
        self
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "There is no such page",
            "The address may be mistyped, or what was here is gone.",
        )
        .with_link("/dashboard", "Go to your dashboard")
    }

    /// 403: a form that did not come from a page of this server, or from one that was open too long.
    pub fn forged() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "This form no longer works",
            "It was open for too long, or it did not come from this site. Nothing was changed. \
             Go back, reload the page, and try again.",
        )
        .with_link("/dashboard", "Go to your dashboard")
    }

    /// 403: the browser is not signed in any more.
    pub fn signed_out() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "You are not signed in",
            "Your session in this browser has ended. Nothing was changed. Sign in and try again.",
        )
        .with_link("/signin", "Sign in")
    }
}

impl<E: Into<ApiError>> From<E> for PageError {
    fn from(error: E) -> Self {
        let error: ApiError = error.into();
        let status = error.status();
        let title = match status {
            StatusCode::NOT_FOUND => return Self::not_found(),
            StatusCode::UNAUTHORIZED => return Self::signed_out(),
            StatusCode::METHOD_NOT_ALLOWED => "This page can't be used that way",
            StatusCode::TOO_MANY_REQUESTS => "Too many requests",
            StatusCode::PAYLOAD_TOO_LARGE => "That is too much text",
            StatusCode::REQUEST_TIMEOUT => "That took too long",
            StatusCode::SERVICE_UNAVAILABLE => "The server is busy",
            StatusCode::FORBIDDEN => "That is not allowed",
            status if status.is_server_error() => "Something failed on the server",
            _ => "That did not work",
        };
        let text = match status {
            StatusCode::INTERNAL_SERVER_ERROR => {
                "It is not your fault. Try again in a moment; if it goes on, tell whoever runs this server."
            }
            StatusCode::METHOD_NOT_ALLOWED => "Open it from a link instead of sending something to it.",
            _ => error.message(),
        };
        let mut page = Self::new(status, title, text).with_link("/dashboard", "Go to your dashboard");
        page.0.retry_after = error.retry_after().map(Duration::from_secs);
        page
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.0.status, self.0.retry_after);
        let mut response = HtmlPage::new(*self.0).status(status).into_response();
        if let Some(span) = retry_after {
            set_retry_after(&mut response, span);
        }
        response
    }
}

/// A wait as people say it.
pub fn wait(span: Duration) -> String {
    // Rounded up too.
    match whole_secs(span) {
        1 => "1 second".to_owned(),
        secs @ ..=119 => format!("{secs} seconds"),
        secs @ ..=7200 => format!("{} minutes", secs.div_ceil(60)),
        secs @ ..=172_800 => format!("{} hours", secs.div_ceil(3600)),
        secs => format!("{} days", secs.div_ceil(86_400)),
    }
}

/// Tells programs how long to wait.
pub fn set_retry_after(response: &mut Response, span: Duration) {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(whole_secs(span)));
}

/// Rounded up: who waits this long is not turned away again for a fraction of a second.
fn whole_secs(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}
