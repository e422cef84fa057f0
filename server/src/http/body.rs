//! Request bodies, JSON and forms: at most 16 KiB unless a route says more, of the right type, complete within 10 seconds.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::http::error::ApiError;

/// The largest body accepted, in bytes.
pub const LARGEST: usize = 16 * 1024;

const SLOWEST: Duration = Duration::from_secs(10);

/// A request body parsed as `T`. Members that `T` does not know are ignored; a repeated one is an error.
pub struct JsonBody<T, const MOST: usize = LARGEST>(
    /// What was sent.
    pub T,
);

impl<T: DeserializeOwned, S: Sync, const MOST: usize> FromRequest<S> for JsonBody<T, MOST> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_sent_as(&request, "application/json") {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send JSON with Content-Type: application/json.",
            ));
        }
        let bytes = read(request, MOST).await?;
        // serde would also take an array for a struct.
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| *byte != b'{') {
            return Err(ApiError::validation("The body must be a JSON object."));
        }
        // Members that are skipped would not be looked at.
        let text =
            std::str::from_utf8(&bytes).map_err(|_| ApiError::validation("The body is not valid UTF-8."))?;
        serde_json::from_str(text).map(JsonBody).map_err(|error| ApiError::validation(explain(&error)))
    }
}

/// A form (`application/x-www-form-urlencoded`) parsed as `T`. Fields that `T` does not know are ignored; a repeated
/// one is an error (RFC 6749 section 3.2).
pub struct FormBody<T>(
    /// What was sent.
    pub T,
);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for FormBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        parse_form(&read_form(request).await?).map(FormBody)
    }
}

/// Reads a form whole, still as text.
pub async fn read_form(request: Request) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    if !is_sent_as(&request, "application/x-www-form-urlencoded") {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Send a form with Content-Type: application/x-www-form-urlencoded.",
        ));
    }
    read(request, LARGEST).await
}

/// Reads a form's text, or a query: one value a name. The error repeats nothing of it.
pub fn parse_form<T: DeserializeOwned>(text: &[u8]) -> Result<T, ApiError> {
    let mut names = BTreeSet::new();
    if !url::form_urlencoded::parse(text).all(|(name, _)| names.insert(name)) {
        return Err(ApiError::validation("A field was given twice."));
    }
    serde_html_form::from_bytes(text).map_err(|_| {
        ApiError::validation("The form is not of the right shape: a field is missing or malformed.")
    })
}

fn is_sent_as(request: &Request, wanted: &str) -> bool {
    let sent_as = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = sent_as.and_then(|value| value.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case(wanted))
}

async fn read(request: Request, most: usize) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    let too_large = || {
        let message = format!("A body may have {} KiB.", most / 1024);
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", message)
    };
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if declared.and_then(|text| text.parse::<u64>().ok()).is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(SLOWEST, to_bytes(request.into_body(), most)).await {
        Ok(Ok(bytes)) => Ok(take(bytes)),
        Ok(Err(error)) if is_length_limit(&error) => Err(too_large()),
        Ok(Err(_)) => Err(ApiError::validation("The body ended early.")),
        Err(_) => {
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "The body took too long."))
        }
    }
}

/// Bodies hold codes and tokens, so what can be wiped after parsing is.
fn take(bytes: Bytes) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.into())
}

fn is_length_limit(error: &axum::Error) -> bool {
    use std::error::Error as _;
    error.source().is_some_and(|source| source.is::<http_body_util::LengthLimitError>())
}

/// serde's own words could repeat what was sent, so only the place is told.
fn explain(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => "The body is not valid JSON.".to_owned(),
        Category::Data => format!(
            "The body is JSON, but not of the right shape: a field is missing, repeated, or of the wrong type \
             (line {}, column {}).",
            error.line(),
            error.column()
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::Body;
    use axum::response::IntoResponse as _;
    use hyper::body::Frame;

    use super::*;

    struct NeverSent;

    impl hyper::body::Body for NeverSent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    #[test]
    fn a_form_has_each_field_once() {
        #[derive(Debug, serde::Deserialize)]
        struct Form {
            a: String,
            b: Option<String>,
        }
        let parse = |text: &str| parse_form::<Form>(text.as_bytes());
        let form = parse("a=x%20y+z&c=1").unwrap();
        assert_eq!((form.a.as_str(), form.b), ("x y z", None));
        assert_eq!(parse("a=1&b=2").unwrap().b.as_deref(), Some("2"));
        for bad in ["a=1&a=2", "a=1&c=1&c=2", "b=1", ""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_408() {
        let mut request = Request::new(Body::new(NeverSent));
        request.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        let error = JsonBody::<serde_json::Value>::from_request(request, &()).await.err().unwrap();
        assert_eq!(error.into_response().status(), StatusCode::REQUEST_TIMEOUT);
    }
}
