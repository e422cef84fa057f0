//! The OpenAPI description, collected from the code of the routes, completed by what they all share.

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response as Answer};
use axum::routing::get;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::server::Server;
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::http::error::{ApiError, ErrorBody};

/// Where the description is served. It describes the other routes, not itself.
pub const PATH: &str = "/openapi.json";

/// The name of the security scheme of routes that want an access token.
pub const BEARER: &str = "bearer";

/// The name of the security scheme of routes that want a personal access token.
pub const PERSONAL: &str = "personal_token";

/// The name of the security scheme of routes that want an OAuth client's id and secret.
pub const CLIENT: &str = "client";

/// The description before any route is in it.
pub fn begin(public_url: &str) -> OpenApi {
    let license = LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build();
    let info = InfoBuilder::new()
        .title("everkey-server")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("The self-hosted api-server: signs people in and keeps their sessions."))
        .license(Some(license))
        .build();
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.description = Some("An access token.".to_owned());
    let mut personal = Http::new(HttpAuthScheme::Bearer);
    personal.description = Some("A personal access token.".to_owned());
    let mut client = Http::new(HttpAuthScheme::Basic);
    client.description = Some("An OAuth client's id and secret (RFC 6749 section 2.3.1).".to_owned());
    let components = ComponentsBuilder::new()
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .security_scheme(PERSONAL, SecurityScheme::Http(personal))
        .security_scheme(CLIENT, SecurityScheme::Http(client))
        .schema(ErrorBody::name(), ErrorBody::schema())
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new(public_url)]))
        .components(Some(components))
        .build()
}

/// The route that serves the description of all routes.
pub fn route<S: Clone + Send + Sync + 'static>(mut described: OpenApi) -> Router<S> {
    complete(&mut described);
    let text = described.to_json().inspect_err(|error| tracing::error!(%error, "the description is broken"));
    let text = text.map(Bytes::from).ok();
    Router::new().route(PATH, get(async move || answer(text)))
}

/// Gives each operation an id of its own, and the answers that it has like every other.
fn complete(described: &mut OpenApi) {
    for (path, item) in &mut described.paths.paths {
        let methods = [
            ("get", &mut item.get),
            ("put", &mut item.put),
            ("post", &mut item.post),
            ("delete", &mut item.delete),
            ("patch", &mut item.patch),
        ];
        for (method, operation) in methods {
            let Some(operation) = operation else { continue };
            let words =
                path.split(|byte: char| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            operation.operation_id = Some(words.fold(method.to_owned(), |id, word| format!("{id}_{word}")));
            if !has_errors_of_its_own(operation) {
                add_errors(operation);
            }
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response
                    && response.description.is_empty()
                {
                    let status = StatusCode::from_bytes(status.as_bytes()).ok();
                    let reason = status.and_then(|status| status.canonical_reason()).unwrap_or("An answer");
                    response.description = reason.to_owned();
                }
            }
        }
    }
}

/// Whether a route answers errors in another shape than [`ErrorBody`]; it then describes all of them itself.
fn has_errors_of_its_own(operation: &Operation) -> bool {
    let shared = RefOr::T(Content::new(Some(Ref::from_schema_name(ErrorBody::name()))));
    operation.responses.responses.iter().filter(|(status, _)| is_error(status)).any(|(_, response)| {
        match response {
            RefOr::T(response) => response.content.values().any(|content| *content != shared),
            RefOr::Ref(_) => true,
        }
    })
}

/// What any route may answer, and the shape of its errors.
fn add_errors(operation: &mut Operation) {
    let mut common = vec![
        ("500", "Something failed; whether anything was changed is unknown."),
        ("503", "Not now; nothing was changed."),
    ];
    if operation.security.is_some() {
        common.push(("401", "The credential is missing, wrong, expired or revoked."));
    }
    if operation.request_body.is_some() {
        common.extend([
            ("400", "The request is not of the right shape."),
            ("408", "The body took longer than 10 seconds to arrive."),
            ("413", "The body is larger than 16 KiB."),
            ("415", "The body is not sent as the right media type."),
        ]);
    }
    let responses = &mut operation.responses.responses;
    for (status, why) in common {
        responses.entry(status.to_owned()).or_insert_with(|| Response::new(why).into());
    }
    for (status, response) in responses.iter_mut().filter(|(status, _)| is_error(status)) {
        let RefOr::T(response) = response else { continue };
        let body = Content::new(Some(Ref::from_schema_name(ErrorBody::name())));
        response.content.insert("application/json".to_owned(), RefOr::T(body));
        let said = match status.as_str() {
            "401" => Some((header::WWW_AUTHENTICATE, Type::String)),
            "429" | "503" => Some((header::RETRY_AFTER, Type::Integer)),
            _ => None,
        };
        if let Some((name, kind)) = said {
            let header = HeaderBuilder::new().schema(Some(Object::with_type(kind))).build();
            response.headers.insert(name.to_string(), header.into());
        }
    }
}

fn is_error(status: &str) -> bool {
    status.starts_with(['4', '5'])
}

fn answer(text: Option<Bytes>) -> Answer {
    match text {
        Some(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        None => ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "There is no description.")
            .into_response(),
    }
}
