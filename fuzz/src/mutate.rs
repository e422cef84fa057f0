//! Small changes to known inputs, from a seed. No clock and no randomness of its own: the same seed, the same inputs.

/// A generator of numbers (SplitMix64).
pub struct Dice(u64);

impl Dice {
    /// Numbers from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap_or(0)
    }

    /// One of them.
    pub fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// What readers stumble over.
const TOKENS: &[&[u8]] = &[
    b"null",
    b"true",
    b"false",
    b"0",
    b"-1",
    b"1e20",
    b"1e999",
    b"-0.0",
    b"18446744073709551616",
    b"[]",
    b"{}",
    b"\"\"",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\n",
    b"\r",
    b"\t",
    b" ",
    b"\0",
    b"\x1b[31m",
    b"/",
    b"//",
    b"\\\\",
    b"@",
    b"?",
    b"#",
    b"%00",
    b"..",
    b"http://",
    b"https://",
    b"HTTP:",
    b"127.0.0.1",
    b"[::1]",
    b"localhost",
    b"0x7f.1",
    b":80",
    b":443",
    b"401",
    b"409",
    b"429",
    b"503",
    b"307",
    b"json",
    b"inf",
    b"NaN",
    b"invalid_grant",
    b"unauthorized",
    b"rate_limited",
    b"\"code\":\"unauthorized\"",
    b"\"attempt_consumed\":false",
    b"\xff\xff\xff\xff",
    b"\x00\x00\x01\x00",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x01",
    b"\xf0\x9f\x94\x91",
    b"\xc3\xa9",
    b"\xff",
];

/// No input grows beyond this, in bytes.
const LONGEST: usize = 16 * 1024;

/// A changed copy of one of `pool`.
pub fn mutate(dice: &mut Dice, pool: &[Vec<u8>]) -> Vec<u8> {
    let Some(start) = pool.get(dice.below(pool.len())) else { return Vec::new() };
    let mut input = start.clone();
    for _ in 0..=dice.below(4) {
        change(dice, &mut input, pool);
    }
    input.truncate(LONGEST);
    input
}

fn change(dice: &mut Dice, input: &mut Vec<u8>, pool: &[Vec<u8>]) {
    let at = dice.below(input.len() + 1);
    let end = (at + dice.below(16)).min(input.len());
    match dice.below(9) {
        0 if at < input.len() => input[at] ^= 1 << dice.below(8),
        1 if at < input.len() => {
            input[at] = dice.one_of(&[&0_u8, &1, &0x7f, &0x80, &0xff, &b'"', &b'0', &b' ']).to_owned()
        }
        2 => input.truncate(at),
        3 => drop(input.drain(at..end)),
        4 => {
            let again = input[at..end].to_vec();
            input.splice(at..at, again);
        }
        5 => drop(input.splice(at..end, dice.one_of(TOKENS).to_vec())),
        6 => {
            let other = &pool[dice.below(pool.len())];
            let from = dice.below(other.len() + 1);
            input.truncate(at);
            input.extend(&other[from..]);
        }
        7 => swap_digit(dice, input, at),
        _ => drop(input.splice(at..at, dice.one_of(TOKENS).to_vec())),
    }
}

/// Changes the next digit: numbers in text are where clamps are forgotten.
fn swap_digit(dice: &mut Dice, input: &mut [u8], from: usize) {
    if let Some(digit) = input[from..].iter_mut().find(|byte| byte.is_ascii_digit()) {
        *digit = b"0123456789-e."[dice.below(13)];
    }
}
