//! Home folders and the names of people in paths.

use crate::span::{HOME, Span, USER};
use regex::bytes::{Regex, RegexBuilder};
use std::sync::LazyLock;

/// The first group that is there is the name.
static HOMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let name = "([A-Za-z0-9_][A-Za-z0-9._@+-]{0,63})";
    let pattern = [
        r"(?:^|[^\w.]|\\[nrt]|%2[Ff])(?:/(?:var/|export/|usr/|mnt/|data/|nfs/|srv/)?(?:home|Users)/NAME",
        r"|/(?:mnt/)?[a-z]/Users/NAME|/run/media/NAME/|/var/(?:spool/)?mail/NAME|/var/spool/cron/(?:crontabs/)?NAME",
        r"|[A-Za-z]:[\\/]+(?i:Users|Documents and Settings)[\\/]+([A-Za-z0-9_][A-Za-z0-9._@+-]*(?: [A-Za-z0-9._@+-]+){0,3})(?:[\\/\x22'\r\n]|$)",
        r"|[A-Za-z]:[\\/]+(?i:Users|Documents and Settings)[\\/]+NAME|(?:\\\\[\w.$-]+)?\\+Users\\+NAME",
        r"|(?:home|Users)%2[Ff]([A-Za-z0-9_][A-Za-z0-9._-]*))|(?:^|[\s\x22'=:(\[,])~NAME/",
    ];
    RegexBuilder::new(&pattern.concat().replace("NAME", name)).unicode(false).build().ok()
});

/// The home of the one who may do anything.
static ROOT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    RegexBuilder::new(r#"(?:^|[\s"'=:(\[,])(/root)(?:/|[\s"':,)\]]|$)"#).unicode(false).build().ok()
});

/// Names that are nobody's.
const NOBODY: [&[u8]; 10] = [
    b"shared",
    b"public",
    b"default",
    b"all",
    b"user",
    b"username",
    b"guest",
    b"linuxbrew",
    b"index.html",
    b"you",
];

/// Adds the names that end behind `from`.
pub fn find(text: &[u8], from: usize, spans: &mut Vec<Span>) {
    for found in ROOT.iter().flat_map(|root| root.captures_iter(text)).filter_map(|found| found.get(1)) {
        if found.end() > from {
            spans.push(Span { start: found.start(), end: found.end(), kind: HOME });
        }
    }
    let Some(homes) = HOMES.as_ref() else { return };
    let mut at = 0;
    while let Some(found) = homes.captures_at(text, at) {
        let Some(name) = found.iter().skip(1).flatten().next() else { return };
        at = name.end();
        let mut end = name.end();
        while end > name.start() && matches!(text[end - 1], b'.' | b'-') {
            end -= 1;
        }
        let nobody = NOBODY.iter().any(|nobody| text[name.start()..end].eq_ignore_ascii_case(nobody));
        if end > from && !nobody && !is_request(text, name.start()) {
            spans.push(Span { start: name.start(), end, kind: USER });
        }
    }
}

/// `GET /home/page` is an address on a server.
fn is_request(text: &[u8], name: usize) -> bool {
    let before = &text[name.saturating_sub(24)..name];
    const SIGNS: [&[u8]; 9] =
        [b"GET ", b"POST ", b"PUT ", b"HEAD ", b"DELETE ", b"PATCH ", b"href=\"", b"src=\"", b"url("];
    SIGNS.iter().any(|verb| memchr::memmem::find(before, verb).is_some())
}
