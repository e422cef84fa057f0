//! What is logged of an answer that can't be used: what was asked, its status and type, and why. Nothing of its body,
//! so nothing of the server's words either.

use crate::http::HttpResponse;
use crate::messages::failure;
use everkey_proto::text::harmless;
use everkey_session::{
    Error, Identity, LoginAnswer, NetError, NetErrorKind, ProbeAnswer, RefreshAnswer, Rejected, RevokeAnswer,
};

/// An answer that may say why it can't be used.
pub trait Refusable {
    fn error(&self) -> Option<Error>;
}

impl Refusable for LoginAnswer {
    fn error(&self) -> Option<Error> {
        match self {
            Self::Net(net) => Some(Error::Net(net.clone())),
            Self::Rejected(rejected) => Some(Error::Rejected(rejected.clone())),
            Self::Limited(secs) => Some(Error::RateLimited { secs: *secs }),
            Self::Identified(identity) => identity.error(),
            Self::CodeSent { .. }
            | Self::SecondFactorAsked
            | Self::Discovered(_)
            | Self::Registered(_)
            | Self::DeviceStarted { .. }
            | Self::Pending
            | Self::SlowDown
            | Self::Granted(_) => None,
        }
    }
}

impl Refusable for Identity {
    fn error(&self) -> Option<Error> {
        match self {
            Self::Net(net) => Some(Error::Net(net.clone())),
            Self::Limited(secs) => Some(Error::RateLimited { secs: *secs }),
            Self::Accepted { .. } | Self::Refused | Self::Untold => None,
        }
    }
}

impl Refusable for RefreshAnswer {
    fn error(&self) -> Option<Error> {
        match self {
            Self::RefusedInWords(net) | Self::Declined(net) | Self::Unclear(net) => {
                Some(Error::Net(net.clone()))
            }
            Self::Granted(_) | Self::Foreign | Self::Refused | Self::Rotating | Self::Late => None,
        }
    }
}

impl Refusable for ProbeAnswer {
    fn error(&self) -> Option<Error> {
        match self {
            Self::Unclear(net) => Some(Error::Net(net.clone())),
            Self::Generation(_) | Self::Refused | Self::NoRoute => None,
        }
    }
}

impl Refusable for RevokeAnswer {
    fn error(&self) -> Option<Error> {
        match self {
            Self::Net(net) => Some(Error::Net(net.clone())),
            Self::Declined(code) => Some(Error::Rejected(Rejected::Other(code.clone()))),
            Self::Confirmed | Self::Refused | Self::NoRoute => None,
        }
    }
}

/// Logs why, if it can't be used, and hands it on.
pub fn noted<Read: Refusable>(asked: &'static str, answer: &HttpResponse, read: Read) -> Read {
    if let Some(error) = read.error() {
        let content_type = answer.content_type.as_deref().map(|kind| harmless(kind, 60)).unwrap_or_default();
        let (server, status, why) = (&answer.server, answer.status, why(&error));
        tracing::debug!(asked, server, status, content_type, why, "an answer can't be used");
    }
    read
}

/// The same of an answer that did not arrive whole.
pub fn noted_broken(asked: &'static str, error: NetError) -> NetError {
    let why = why(&Error::Net(error.clone()));
    tracing::debug!(asked, server = error.server, why, "no answer");
    error
}

/// The sentence that people read, without the server's words.
fn why(error: &Error) -> String {
    let message = |error: &Error| failure(error).message;
    let net = |server: &str, kind| message(&Error::Net(NetError { server: server.to_owned(), kind }));
    match error {
        Error::Net(NetError { server, kind: NetErrorKind::Status(status, _) }) => {
            net(server, NetErrorKind::Status(*status, None))
        }
        Error::Net(NetError { server, kind: NetErrorKind::ClientRefused(_) }) => {
            net(server, NetErrorKind::ClientRefused("in its own words".to_owned()))
        }
        // A field's name, or a sentence of everkey's own, stands before what the server wrote.
        Error::Rejected(Rejected::Metadata(what)) => {
            let what = what.split(':').next().unwrap_or_default();
            message(&Error::Rejected(Rejected::Metadata(what.to_owned())))
        }
        Error::Rejected(Rejected::Issuer(_)) => {
            "The server calls itself otherwise than it was called.".to_owned()
        }
        Error::Rejected(
            Rejected::Other(_) | Rejected::Answered(..) | Rejected::Registration(_) | Rejected::Client(_),
        ) => "The api-server refused.".to_owned(),
        other => message(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_session::AnswerFlaw;

    #[test]
    fn no_word_of_a_server_is_logged() {
        let net = |kind| Error::Net(NetError { server: "https://a".to_owned(), kind });
        for error in [
            net(NetErrorKind::Status(400, Some("hunter2".to_owned()))),
            net(NetErrorKind::ClientRefused("hunter2".to_owned())),
            Error::Rejected(Rejected::Metadata("token_endpoint: hunter2 is not https".to_owned())),
            Error::Rejected(Rejected::Issuer("hunter2".to_owned())),
            Error::Rejected(Rejected::Other("hunter2".to_owned())),
            Error::Rejected(Rejected::Answered(400, "hunter2".to_owned())),
            Error::Rejected(Rejected::Registration("hunter2".to_owned())),
            Error::Rejected(Rejected::Client("hunter2".to_owned())),
        ] {
            assert!(!why(&error).contains("hunter2"), "{}", why(&error));
        }
        let missing = net(AnswerFlaw::Missing("device_code".to_owned()).into());
        assert!(why(&missing).contains("`device_code`"));
        let endpoint = Error::Rejected(Rejected::Metadata("token_endpoint: x".to_owned()));
        assert!(why(&endpoint).contains("token_endpoint"));
    }
}
