//! Cases of the corpus made into texts. A secret stands between `{{` and `}}`; `<hex 32>` and its like are drawn anew
//! each time, and `<>` is nothing: it keeps scanners from taking the corpus for a leak.

use base64::Engine;

/// A text, and the secrets in it.
pub struct Case {
    pub group: String,
    pub text: String,
    pub secrets: Vec<String>,
}

/// The same numbers on every machine.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    pub fn of(&mut self, alphabet: &str, length: usize) -> String {
        (0..length).map(|_| char::from(alphabet.as_bytes()[self.below(alphabet.len())])).collect()
    }
}

const DIGITS: &str = "0123456789";
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const WORDS: [&str; 16] = [
    "abandon", "bridge", "copper", "dragon", "eagle", "forest", "garden", "hammer", "island", "jungle",
    "kitten", "lemon", "mirror", "nephew", "orange", "puzzle",
];

/// Reads `group<TAB>text`.
pub fn case(line: &str, dice: &mut Dice) -> Case {
    let (group, pattern) = line.split_once('\t').unwrap();
    let mut case = Case { group: group.to_owned(), text: String::new(), secrets: Vec::new() };
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("{{") {
        let (secret, after) = after.split_once("}}").unwrap();
        let secret = drawn(secret, dice);
        case.text += &drawn(before, dice);
        case.text += &secret;
        case.secrets.push(secret);
        rest = after;
    }
    case.text += &drawn(rest, dice);
    case.text.push('\n');
    case
}

fn drawn(pattern: &str, dice: &mut Dice) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some(start) = rest.find('<') {
        let end = rest[start..].find('>').map(|end| start + end);
        let made = end.and_then(|end| made(&rest[start + 1..end], dice));
        text += &rest[..start];
        match (made, end) {
            (Some(made), Some(end)) => {
                text += &made;
                rest = &rest[end + 1..];
            }
            _ => {
                text.push('<');
                rest = &rest[start + 1..];
            }
        }
    }
    text + rest
}

/// What a name between angle brackets stands for, if it is one of ours.
fn made(name: &str, dice: &mut Dice) -> Option<String> {
    let (name, length) = name.split_once(' ').unwrap_or((name, "0"));
    let length = length.parse().ok()?;
    let alphabet = |more: &str| format!("{LETTERS}{DIGITS}{more}");
    Some(match name {
        "" => String::new(),
        "nl" => "\n".to_owned(),
        "esc" => "\u{1b}".to_owned(),
        "nbsp" => "\u{a0}".to_owned(),
        "nul" => "\0".to_owned(),
        "hex" if length > 0 => dice.of("0123456789abcdef", length),
        "w" if length > 0 => dice.of(&alphabet(""), length),
        "u" if length > 0 => dice.of(&alphabet("-_"), length - 2) + &dice.of(&alphabet(""), 2),
        "b" if length > 0 => dice.of(&alphabet("+/"), length - 2) + &dice.of(&alphabet(""), 2),
        "A" if length > 0 => dice.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length),
        "d" if length > 0 => dice.of("123456789", 1) + &dice.of(DIGITS, length - 1),
        "words" => (0..length).map(|_| WORDS[dice.below(WORDS.len())]).collect::<Vec<_>>().join(" "),
        "uuid" => {
            let mut hex = |length| dice.of("0123456789abcdef", length);
            format!("{}-{}-4{}-a{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12))
        }
        "pw" => password(dice),
        "basic" => base64::engine::general_purpose::STANDARD.encode(format!("ada:{}", password(dice))),
        _ => return None,
    })
}

/// As people choose them, and as machines do.
fn password(dice: &mut Dice) -> String {
    let word = WORDS[dice.below(WORDS.len())];
    let signs = dice.of("!_-.+*^", 1);
    match dice.below(8) {
        0 => format!("{word}{}", dice.of(DIGITS, 2)),
        1 => format!("{}{word}{signs}", dice.of(LETTERS, 2)),
        2 => format!("{word}-{}-{}", WORDS[dice.below(16)], WORDS[dice.below(16)]),
        3 => dice.of(LETTERS, 14),
        4 => format!("{}{signs}{}", dice.of(LETTERS, 6), dice.of(DIGITS, 4)),
        5 => dice.of("abcdefghijklmnopqrstuvwxyz0123456789", 24),
        6 => format!("{word}{}", WORDS[dice.below(16)]),
        _ => dice.of(&format!("{LETTERS}{DIGITS}"), 12),
    }
}
