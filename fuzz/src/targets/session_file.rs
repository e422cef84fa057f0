//! Session files, as the original tools and anybody else may have left them. A reader more is a line more, here and in
//! `TARGETS`.

use super::{Fields, object, opens_object};
use crate::{measure, reach};
use everkey_daemon::provider::{Provider, jwt};
use everkey_proto::{Secret, reply::User};
use everkey_session::record::{Claims, Session};

/// `~/.failproofai/auth.json`.
pub fn failproofai(input: &[u8]) {
    reads_and_writes(Provider::Failproofai, input);
}

/// What everkey writes itself; everything else in a file is somebody else's and stays.
const OURS: &[&str] = &["access_token", "refresh_token", "access_expires_at", "refresh_expires_at", "user"];

fn reads_and_writes(provider: Provider, input: &[u8]) {
    let Some(session) = measure::json(input.len(), || provider.parse_session(input)) else {
        // A sign-in replaces even what can't be read.
        let fresh = successor(&User { id: "u".into(), email: "e@x".into() });
        assert_eq!(provider.parse_session(&provider.render_session(Some(input), &fresh)), Some(fresh));
        return;
    };
    reach::deep();
    as_it_stands(input, &session);

    let same = provider.render_session(Some(input), &session);
    assert_eq!(provider.parse_session(&same).as_ref(), Some(&session), "not read as it was written");
    assert_eq!(provider.render_session(Some(&same), &session), same, "written again it differs");
    assert_eq!(provider.parse_session(&provider.render_session(None, &session)), Some(session.clone()));

    let next = successor(&session.user);
    let written = provider.render_session(Some(input), &next);
    assert_eq!(
        provider.parse_session(&written).as_ref(),
        Some(&next),
        "the successor is not read as it was written"
    );
    strangers_stay(input, &written);

    let bare = Session { access: Secret::new("x"), refresh: Secret::new("y"), ..session.clone() };
    assert_eq!(format!("{session:?}"), format!("{bare:?}"), "printing depends on a token");
}

fn successor(user: &User) -> Session {
    Session {
        access: Secret::new("access-2"),
        access_expires_at: 4_000_000_000,
        refresh: Secret::new("refresh-2"),
        refresh_expires_at: 5_000_000_000,
        user: user.clone(),
        claims: Claims::default(),
    }
}

/// The session is what the file says, and can stand in a header.
fn as_it_stands(input: &[u8], session: &Session) {
    assert!(opens_object(input), "a session file that is no object was read");
    for token in [&session.access, &session.refresh] {
        let sendable = !token.is_empty() && token.expose().bytes().all(|b| b.is_ascii_graphic());
        assert!(sendable, "a token that can't stand in a header was read");
    }
    assert_eq!(session.claims, jwt::claims(&session.access));
    if let Some(file) = object(input) {
        assert_eq!(file["access_token"].as_str(), Some(session.access.expose()));
        assert_eq!(file["refresh_token"].as_str(), Some(session.refresh.expose()));
        assert_eq!(file["access_expires_at"].as_u64(), Some(session.access_expires_at));
        let refresh = file.get("refresh_expires_at").and_then(|at| at.as_u64());
        assert_eq!(refresh.unwrap_or(session.access_expires_at), session.refresh_expires_at);
    }
}

/// Fields that everkey does not know are in the new file byte for byte, those of the user too.
fn strangers_stay(old: &[u8], new: &[u8]) {
    let Ok(text) = std::str::from_utf8(old) else { return };
    let (old, new) = (fields(text), fields(&String::from_utf8_lossy(new)));
    same(&old, &new, OURS);
    let user = |file: &Fields| file.get("user").map(|user| fields(user.get())).unwrap_or_default();
    same(&user(&old), &user(&new), &["id", "email"]);
}

fn fields(text: &str) -> Fields {
    serde_json::from_str(text).unwrap_or_default()
}

fn same(old: &Fields, new: &Fields, ours: &[&str]) {
    for (name, value) in old.iter().filter(|(name, _)| !ours.contains(&name.as_str())) {
        let kept = new.get(name).map(|value| value.get());
        assert_eq!(kept, Some(value.get()), "the unknown field {name:?} was not kept");
    }
}
