//! achilles' session file: strings only, in the contract's order, times ISO 8601 with milliseconds, no newline at the end.

use super::about::UserDetails;
use crate::json_object;
use crate::provider::descriptor::ParsedFile;
use crate::provider::fields::{RawFields, fields, is_json, sendable, timestamp, unix_secs};
use crate::provider::jwt;
use everkey_proto::Secret;
use everkey_session::{Holder, Session};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Its fields, in its order.
const OURS: [&str; 9] = [
    "access_token",
    "refresh_token",
    "expires_at",
    "user_id",
    "org_id",
    "role",
    "email",
    "display_name",
    "issued_at",
];

/// Only the access token must be there; a time that can't be read is a file of another version of the tool.
pub fn parse_session(bytes: &[u8]) -> ParsedFile {
    match read(bytes) {
        Some(session) => ParsedFile::Session(session),
        None if is_json(bytes) => ParsedFile::Strange,
        None => ParsedFile::Damaged,
    }
}

fn read(bytes: &[u8]) -> Option<Session> {
    #[derive(Deserialize)]
    struct File {
        access_token: Secret,
        refresh_token: Option<Secret>,
        expires_at: Option<String>,
        user_id: Option<String>,
        issued_at: Option<String>,
    }
    // Not flattened into one: that would choke on numbers that only other programs understand.
    let (file, about): (File, UserDetails) = (json_object::read(bytes)?, json_object::read(bytes)?);
    let refresh = file.refresh_token.filter(|token| !token.is_empty());
    if !sendable(&file.access_token) || refresh.as_ref().is_some_and(|token| !sendable(token)) {
        return None;
    }
    let access_expires_at = match &file.expires_at {
        Some(text) => Some(unix_secs(text)?),
        // No later than the file has words for, so that it is read again as it was written.
        None => jwt::times(&file.access_token).end().and_then(|secs| unix_secs(&timestamp(secs).to_string())),
    };
    let (user, about) = about.split(file.user_id.filter(|id| !id.is_empty()));
    Some(Session {
        claims: jwt::claims(&file.access_token),
        access: file.access_token,
        access_expires_at,
        refresh,
        refresh_expires_at: None,
        issued_at: file.issued_at.as_deref().and_then(unix_secs),
        holder: Holder { user, about, ..Holder::default() },
    })
}

pub fn render_session(old: Option<&[u8]>, session: &Session) -> Zeroizing<Vec<u8>> {
    #[derive(Serialize)]
    struct Written<'a> {
        access_token: &'a Secret,
        refresh_token: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<String>,
        user_id: &'a str,
        org_id: &'a str,
        role: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        display_name: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        issued_at: Option<String>,
        #[serde(flatten)]
        others: RawFields,
    }
    let mut others = fields(&String::from_utf8_lossy(old.unwrap_or_default()));
    others.retain(|name, _| !OURS.contains(&name.as_str()));
    let user = session.holder.user.as_ref();
    let about = |name: &str| session.holder.about.get(name).map(String::as_str);
    let written = |secs: u64| format!("{:.3}", timestamp(secs));
    let file = Written {
        access_token: &session.access,
        refresh_token: session.refresh.as_ref().map_or("", Secret::expose),
        expires_at: session.access_expires_at.map(written),
        user_id: user.map_or("", |user| &user.id),
        org_id: about("org").unwrap_or_default(),
        role: about("role").unwrap_or_default(),
        email: user.map(|user| user.email.as_str()).filter(|email| !email.is_empty()),
        display_name: about("name"),
        issued_at: session.issued_at.map(written),
        others,
    };
    Zeroizing::new(serde_json::to_vec_pretty(&file).unwrap_or_default())
}
