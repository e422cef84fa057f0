//! Text from a server in what people read (S01).

use super::answers::harmless;
use crate::reach;
use everkey_daemon::messages;
use everkey_session::{Error, NetError, NetErrorKind, Rejected};

/// The input as whatever a server or a library says in its own words.
pub fn sentences(input: &[u8]) {
    let text = String::from_utf8_lossy(input).into_owned();
    let refused = NetError { server: "https://a".to_owned(), kind: NetErrorKind::Connect(text.clone()) };
    let of = |kind| Error::Net(NetError { server: "https://a".to_owned(), kind });
    for trouble in [
        Error::Rejected(Rejected::Other(text.clone())),
        Error::Net(refused),
        of(NetErrorKind::ClientRefused(text.clone())),
        of(NetErrorKind::Status(500, Some(text))),
    ] {
        let said = messages::failure(&trouble);
        harmless(&said.message);
        harmless(&format!("{:?}", said.hint));
    }
    reach::deep();
}
