//! JSON put together from what is hard for a reader of texts: quotes, backslashes, names of secrets, brackets, colours.

use crate::drawn::is_same_json;
use crate::grammar::Dice;
use everkey_redact::text;
use serde_json::{Map, Value, json};

const PIECES: [&str; 44] = [
    "password=",
    "PASSWORD=",
    "password: ",
    "\"password\": ",
    "token=",
    "API_KEY=",
    "--password ",
    "secret",
    "'",
    "\"",
    "`",
    "\\",
    "\\\\",
    "\\n",
    "\n",
    ",",
    ", ",
    ";",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ":",
    "=",
    " ",
    "hunter2x9",
    "q8Zt6Rw2Lk9",
    "https://u:pw9x@h/",
    "Bearer ",
    "$NAME",
    "${NAME}",
    "{{",
    "<b>",
    "</",
    "\u{1b}[1m",
    "/home/ada",
    "&quot;",
    "\0",
    "export ",
    "name",
    "Authorization: ",
    "\u{a0}",
];

fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth > 3 { 3 } else { 6 }) {
        0 => json!(dice.below(1000)),
        1 | 2 => json!(words(dice)),
        3 => (0..dice.below(4)).map(|_| value(dice, depth + 1)).collect(),
        // A text that is itself JSON.
        4 => json!(value(dice, depth + 1).to_string()),
        _ => {
            let name = |dice: &mut Dice, at| match dice.below(3) {
                0 => format!("password{at}"),
                1 => format!("k{at}"),
                _ => format!("api_token{at}"),
            };
            Value::Object(
                (0..dice.below(4)).map(|at| (name(dice, at), value(dice, depth + 1))).collect::<Map<_, _>>(),
            )
        }
    }
}

fn words(dice: &mut Dice) -> String {
    (0..1 + dice.below(8)).map(|_| PIECES[dice.below(PIECES.len())]).collect()
}

#[test]
fn json_of_hard_pieces_stays_json() {
    let mut dice = Dice::new(11);
    let mut changed = 0;
    for _ in 0..ROUNDS {
        let written = json!({ "a": value(&mut dice, 0), "b": [words(&mut dice), "c"] }).to_string();
        let out = text(&written).into_owned();
        assert!(is_same_json(&written, &out), "{written}\n{out}");
        assert_eq!(text(&out), out, "a second run\n{written}");
        changed += usize::from(out != written);
    }
    assert!(changed * 4 > ROUNDS, "{changed} of {ROUNDS} changed");
}

const ROUNDS: usize = 10_000;
