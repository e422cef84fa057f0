//! Frame bodies: requests and replies, and the same messages as JSON lines.

use super::sentence;
use crate::{measure, reach};
use everkey_proto::codec::{self, CodecError};
use everkey_proto::frame::{self, REPLY_CAP, REQUEST_CAP};
use everkey_proto::json::{self, ReplyLine};
use everkey_proto::reply::Token;
use everkey_proto::request::{ProfileRequest, SessionRequest};
use everkey_proto::{Entry, Reply, Request, Secret};

/// A request's body.
pub fn request(body: &[u8]) {
    let request = match measure::within(REQUEST_CAP, || codec::decode_request(body)) {
        Ok(request) => request,
        Err(e) => return no_echo(e),
    };
    reach::deep();
    assert!(body.len() <= REQUEST_CAP, "a request over its cap was read");
    let again = codec::encode_request(&request).unwrap_or_default();
    assert_eq!(codec::decode_request(&again).as_ref(), Ok(&request), "not written as it was read");
    only_whole(body, |body| codec::decode_request(body).is_ok());
    if let Some(grown) = grown(body, REQUEST_CAP) {
        assert_eq!(
            codec::decode_request(&grown).as_ref(),
            Ok(&request),
            "an appended field was not passed over"
        );
    }
    request_as_line(&request);
}

/// A reply's body.
pub fn reply(body: &[u8]) {
    let reply = match measure::within(REPLY_CAP, || codec::decode_reply(body)) {
        Ok(reply) => reply,
        Err(e) => return no_echo(e),
    };
    reach::deep();
    assert!(body.len() <= REPLY_CAP, "a reply over its cap was read");
    let again = codec::encode_reply(&reply).unwrap_or_default();
    assert_eq!(codec::decode_reply(&again).as_ref(), Ok(&reply), "not written as it was read");
    only_whole(body, |body| codec::decode_reply(body).is_ok());
    // What an older agent wrote lacks what was appended since: bytes at its end would be read as that.
    if let Some(grown) = grown(&again, REPLY_CAP) {
        assert_eq!(codec::decode_reply(&grown).as_ref(), Ok(&reply), "an appended field was not passed over");
    }
    reply_as_line(&reply);
}

/// Whatever can be asked can be asked in JSON, in one line, and shows no secret when printed.
pub(super) fn request_as_line(request: &Request) {
    let line = json::write_request(request);
    assert_eq!(json::read_request(one_line(&line)).as_ref(), Ok(request), "not the same as JSON");
    let mut other = request.clone();
    if let Request::Profile { request, .. } = &mut other
        && let ProfileRequest::Session(
            SessionRequest::Answer { entry: Entry::Text(secret) | Entry::Code { code: secret, .. }, .. }
            | SessionRequest::Inspect { token: Some(secret) },
        ) = request
    {
        *secret = Secret::new("something else");
    }
    assert_eq!(format!("{request:?}"), format!("{other:?}"), "printing depends on a secret");
}

/// Whatever can be replied can be replied in JSON, in one line, and shows no secret when printed.
pub(super) fn reply_as_line(reply: &Reply) {
    let line = json::write(&ReplyLine::from(reply.clone()));
    assert_eq!(json::read_reply(one_line(&line)).as_ref(), Ok(reply), "not the same as JSON");
    let mut other = reply.clone();
    if let Reply::Token(Token { access_token, .. }) = &mut other {
        *access_token = Secret::new("something else");
    }
    assert_eq!(format!("{reply:?}"), format!("{other:?}"), "printing depends on a secret");
}

/// A message that came as JSON fits into a frame and is the same there.
pub(super) fn request_in_frame(request: &Request) {
    let body = codec::encode_request(request).unwrap_or_default();
    assert!(frame::enclose(&body, REQUEST_CAP).is_ok(), "a line within the cap does not fit into a frame");
    assert_eq!(codec::decode_request(&body).as_ref(), Ok(request), "not the same in a frame");
}

/// A reply that came as JSON is the same in a frame.
pub(super) fn reply_in_frame(reply: &Reply) {
    let body = codec::encode_reply(reply).unwrap_or_default();
    assert_eq!(codec::decode_reply(&body).as_ref(), Ok(reply), "not the same in a frame");
}

fn one_line(line: &[u8]) -> &[u8] {
    let inside = line.strip_suffix(b"\n").unwrap_or_default();
    assert!(!inside.is_empty() && !inside.contains(&b'\n'), "not one line");
    inside
}

/// A message less a byte, or with one more, is none.
fn only_whole(body: &[u8], is_message: impl Fn(&[u8]) -> bool) {
    assert!(!is_message(&body[..body.len() - 1]), "a message less a byte was read");
    assert!(!is_message(&[body, &[0]].concat()), "a message and a byte were read");
}

/// The message as a newer peer would write it: with a byte more in the record of its outermost variant, which follows
/// two bytes of the variant's number.
fn grown(body: &[u8], cap: usize) -> Option<Vec<u8>> {
    let length = u32::try_from(body.len() - 6 + 1).ok().filter(|_| body.len() < cap)?;
    Some([&body[..2], &length.to_le_bytes(), &body[6..], &[7]].concat())
}

fn no_echo(e: CodecError) {
    let said = sentence(e);
    match e {
        CodecError::Malformed => assert_eq!(said, "not a message of this protocol version"),
        CodecError::Unknown { name, .. } => assert_eq!(said, format!("this build knows no {name} number ")),
        CodecError::TooLong => unreachable!("nothing was written"),
    }
}
