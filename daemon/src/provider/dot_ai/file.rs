//! dot-ai's credentials file: a token of a sign-in, a static token, or both.

use crate::json_object;
use crate::provider::descriptor::ParsedFile;
use crate::provider::fields::{AsWritten, RawFields, fields, is_json, sendable, timestamp, unix_secs};
use crate::provider::jwt;
use everkey_proto::Secret;
use everkey_session::{AuthMethod, Holder, Registration, Session};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What a sign-in writes and a sign-out removes.
const OAUTH: [&str; 5] = ["access_token", "token_type", "expires_at", "client_id", "client_secret"];

#[derive(Deserialize)]
struct File {
    auth_token: Option<Secret>,
    access_token: Option<Secret>,
    expires_at: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
}

/// A static token is the session's where there is no other. A time that can't be read is a file of another version.
pub fn parse_session(bytes: &[u8]) -> ParsedFile {
    let Some(file) = json_object::read::<File>(bytes) else {
        return if is_json(bytes) { ParsedFile::Strange } else { ParsedFile::Damaged };
    };
    let said = |token: Option<Secret>| token.filter(|token| !token.is_empty());
    let fixed = said(file.auth_token);
    // The static token twice is no sign-in: it never changes, and is all that stays.
    let access = said(file.access_token).filter(|access| Some(access) != fixed.as_ref());
    if [&fixed, &access].into_iter().flatten().any(|token| !sendable(token)) {
        return ParsedFile::Strange;
    }
    let expires_at = file.expires_at.filter(|text| !text.is_empty()).map(|text| unix_secs(&text));
    let registration = file.client_id.filter(|id| !id.is_empty()).map(|client_id| {
        let client_secret = said(file.client_secret);
        let auth = client_secret.as_ref().map_or(AuthMethod::None, |_| AuthMethod::ClientSecretPost);
        // The file does not say where the server is, and nothing but a new sign-in would need to know.
        Registration { client_id, client_secret, auth, ..Registration::default() }
    });
    let session = |access: Secret, access_expires_at, registration, fixed| {
        ParsedFile::Session(Session {
            claims: jwt::claims(&access),
            access,
            access_expires_at,
            refresh: None,
            refresh_expires_at: None,
            issued_at: None,
            holder: Holder { registration, fixed, ..Holder::default() },
        })
    };
    match (access, fixed, expires_at) {
        (Some(_), _, Some(None)) => ParsedFile::Strange,
        (Some(access), fixed, Some(expires_at)) => session(access, expires_at, registration, fixed),
        (Some(access), fixed, None) => session(access, None, registration, fixed),
        (None, Some(fixed), _) => session(fixed.clone(), None, None, Some(fixed)),
        (None, None, _) => ParsedFile::Nobody,
    }
}

#[derive(Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<AsWritten>,
    #[serde(flatten)]
    oauth: Option<Oauth<'a>>,
    #[serde(flatten)]
    others: RawFields,
}

#[derive(Serialize)]
struct Oauth<'a> {
    access_token: &'a Secret,
    token_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a Secret>,
}

impl Written<'_> {
    /// The file without a sign-in.
    fn rest_of(old: &[u8]) -> Self {
        let mut others = fields(&String::from_utf8_lossy(old));
        others.retain(|name, _| !OAUTH.contains(&name.as_str()));
        Self { auth_token: others.remove("auth_token"), oauth: None, others }
    }

    fn bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec_pretty(self).unwrap_or_default())
    }
}

/// The file with a sign-in; its static token stays.
pub fn render_session(old: Option<&[u8]>, session: &Session) -> Zeroizing<Vec<u8>> {
    let rest = Written::rest_of(old.unwrap_or_default());
    let fixed = || session.holder.fixed.as_ref().and_then(AsWritten::of);
    let registration = session.holder.registration.as_ref();
    let oauth = Oauth {
        access_token: &session.access,
        token_type: "Bearer",
        expires_at: session.access_expires_at.map(|secs| timestamp(secs).to_string()),
        client_id: registration.map(|known| known.client_id.as_str()),
        client_secret: registration.and_then(|known| known.client_secret.as_ref()),
    };
    Written {
        auth_token: rest.auth_token.or_else(fixed),
        oauth: (!session.is_only_fixed()).then_some(oauth),
        others: rest.others,
    }
    .bytes()
}

/// The file without a sign-in; none if there is nothing else in it.
pub fn render_signed_out(old: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let rest = Written::rest_of(old);
    (rest.auth_token.is_some() || !rest.others.is_empty()).then(|| rest.bytes())
}
