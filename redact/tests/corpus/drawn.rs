//! Passwords and tokens drawn by lot, in every place where such things are written. The same ones on every machine.

use crate::grammar::Dice;
use everkey_redact::text;
use serde_json::{Value, json};

const DRAWS: usize = 400;

const WORD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const COMMON: [&str; 40] = [
    "correct", "horse", "and", "battery", "the", "you", "can", "not", "guess", "this", "is", "river", "to",
    "my", "for", "green", "of", "a", "in", "tall", "people", "with", "stone", "that", "has", "never", "one",
    "winter", "at", "home", "or", "money", "was", "are", "big", "yellow", "who", "an", "door", "must",
];

/// What is drawn, and how many of it may be missed where it is written.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// As password managers draw them by default.
    Password,
    /// With every sign that a keyboard has.
    Signs,
    /// Common words with spaces.
    Words,
    Base64,
    Hex,
}

impl Kind {
    fn draw(self, dice: &mut Dice) -> String {
        let length = |dice: &mut Dice, least, most| least + dice.below(most - least);
        match self {
            Self::Password => {
                let length = length(dice, 10, 20);
                dice.of(&format!("{WORD}!@#$%^&*-_"), length)
            }
            Self::Signs => {
                let length = length(dice, 10, 20);
                let printable: String = ('!'..='~').collect();
                dice.of(&printable, length)
            }
            Self::Words => {
                (0..4 + dice.below(3)).map(|_| COMMON[dice.below(40)]).collect::<Vec<_>>().join(" ")
            }
            Self::Base64 => {
                let length = length(dice, 24, 44);
                dice.of(&format!("{WORD}+/"), length)
            }
            Self::Hex => {
                let length = length(dice, 24, 64);
                dice.of("0123456789abcdef", length)
            }
        }
    }
}

/// A place, the kinds that are written there, and how many of a thousand may be read in what comes out.
struct Place {
    name: &'static str,
    kinds: &'static [(Kind, usize)],
    write: fn(&str) -> String,
    json: bool,
}

use Kind::{Base64, Hex, Password, Signs, Words};

/// As YAML and shells have it: in quotes if it must be.
fn quoted(secret: &str) -> String {
    format!("'{}'", secret.replace('\'', "''"))
}

fn plain_yaml(secret: &str) -> String {
    let plain = !secret.starts_with(|c: char| "!&*{[|>%@`\"'#,?:-]}".contains(c))
        && !secret.contains(" #")
        && !secret.contains(": ");
    if plain { secret.to_owned() } else { quoted(secret) }
}

fn encoded(secret: &str, stays: &str) -> String {
    let sign = |c: char| {
        if c.is_ascii_alphanumeric() || stays.contains(c) {
            c.to_string()
        } else {
            format!("%{:02X}", u32::from(c))
        }
    };
    secret.chars().map(sign).collect()
}

const ALL: &[(Kind, usize)] = &[(Password, 0), (Signs, 5), (Base64, 0), (Hex, 0)];
const QUOTED: &[(Kind, usize)] = &[(Password, 0), (Signs, 0), (Words, 60), (Base64, 0), (Hex, 0)];

const PLACES: &[Place] = &[
    Place { name: "env", kinds: ALL, json: false, write: |s| format!("A=1\nDB_PASSWORD={s}\nB=2\n") },
    Place { name: "export", kinds: ALL, json: false, write: |s| format!("export DB_PASSWORD={s}\n") },
    Place {
        name: "env in quotes",
        kinds: &[(Password, 0), (Words, 60), (Base64, 0)],
        json: false,
        write: |s| format!("DB_PASSWORD=\"{s}\"\n"),
    },
    Place {
        name: "env of tokens",
        kinds: &[(Base64, 0), (Hex, 0)],
        json: false,
        write: |s| format!("AWS_SECRET_ACCESS_KEY={s}\nAPI_TOKEN={s}\n"),
    },
    Place {
        name: "json",
        kinds: QUOTED,
        json: true,
        write: |s| json!({ "user": "ada", "password": s, "n": 1 }).to_string(),
    },
    Place {
        name: "json of an environment",
        kinds: ALL,
        json: true,
        write: |s| {
            json!({ "Env": [format!("DB_PASSWORD={s}"), "PATH=/usr/bin"], "State": "dead" }).to_string()
        },
    },
    Place {
        name: "json of tokens",
        kinds: &[(Base64, 0), (Hex, 0)],
        json: true,
        write: |s| json!({ "Env": [format!("API_TOKEN={s}"), "x"], "n": [{ "api_key": s }] }).to_string(),
    },
    Place {
        name: "json of a command",
        kinds: ALL,
        json: true,
        write: |s| json!({ "msg": format!("export DB_PASSWORD={s}"), "n": 1 }).to_string(),
    },
    Place {
        name: "json of a log line",
        kinds: ALL,
        json: true,
        write: |s| json!({ "msg": format!("user=bob password={s} ok"), "n": 1 }).to_string(),
    },
    Place {
        name: "json in json",
        kinds: QUOTED,
        json: true,
        write: |s| json!({ "log": json!({ "password": s, "n": 1 }).to_string(), "n": 1 }).to_string(),
    },
    Place {
        name: "yaml",
        kinds: ALL,
        json: false,
        write: |s| format!("db:\n  password: {}\n  n: 1\n", plain_yaml(s)),
    },
    Place {
        name: "log",
        kinds: ALL,
        json: false,
        write: |s| format!("12:00 INFO user=bob password={s} ok\n"),
    },
    Place {
        name: "log in colours",
        kinds: ALL,
        json: false,
        write: |s| format!("\u{1b}[32mINFO\u{1b}[0m \u{1b}[3mpassword\u{1b}[0m\u{1b}[2m=\u{1b}[0m{s} ok\n"),
    },
    Place {
        name: "command line",
        kinds: &[(Password, 0), (Signs, 0), (Words, 60), (Base64, 0), (Hex, 0)],
        json: false,
        write: |s| format!("tool --password {} --user ada\n", quoted(s)),
    },
    Place {
        name: "arguments",
        kinds: ALL,
        json: false,
        write: |s| format!("/usr/bin/tool --password={s} --user ada\n"),
    },
    Place {
        name: "arguments without quotes",
        kinds: &[(Password, 60), (Base64, 0), (Hex, 0)],
        json: false,
        write: |s| format!("/usr/bin/tool --password {s} --user ada\n"),
    },
    Place {
        name: "url",
        kinds: &[(Password, 0), (Hex, 0)],
        json: false,
        write: |s| format!("GET https://ada:{s}@db.example.com/x\n"),
    },
    Place {
        name: "url, encoded",
        kinds: ALL,
        json: false,
        write: |s| format!("GET https://ada:{}@db.example.com/x\n", encoded(s, "-_.~!$*")),
    },
    Place {
        name: "query",
        kinds: ALL,
        json: false,
        write: |s| format!("GET /login?user=ada&password={}&n=1 200\n", encoded(s, "-_.~!*")),
    },
];

const PART: usize = 8;

/// Whether the whole or eight characters in a row can be read.
fn leaks(written: &str, secret: &str, out: &str) -> bool {
    let parts = |of: &str| {
        let bytes = of.as_bytes();
        (0..(bytes.len() + 1).saturating_sub(PART)).any(|at| {
            std::str::from_utf8(&bytes[at..at + PART])
                .is_ok_and(|part| written.contains(part) && out.contains(part))
        })
    };
    out.contains(secret) || parts(secret)
}

#[test]
fn what_is_drawn_by_lot_is_found_wherever_it_stands() {
    let mut report = String::new();
    let mut wrong = false;
    for (at, place) in PLACES.iter().enumerate() {
        for (kind_at, (kind, allowed)) in place.kinds.iter().enumerate() {
            let mut dice = Dice::new((at * 10 + kind_at) as u64);
            let mut missed = Vec::new();
            let mut all_whole = true;
            for _ in 0..DRAWS {
                let secret = kind.draw(&mut dice);
                let written = (place.write)(&secret);
                let out = text(&written);
                let broken = place.json && !is_same_json(&written, &out);
                all_whole &= !broken;
                if broken || leaks(&written, &secret, &out) {
                    missed.push(format!("    {}\n    {}\n", written.trim_end(), out.trim_end()));
                }
            }
            if !all_whole || missed.len() * 1000 > allowed * DRAWS {
                wrong = true;
                report += &format!(
                    "{}: {} of {DRAWS} missed\n{}",
                    place.name,
                    missed.len(),
                    missed[..missed.len().min(4)].concat()
                );
            }
        }
    }
    assert!(!wrong, "{report}");
}

/// Whether both are JSON with the same shape: lists as long, objects with the same keys, the same numbers.
pub fn is_same_json(before: &str, after: &str) -> bool {
    fn same(before: &Value, after: &Value) -> bool {
        match (before, after) {
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
            }
            (Value::String(_), Value::String(_)) => true,
            (Value::Number(_), Value::String(marker)) => marker.starts_with("[redacted:"),
            (a, b) => a == b,
        }
    }
    match (serde_json::from_str(before), serde_json::from_str(after)) {
        (Ok(before), Ok(after)) => same(&before, &after),
        _ => false,
    }
}
