//! binboi's `whoami`: user, name, plan, the token's prefix, and where the token came from.

use crate::cli::terminal::output;
use everkey_client::Inspection;

/// What the server said of a token.
pub fn whoami(inspection: &Inspection, prefix: Option<&str>, source: &str) -> String {
    let about =
        |key: &str| inspection.about.get(key).filter(|text| !text.is_empty()).map(|text| output::plain(text));
    let user = inspection.user.as_ref().map(output::user);
    let prefix = about("prefix").or_else(|| prefix.map(output::plain));
    let lines = [
        ("User", user),
        ("Name", about("name")),
        ("Plan", about("plan")),
        ("Token", prefix),
        ("Source", Some(output::plain(source))),
    ];
    let lines =
        lines.into_iter().filter_map(|(name, text)| Some(format!("{:<8} {}", format!("{name}:"), text?)));
    lines.collect::<Vec<_>>().join("\n")
}

/// What may be shown of a token: its first three parts, as the dashboard lists it.
pub fn prefix(token: &everkey_client::Secret) -> String {
    let parts: Vec<&str> = token.expose().splitn(4, '_').collect();
    match parts.as_slice() {
        [a @ "binboi", b @ "pat", c, _] => format!("{a}_{b}_{c}"),
        _ => token.masked(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_client::{Secret, User, Verdict};

    #[test]
    fn whose_token_it_is_and_where_it_came_from() {
        let about = [("name", "Ada"), ("plan", "FREE"), ("prefix", "binboi_pat_0011aabb")];
        let inspection = Inspection {
            verdict: Verdict::Accepted,
            user: Some(User { id: "7".to_owned(), email: "ada@example.com".to_owned() }),
            about: about.map(|(key, text)| (key.to_owned(), text.to_owned())).into(),
        };
        assert_eq!(
            whoami(&inspection, None, "BINBOI_AUTH_TOKEN"),
            "User:    ada@example.com (7)\nName:    Ada\nPlan:    FREE\n\
             Token:   binboi_pat_0011aabb\nSource:  BINBOI_AUTH_TOKEN"
        );
    }

    #[test]
    fn a_prefix_is_no_secret_and_nothing_else_is_shown() {
        let token = Secret::new(format!("binboi_pat_0011aabb_{}", "c".repeat(36)));
        assert_eq!(prefix(&token), "binboi_pat_0011aabb");
        assert_eq!(prefix(&Secret::new("short")), "****");
    }
}
