//! The route on which everkey-server says how far a session of any kind has rotated (RR-1).

use super::fields::error_code;
use crate::http::{HttpRequest, HttpResponse, RequestTarget};
use everkey_proto::Secret;
use everkey_session::{CallTarget, ProbeAnswer};
use serde::Deserialize;

/// The request, at the path where everkey-server has it.
#[allow(clippy::unnecessary_wraps)] // a descriptor's shape
pub fn request(_at: &CallTarget, access: &Secret) -> Option<HttpRequest> {
    Some(request_at("/v0/auth/session".into(), access))
}

/// The request, at the endpoint that the server has named.
pub fn request_at(target: RequestTarget, access: &Secret) -> HttpRequest {
    HttpRequest::get(target).auth(crate::http::Auth::Bearer(access.clone()))
}

pub fn read(answer: &HttpResponse) -> ProbeAnswer {
    #[derive(Deserialize)]
    struct Route {
        generation: u64,
    }
    match answer.status {
        200 => match answer.strict_object::<Route>() {
            Ok(route) => ProbeAnswer::Generation(route.generation),
            Err(flaw) => ProbeAnswer::Unclear(answer.unusable(flaw)),
        },
        401 if error_code(answer).is_some() => ProbeAnswer::Refused,
        404 => ProbeAnswer::NoRoute,
        _ => ProbeAnswer::Unclear(answer.unexpected()),
    }
}
