//! failproofai's session file: tokens, when they end by unix seconds, and whose they are.

use crate::json_object;
use crate::provider::descriptor::ParsedFile;
use crate::provider::fields::{RawFields, fields, sendable};
use crate::provider::jwt;
use everkey_proto::{Secret, reply::User};
use everkey_session::{Holder, Session};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

#[derive(Deserialize)]
struct SessionFile {
    access_token: Secret,
    refresh_token: Secret,
    access_expires_at: u64,
    refresh_expires_at: Option<u64>,
    user: User,
}

/// What stands in the file for an end that nobody knows, since a number has to: the last second that calendars have. The
/// original tool then uses the token until it is refused, as everkey does.
const UNKNOWN_END: u64 = 253_402_300_799;

/// An end as the file has it; 0 is what everkey once wrote of one that nobody knows.
fn known(end: u64) -> Option<u64> {
    (1..UNKNOWN_END).contains(&end).then_some(end)
}

pub fn parse_session(bytes: &[u8]) -> ParsedFile {
    match read_session(bytes) {
        Some(session) => ParsedFile::Session(session),
        None if is_of_another_shape(bytes) => ParsedFile::Strange,
        None => ParsedFile::Damaged,
    }
}

/// An object with something in it and no token at all: perhaps of a newer version of the tool, so not ours to move.
fn is_of_another_shape(bytes: &[u8]) -> bool {
    let found = json_object::read::<RawFields>(bytes).unwrap_or_default();
    !found.is_empty() && ["access_token", "refresh_token"].iter().all(|ours| !found.contains_key(*ours))
}

/// A missing `refresh_expires_at` counts as `access_expires_at`; any other missing or mistyped field as no session.
pub fn read_session(bytes: &[u8]) -> Option<Session> {
    let file: SessionFile = json_object::read(bytes)?;
    if !sendable(&file.access_token) || !sendable(&file.refresh_token) {
        return None;
    }
    Some(Session {
        claims: jwt::claims(&file.access_token),
        access: file.access_token,
        access_expires_at: known(file.access_expires_at),
        refresh: Some(file.refresh_token),
        refresh_expires_at: known(file.refresh_expires_at.unwrap_or(file.access_expires_at)),
        issued_at: None,
        holder: Holder { user: Some(file.user), ..Holder::default() },
    })
}

pub fn render_session(old: Option<&[u8]>, session: &Session) -> Zeroizing<Vec<u8>> {
    #[derive(Serialize)]
    struct Written<'a> {
        access_token: &'a Secret,
        refresh_token: Option<&'a Secret>,
        access_expires_at: u64,
        refresh_expires_at: u64,
        user: WrittenUser<'a>,
        #[serde(flatten)]
        others: RawFields,
    }
    #[derive(Serialize)]
    struct WrittenUser<'a> {
        id: &'a str,
        email: &'a str,
        #[serde(flatten)]
        others: RawFields,
    }
    let mut others = fields(&String::from_utf8_lossy(old.unwrap_or_default()));
    let mut of_user = others.remove("user").map(|user| fields(user.get())).unwrap_or_default();
    for ours in ["access_token", "refresh_token", "access_expires_at", "refresh_expires_at"] {
        others.remove(ours);
    }
    for ours in ["id", "email"] {
        of_user.remove(ours);
    }
    let (id, email) = session.holder.user.as_ref().map_or(("", ""), |user| (&user.id, &user.email));
    let file = Written {
        access_token: &session.access,
        refresh_token: session.refresh.as_ref(),
        access_expires_at: session.access_expires_at.unwrap_or(UNKNOWN_END),
        refresh_expires_at: session.refresh_expires_at.unwrap_or(UNKNOWN_END),
        user: WrittenUser { id, email, others: of_user },
        others,
    };
    Zeroizing::new(serde_json::to_vec_pretty(&file).unwrap_or_default())
}
