//! Answers for the providers' tests.

use crate::http::HttpResponse;
use zeroize::Zeroizing;

pub fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse {
        server: "http://127.0.0.1:1".into(),
        status,
        date: None,
        received: None,
        retry_after: None,
        location: None,
        proxy_status: None,
        content_type: Some("application/json".into()),
        body: Zeroizing::new(body.as_bytes().to_vec()),
    }
}
