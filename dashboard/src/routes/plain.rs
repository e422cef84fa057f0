//! The few pages that whoever has no cookie may see. They know nothing.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

/// To a browser that has not come in.
pub fn not_in() -> Response {
    page(
        StatusCode::UNAUTHORIZED,
        "This page is closed",
        "Run <code>everkey dashboard</code> in a terminal to open it in this browser.",
    )
}

/// To a link that was used, is too old, or never was one.
pub fn used() -> Response {
    page(
        StatusCode::FORBIDDEN,
        "This link does not work any more",
        "A link opens the dashboard once, and within two minutes. Run <code>everkey dashboard</code> for another.",
    )
}

/// To an address that is none.
pub fn not_found() -> Response {
    page(StatusCode::NOT_FOUND, "There is no such page", "<a href=\"/\">Go to the sessions</a>")
}

/// To a browser that has just come in; it goes on by itself. Not a redirect: a strict cookie is not sent along one that
/// a local file began.
pub fn welcome() -> Html<String> {
    let head = "<meta http-equiv=\"refresh\" content=\"0;url=/\">";
    Html(html("Opening the dashboard", head, "<a href=\"/\">Go on to the dashboard</a>"))
}

fn page(status: StatusCode, title: &str, text: &str) -> Response {
    (status, Html(html(title, "", text))).into_response()
}

fn html(title: &str, head: &str, text: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"/assets/icon.svg\">\n\
         <link rel=\"stylesheet\" href=\"/assets/style.css\">\n{head}<title>{title} · everkey</title>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n<p>{text}</p>\n</main>\n</body>\n</html>\n"
    )
}
