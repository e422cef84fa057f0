//! The filter for secrets: the same for every cut, nothing new on a second run, and nothing of a token left.

use crate::reach;
use everkey_redact::{Redactor, bytes};

/// The input's first bytes say where the rest is cut.
pub fn stream(input: &[u8]) {
    let (cuts, text) = input.split_at(input.len().min(4));
    let whole = bytes(text);
    let mut redactor = Redactor::new();
    let mut out = Vec::new();
    let mut rest = text;
    for cut in cuts {
        let (piece, after) = rest.split_at(rest.len().min(usize::from(*cut)));
        out.extend(redactor.push(piece));
        rest = after;
    }
    out.extend(redactor.push(rest));
    out.extend(redactor.finish());
    assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&whole));
    assert_eq!(String::from_utf8_lossy(&bytes(&whole)), String::from_utf8_lossy(&whole), "a second run");
    if whole != text {
        reach::deep();
    }
}

/// Whatever stands around a token of ours, it goes.
pub fn token(input: &[u8]) {
    let token = format!("binboi_pat_0a1b2c3d_{}", "0123456789abcdef01".repeat(2));
    let (before, after) = input.split_at(input.len() / 2);
    let out = bytes(&[before, b" ", token.as_bytes(), b" ", after].concat());
    assert!(!out.windows(token.len()).any(|window| window == token.as_bytes()));
    reach::deep();
}
