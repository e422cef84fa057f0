//! The core's answers as the wire carries them: data becomes sentences, one saying what happened, one what to do.

use everkey_proto::reply::{Status, Step, Token};
use everkey_proto::text::harmless;
use everkey_proto::{Code, Failure, Reply};
use everkey_session::event::{Answer, View};
use everkey_session::record::Over;
use everkey_session::trouble::{
    NetKind, NetTrouble, NotOwner, Out, Rejected, StoreKind, StoreTrouble, Trouble,
};

/// The wire's reply for an answer about `profile`, whose session file is `session_file`.
pub fn reply(profile: &str, session_file: &str, answer: Answer) -> Reply {
    match answer {
        Answer::Whoami(user) => Reply::Whoami(user),
        Answer::Status(view) => Reply::Status(Box::new(status(profile, session_file, view))),
        Answer::Token { access, expires_at, short } => {
            Reply::Token(Token { access_token: access, expires_at, short })
        }
        Answer::Refreshed(access_expires_at) => Reply::Refreshed { access_expires_at },
        Answer::Asked { flow, field, tries, again } => {
            Reply::Step(Step::Ask { flow, field, tries, again: again.as_ref().map(failure) })
        }
        Answer::SignedIn { user, already } => Reply::Step(Step::Done { user, already }),
        Answer::LoggedOut(revocation) => Reply::LoggedOut(revocation),
        Answer::Failed(trouble) => Reply::Failed(failure(&trouble)),
    }
}

fn status(profile: &str, session_file: &str, view: View) -> Status {
    Status {
        profile: profile.to_owned(),
        server: view.server,
        session_file: session_file.to_owned(),
        state: view.state,
        reason: view.reason.as_ref().map(|trouble| failure(trouble).message),
        user: view.user,
        scheme: view.scheme,
        masked_token: view.masked,
        access_expires_at: view.access_expires_at,
        refresh_expires_at: view.refresh_expires_at,
        next_refresh_at: view.next_refresh_at,
        last_error: view.last_error.as_ref().map(|trouble| failure(trouble).message),
        pending_revocations: view.pending_revocations,
    }
}

/// Code, sentence and hint for a trouble.
pub fn failure(trouble: &Trouble) -> Failure {
    let (code, message, hint) = match trouble {
        Trouble::NotSignedIn(out) => (Code::NotSignedIn, signed_out(out), LOGIN.to_owned()),
        Trouble::NeedsLogin(over) => (Code::NeedsLogin, ended(*over).to_owned(), LOGIN.to_owned()),
        Trouble::OtherServer { agent, client } => (
            Code::Mismatch,
            format!("The session belongs to {agent}, but you asked for {client}."),
            "Unset FAILPROOF_API_URL (or --server), or run `everkey auth login` to sign in there.".to_owned(),
        ),
        Trouble::OtherFile { agent, client } => (
            Code::Mismatch,
            format!("The agent owns {agent}, but you asked for {client}."),
            "Unset FAILPROOFAI_AUTH_DIR, or run `everkey agent stop` and try again with it set.".to_owned(),
        ),
        Trouble::FlowGone => {
            (Code::FlowGone, "That sign-in is over or was never begun.".to_owned(), LOGIN.to_owned())
        }
        Trouble::AccountChanged => (
            Code::AccountChanged,
            "The account changed while you waited.".to_owned(),
            "Run `everkey auth whoami` to see who is signed in now.".to_owned(),
        ),
        Trouble::Net(net) => (Code::Offline, unreachable(net), net_hint(net)),
        Trouble::Uncertain(net) => (
            Code::Offline,
            format!("A refresh was sent to {}, but its answer was lost.", net.server),
            "Nothing is lost: the agent finds out by itself. Try again in a minute.".to_owned(),
        ),
        Trouble::Timeout => (
            Code::Timeout,
            "The answer did not come in time.".to_owned(),
            "Try again; `everkey auth status` shows what the agent is doing.".to_owned(),
        ),
        Trouble::TooSoon { secs } => (
            Code::RateLimited,
            format!("The last refresh was less than 30 seconds ago; wait {secs} s."),
            "Add --force to refresh all the same.".to_owned(),
        ),
        Trouble::Rejected(rejected) => (Code::Refused, refused(rejected), LOGIN.to_owned()),
        Trouble::RateLimited { secs } => (
            Code::RateLimited,
            format!("Rate limited by the api-server: wait {secs} seconds."),
            "Then try again; asking sooner makes it longer.".to_owned(),
        ),
        Trouble::Store(store) => (Code::Storage, unusable(store), store_hint(store)),
        Trouble::NotOwner(NotOwner::Held) => (
            Code::Storage,
            "Another agent owns this session file; here it can only be read.".to_owned(),
            "Stop the other agent (`everkey agent stop` in its environment).".to_owned(),
        ),
        Trouble::NotOwner(NotOwner::Impossible(store)) => (
            Code::Storage,
            format!("The session file can't be locked, so it is only read here: {}", unusable(store)),
            "Move the folder to a local disk you can write to.".to_owned(),
        ),
    };
    let retry_after_secs = match trouble {
        Trouble::RateLimited { secs } | Trouble::TooSoon { secs } => u32::try_from(*secs).ok(),
        _ => None,
    };
    Failure { code, message, hint, retry_after_secs }
}

/// How many characters of a server's own words are shown.
const SHOWN: usize = 120;

const LOGIN: &str = "Run `everkey auth login`.";

fn signed_out(out: &Out) -> String {
    match out {
        Out::NoFile => "not signed in".to_owned(),
        Out::Removed => "not signed in (the session file was removed by another program)".to_owned(),
        Out::SetAside(name) => {
            format!("not signed in (the session file was damaged; it is kept as {name})")
        }
    }
}

fn ended(over: Over) -> &'static str {
    match over {
        Over::Refused => "not signed in (the api-server has ended the session)",
        Over::AnswerLost => {
            "not signed in (a refresh answer was lost, and asking this server again would sign you out everywhere)"
        }
        Over::SessionLost => {
            "not signed in (a refresh answer was lost, and the server has moved on without it)"
        }
        Over::Restored => "not signed in (the session file holds an old token, as from a backup)",
        Over::Copied => "not signed in (the session file was copied from a machine that went on using it)",
        Over::Contested => "not signed in (another program keeps refreshing the same session)",
    }
}

fn refused(rejected: &Rejected) -> String {
    match rejected {
        Rejected::Email => "That email address was not accepted.".to_owned(),
        Rejected::Code => "That code was not accepted: it is wrong, expired or used up.".to_owned(),
        Rejected::Other(code) => format!("The api-server refused ({}).", harmless(code, SHOWN)),
    }
}

fn unreachable(net: &NetTrouble) -> String {
    let server = &net.server;
    match &net.kind {
        NetKind::Connect(why) => {
            format!("Could not reach the api-server at {server} ({}).", harmless(why, SHOWN))
        }
        NetKind::Timeout => format!("The api-server at {server} did not answer in time."),
        NetKind::Broken => format!("The connection to the api-server at {server} broke."),
        NetKind::Status(status) => format!("The api-server at {server} answered with status {status}."),
        NetKind::NotTheContract => format!("What answers at {server} is not an api-server, or a broken one."),
        NetKind::Redirect => {
            format!("The api-server at {server} wanted to send us elsewhere; nothing was sent there.")
        }
        NetKind::OtherSession => {
            format!("The api-server at {server} answered for another user; that answer was dropped.")
        }
        NetKind::Rotating => {
            format!("The api-server at {server} is busy with another refresh of this session.")
        }
        NetKind::Late => format!("The api-server at {server} says that the request came too late."),
        NetKind::Limited(secs) => format!("The api-server at {server} asks to wait {secs} seconds."),
    }
}

fn net_hint(net: &NetTrouble) -> String {
    match net.kind {
        NetKind::Redirect | NetKind::NotTheContract => {
            "Check the address (FAILPROOF_API_URL or --server), or sign in to the network you are on."
                .to_owned()
        }
        _ => "Check your network; another server is named with FAILPROOF_API_URL or --server.".to_owned(),
    }
}

fn unusable(store: &StoreTrouble) -> String {
    let path = &store.path;
    match &store.kind {
        StoreKind::Symlink => format!("{path} is a symbolic link, which could point anywhere."),
        StoreKind::HardLink => format!("{path} has a second name somewhere (a hard link)."),
        StoreKind::NotAFile => format!("{path} is not a plain file."),
        StoreKind::Foreign(uid) => format!("{path} belongs to another user (uid {uid})."),
        StoreKind::Damaged => format!("{path} is damaged."),
        StoreKind::TooLarge => format!("{path} is far too large for a session file."),
        StoreKind::Os(why) => format!("{path}: {why}."),
    }
}

fn store_hint(store: &StoreTrouble) -> String {
    match store.kind {
        StoreKind::Symlink
        | StoreKind::HardLink
        | StoreKind::NotAFile
        | StoreKind::Damaged
        | StoreKind::TooLarge => {
            "Move it away, or run `everkey auth logout` to remove it; then `everkey auth login`.".to_owned()
        }
        StoreKind::Foreign(_) => "Have its owner remove it, then run `everkey auth login`.".to_owned(),
        StoreKind::Os(_) => {
            "Free some space or mend the permissions; nothing was lost, and the agent tries again.".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s01_server_text_is_stripped_and_bounded() {
        let hostile = format!("\u{1b}[31mboo\u{7}\n{}", "x".repeat(500));
        let said = failure(&Trouble::Rejected(Rejected::Other(hostile))).message;
        assert!(!said.contains(|c: char| c.is_control()) && said.len() < 200, "{said:?}");
    }

    #[test]
    fn both_sides_of_a_mismatch_are_named() {
        let said =
            failure(&Trouble::OtherServer { agent: "http://a".into(), client: "http://b".into() }).message;
        assert!(said.contains("http://a") && said.contains("http://b"));
    }
}
