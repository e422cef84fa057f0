//! A model of the original tool: how failproofai reads and writes its session file, by its documented contract.
//! Deliberately absent: anything of everkey's own code.

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::server::IssuedTokens;

/// A session as failproofai's reader understands it.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    pub access_token: String,
    pub refresh_token: String,
    /// Unix seconds.
    pub access_expires_at: f64,
    /// Unix seconds; a missing one counts as `access_expires_at`.
    pub refresh_expires_at: f64,
    /// The user's id.
    pub id: String,
    /// The user's email.
    pub email: String,
}

/// Reads the file; any missing or mistyped field means no session.
pub fn read(path: &Path) -> Option<Read> {
    parse(&fs::read_to_string(path).ok()?)
}

/// The same from the file's text.
pub fn parse(text: &str) -> Option<Read> {
    let file: Value = serde_json::from_str(text).ok()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let access_expires_at = file["access_expires_at"].as_f64()?;
    let refresh_expires_at = match &file["refresh_expires_at"] {
        Value::Null => access_expires_at,
        number => number.as_f64()?,
    };
    Some(Read {
        access_token: text(&file["access_token"])?,
        refresh_token: text(&file["refresh_token"])?,
        access_expires_at,
        refresh_expires_at,
        id: text(&file["user"]["id"])?,
        email: text(&file["user"]["email"])?,
    })
}

/// Writes a session as that tool does: a file beside it and a plain rename; no lock, no fsync.
pub fn write(path: &Path, session: &Value) {
    let folder = path.parent().expect("a session file is in a folder");
    fs::DirBuilder::new().mode(0o700).recursive(true).create(folder).expect("a folder of the user");
    let temp = path.with_extension("json.tmp");
    let text = serde_json::to_vec_pretty(session).expect("a session is JSON");
    let file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&temp);
    std::io::Write::write_all(&mut file.expect("a file beside the session"), &text).expect("room");
    fs::rename(&temp, path).expect("a rename");
}

/// The same so that no file event tells of it: the whole folder is another one, and a watch stays with the old.
/// Without a session the new folder is empty.
pub fn write_unseen(path: &Path, session: Option<&Value>) {
    let folder = path.parent().expect("a session file is in a folder");
    let new = folder.with_extension("new");
    fs::DirBuilder::new().mode(0o700).create(&new).expect("a new folder");
    if let Some(session) = session {
        write(&new.join("auth.json"), session);
    }
    fs::rename(folder, folder.with_extension("old")).expect("a rename");
    fs::rename(&new, folder).expect("a rename");
}

/// The session that the tool makes of a sign-in's answer.
pub fn session(grant: &IssuedTokens) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let at = |field: &str| now + grant.answer[field].as_u64().expect("a span");
    json!({
        "access_token": grant.access,
        "refresh_token": grant.refresh,
        "access_expires_at": at("access_expires_in"),
        "refresh_expires_at": at("refresh_expires_in"),
        "user": grant.answer["user"],
    })
}
