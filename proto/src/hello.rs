//! The hello: the first frame each way. Its layout is frozen for ever, so it is written by hand:
//! three little-endian `u16`, then a `u16` length and that many bytes of UTF-8 name.

/// What a client says first: the versions it speaks and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHello {
    /// The oldest version the client speaks.
    pub oldest: u16,
    /// The newest version the client speaks.
    pub newest: u16,
    /// What the program calls itself, for the access log. Nobody checks it.
    pub name: String,
}

/// What the agent answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentHello {
    /// The version both will speak from now on; 0 when there is none in common.
    pub chosen: u16,
    /// The oldest version the agent speaks.
    pub oldest: u16,
    /// The newest version the agent speaks.
    pub newest: u16,
    /// The agent and its version, for the message about what to upgrade.
    pub name: String,
}

/// The bytes are not a hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a hello")]
pub struct NotAHello;

/// The longest name that is kept, in bytes.
const NAME_CAP: usize = 64;

/// The largest hello body, in bytes.
pub const HELLO_CAP: usize = 8 + NAME_CAP;

impl ClientHello {
    /// This build's hello under the given program name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { oldest: crate::OLDEST, newest: crate::VERSION, name: name.into() }
    }

    /// The frame body.
    pub fn encode(&self) -> Vec<u8> {
        encode([self.oldest, self.newest, 0], &self.name)
    }

    /// Reads a frame body; anything but the exact layout is refused.
    pub fn decode(body: &[u8]) -> Result<Self, NotAHello> {
        let ([oldest, newest, _], name) = decode(body)?;
        Ok(Self { oldest, newest, name })
    }
}

impl AgentHello {
    /// The agent's answer to a client that speaks `oldest..=newest`: the newest common version, or 0.
    pub fn answer(client: &ClientHello, name: impl Into<String>) -> Self {
        let newest = client.newest.min(crate::VERSION);
        let common = newest >= client.oldest.max(crate::OLDEST);
        Self {
            chosen: if common { newest } else { 0 },
            oldest: crate::OLDEST,
            newest: crate::VERSION,
            name: name.into(),
        }
    }

    /// The frame body.
    pub fn encode(&self) -> Vec<u8> {
        encode([self.chosen, self.oldest, self.newest], &self.name)
    }

    /// Reads a frame body; anything but the exact layout is refused.
    pub fn decode(body: &[u8]) -> Result<Self, NotAHello> {
        let ([chosen, oldest, newest], name) = decode(body)?;
        Ok(Self { chosen, oldest, newest, name })
    }
}

fn encode(numbers: [u16; 3], name: &str) -> Vec<u8> {
    let mut end = name.len().min(NAME_CAP);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let mut body: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
    body.extend((end as u16).to_le_bytes());
    body.extend(&name.as_bytes()[..end]);
    body
}

fn decode(body: &[u8]) -> Result<([u16; 3], String), NotAHello> {
    let (fixed, name) = body.split_first_chunk::<8>().ok_or(NotAHello)?;
    let number = |i: usize| u16::from_le_bytes([fixed[i], fixed[i + 1]]);
    if name.len() != usize::from(number(6)) || name.len() > NAME_CAP {
        return Err(NotAHello);
    }
    let name = std::str::from_utf8(name).map_err(|_| NotAHello)?;
    Ok(([number(0), number(2), number(4)], name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_frozen() {
        let body = ClientHello { oldest: 1, newest: 2, name: "ab".into() }.encode();
        assert_eq!(body, [1, 0, 2, 0, 0, 0, 2, 0, b'a', b'b']);
        let body = AgentHello { chosen: 1, oldest: 1, newest: 3, name: "k".into() }.encode();
        assert_eq!(body, [1, 0, 1, 0, 3, 0, 1, 0, b'k']);
    }

    #[test]
    fn d09_versions_meet_or_are_refused() {
        let client = |oldest, newest| ClientHello { oldest, newest, name: String::new() };
        assert_eq!(AgentHello::answer(&client(1, 1), "").chosen, 1);
        assert_eq!(AgentHello::answer(&client(1, 9), "").chosen, crate::VERSION);
        assert_eq!(AgentHello::answer(&client(9, 9), "").chosen, 0);
        assert_eq!(AgentHello::answer(&client(0, 0), "").chosen, 0);
    }

    #[test]
    fn garbage_and_long_names_are_refused_or_cut() {
        assert_eq!(ClientHello::decode(b""), Err(NotAHello));
        assert_eq!(ClientHello::decode(&[0; 9]), Err(NotAHello));
        let long = ClientHello::new("é".repeat(100));
        let read = ClientHello::decode(&long.encode()).unwrap();
        assert_eq!(read.name, "é".repeat(32));
        assert!(long.encode().len() <= HELLO_CAP);
    }
}
