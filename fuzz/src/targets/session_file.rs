//! Session files, as the original tools and anybody else may have left them. A reader more is a line more, here and in
//! `TARGETS`.

use super::server_url::for_tokens;
use super::{Fields, fields, object, opens_object, same, sendable};
use crate::{measure, reach};
use everkey_daemon::http;
use everkey_daemon::provider::{Parsed, Provider, jwt};
use everkey_proto::{Secret, reply::User};
use everkey_session::record::{Claims, Holder, Session};
use everkey_session::registration::{ClientAuth, Endpoints, Registration};
use serde_json::{Map, Value};

/// `~/.failproofai/auth.json`.
pub fn failproofai(input: &[u8]) {
    reads_and_writes(Provider::Failproofai, input);
}

/// `~/.achilles/credentials.json`.
pub fn achilles(input: &[u8]) {
    reads_and_writes(Provider::Achilles, input);
}

/// `~/.binboi/config.json`.
pub fn binboi(input: &[u8]) {
    reads_and_writes(Provider::Binboi, input);
}

/// dot-ai's credentials.
pub fn dot_ai(input: &[u8]) {
    reads_and_writes(Provider::DotAi, input);
}

/// everkey's own file for an OAuth server.
pub fn oauth(input: &[u8]) {
    reads_and_writes(Provider::Oauth, input);
}

/// What a sign-in writes; everything else in a file is somebody else's and stays. None where the file is everkey's own.
fn ours(provider: Provider) -> Option<&'static [&'static str]> {
    match provider {
        Provider::Failproofai => {
            Some(&["access_token", "refresh_token", "access_expires_at", "refresh_expires_at", "user"])
        }
        Provider::Achilles => Some(&[
            "access_token",
            "refresh_token",
            "expires_at",
            "user_id",
            "org_id",
            "role",
            "email",
            "display_name",
            "issued_at",
        ]),
        Provider::Binboi => Some(&["token", "api_url"]),
        Provider::DotAi => Some(OF_DOT_AI),
        Provider::Oauth => None,
    }
}

/// What a sign-in at dot-ai writes and a sign-out removes. Its `auth_token` is never everkey's.
const OF_DOT_AI: &[&str] = &["access_token", "token_type", "expires_at", "client_id", "client_secret"];

fn reads_and_writes(provider: Provider, input: &[u8]) {
    let session = match measure::tree(input.len(), || provider.parse_session(input)) {
        Parsed::Session(session) => session,
        Parsed::Nobody => {
            written_over(provider, input);
            leaves_the_rest(provider, input, None);
            return;
        }
        Parsed::Damaged => return written_over(provider, input),
        // It is left alone, whoever asks; that its tokens stay hidden is all there is to see.
        Parsed::Strange => return,
    };
    reach::deep();
    as_it_stands(provider, input, &session);

    let read = |bytes: &[u8]| read(provider, bytes);
    let same = provider.render_session(Some(input), &session);
    assert_eq!(read(&same).as_ref(), Some(&session), "not read as it was written");
    assert_eq!(provider.render_session(Some(&same), &session), same, "written again it differs");
    assert_eq!(read(&provider.render_session(None, &session)), Some(session.clone()));

    let next = successor(provider, session.holder.clone());
    let written = provider.render_session(Some(input), &next);
    assert_eq!(read(&written).as_ref(), Some(&next), "the successor is not read as it was written");
    strangers_stay(provider, input, &written);
    leaves_the_rest(provider, input, session.holder.fixed.as_ref());
    leaves_the_rest(provider, &written, next.holder.fixed.as_ref());
    no_token_shown(&session);
}

fn read(provider: Provider, bytes: &[u8]) -> Option<Session> {
    match provider.parse_session(bytes) {
        Parsed::Session(session) => Some(session),
        Parsed::Nobody | Parsed::Strange | Parsed::Damaged => None,
    }
}

/// A sign-in replaces even what can't be read, and keeps what else the tool has in its file.
fn written_over(provider: Provider, input: &[u8]) {
    let user = Some(User { id: "u".into(), email: "e@x".into() });
    let registration = |endpoints| Registration {
        client_id: "c".into(),
        client_secret: None,
        auth: ClientAuth::None,
        endpoints,
    };
    let nobody = Holder::default();
    let holder = match provider {
        Provider::Failproofai => Holder { user, ..nobody },
        Provider::Achilles => Holder { user, about: [("org".into(), "o".into())].into(), ..nobody },
        Provider::Binboi => Holder { server: Some("https://a".into()), ..nobody },
        Provider::DotAi => Holder { registration: Some(registration(Endpoints::default())), ..nobody },
        Provider::Oauth => {
            let endpoints = Endpoints { token: "https://a/token".into(), ..Endpoints::default() };
            Holder { user, registration: Some(registration(endpoints)), ..nobody }
        }
    };
    let fresh = successor(provider, holder);
    let written = provider.render_session(Some(input), &fresh);
    assert_eq!(read(provider, &written), Some(fresh), "a sign-in can't be read from what it wrote");
    strangers_stay(provider, input, &written);
}

/// Another session of that holder, with everything that the file has a place for.
fn successor(provider: Provider, holder: Holder) -> Session {
    let bare = Session {
        access: Secret::new("access-2"),
        access_expires_at: Some(4_000_000_000),
        refresh: Some(Secret::new("refresh-2")),
        refresh_expires_at: None,
        issued_at: None,
        claims: Claims::default(),
        holder,
    };
    match provider {
        Provider::Failproofai => Session { refresh_expires_at: Some(5_000_000_000), ..bare },
        Provider::Achilles => Session { issued_at: Some(3_900_000_000), ..bare },
        Provider::Binboi => Session { access_expires_at: None, refresh: None, ..bare },
        Provider::DotAi => Session { refresh: None, ..bare },
        Provider::Oauth => {
            Session { refresh_expires_at: Some(5_000_000_000), issued_at: Some(3_900_000_000), ..bare }
        }
    }
}

/// Printing a session is the same whatever its secrets are.
fn no_token_shown(session: &Session) {
    let other = |secret: &Option<Secret>| secret.as_ref().map(|_| Secret::new("x"));
    let mut bare = Session { access: Secret::new("x"), refresh: other(&session.refresh), ..session.clone() };
    bare.holder.fixed = other(&bare.holder.fixed);
    if let Some(known) = &mut bare.holder.registration {
        known.client_secret = other(&known.client_secret);
    }
    assert_eq!(format!("{session:?}"), format!("{bare:?}"), "printing depends on a token");
}

/// The session is what the file says, and can stand in a header.
fn as_it_stands(provider: Provider, input: &[u8], session: &Session) {
    assert!(opens_object(input), "a session file that is no object was read");
    for token in [Some(&session.access), session.refresh.as_ref(), session.holder.fixed.as_ref()] {
        let fit = provider == Provider::Oauth && token == session.holder.fixed.as_ref();
        assert!(fit || token.is_none_or(sendable), "a token that can't stand in a header was read");
    }
    match provider {
        Provider::Failproofai | Provider::Achilles | Provider::DotAi => {
            assert_eq!(session.claims, jwt::claims(&session.access));
        }
        Provider::Binboi => assert_eq!(session.claims, Claims::default(), "a claim of an opaque token"),
        Provider::Oauth => {}
    }
    if let Some(file) = object(input) {
        as_told(provider, &file, session);
    }
}

/// Field by field, against the file read without any of everkey's code.
fn as_told(provider: Provider, file: &Map<String, Value>, session: &Session) {
    let text = |name: &str| file.get(name).and_then(Value::as_str);
    let said = |name: &str| text(name).filter(|text| !text.is_empty());
    let secs = |name: &str| file.get(name).and_then(Value::as_u64);
    let (access, refresh) = (session.access.expose(), session.refresh.as_ref().map(Secret::expose));
    let (holder, fixed) = (&session.holder, session.holder.fixed.as_ref().map(Secret::expose));
    match provider {
        Provider::Failproofai => {
            assert_eq!((text("access_token"), text("refresh_token")), (Some(access), refresh));
            assert_eq!(secs("access_expires_at"), session.access_expires_at);
            let until = secs("refresh_expires_at").or(session.access_expires_at);
            assert_eq!(until, session.refresh_expires_at);
        }
        Provider::Achilles => {
            assert_eq!((text("access_token"), said("refresh_token")), (Some(access), refresh));
            assert_eq!(said("user_id"), holder.user.as_ref().map(|user| user.id.as_str()));
            for (told, name) in [("name", "display_name"), ("org", "org_id"), ("role", "role")] {
                assert_eq!(said(name), holder.about.get(told).map(String::as_str), "{name}");
            }
        }
        Provider::Binboi => {
            assert_eq!((text("token"), None), (Some(access), refresh));
            let server = text("api_url").filter(|url| !url.trim().is_empty());
            assert_eq!(server.and_then(|url| http::base_url(url).ok()), holder.server, "another server");
            assert_eq!(server.is_some(), holder.server.is_some(), "the file's server was passed over");
        }
        Provider::DotAi => {
            assert_eq!(said("auth_token"), fixed);
            assert_eq!((said("access_token").or(fixed), None), (Some(access), refresh));
            let client = holder.registration.as_ref().map(|known| known.client_id.as_str());
            assert!(client.is_none() || client == said("client_id"), "another client");
        }
        Provider::Oauth => {
            assert_eq!((text("access"), text("refresh")), (Some(access), refresh));
            assert_eq!(secs("version"), Some(1), "a file of another version was read");
            assert!(holder.registration.as_ref().is_some_and(|known| leads_nowhere_else(&known.endpoints)));
        }
    }
}

/// Every endpoint is one that tokens may be sent to.
pub(super) fn leads_nowhere_else(endpoints: &Endpoints) -> bool {
    let Endpoints {
        token,
        authorization,
        device_authorization,
        registration,
        revocation,
        userinfo,
        session,
        ..
    } = endpoints;
    let others = [authorization, device_authorization, registration, revocation, userinfo, session];
    others.into_iter().flatten().chain([token]).all(|url| for_tokens(url))
}

/// Fields that everkey does not know are in the new file byte for byte, those of the user too.
fn strangers_stay(provider: Provider, old: &[u8], new: &[u8]) {
    let (Ok(text), Some(ours)) = (std::str::from_utf8(old), ours(provider)) else { return };
    let (old, new) = (fields(text), fields(&String::from_utf8_lossy(new)));
    same(&old, &new, ours);
    if provider == Provider::Failproofai {
        let user = |file: &Fields| file.get("user").map(|user| fields(user.get())).unwrap_or_default();
        same(&user(&old), &user(&new), &["id", "email"]);
    }
}

/// A sign-out leaves what is not the session's, and no token but the one that never changes.
fn leaves_the_rest(provider: Provider, old: &[u8], fixed: Option<&Secret>) {
    let cleared = match provider {
        Provider::Failproofai | Provider::Achilles | Provider::Oauth => {
            assert_eq!(provider.render_signed_out(old), None, "the file is to go");
            return;
        }
        Provider::Binboi => &["token"],
        Provider::DotAi => OF_DOT_AI,
    };
    let before = fields(&String::from_utf8_lossy(old));
    let Some(rest) = provider.render_signed_out(old) else {
        assert!(provider == Provider::DotAi && fixed.is_none(), "a sign-out takes the tool's own file");
        return same(&before, &Fields::default(), cleared);
    };
    let after = fields(&String::from_utf8_lossy(&rest));
    for name in cleared {
        let left = after.get(*name).map(|value| value.get());
        assert!(left.is_none() || left == Some("\"\""), "{name:?} is still there");
    }
    same(&before, &after, cleared);
    match provider.parse_session(&rest) {
        Parsed::Nobody => assert_eq!(fixed, None, "a sign-out takes the token that never changes"),
        Parsed::Session(left) => {
            assert!(
                left.is_only_fixed() && left.holder.fixed.as_ref() == fixed,
                "somebody is still signed in"
            );
        }
        Parsed::Strange | Parsed::Damaged => unreachable!("a sign-out leaves a file that nobody can read"),
    }
    assert_eq!(provider.render_signed_out(&rest), Some(rest), "signed out again it differs");
}
