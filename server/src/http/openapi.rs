//! The OpenAPI description, collected from the code of the routes, and the answers that many of them share.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response as Answer};
use axum::routing::get;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::server::Server;
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
    ResponseBuilder,
};
use utoipa::{IntoResponses, PartialSchema as _, ToSchema as _};

use super::error::{ApiError, ErrorBody};

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

/// Gives each operation an id of its own, and each answer the description that OpenAPI wants.
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

fn answer(text: Option<Bytes>) -> Answer {
    match text {
        Some(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        None => ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "There is no description.")
            .into_response(),
    }
}

/// What a body that can't be read is answered with: 400, 408, 413, 415.
pub struct Malformed;

impl IntoResponses for Malformed {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([
            refused("400", "The request is not of the right shape.", &[]),
            refused("408", "The body took longer than 10 seconds to arrive.", &[]),
            refused("413", "The body is larger than 16 KiB.", &[]),
            refused("415", "The body is not sent as the right media type.", &[]),
        ])
    }
}

/// 401: the access token opens nothing.
pub struct Unauthorized;

impl IntoResponses for Unauthorized {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let said = [(header::WWW_AUTHENTICATE, Type::String)];
        BTreeMap::from([refused("401", "The credential is missing, wrong, expired or revoked.", &said)])
    }
}

/// 429: too often; nothing was changed.
pub struct RateLimited;

impl IntoResponses for RateLimited {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let said = [(header::RETRY_AFTER, Type::Integer)];
        BTreeMap::from([refused("429", "Too many requests; nothing was changed.", &said)])
    }
}

/// 500 and 503: the server's own trouble.
pub struct Troubled;

impl IntoResponses for Troubled {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let said = [(header::RETRY_AFTER, Type::Integer)];
        BTreeMap::from([
            refused("500", "Something failed; whether anything was changed is unknown.", &[]),
            refused("503", "Not now; nothing was changed.", &said),
        ])
    }
}

fn refused(status: &str, why: &str, said: &[(header::HeaderName, Type)]) -> (String, RefOr<Response>) {
    let body = Content::new(Some(Ref::from_schema_name(ErrorBody::name())));
    let mut response = ResponseBuilder::new().description(why).content("application/json", body);
    for (name, kind) in said {
        let schema = Object::with_type(kind.clone());
        let header = HeaderBuilder::new().schema(Some(schema)).build();
        response = response.header(name.as_str(), header);
    }
    (status.to_owned(), response.build().into())
}
