//! Registering this client, which the server has not heard of before (RFC 7591). Nothing of the machine or its user is
//! told.

use super::device::DEVICE_CODE;
use super::error::failed;
use super::metadata::client_auth;
use crate::http::{HttpRequest, HttpResponse};
use crate::provider::fields::Quantity;
use everkey_proto::Secret;
use everkey_session::{AnswerFlaw, AuthMethod, Endpoints, LoginAnswer, Registration, Rejected};
use serde::Deserialize;
use serde_json::json;

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
    #[serde(default)]
    client_secret_expires_at: Quantity,
}

/// Unix seconds; 0 is never (RFC 7591 section 3.2.1). What can't be read is as good as not said.
fn lapses(at: Quantity) -> Option<u64> {
    u64::try_from(at.whole()?).ok().filter(|at| *at > 0)
}

/// What the server knows this client as from now on (RFC 7591 section 3.2.1); it may have chosen otherwise than asked.
pub fn read_registered(endpoints: &Endpoints, answer: &HttpResponse) -> LoginAnswer {
    if !matches!(answer.status, 200 | 201) {
        return match failed(answer) {
            // Section 3.2.2: what is wrong is told to whoever wrote the client.
            LoginAnswer::Rejected(_) => {
                LoginAnswer::Rejected(Rejected::Registration(answer.said().unwrap_or_default()))
            }
            other => other,
        };
    }
    match answer.object::<Registered>().and_then(|known| understand(endpoints, known)) {
        Ok(registration) => LoginAnswer::Registered(registration),
        Err(flaw) => LoginAnswer::Net(answer.unusable(flaw)),
    }
}

fn understand(endpoints: &Endpoints, known: Registered) -> Result<Registration, AnswerFlaw> {
    let secret = known.client_secret.filter(|secret| !secret.is_empty());
    let auth = match &known.token_endpoint_auth_method {
        // Nobody gave it a key.
        Some(word) => client_auth(word)
            .filter(|auth| *auth != AuthMethod::PrivateKeyJwt)
            .ok_or(AnswerFlaw::unfit("token_endpoint_auth_method", "this client has no such way"))?,
        None if secret.is_some() => AuthMethod::ClientSecretBasic,
        None => AuthMethod::None,
    };
    // RFC 6749, appendix A: both are visible characters and spaces.
    let visible = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if known.client_id.is_empty() || !visible(&known.client_id) {
        return Err(AnswerFlaw::unfit("client_id", "it is empty, or not of visible characters"));
    }
    if auth != AuthMethod::None {
        let secret = secret.as_ref().ok_or(AnswerFlaw::Missing("client_secret".to_owned()))?;
        if !visible(secret.expose()) {
            return Err(AnswerFlaw::unfit("client_secret", "it is not of visible characters"));
        }
    }
    Ok(Registration {
        client_id: known.client_id,
        secret_expires_at: lapses(known.client_secret_expires_at).filter(|_| secret.is_some()),
        client_secret: secret.filter(|_| auth != AuthMethod::None),
        auth,
        endpoints: endpoints.clone(),
        ..Registration::default()
    })
}
