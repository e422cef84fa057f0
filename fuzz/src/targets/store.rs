//! Everkey's own files, as a crash, a full disk or a curious person may have left them: journal, side-car, sign-outs,
//! registered clients.

use crate::{measure, reach};
use everkey_daemon::store::journal::{encode, parse};
use everkey_daemon::store::state_files::{
    parse_clients, parse_revocation, parse_sidecar, render_clients, render_revocation, render_sidecar,
};
use everkey_proto::{Secret, reply::User};
use everkey_session::{
    Begun, Capability, Claims, EndReason, Fingerprint, Holder, Intent, Journal, PendingRevocation, Session,
};
use sha2::{Digest, Sha256};

/// A journal of any bytes: only records whose checksum fits are believed.
pub fn journal(input: &[u8]) {
    let Ok(journal) = measure::json(input.len(), || parse(input)) else { return };
    let after = record_end(input);
    assert!(after.is_some(), "an intent without its checksum was believed");
    reach::deep();
    let again = match &journal {
        Journal::Empty => unreachable!("bytes are not an empty journal"),
        Journal::Intent(intent) => written(intent, None),
        Journal::Outcome(intent, session) => {
            assert!(after.and_then(record_end).is_some(), "an outcome without its checksum was believed");
            written(intent, Some(session))
        }
    };
    assert_eq!(parse(&again).ok(), Some(journal), "not read as it was written");
}

/// A journal damaged in one place: it is the intent or an error, and the outcome only if that is whole.
///
/// The input is the kind of damage (a byte), where (four), and text for keys and tokens.
pub fn journal_torn(input: &[u8]) {
    let Some((damage, rest)) = input.split_first() else { return };
    let Some((place, text)) = rest.split_first_chunk::<4>() else { return };
    let text = String::from_utf8_lossy(text);
    let (intent, session) = (intent(&text), session(&text, "new"));
    let noted = written(&intent, None).len();
    let mut bytes = written(&intent, Some(&session));
    let whole = bytes.clone();
    let at = u32::from_le_bytes(*place) as usize % bytes.len();
    match damage % 5 {
        // The rest never reached the disk, which was preallocated.
        0 => bytes[at..].fill(0),
        // The file is cut.
        1 => bytes.truncate(at),
        2 => bytes[at] ^= 1 << (damage >> 5),
        // The rest is from an outcome that was written there before.
        3 => {
            let older = written(&intent, Some(&self::session(&text, "old")));
            bytes.truncate(at);
            bytes.extend(older.get(at..).unwrap_or_default());
        }
        // The rest is whatever the disk had there.
        _ => {
            let junk = text.bytes().cycle().take(bytes.len() - at).collect::<Vec<_>>();
            bytes.truncate(at);
            bytes.extend(junk);
        }
    }
    let intact = bytes.iter().zip(&whole).take_while(|(is, was)| is == was).count();
    let read = measure::json(bytes.len(), || parse(&bytes));
    reach::deep();
    match read {
        Ok(Journal::Outcome(i, s)) => {
            assert!(i == intent && (s == session || s == self::session(&text, "old")), "a wrong outcome");
            assert!(s != session || intact == whole.len(), "a damaged outcome was believed");
        }
        Ok(Journal::Intent(read)) => {
            assert!(read == intent && intact >= noted, "a damaged intent was believed");
            assert!(intact < whole.len(), "a whole outcome was not believed");
        }
        Ok(Journal::Empty) => unreachable!("bytes are not an empty journal"),
        Err(e) => {
            assert!(intact < noted, "a whole intent was not believed");
            assert_eq!(e.to_string(), "the journal is damaged");
        }
    }
}

/// A side-car: nothing is lost by writing it again, and a spent token stays spent.
pub fn sidecar(input: &[u8]) {
    let Some(read) = measure::json(input.len(), || parse_sidecar(input)) else { return };
    reach::deep();
    assert!(super::opens_object(input), "a side-car that is no object was read");
    let again = render_sidecar(&read).unwrap_or_default();
    assert_eq!(parse_sidecar(&again).as_ref(), Some(&read), "not read as it was written");

    let (mut later, token, wall) = (read.clone(), Fingerprint::of(&Secret::new("spent now")), 1_800_000_000);
    later.spend(token, 0, EndReason::Restored, wall);
    assert_eq!(later.is_spent(token), Some(EndReason::Restored));
    assert!(later.spent.len() <= read.spent.len() + 1);
    let lasting = read.spent.iter().filter(|spent| spent.until > wall).take(1000);
    for spent in lasting.filter(|_| read.spent.len() < 1000) {
        assert!(later.is_spent(spent.fingerprint).is_some(), "a spent token was forgotten");
    }
}

/// A sign-out to be confirmed: nothing is lost by writing it again, and printing shows no token.
pub fn revocation(input: &[u8]) {
    let Some(read) = measure::json(input.len(), || parse_revocation(input)) else { return };
    reach::deep();
    assert!(super::opens_object(input), "a sign-out that is no object was read");
    let again = render_revocation(&read).unwrap_or_default();
    assert_eq!(parse_revocation(&again).as_ref(), Some(&read), "not read as it was written");
    let mut bare = PendingRevocation { access: Secret::new("x"), ..read.clone() };
    bare.refresh = bare.refresh.map(|_| Secret::new("y"));
    if let Some(known) = &mut bare.at.registration {
        known.client_secret = known.client_secret.as_ref().map(|_| Secret::new("z"));
    }
    assert_eq!(format!("{read:?}"), format!("{bare:?}"), "printing depends on a token");
}

/// The registered clients: nothing is lost by writing them again, and printing shows no secret.
pub fn clients(input: &[u8]) {
    let Some(read) = measure::json(input.len(), || parse_clients(input)) else { return };
    reach::deep();
    assert!(super::opens_object(input), "a list that is in no object was read");
    let again = render_clients(&read).unwrap_or_default();
    assert_eq!(parse_clients(&again).as_ref(), Some(&read), "not read as it was written");
    let mut bare = read.clone();
    for kept in &mut bare {
        let secret = &mut kept.registration.client_secret;
        *secret = secret.as_ref().map(|_| Secret::new("z"));
    }
    assert_eq!(format!("{read:?}"), format!("{bare:?}"), "printing depends on a secret");
}

fn written(intent: &Intent, outcome: Option<&Session>) -> Vec<u8> {
    let mut bytes = encode(intent).map(|record| record.to_vec()).unwrap_or_default();
    bytes.extend(outcome.and_then(|session| encode(session).ok()).iter().flat_map(|record| record.iter()));
    bytes
}

/// What follows the first record, if that is whole; read without any of everkey's code.
fn record_end(bytes: &[u8]) -> Option<&[u8]> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<32>()?;
    let (json, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    (Sha256::digest(json).as_slice() == sum).then_some(rest)
}

fn intent(text: &str) -> Intent {
    Intent {
        epoch: text.len() as u64,
        parent: Fingerprint::of(&Secret::new(text)),
        key: Secret::new(text),
        server: format!("https://{text}"),
        deadline: 1_800_000_000,
        capability: Capability::Rr1,
        sends: 1,
        begun: Some(Begun { boot_id: text.to_owned(), at_ms: 7, wall: 8 }),
    }
}

fn session(text: &str, name: &str) -> Session {
    Session {
        access: Secret::new(format!("{name} {text}")),
        access_expires_at: Some(1_800_000_000),
        refresh: Some(Secret::new(format!("{text} {name}"))),
        refresh_expires_at: Some(u64::MAX),
        issued_at: None,
        claims: Claims { subject: Some(text.to_owned()), session_id: None, generation: Some(1) },
        holder: Holder {
            user: Some(User { id: text.to_owned(), email: text.to_owned() }),
            about: [(text.to_owned(), name.to_owned())].into(),
            ..Holder::default()
        },
    }
}
