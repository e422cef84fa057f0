//! Hello bodies and what agent and client agree on.

use crate::{measure, reach};
use everkey_proto::hello::{AgentHello, ClientHello, HELLO_CAP};
use everkey_proto::{OLDEST, VERSION};

/// A hello body, read as either side's.
pub fn bodies(input: &[u8]) {
    client(input);
    agent(input);
}

/// A client's hello: what is read is written again, and the answer lies within what both speak.
pub fn client(body: &[u8]) -> Option<AgentHello> {
    let hello = measure::within(HELLO_CAP, || ClientHello::decode(body)).ok()?;
    reach::deep();
    assert!(body.len() <= HELLO_CAP, "a hello over its cap was read");
    let again = hello.encode();
    // Two bytes are reserved: whatever a client puts there means nothing yet.
    assert_eq!((&again[..4], &again[6..]), (&body[..4], &body[6..]), "not written as it was read");
    assert_eq!(ClientHello::decode(&again), Ok(hello.clone()));

    let answer = AgentHello::answer(&hello, "everkeyd");
    let common = (OLDEST.max(hello.oldest)..=VERSION.min(hello.newest)).max();
    assert_eq!(answer.chosen, common.unwrap_or(0), "not the newest common version");
    assert_eq!((answer.oldest, answer.newest), (OLDEST, VERSION));
    Some(answer)
}

/// The agent's hello: what is read is written again.
pub fn agent(body: &[u8]) -> Option<AgentHello> {
    let hello = measure::within(HELLO_CAP, || AgentHello::decode(body)).ok()?;
    reach::deep();
    assert!(body.len() <= HELLO_CAP, "a hello over its cap was read");
    assert_eq!(hello.encode(), body, "not written as it was read");
    Some(hello)
}
