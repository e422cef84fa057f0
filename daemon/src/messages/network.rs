//! What is wrong between here and an api-server, in words.

use everkey_proto::Code;
use everkey_proto::reply::Hint;
use everkey_proto::text::harmless;
use everkey_session::{AnswerFlaw, NetError, NetErrorKind, SeenAnswer, UnusableAnswer};

/// How many characters of a server's own words are shown.
pub const SHOWN: usize = 120;

/// A server's own words, made fit to be shown and logged.
pub fn quoted(words: &str) -> String {
    harmless(&everkey_redact::text(words), SHOWN)
}

/// A server that says nothing may be slow; one that can't be reached, or makes no sense, is not.
pub fn net_code(net: &NetError) -> Code {
    match net.kind {
        NetErrorKind::Timeout => Code::Timeout,
        NetErrorKind::ClientUnusable(_) => Code::Storage,
        _ => Code::Offline,
    }
}

pub fn unreachable(net: &NetError) -> String {
    let server = &net.server;
    match &net.kind {
        NetErrorKind::Connect(why) => {
            format!("Could not reach the api-server at {server} ({}).", harmless(why, 2 * SHOWN))
        }
        NetErrorKind::Timeout => format!("The api-server at {server} did not answer in time."),
        NetErrorKind::Broken => format!("The connection to the api-server at {server} broke."),
        NetErrorKind::Cut => {
            format!("The connection to the api-server at {server} broke in the middle of its answer.")
        }
        NetErrorKind::Status(status, words) => {
            let words = words.as_ref().map(|words| format!(": {}", quoted(words)));
            let words = words.unwrap_or_else(|| ".".to_owned());
            let whose = if is_elsewhere(*status) {
                format!("What answers at {server} is not an api-server of this kind: it")
            } else {
                format!("The api-server at {server}")
            };
            format!("{whose} answered with status {status}{words}")
        }
        NetErrorKind::ClientUnusable(why) => {
            format!("The client of config.toml can't be used ({}); nothing was sent.", harmless(why, SHOWN))
        }
        NetErrorKind::ClientRefused(words) => {
            format!("The api-server at {server} does not accept this client: {}", quoted(words))
        }
        NetErrorKind::NotTheContract(answer) => unusable_answer(server, answer),
        NetErrorKind::Redirect => {
            format!("The api-server at {server} wanted to send us elsewhere; nothing was sent there.")
        }
        NetErrorKind::OtherSession => {
            format!("The api-server at {server} answered for another user; that answer was dropped.")
        }
        NetErrorKind::Rotating => {
            format!("The api-server at {server} is busy with another refresh of this session.")
        }
        NetErrorKind::Late => format!("The api-server at {server} says that the request came too late."),
        NetErrorKind::Limited(secs) => format!("The api-server at {server} asks to wait {}.", seconds(*secs)),
    }
}

/// So many seconds, as a sentence has them.
pub fn seconds(secs: u64) -> String {
    if secs == 1 { "1 second".to_owned() } else { format!("{secs} seconds") }
}

/// Whether no api-server answers so: its routes are not there.
fn is_elsewhere(status: u16) -> bool {
    matches!(status, 404 | 405 | 410 | 501)
}

/// What is wrong with an answer, and with which; nothing of what was in it.
fn unusable_answer(server: &str, answer: &UnusableAnswer) -> String {
    let seen = answer.seen.as_ref().map(|SeenAnswer { status, content_type }| {
        let kind = content_type.as_deref().map(|kind| harmless(kind, 60));
        format!(" (status {status}, {})", kind.as_deref().unwrap_or("no content type"))
    });
    let seen = seen.unwrap_or_default();
    let field = |name: &str| format!("`{}`", harmless(name, 60));
    match &answer.flaw {
        AnswerFlaw::OffTopic => {
            format!("The api-server at {server} answered something else than it was asked{seen}.")
        }
        AnswerFlaw::NeverAsked => {
            format!("Nothing was asked of {server}: everkey has no such request for its provider.")
        }
        AnswerFlaw::TooLong => {
            format!("What answers at {server} is not an api-server, or a broken one: over 64 KiB{seen}.")
        }
        AnswerFlaw::Empty => {
            format!("What answers at {server} is not an api-server, or a broken one: an empty answer{seen}.")
        }
        AnswerFlaw::NotJson => {
            format!("What answers at {server} is not an api-server, or a broken one: no JSON{seen}.")
        }
        AnswerFlaw::Damaged => {
            format!("The api-server at {server} sent JSON that is cut off or malformed{seen}.")
        }
        AnswerFlaw::NoObject => format!("The api-server at {server} sent JSON that is no object{seen}."),
        AnswerFlaw::Missing(name) => {
            format!("The api-server at {server} answered without {}{seen}.", field(name))
        }
        AnswerFlaw::WrongKind(name) => {
            format!("The api-server at {server} answered with {} of the wrong kind{seen}.", field(name))
        }
        AnswerFlaw::Unfit(name, why) => {
            format!("The api-server at {server} answered with an unusable {}: {why}{seen}.", field(name))
        }
    }
}

/// The network is to be checked only where nothing has answered.
pub fn net_hint(net: &NetError) -> Hint {
    match &net.kind {
        NetErrorKind::Connect(why) if is_an_answer(why) => Hint::CheckServer,
        NetErrorKind::Connect(_) | NetErrorKind::Timeout => Hint::CheckNetwork,
        NetErrorKind::Status(500 | 502..=599, _) => {
            "The server is to mend that; try again later, or look whether it runs as it should.".into()
        }
        NetErrorKind::Redirect
        | NetErrorKind::NotTheContract(_)
        | NetErrorKind::Status(..)
        | NetErrorKind::Broken
        | NetErrorKind::Cut => Hint::CheckServer,
        NetErrorKind::ClientUnusable(_) => {
            "Mend it; the session is kept, and the next try reads it anew.".into()
        }
        NetErrorKind::ClientRefused(_) => {
            "The session is kept. Check the profile's client id and secret; then `everkey refresh` tries again."
                .into()
        }
        NetErrorKind::Limited(_) => "Then try again.".into(),
        NetErrorKind::Rotating | NetErrorKind::Late | NetErrorKind::OtherSession => {
            "Nothing is lost: the agent asks again by itself. Try again in a minute.".into()
        }
    }
}

/// Whether the reason why there is no connection was somebody's answer: it speaks no TLS, or shows a certificate that does
/// not hold.
fn is_an_answer(why: &str) -> bool {
    ["certificate", "InvalidContentType", "received fatal alert", "corrupt message"]
        .iter()
        .any(|word| why.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(kind: NetErrorKind) -> (String, Hint) {
        let net = NetError { server: "https://a".to_owned(), kind };
        (unreachable(&net), net_hint(&net))
    }

    #[test]
    fn the_network_is_to_be_checked_only_where_nothing_answers() {
        let connect = |why: &str| NetErrorKind::Connect(why.to_owned());
        for kind in
            [connect("Connection refused (os error 111)"), connect("dns error"), NetErrorKind::Timeout]
        {
            assert_eq!(about(kind).1, Hint::CheckNetwork);
        }
        for kind in [
            connect("invalid peer certificate: Expired"),
            connect("received corrupt message of type InvalidContentType"),
            NetErrorKind::Broken,
            NetErrorKind::Cut,
            NetErrorKind::from(AnswerFlaw::NotJson),
            NetErrorKind::Redirect,
            NetErrorKind::OtherSession,
            NetErrorKind::Rotating,
            NetErrorKind::Late,
            NetErrorKind::Limited(1),
            NetErrorKind::Status(404, None),
            NetErrorKind::Status(502, None),
        ] {
            let (said, hint) = about(kind);
            assert_ne!(hint, Hint::CheckNetwork, "{said}");
        }
    }

    #[test]
    fn one_second_is_one() {
        assert_eq!(about(NetErrorKind::Limited(1)).0, "The api-server at https://a asks to wait 1 second.");
        assert_eq!(seconds(0), "0 seconds");
    }

    #[test]
    fn a_web_server_is_told_from_an_api_server() {
        let said = |status| about(NetErrorKind::Status(status, None)).0;
        assert_eq!(
            said(404),
            "What answers at https://a is not an api-server of this kind: it answered with status 404."
        );
        assert_eq!(said(502), "The api-server at https://a answered with status 502.");
        let words = Some("404 page not found".to_owned());
        assert!(about(NetErrorKind::Status(404, words)).0.ends_with("status 404: 404 page not found"));
    }

    #[test]
    fn each_flaw_of_an_answer_has_its_own_sentence() {
        let flaws = [
            AnswerFlaw::OffTopic,
            AnswerFlaw::NeverAsked,
            AnswerFlaw::TooLong,
            AnswerFlaw::Empty,
            AnswerFlaw::NotJson,
            AnswerFlaw::Damaged,
            AnswerFlaw::NoObject,
            AnswerFlaw::Missing("user.email".into()),
            AnswerFlaw::WrongKind("user.email".into()),
            AnswerFlaw::unfit("user.email", "it is empty"),
        ];
        let mut told = std::collections::BTreeSet::new();
        for flaw in flaws {
            let seen = SeenAnswer { status: 203, content_type: Some("text/x\u{1b}[2J".into()) };
            let kind = NetErrorKind::NotTheContract(UnusableAnswer { seen: Some(seen), flaw: flaw.clone() });
            let said = unreachable(&NetError { server: "https://a".into(), kind });
            assert!(said.contains("https://a") && said.ends_with('.'), "{said}");
            assert!(!said.contains(|c: char| c.is_control()), "{said:?}");
            let seen = said.contains("(status 203, text/x");
            assert!(seen || flaw == AnswerFlaw::NeverAsked, "{said}");
            assert!(told.insert(said.clone()), "twice: {said}");
        }
        let silent = SeenAnswer { status: 200, content_type: None };
        let kind = UnusableAnswer { seen: Some(silent), flaw: AnswerFlaw::Missing("device_code".into()) };
        let said =
            unreachable(&NetError { server: "https://a".into(), kind: NetErrorKind::NotTheContract(kind) });
        assert_eq!(
            said,
            "The api-server at https://a answered without `device_code` (status 200, no content type)."
        );
    }
}
