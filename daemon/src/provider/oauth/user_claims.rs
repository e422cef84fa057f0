//! Who somebody is, in the claims of OpenID Connect: of an id_token (Core, 2 and 3.1.3.7) or of userinfo (5.3.2).

use crate::json_object;
use crate::provider::fields::Quantity;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everkey_proto::Secret;
use everkey_proto::reply::User;
use everkey_session::{AnswerFlaw, Registration};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// How far the clocks of the machines that make up one server may differ, in seconds.
const LEEWAY: i64 = 300;

/// What a server says about somebody. Only the subject must be there and be text.
#[derive(Deserialize)]
pub struct UserClaims {
    sub: String,
    email: Option<Value>,
    email_verified: Option<Value>,
    name: Option<Value>,
    preferred_username: Option<Value>,
}

impl UserClaims {
    /// These, if they name anybody.
    pub fn named(self) -> Result<Self, AnswerFlaw> {
        if self.sub.is_empty() { Err(AnswerFlaw::unfit("sub", "it is empty")) } else { Ok(self) }
    }

    /// The user, with the email address unless the server says that it is somebody's mere claim, and their name.
    pub fn user(self) -> (User, BTreeMap<String, String>) {
        let text = |value: Option<Value>| match value {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let unverified = match &self.email_verified {
            Some(Value::Bool(verified)) => !verified,
            Some(Value::String(verified)) => verified == "false",
            _ => false,
        };
        let email = text(self.email).filter(|_| !unverified).unwrap_or_default();
        let name = text(self.name).or_else(|| text(self.preferred_username));
        let about = name.map(|name| ("name".to_owned(), name)).into_iter().collect();
        (User { id: self.sub, email }, about)
    }
}

#[derive(Deserialize)]
struct TokenClaims {
    iss: String,
    aud: Audience,
    azp: Option<String>,
    exp: Quantity,
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The person that an id_token is about. Its signature is not looked at: it comes from the token endpoint itself (Core,
/// 3.1.3.7 point 6).
pub fn of_id_token(token: &Secret) -> Option<UserClaims> {
    json_object::read(&payload(token)?)
}

/// Whether an id_token is for this client and this sign-in (Core, 3.1.3.7); `date` is the server's clock.
pub fn check_id_token(
    token: &Secret,
    known: &Registration,
    nonce: Option<&str>,
    date: Option<u64>,
) -> Result<UserClaims, AnswerFlaw> {
    let payload = payload(token).ok_or(AnswerFlaw::unfit("id_token", "it is no JWT"))?;
    let of_it = |flaw: AnswerFlaw| match flaw {
        AnswerFlaw::Missing(name) => AnswerFlaw::Missing(format!("id_token.{name}")),
        AnswerFlaw::WrongKind(name) => AnswerFlaw::WrongKind(format!("id_token.{name}")),
        AnswerFlaw::Unfit(name, why) => AnswerFlaw::Unfit(format!("id_token.{name}"), why),
        _ => AnswerFlaw::unfit("id_token", "it is no JWT"),
    };
    let claims: TokenClaims = json_object::parse(&payload).map_err(of_it)?;
    let person: UserClaims = json_object::parse(&payload).map_err(of_it)?;
    let unfit = |name: &str, why: &'static str| Err(of_it(AnswerFlaw::unfit(name, why)));
    let ours = match &claims.aud {
        Audience::One(one) => *one == known.client_id,
        // One that is for others too must say to whom it was given.
        Audience::Many(all) => all.contains(&known.client_id) && (all.len() == 1 || claims.azp.is_some()),
    };
    if !ours || claims.azp.is_some_and(|azp| azp != known.client_id) {
        return unfit("aud", "it is for another client");
    }
    let issuer = &known.endpoints.issuer;
    // Many a server has its own name once with a slash and once without; nobody else has it.
    if !issuer.is_empty() && claims.iss.trim_end_matches('/') != issuer.trim_end_matches('/') {
        return unfit("iss", "it names another issuer");
    }
    if nonce.is_some_and(|nonce| claims.nonce.as_deref() != Some(nonce)) {
        return unfit("nonce", "it is of another sign-in");
    }
    let Some(exp) = claims.exp.whole() else { return Err(AnswerFlaw::WrongKind("id_token.exp".to_owned())) };
    let lapsed =
        date.is_some_and(|date| exp.saturating_add(LEEWAY) <= i64::try_from(date).unwrap_or(i64::MAX));
    if lapsed {
        return unfit("exp", "it is past");
    }
    person.named().map_err(of_it)
}

/// Whether an id_token that came with refreshed tokens says that another issuer made it, or that it is for another client
/// (Core, 12.2). What it does not say, or nobody can read, counts for neither.
pub fn is_foreign(token: &Secret, known: &Registration) -> bool {
    #[derive(Deserialize)]
    struct Said {
        iss: Option<Value>,
        aud: Option<Value>,
        azp: Option<Value>,
    }
    let Some(said) = payload(token).and_then(|payload| json_object::read::<Said>(&payload)) else {
        return false;
    };
    let issuer = known.endpoints.issuer.trim_end_matches('/');
    let is_issuer = |iss: &Value| iss.as_str().is_some_and(|iss| iss.trim_end_matches('/') == issuer);
    let is_client = |id: &Value| id.as_str() == Some(&known.client_id);
    let is_for_client = |aud: &Value| match aud {
        Value::Array(all) => all.iter().any(is_client),
        one => is_client(one),
    };
    let same = (issuer.is_empty() || said.iss.is_none_or(|iss| is_issuer(&iss)))
        && said.aud.is_none_or(|aud| is_for_client(&aud))
        && said.azp.is_none_or(|azp| is_client(&azp));
    !same
}

fn payload(token: &Secret) -> Option<Vec<u8>> {
    let mut parts = token.expose().split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let three = parts.next().is_none();
    URL_SAFE_NO_PAD.decode(payload).ok().filter(|_| three)
}
