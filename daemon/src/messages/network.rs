//! What is wrong between here and an api-server, in words.

use everkey_proto::Code;
use everkey_proto::reply::Hint;
use everkey_proto::text::harmless;
use everkey_session::{NetError, NetErrorKind};

/// How many characters of a server's own words are shown.
pub const SHOWN: usize = 120;

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
            format!("Could not reach the api-server at {server} ({}).", harmless(why, SHOWN))
        }
        NetErrorKind::Timeout => format!("The api-server at {server} did not answer in time."),
        NetErrorKind::Broken => format!("The connection to the api-server at {server} broke."),
        NetErrorKind::Cut => {
            format!("The connection to the api-server at {server} broke in the middle of its answer.")
        }
        NetErrorKind::Status(status, None) => {
            format!("The api-server at {server} answered with status {status}.")
        }
        NetErrorKind::Status(status, Some(words)) => {
            format!("The api-server at {server} answered with status {status}: {}", harmless(words, SHOWN))
        }
        NetErrorKind::ClientUnusable(why) => {
            format!("The client of config.toml can't be used ({}); nothing was sent.", harmless(why, SHOWN))
        }
        NetErrorKind::ClientRefused(words) => {
            format!("The api-server at {server} does not accept this client: {}", harmless(words, SHOWN))
        }
        NetErrorKind::NotTheContract => {
            format!("What answers at {server} is not an api-server, or a broken one.")
        }
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
        NetErrorKind::Limited(secs) => format!("The api-server at {server} asks to wait {secs} seconds."),
    }
}

pub fn net_hint(net: &NetError) -> Hint {
    match net.kind {
        NetErrorKind::Redirect | NetErrorKind::NotTheContract => Hint::CheckServer,
        NetErrorKind::ClientUnusable(_) => {
            "Mend it; the session is kept, and the next try reads it anew.".into()
        }
        NetErrorKind::ClientRefused(_) => {
            "The session is kept. Check the profile's client id and secret; then `everkey refresh` tries again."
                .into()
        }
        _ => Hint::CheckNetwork,
    }
}
