//! Whole binary streams, as either side reads them: magic, hello, then frames. Mirrors `daemon/src/conn/`.

use super::{hello, messages, sentence};
use crate::measure;
use everkey_proto::frame::{self, MAGIC, REPLY_CAP, REQUEST_CAP};
use everkey_proto::hello::HELLO_CAP;

/// What a client sends.
pub fn agent_reads(input: &[u8]) {
    let Some(mut rest) = input.strip_prefix(&MAGIC) else { return };
    let Some(answer) = next(&mut rest, HELLO_CAP).and_then(hello::client) else { return };
    if answer.chosen == 0 {
        return;
    }
    while let Some(body) = next(&mut rest, REQUEST_CAP) {
        messages::request(body);
    }
}

/// What the agent sends.
pub fn client_reads(input: &[u8]) {
    let mut rest = input;
    if next(&mut rest, HELLO_CAP).and_then(hello::agent).is_none() {
        return;
    }
    while let Some(body) = next(&mut rest, REPLY_CAP) {
        messages::reply(body);
    }
}

/// The next frame's body. A length is believed only within 1..=`cap`, and before anything is allocated.
fn next<'a>(rest: &mut &'a [u8], cap: usize) -> Option<&'a [u8]> {
    let (header, after) = rest.split_first_chunk::<4>()?;
    let announced = u32::from_le_bytes(*header) as usize;
    let len = match measure::within(0, || frame::body_len(*header, cap)) {
        Ok(len) => len,
        Err(e) => {
            assert!(announced == 0 || announced > cap, "{announced} bytes were refused");
            let said = ["an empty frame", "a frame of  bytes is over the limit of "];
            assert!(said.contains(&sentence(e).as_str()), "{e}");
            return None;
        }
    };
    assert!(len == announced && (1..=cap).contains(&len), "{announced} bytes were announced, {len} believed");
    let (body, after) = after.split_at_checked(len)?;
    assert_eq!(frame::enclose(body, cap).as_deref(), Ok(&rest[..4 + len]), "not written as it was read");
    assert!(frame::enclose(body, len - 1).is_err(), "a frame over its cap was written");
    *rest = after;
    Some(body)
}
