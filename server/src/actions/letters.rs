//! Letters that tell the owner of an account what happened to it. A letter leaves once that is committed; one that can't
//! leave changes nothing, because the audit has it too. Of each kind an account gets a few a day, and the last one says so.

use crate::app::AppState;
use crate::db::sessions::StoredSession;
use crate::db::throttle::ThrottleKind;
use crate::db::users::StoredUser;
use crate::db::{DbError, Tx};
use crate::mail::{AlarmNotice, Letter, LetterOrigin, Mail, MailContent, MailNotice};
use crate::rules::caller::NetworkCaller;
use crate::rules::email::Email;
use crate::rules::known_place::is_known;
use crate::rules::rate::{Limit, Rate, check};
use crate::rules::session_kind::SessionKind;
use crate::time::Timestamp;

impl From<&NetworkCaller> for LetterOrigin {
    fn from(caller: &NetworkCaller) -> Self {
        Self { network: caller.address.to_string(), program: caller.program.clone() }
    }
}

/// Writes a letter within `tx`, unless the account has had enough of its kind.
pub async fn write(
    app: &AppState,
    tx: &mut Tx,
    user: &StoredUser,
    notice: MailNotice,
    caller: &NetworkCaller,
    now: Timestamp,
) -> Result<(), DbError> {
    let Ok(to) = Email::parse(&user.email) else { return Ok(()) };
    let counted = counted_by(app, user, &notice);
    let mut is_last = false;
    for (kind, subject, limit) in &counted {
        if is_full(tx, *kind, subject, *limit, now).await? {
            return Ok(());
        }
        let but_one = Limit { max: limit.max - 1, ..*limit };
        is_last |= limit.max == 1 || is_full(tx, *kind, subject, but_one, now).await?;
    }
    let name = app.pseudonym(&to);
    let Some(slot) = app.outbox.reserve() else {
        tracing::warn!(to = name, kind = notice.kind(), "the outbox is full; a letter was not sent");
        return Ok(());
    };
    for (kind, subject, limit) in &counted {
        tx.count_event(*kind, subject, *limit, now).await?;
    }
    let letter = Letter { notice, origin: caller.into(), is_last, site: app.public_url.clone() };
    let mail = Mail { name, to, content: MailContent::Notice(Box::new(letter)), at: now };
    tx.when_committed(move || slot.send(mail));
    Ok(())
}

/// What a letter is counted by. Alarms about an app use up neither those about other apps, nor those about the user's own
/// sessions or about all of them; nor can many apps flood anybody.
fn counted_by(app: &AppState, user: &StoredUser, notice: &MailNotice) -> Vec<(ThrottleKind, String, Limit)> {
    let kind =
        |what: &str| (ThrottleKind::Letter, format!("{what} {}", user.id), app.limits.letters_per_user);
    match notice {
        MailNotice::Alarm(AlarmNotice { everywhere: true, .. }) => vec![kind("alarm everywhere")],
        MailNotice::Alarm(AlarmNotice { app: Some(id), .. }) => {
            let of_all = (ThrottleKind::AppAlarm, user.id.clone(), app.limits.app_alarms_per_user);
            vec![kind(&format!("alarm of {id}")), of_all]
        }
        other => vec![kind(other.kind())],
    }
}

async fn is_full(
    tx: &mut Tx,
    kind: ThrottleKind,
    subject: &str,
    limit: Limit,
    now: Timestamp,
) -> Result<bool, DbError> {
    let nth = tx.nth_newest(kind, subject, limit.max).await?;
    Ok(check(limit, nth, now) != Rate::Open)
}

/// Tells of a sign-in from a network or with a program that the account has not had before. The first of all is none.
pub async fn signed_in(
    app: &AppState,
    tx: &mut Tx,
    session: &StoredSession,
    caller: &NetworkCaller,
    now: Timestamp,
) -> Result<(), DbError> {
    let earlier = tx.earlier_places_of(&session.user.id, &session.id).await?;
    if earlier.is_empty() || is_known(&earlier, caller) {
        return Ok(());
    }
    let notice = MailNotice::SignedIn { what: describe(tx, session).await? };
    write(app, tx, &session.user, notice, caller, now).await
}

/// What a session is, in a few words. The name of an app is its own claim.
pub(super) async fn describe(tx: &mut Tx, session: &StoredSession) -> Result<String, DbError> {
    Ok(match &session.grant {
        SessionKind::FirstParty => "a command line, with a code sent to this address".to_owned(),
        SessionKind::Web => "a browser, with a code sent to this address".to_owned(),
        SessionKind::Cli { .. } => "the achilles command line, let in from a browser".to_owned(),
        SessionKind::OAuth { client, scope: _ } => {
            let name = tx.client(client).await?.map(|client| client.registered.name).unwrap_or_default();
            format!("an app that calls itself {}, let in from a browser", crate::mail::harmless(&name))
        }
    })
}
