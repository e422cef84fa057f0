//! Registering this client, which the server has not heard of before (RFC 7591). Nothing of the machine or its user is
//! told.

use super::device::DEVICE_CODE;
use super::error::failed;
use super::metadata::client_auth;
use crate::http::{HttpRequest, HttpResponse};
use crate::provider::fields::whole;
use everkey_proto::Secret;
use everkey_session::{AuthMethod, Endpoints, LoginAnswer, NetErrorKind, Registration};
use serde::Deserialize;
use serde_json::{Value, json};

/// Registers for the browser if there is a redirect, else for device codes; none without a registration endpoint.
pub fn call(endpoints: &Endpoints, redirect: Option<&str>, scope: Option<&str>) -> Option<HttpRequest> {
    let (grant, responses) = match redirect {
        Some(_) => ("authorization_code", vec!["code"]),
        None => (DEVICE_CODE, Vec::new()),
    };
    let mut metadata = json!({
        "client_name": "everkey",
        "application_type": "native",
        "token_endpoint_auth_method": word(wanted(&endpoints.client_auth)),
        "grant_types": [grant, "refresh_token"],
        "response_types": responses,
        "redirect_uris": redirect.into_iter().collect::<Vec<_>>(),
    });
    if let Some((metadata, scope)) = metadata.as_object_mut().zip(scope) {
        metadata.insert("scope".to_owned(), json!(scope));
    }
    Some(HttpRequest::post(endpoints.registration.as_ref()?, metadata))
}

/// A program on somebody's machine can't keep a secret from them, so it has one only where the server insists.
fn wanted(ways: &[AuthMethod]) -> AuthMethod {
    let taken = |way: AuthMethod| ways.is_empty() || ways.contains(&way);
    [AuthMethod::None, AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost]
        .into_iter()
        .find(|way| taken(*way))
        .unwrap_or_default()
}

fn word(auth: AuthMethod) -> &'static str {
    match auth {
        AuthMethod::None => "none",
        AuthMethod::ClientSecretBasic => "client_secret_basic",
        AuthMethod::ClientSecretPost => "client_secret_post",
        AuthMethod::PrivateKeyJwt => "private_key_jwt",
    }
}

#[derive(Deserialize)]
struct Registered {
    client_id: String,
    client_secret: Option<Secret>,
    token_endpoint_auth_method: Option<String>,
    client_secret_expires_at: Option<Value>,
}

/// Unix seconds; 0 is never (RFC 7591 section 3.2.1). What can't be read is as good as not said.
fn lapses(at: Value) -> Option<u64> {
    let at = at.as_number().map(whole)?;
    u64::try_from(at).ok().filter(|at| *at > 0)
}

/// What the server knows this client as from now on (RFC 7591 section 3.2.1); it may have chosen otherwise than asked.
pub fn read_registered(endpoints: &Endpoints, answer: &HttpResponse) -> LoginAnswer {
    if !matches!(answer.status, 200 | 201) {
        return failed(answer);
    }
    match answer.json::<Registered>().and_then(|known| understand(endpoints, known)) {
        Some(registration) => LoginAnswer::Registered(registration),
        None => LoginAnswer::Net(answer.error(NetErrorKind::NotTheContract)),
    }
}

fn understand(endpoints: &Endpoints, known: Registered) -> Option<Registration> {
    let secret = known.client_secret.filter(|secret| !secret.is_empty());
    let auth = match &known.token_endpoint_auth_method {
        // Nobody gave it a key.
        Some(word) => client_auth(word).filter(|auth| *auth != AuthMethod::PrivateKeyJwt)?,
        None if secret.is_some() => AuthMethod::ClientSecretBasic,
        None => AuthMethod::None,
    };
    // RFC 6749, appendix A: both are visible characters and spaces.
    let visible = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
    let named = !known.client_id.is_empty() && visible(&known.client_id);
    let proves = auth == AuthMethod::None || secret.as_ref().is_some_and(|secret| visible(secret.expose()));
    (named && proves).then(|| Registration {
        client_id: known.client_id,
        secret_expires_at: known.client_secret_expires_at.and_then(lapses).filter(|_| secret.is_some()),
        client_secret: secret.filter(|_| auth != AuthMethod::None),
        auth,
        endpoints: endpoints.clone(),
        ..Registration::default()
    })
}
