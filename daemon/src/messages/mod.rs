//! The core's answers as the wire carries them: data becomes sentences, one saying what happened, one what to do.

mod files;
mod network;
mod sign_in;

use everkey_proto::reply::{
    Hint, Inspection, NextWake, Refreshed, Reminder, Revocation, ServerAnswer, Status, Step, Token, Verdict,
};
use everkey_proto::text::harmless;
use everkey_proto::{Code, Failure, Reply, SignInMethod};
use everkey_reminder::{ReminderError, ReminderReply};
use everkey_session::{
    BrowserPage, DeviceInstructions, DoubtOutlook, EndReason, EndingReason, Error, Identity, ListenError,
    NetError, NetErrorKind, NotOwner, ProfileReply, ProfileStatus, Rejected, SignedOutReason,
};
use files::{store_hint, unusable};
use network::{SHOWN, net_code, net_hint, quoted, seconds, unreachable};
use sign_in::{in_progress, listed, refused, refused_hint};
use std::collections::BTreeMap;

/// The wire's reply for an answer about `profile`, whose session file is `session_file`.
pub fn reply(profile: &str, provider: &str, session_file: &str, answer: ProfileReply) -> Reply {
    match answer {
        ProfileReply::Whoami(user) => Reply::Whoami(user),
        // It comes with the reminder.
        ProfileReply::Status(view) => status(profile, provider, session_file, view, None),
        ProfileReply::Token { access, expires_at, short, ended } => {
            let session_ended = ended.map(|over| why_ended(over).to_owned());
            Reply::Token(Token { access_token: access, expires_at, short, session_ended })
        }
        ProfileReply::Refreshed(access_expires_at) => Reply::Refreshed(Refreshed { access_expires_at }),
        ProfileReply::Asked { flow, field, tries, again, sent } => {
            Reply::Step(Step::Ask { flow, field, tries, again: again.as_ref().map(failure), sent })
        }
        ProfileReply::Shown { flow, shown } => {
            let DeviceInstructions { url, complete_url, user_code, expires_at } = shown;
            Reply::Step(Step::Show { flow, url, complete_url, user_code, expires_at })
        }
        ProfileReply::Opened { flow, page: BrowserPage { url, port }, expires_at } => {
            Reply::Step(Step::Open { flow, url, port, expires_at })
        }
        ProfileReply::Inspected(identity) => inspected(identity),
        ProfileReply::SignedIn { user, already } => Reply::Step(Step::Done { user, already }),
        ProfileReply::LoggedOut(revocation) => Reply::LoggedOut { revocation, why: None },
        ProfileReply::Unconfirmed(error) => {
            Reply::LoggedOut { revocation: Revocation::NotConfirmed, why: Some(failure(&error).message) }
        }
        ProfileReply::Failed(error) => Reply::Failed(failure(&error)),
    }
}

fn inspected(identity: Identity) -> Reply {
    let bare = |verdict| Inspection { verdict, user: None, about: BTreeMap::new() };
    Reply::Inspected(match identity {
        Identity::Accepted { user, about } => Inspection { verdict: Verdict::Accepted, user, about },
        Identity::Refused => bare(Verdict::Refused),
        Identity::Untold => bare(Verdict::Untold),
        Identity::Limited(secs) => return Reply::Failed(failure(&Error::RateLimited { secs })),
        Identity::Net(net) => return Reply::Failed(failure(&Error::Net(net))),
    })
}

/// The wire's reply for the reminder.
pub fn reminder_reply(reply: ReminderReply) -> Reply {
    let failure = match reply {
        Ok(reminder) => return Reply::Reminder(reminder),
        Err(ReminderError::Session(error)) => failure(&error),
        Err(ReminderError::NoReminders) => Failure::new(
            Code::BadRequest,
            "This profile's server keeps no reminders.",
            Hint::NameReminderProfile,
        ),
        Err(ReminderError::OutOfRange) => Failure::new(
            Code::BadRequest,
            "A reminder must be ahead, and at most 365 days.",
            "Nothing was changed; choose another time.",
        ),
    };
    Reply::Failed(failure)
}

/// The wire's reply with everything there is to show.
pub fn status(
    profile: &str,
    provider: &str,
    session_file: &str,
    view: ProfileStatus,
    reminder: Option<Reminder>,
) -> Reply {
    Reply::Status(Box::new(Status {
        profile: profile.to_owned(),
        server: view.server,
        session_file: session_file.to_owned(),
        state: view.state,
        reason: view.reason.as_ref().map(|error| match error {
            // Somebody is signed in, as long as the token works.
            Error::NeedsLogin(over) if view.token_served => why_ended(*over).to_owned(),
            error => failure(error).message,
        }),
        user: view.user,
        scheme: view.scheme,
        masked_token: view.masked,
        access_expires_at: view.access_expires_at,
        refresh_expires_at: view.refresh_expires_at,
        next_refresh_at: view.next_refresh_at,
        last_error: view.last_error.as_ref().map(|error| failure(error).message),
        pending_revocations: view.pending_revocations,
        provider: provider.to_owned(),
        about: view.about,
        masked_static_token: view.masked_fixed,
        reminder,
        replay: view.replay,
        sign_in_by: view.sign_in_by,
        token_served: view.token_served,
        token_refused: view.token_refused,
        proxy: None,
        certificates: Vec::new(),
        next_wake: view.next_wake.map(|(at, why)| NextWake { at, reason: why.as_str().to_owned() }),
    }))
}

/// Code, sentence and hint for an error.
pub fn failure(error: &Error) -> Failure {
    let (code, message, hint) = match error {
        Error::NotSignedIn(out) => (Code::NotSignedIn, signed_out(out), Hint::Login),
        Error::NeedsLogin(over) => {
            (Code::NeedsLogin, format!("not signed in ({})", why_ended(*over)), Hint::Login)
        }
        Error::TokenRefused(server) => {
            (Code::Refused, format!("{server} refuses the access token, and there is no other."), Hint::Login)
        }
        Error::OtherServer { agent, client } => (
            Code::Mismatch,
            format!("The session belongs to {agent}, but you asked for {client}."),
            Hint::OmitServer,
        ),
        Error::OtherFile { agent, client } => (
            Code::Mismatch,
            format!("The agent owns {agent}, but you asked for {client}."),
            Hint::OmitSessionFile,
        ),
        Error::FlowGone => {
            (Code::FlowGone, "That sign-in is over or was never begun.".to_owned(), Hint::Login)
        }
        Error::FlowReplaced => (
            Code::Cancelled,
            "Another sign-in of this account was begun in place of this one.".to_owned(),
            Hint::Login,
        ),
        Error::FlowCancelled => (Code::Cancelled, "The sign-in was cancelled.".to_owned(), Hint::Login),
        Error::InProgress(other) => (Code::InProgress, in_progress(other), Hint::JoinOrReplace),
        Error::AccountChanged => {
            (Code::AccountChanged, "The account changed while you waited.".to_owned(), Hint::Whoami)
        }
        Error::Net(net) => (net_code(net), unreachable(net), net_hint(net)),
        Error::Uncertain(server, outlook) => (
            Code::Offline,
            format!("A refresh was sent to {server}, but no clear answer came back."),
            uncertain_hint(*outlook).into(),
        ),
        Error::Timeout => (Code::Timeout, "The answer did not come in time.".to_owned(), Hint::Status),
        Error::TooSoon { secs } => (
            Code::RateLimited,
            format!("The last refresh was only a moment ago; wait {}.", seconds(*secs)),
            Hint::ForceRefresh,
        ),
        Error::Rejected(rejected) => (Code::Refused, refused(rejected), refused_hint(rejected)),
        Error::RateLimited { secs } => (
            Code::RateLimited,
            format!("Rate limited by the api-server: wait {}.", seconds(*secs)),
            "Then try again.".into(),
        ),
        Error::Store(store) => (Code::Storage, unusable(store), store_hint(store)),
        Error::NoSuchScheme(offered) => {
            (Code::BadRequest, format!("This profile is signed in to {}.", listed(offered)), Hint::OmitScheme)
        }
        Error::CantRefresh => (
            Code::NeedsLogin,
            "There is no refresh token, so there is no other access token than this one.".to_owned(),
            Hint::LoginIfRefused,
        ),
        Error::CantListen(why) => cant_listen(why),
        Error::NotOwner(NotOwner::Held) => (
            Code::Storage,
            "Another agent owns this session file; here it can only be read.".to_owned(),
            Hint::StopOtherAgent,
        ),
        Error::NotOwner(NotOwner::Impossible(store)) => (
            Code::Storage,
            format!("The session file can't be locked, so it is only read here: {}", unusable(store)),
            "Mend that, or move the folder to a local disk you can write to; the agent looks again by itself.".into(),
        ),
    };
    let retry_after_secs = match error {
        Error::RateLimited { secs } | Error::TooSoon { secs } => u32::try_from(*secs).ok(),
        _ => None,
    };
    let under_way = match error {
        Error::InProgress(other) => Some(other.clone()),
        _ => None,
    };
    Failure { code, message, hint, retry_after_secs, answer: answered(error), under_way }
}

fn cant_listen(ListenError { port, why }: &ListenError) -> (Code, String, Hint) {
    let why = harmless(why, SHOWN);
    match port {
        Some(port) => (
            Code::Storage,
            format!("Can't listen on port {port} of 127.0.0.1 for the browser to come back: {why}."),
            "End what has the port, or name another that the server knows as `redirect_port` in config.toml."
                .into(),
        ),
        None => (
            Code::Storage,
            format!("Can't listen on 127.0.0.1 for the browser to come back: {why}."),
            Hint::UseScheme(SignInMethod::Device),
        ),
    }
}

/// What the api-server answered, for programs that pass it on.
fn answered(error: &Error) -> Option<ServerAnswer> {
    let (status, code) = match error {
        Error::Rejected(Rejected::Email) => (400, "validation_error".to_owned()),
        Error::Rejected(Rejected::Code | Rejected::NoCode) => (401, "unauthorized".to_owned()),
        Error::Rejected(Rejected::SecondFactor) => (403, "second_factor_rejected".to_owned()),
        Error::Rejected(Rejected::Answered(status, code)) => (*status, quoted(code)),
        Error::RateLimited { .. } => (429, "rate_limited".to_owned()),
        Error::Net(NetError { kind: NetErrorKind::Status(status, _), .. }) => {
            (*status, format!("http_{status}"))
        }
        _ => return None,
    };
    Some(ServerAnswer { status, code })
}

/// Why nobody is signed in any more.
pub fn why_out(out: &SignedOutReason) -> String {
    match out {
        SignedOutReason::NoFile => "signed out".to_owned(),
        SignedOutReason::Removed => "the session file was removed by another program".to_owned(),
        SignedOutReason::SetAside(name) => format!("the session file was damaged; it is kept as {name}"),
    }
}

fn signed_out(out: &SignedOutReason) -> String {
    match out {
        SignedOutReason::NoFile => "not signed in".to_owned(),
        SignedOutReason::Removed | SignedOutReason::SetAside(_) => {
            format!("not signed in ({})", why_out(out))
        }
    }
}

/// Why a sign-in may be needed.
pub fn why_ahead(why: EndingReason) -> String {
    match why {
        EndingReason::InDoubt => {
            "a refresh got no clear answer, and the server may not accept the same token twice".to_owned()
        }
        EndingReason::Expiry => "the sign-in ends, as the server has said".to_owned(),
        EndingReason::Lifetime(count) => {
            format!("sign-ins at this server have ended after such a time before ({count} times)")
        }
    }
}

/// What becomes of a refresh whose outcome is not known.
fn uncertain_hint(outlook: DoubtOutlook) -> &'static str {
    match outlook {
        DoubtOutlook::SentAgain => "Nothing is lost: the agent asks again by itself. Try again in a minute.",
        DoubtOutlook::SentAtTheEnd => {
            "The access token works until it expires. Shortly before, the agent asks again; if the server refuses \
             then, a sign-in is needed."
        }
        DoubtOutlook::NeverSent => {
            "The access token works until it expires; then a sign-in is needed, because this server would take a \
             second try for theft."
        }
    }
}

/// Why a session has ended.
pub fn why_ended(over: EndReason) -> &'static str {
    match over {
        EndReason::Refused => "the api-server has ended the session",
        EndReason::RefusedInWords => "the api-server refused the refresh in words of its own",
        EndReason::AnswerLost => {
            "a refresh answer was lost, and asking this server again would sign you out everywhere"
        }
        EndReason::RepeatRefused => {
            "a refresh answer was lost, and the server did not accept the same token a second time"
        }
        EndReason::SessionLost => "a refresh answer was lost, and the server has moved on without it",
        EndReason::Restored => "the session file holds an old token, as from a backup",
        EndReason::SignedOut => "it was signed out here, and the session file came back, as from a backup",
        EndReason::Copied => "the session file was copied from a machine that went on using it",
        EndReason::Contested => "another program keeps refreshing the same session",
        EndReason::Expired => "the access token has expired",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s01_server_text_is_stripped_and_bounded() {
        let hostile = format!("\u{1b}[31mboo\u{7}\n{}", "x".repeat(500));
        let said = failure(&Error::Rejected(Rejected::Other(hostile))).message;
        assert!(!said.contains(|c: char| c.is_control()) && said.len() < 200, "{said:?}");
    }

    #[test]
    fn a_sign_in_that_nobody_finished_timed_out() {
        let late = failure(&Error::Rejected(Rejected::Unfinished { secs: 300 }));
        assert_eq!((late.code.exit_code(), late.hint), (5, Hint::Login));
        assert_eq!(late.message, "The sign-in timed out: nobody finished it within 5 minutes.");
    }

    #[test]
    fn both_sides_of_a_mismatch_are_named() {
        let said =
            failure(&Error::OtherServer { agent: "http://a".into(), client: "http://b".into() }).message;
        assert!(said.contains("http://a") && said.contains("http://b"));
    }
}
