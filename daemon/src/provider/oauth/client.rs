//! How this client proves who it is.

use crate::client_assertion::client_assertion;
use crate::http::{Auth, HttpRequest};
use everkey_proto::Secret;
use everkey_session::{AuthMethod, Registration, hex};
use std::time::{SystemTime, UNIX_EPOCH};

/// A form that says which client it is from, in the way that the server knows (RFC 6749 section 2.3).
pub fn from_client(known: &Registration, url: &String, fields: &[(&str, &str)]) -> HttpRequest {
    let mut fields = fields.to_vec();
    match (known.auth, &known.client_secret) {
        (AuthMethod::ClientSecretBasic, Some(secret)) => {
            return HttpRequest::form(url, &fields)
                .auth(Auth::Basic(known.client_id.clone(), secret.clone()));
        }
        (AuthMethod::ClientSecretPost, Some(secret)) => {
            fields.extend([("client_id", known.client_id.as_str()), ("client_secret", secret.expose())]);
        }
        (AuthMethod::PrivateKeyJwt, Some(pem)) => return signed(known, pem, url, fields),
        (AuthMethod::None, _)
        | (AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost | AuthMethod::PrivateKeyJwt, None) => {
            fields.push(("client_id", &known.client_id));
        }
    }
    HttpRequest::form(url, &fields)
}

/// The same for tokens, or for what leads to them: with the resources that they are to be good for (RFC 8707 section 2).
pub fn for_tokens(known: &Registration, url: &String, fields: &[(&str, &str)]) -> HttpRequest {
    let resources = known.resources.iter().map(|resource| ("resource", resource.as_str()));
    let fields: Vec<_> = fields.iter().copied().chain(resources).collect();
    from_client(known, url, &fields)
}

/// The same with an assertion (RFC 7523 section 2.2). A key that can't sign was refused when its file was read.
fn signed<'a>(
    known: &'a Registration,
    pem: &Secret,
    url: &String,
    mut fields: Vec<(&'a str, &'a str)>,
) -> HttpRequest {
    const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut id = [0; 16];
    let random = getrandom::fill(&mut id).is_ok();
    let audience = &known.endpoints.token;
    let key_id = known.key_id.as_deref();
    let assertion = client_assertion(pem, key_id, &known.client_id, audience, now, &hex(&id));
    fields.push(("client_id", &known.client_id));
    match assertion.ok().filter(|_| random) {
        Some(assertion) => {
            let fields =
                [fields, vec![("client_assertion_type", KIND), ("client_assertion", assertion.expose())]];
            HttpRequest::form(url, &fields.concat())
        }
        None => HttpRequest::form(url, &fields),
    }
}
