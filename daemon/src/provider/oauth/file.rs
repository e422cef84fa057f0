//! everkey's own session file, for servers whose tools have none: the whole session, with the endpoints that it is
//! pinned to.

use crate::http;
use crate::json_object;
use crate::provider::descriptor::ParsedFile;
use crate::provider::fields::sendable;
use everkey_session::{Endpoints, Session};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The version that is written, and the newest that is read.
const VERSION: u64 = 1;

/// What a file's bytes hold. Of a newer version nothing is guessed, and the file stays as it is.
pub fn parse_session(bytes: &[u8]) -> ParsedFile {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    match json_object::read::<Versioned>(bytes) {
        Some(Versioned { version: VERSION }) => match json_object::read::<Session>(bytes).filter(is_usable) {
            Some(session) => ParsedFile::Session(session),
            None => ParsedFile::Damaged,
        },
        Some(Versioned { version }) if version > VERSION => ParsedFile::Strange,
        Some(_) | None => ParsedFile::Damaged,
    }
}

/// Its tokens can be sent, and would be sent nowhere that a sign-in would not have allowed.
fn is_usable(session: &Session) -> bool {
    let Some(known) = &session.holder.registration else { return false };
    let Endpoints {
        token,
        authorization,
        device_authorization,
        registration,
        revocation,
        userinfo,
        session: probed,
        ..
    } = &known.endpoints;
    let others = [authorization, device_authorization, registration, revocation, userinfo, probed];
    let safe = |url: &String| http::endpoint(url).is_ok();
    sendable(&session.access)
        && session.refresh.as_ref().is_none_or(sendable)
        && !known.client_id.is_empty()
        && safe(token)
        && others.into_iter().flatten().all(safe)
}

pub fn render_session(session: &Session) -> Zeroizing<Vec<u8>> {
    #[derive(Serialize)]
    struct Written<'a> {
        version: u64,
        #[serde(flatten)]
        session: &'a Session,
    }
    Zeroizing::new(serde_json::to_vec_pretty(&Written { version: VERSION, session }).unwrap_or_default())
}
