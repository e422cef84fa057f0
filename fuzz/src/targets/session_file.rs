//! Session files, as the original tools and anybody else may have left them. A reader more is a line more, here and in
//! `TARGETS`.

use super::server_url::for_tokens;
use super::{Fields, fields, object, opens_object, same, sendable};
use crate::{measure, reach};
use everkey_config::ProviderKind;
use everkey_daemon::http;
use everkey_daemon::provider::{Descriptor, ParsedFile, descriptor, jwt};
use everkey_proto::{Secret, reply::User};
use everkey_session::{Claims, Endpoints, Holder, Registration, Session};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// `~/.failproofai/auth.json`.
pub fn failproofai(input: &[u8]) {
    reads_and_writes(descriptor(ProviderKind::Failproofai), input);
}

/// `~/.achilles/credentials.json`.
pub fn achilles(input: &[u8]) {
    reads_and_writes(descriptor(ProviderKind::Achilles), input);
}

/// `~/.binboi/config.json`.
pub fn binboi(input: &[u8]) {
    reads_and_writes(descriptor(ProviderKind::Binboi), input);
}

/// dot-ai's credentials.
pub fn dot_ai(input: &[u8]) {
    reads_and_writes(descriptor(ProviderKind::DotAi), input);
}

/// everkey's own file for an OAuth server.
pub fn oauth(input: &[u8]) {
    reads_and_writes(descriptor(ProviderKind::Oauth), input);
}

/// What a sign-in writes; everything else in a file is somebody else's and stays. None where the file is everkey's own.
fn ours(provider: &Descriptor) -> Option<&'static [&'static str]> {
    match provider.kind {
        ProviderKind::Failproofai => {
            Some(&["access_token", "refresh_token", "access_expires_at", "refresh_expires_at", "user"])
        }
        ProviderKind::Achilles => Some(&[
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
        ProviderKind::Binboi => Some(&["token", "api_url"]),
        ProviderKind::DotAi => Some(OF_DOT_AI),
        ProviderKind::Oauth => None,
    }
}

/// What a sign-in at dot-ai writes and a sign-out removes. Its `auth_token` is never everkey's.
const OF_DOT_AI: &[&str] = &["access_token", "token_type", "expires_at", "client_id", "client_secret"];

fn reads_and_writes(provider: &Descriptor, input: &[u8]) {
    let session = match measure::tree(input.len(), || (provider.session_file.parse)(input)) {
        ParsedFile::Session(session) => session,
        ParsedFile::Nobody => {
            written_over(provider, input);
            leaves_the_rest(provider, input, None);
            return;
        }
        ParsedFile::Damaged => return written_over(provider, input),
        // It is left alone, whoever asks; that its tokens stay hidden is all there is to see.
        ParsedFile::Strange => return,
    };
    reach::deep();
    as_it_stands(provider, input, &session);

    let read = |bytes: &[u8]| read(provider, bytes);
    let same = (provider.session_file.render)(Some(input), &session);
    assert_eq!(read(&same).as_ref(), Some(&session), "not read as it was written");
    assert_eq!((provider.session_file.render)(Some(&same), &session), same, "written again it differs");
    assert_eq!(read(&(provider.session_file.render)(None, &session)), Some(session.clone()));

    let next = successor(provider, session.holder.clone());
    let written = (provider.session_file.render)(Some(input), &next);
    assert_eq!(read(&written).as_ref(), Some(&next), "the successor is not read as it was written");
    strangers_stay(provider, input, &written);
    leaves_the_rest(provider, input, session.holder.fixed.as_ref());
    leaves_the_rest(provider, &written, next.holder.fixed.as_ref());
    no_token_shown(&session);
}

fn read(provider: &Descriptor, bytes: &[u8]) -> Option<Session> {
    match (provider.session_file.parse)(bytes) {
        ParsedFile::Session(session) => Some(session),
        ParsedFile::Nobody | ParsedFile::Strange | ParsedFile::Damaged => None,
    }
}

fn render_signed_out(provider: &Descriptor, old: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    provider.session_file.render_signed_out.and_then(|render| render(old))
}

/// A sign-in replaces even what can't be read, and keeps what else the tool has in its file.
fn written_over(provider: &Descriptor, input: &[u8]) {
    let user = Some(User { id: "u".into(), email: "e@x".into() });
    let registration =
        |endpoints| Registration { client_id: "c".into(), endpoints, ..Registration::default() };
    let nobody = Holder::default();
    let holder = match provider.kind {
        ProviderKind::Failproofai => Holder { user, ..nobody },
        ProviderKind::Achilles => Holder { user, about: [("org".into(), "o".into())].into(), ..nobody },
        ProviderKind::Binboi => Holder { server: Some("https://a".into()), ..nobody },
        ProviderKind::DotAi => Holder { registration: Some(registration(Endpoints::default())), ..nobody },
        ProviderKind::Oauth => {
            let endpoints = Endpoints { token: "https://a/token".into(), ..Endpoints::default() };
            Holder { user, registration: Some(registration(endpoints)), ..nobody }
        }
    };
    let fresh = successor(provider, holder);
    let written = (provider.session_file.render)(Some(input), &fresh);
    assert_eq!(read(provider, &written), Some(fresh), "a sign-in can't be read from what it wrote");
    strangers_stay(provider, input, &written);
}

/// Another session of that holder, with everything that the file has a place for.
fn successor(provider: &Descriptor, holder: Holder) -> Session {
    let bare = Session {
        access: Secret::new("access-2"),
        access_expires_at: Some(4_000_000_000),
        refresh: Some(Secret::new("refresh-2")),
        refresh_expires_at: None,
        issued_at: None,
        claims: Claims::default(),
        holder,
    };
    match provider.kind {
        ProviderKind::Failproofai => Session { refresh_expires_at: Some(5_000_000_000), ..bare },
        ProviderKind::Achilles => Session { issued_at: Some(3_900_000_000), ..bare },
        ProviderKind::Binboi => Session { access_expires_at: None, refresh: None, ..bare },
        ProviderKind::DotAi => Session { refresh: None, ..bare },
        ProviderKind::Oauth => {
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
fn as_it_stands(provider: &Descriptor, input: &[u8], session: &Session) {
    assert!(opens_object(input), "a session file that is no object was read");
    for token in [Some(&session.access), session.refresh.as_ref(), session.holder.fixed.as_ref()] {
        let fit = provider.kind == ProviderKind::Oauth && token == session.holder.fixed.as_ref();
        assert!(fit || token.is_none_or(sendable), "a token that can't stand in a header was read");
    }
    match provider.kind {
        ProviderKind::Failproofai | ProviderKind::Achilles | ProviderKind::DotAi => {
            assert_eq!(session.claims, jwt::claims(&session.access));
        }
        ProviderKind::Binboi => assert_eq!(session.claims, Claims::default(), "a claim of an opaque token"),
        ProviderKind::Oauth => {}
    }
    if let Some(file) = object(input) {
        as_told(provider, &file, session);
    }
}

/// Field by field, against the file read without any of everkey's code.
fn as_told(provider: &Descriptor, file: &Map<String, Value>, session: &Session) {
    let text = |name: &str| file.get(name).and_then(Value::as_str);
    let said = |name: &str| text(name).filter(|text| !text.is_empty());
    let secs = |name: &str| file.get(name).and_then(Value::as_u64);
    let (access, refresh) = (session.access.expose(), session.refresh.as_ref().map(Secret::expose));
    let (holder, fixed) = (&session.holder, session.holder.fixed.as_ref().map(Secret::expose));
    match provider.kind {
        ProviderKind::Failproofai => {
            assert_eq!((text("access_token"), text("refresh_token")), (Some(access), refresh));
            // 0, and what no calendar has, stand for an end that nobody knows.
            let known = |secs: &u64| (1..253_402_300_799).contains(secs);
            assert_eq!(secs("access_expires_at").filter(known), session.access_expires_at);
            let until = secs("refresh_expires_at").or(secs("access_expires_at"));
            assert_eq!(until.filter(known), session.refresh_expires_at);
        }
        ProviderKind::Achilles => {
            assert_eq!((text("access_token"), said("refresh_token")), (Some(access), refresh));
            assert_eq!(said("user_id"), holder.user.as_ref().map(|user| user.id.as_str()));
            for (told, name) in [("name", "display_name"), ("org", "org_id"), ("role", "role")] {
                assert_eq!(said(name), holder.about.get(told).map(String::as_str), "{name}");
            }
        }
        ProviderKind::Binboi => {
            assert_eq!((text("token"), None), (Some(access), refresh));
            let server = text("api_url").filter(|url| !url.trim().is_empty());
            assert_eq!(server.and_then(|url| http::base_url(url).ok()), holder.server, "another server");
            assert_eq!(server.is_some(), holder.server.is_some(), "the file's server was passed over");
        }
        ProviderKind::DotAi => {
            assert_eq!(said("auth_token"), fixed);
            assert_eq!((said("access_token").or(fixed), None), (Some(access), refresh));
            let client = holder.registration.as_ref().map(|known| known.client_id.as_str());
            assert!(client.is_none() || client == said("client_id"), "another client");
        }
        ProviderKind::Oauth => {
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
fn strangers_stay(provider: &Descriptor, old: &[u8], new: &[u8]) {
    let (Ok(text), Some(ours)) = (std::str::from_utf8(old), ours(provider)) else { return };
    let (old, new) = (fields(text), fields(&String::from_utf8_lossy(new)));
    same(&old, &new, ours);
    if provider.kind == ProviderKind::Failproofai {
        let user = |file: &Fields| file.get("user").map(|user| fields(user.get())).unwrap_or_default();
        same(&user(&old), &user(&new), &["id", "email"]);
    }
}

/// A sign-out leaves what is not the session's, and no token but the one that never changes.
fn leaves_the_rest(provider: &Descriptor, old: &[u8], fixed: Option<&Secret>) {
    let cleared = match provider.kind {
        ProviderKind::Failproofai | ProviderKind::Achilles | ProviderKind::Oauth => {
            assert_eq!(render_signed_out(provider, old), None, "the file is to go");
            return;
        }
        ProviderKind::Binboi => &["token"],
        ProviderKind::DotAi => OF_DOT_AI,
    };
    let before = fields(&String::from_utf8_lossy(old));
    let Some(rest) = render_signed_out(provider, old) else {
        assert!(
            provider.kind == ProviderKind::DotAi && fixed.is_none(),
            "a sign-out takes the tool's own file"
        );
        return same(&before, &Fields::default(), cleared);
    };
    let after = fields(&String::from_utf8_lossy(&rest));
    for name in cleared {
        let left = after.get(*name).map(|value| value.get());
        assert!(left.is_none() || left == Some("\"\""), "{name:?} is still there");
    }
    same(&before, &after, cleared);
    match (provider.session_file.parse)(&rest) {
        ParsedFile::Nobody => assert_eq!(fixed, None, "a sign-out takes the token that never changes"),
        ParsedFile::Session(left) => {
            assert!(
                left.is_only_fixed() && left.holder.fixed.as_ref() == fixed,
                "somebody is still signed in"
            );
        }
        ParsedFile::Strange | ParsedFile::Damaged => {
            unreachable!("a sign-out leaves a file that nobody can read")
        }
    }
    assert_eq!(render_signed_out(provider, &rest), Some(rest), "signed out again it differs");
}
