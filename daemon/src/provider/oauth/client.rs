//! How this client proves who it is.

use crate::http::{Auth, HttpRequest};
use everkey_session::{AuthMethod, Registration};

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
        (AuthMethod::None, _) | (AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost, None) => {
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
