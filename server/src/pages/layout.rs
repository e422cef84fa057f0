//! What every page shares: the frame in `base.html`, and headers that let a browser do no more than the page needs.

use askama::Template;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A page to answer with: a template, with the headers of every page.
#[derive(Debug)]
pub struct HtmlPage<T> {
    template: T,
    status: StatusCode,
    script: bool,
    form_target: Option<String>,
    cookies: Vec<HeaderValue>,
}

impl<T: Template> HtmlPage<T> {
    /// A page with status 200.
    pub fn new(template: T) -> Self {
        Self { template, status: StatusCode::OK, script: false, form_target: None, cookies: Vec::new() }
    }

    /// With this status instead.
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Lets the page run scripts from this server's assets.
    pub fn with_script(self) -> Self {
        Self { script: true, ..self }
    }

    /// Lets a form of the page be redirected to this origin, or to a scheme such as `myapp:`; browsers hold
    /// `form-action` against redirects too. One that would mean more than a single origin or scheme is left out.
    pub fn allowing_form_target(self, origin: Option<String>) -> Self {
        Self { form_target: origin.filter(|origin| is_one_source(origin)), ..self }
    }

    pub fn cookie(mut self, cookie: HeaderValue) -> Self {
        self.cookies.push(cookie);
        self
    }
}

impl<T: Template> IntoResponse for HtmlPage<T> {
    fn into_response(self) -> Response {
        let html = match self.template.render() {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                return (StatusCode::INTERNAL_SERVER_ERROR, "Something failed on the server.")
                    .into_response();
            }
        };
        let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        let mut response = (self.status, kind, html).into_response();
        let headers = response.headers_mut();
        protect(headers, self.script, self.form_target.as_deref());
        for cookie in self.cookies {
            headers.append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// Whether a text is one source expression and no more: no wildcard, and nothing that ends a directive or a policy.
fn is_one_source(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:/+".contains(&byte))
}

/// `Referrer-Policy: same-origin`, because under `no-referrer` browsers send `Origin: null` with our own forms.
fn protect(headers: &mut HeaderMap, script: bool, form_target: Option<&str>) {
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let script = if script { "script-src 'self'; " } else { "" };
    let target = form_target.map(|origin| format!(" {origin}")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; {script}form-action 'self'{target}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    // A target that is no header text is left out, which only forbids more.
    let policy = HeaderValue::from_str(&policy).unwrap_or_else(|_| {
        HeaderValue::from_static("default-src 'none'; style-src 'self'; frame-ancestors 'none'")
    });
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
}

/// 303: go on with a GET of this path. Only for addresses of this server: constants, or a
/// [`crate::rules::local_path::LocalPath`]; a redirect to a client's address is not this type's business.
#[derive(Debug)]
pub struct SeeOther {
    path: String,
    cookies: Vec<HeaderValue>,
}

impl SeeOther {
    /// Go on there.
    pub fn to(path: impl Into<String>) -> Self {
        Self { path: path.into(), cookies: Vec::new() }
    }

    pub fn cookie(mut self, cookie: HeaderValue) -> Self {
        self.cookies.push(cookie);
        self
    }
}

impl IntoResponse for SeeOther {
    fn into_response(self) -> Response {
        let Ok(place) = HeaderValue::from_str(&self.path) else {
            tracing::error!("a redirect led nowhere");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response();
        let headers = response.headers_mut();
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        for cookie in self.cookies {
            headers.append(header::SET_COOKIE, cookie);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_target_adds_one_source_or_nothing() {
        for one in ["https://a.example:8443", "http://127.0.0.1:3000", "com.example.app:", "http:"] {
            assert!(is_one_source(one), "{one}");
        }
        for more in
            ["", "*", "https://*.example", "https://a; script-src *", "https://a, x", "'none'", "a b", "é:"]
        {
            assert!(!is_one_source(more), "{more}");
        }
    }
}
