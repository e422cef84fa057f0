//! What letters about an account say: what happened, when, from where, and what to do.
//!
//! Names come from whoever made them. In a letter they are letters and digits, so that they are no link and no sentence.

use crate::mail::letter::{AlarmNotice, Letter, MailNotice};
use crate::rules::program;
use crate::time::Timestamp;

/// The longest name in a letter, in characters.
const LONGEST_NAME: usize = 40;

/// The most names in a letter; of more only the number is told.
const MOST_NAMES: usize = 10;

/// What others wrote, as it may stand in a letter.
pub fn harmless(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { ' ' };
    let plain: String = text.chars().map(kept).collect();
    let words: String = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(LONGEST_NAME).collect();
    if short.is_empty() { "(no name)".to_owned() } else { format!("\"{}\"", short.trim_end()) }
}

pub(super) fn subject(notice: &MailNotice) -> &'static str {
    match notice {
        MailNotice::SecondFactorOn => "A second factor protects your account now",
        MailNotice::SecondFactorOff => "Your second factor was turned off",
        MailNotice::RecoveryCodeUsed => "A recovery code was used",
        MailNotice::RecoveryCodesRenewed => "New recovery codes were made",
        MailNotice::SignedIn { .. } => "A new sign-in to your account",
        MailNotice::TokenMade { .. } => "An access token was made",
        MailNotice::Invited { .. } => "You have invited somebody",
        MailNotice::RoleRaised { .. } => "You have given somebody a higher role",
        MailNotice::Alarm(_) => "Somebody else may have used your sign-in",
    }
}

pub(super) fn text(letter: &Letter, at: Timestamp) -> String {
    let Letter { notice, origin, is_last, site } = letter;
    let mut text = format!("{}\n\n  When:     {}\n", what(notice), minute(at));
    text.push_str(&format!("  Network:  {}\n", origin.network));
    if let Some(program) = program::describe(&origin.program) {
        text.push_str(&format!("  Program:  {} (its own claim)\n", harmless(&program)));
    }
    text.push_str(&format!("\n{}", advice(notice, site)));
    if *is_last {
        text.push_str("\nThis was the last letter of this kind for a day: more that happens is\nwithheld. The pages above show all of it.\n");
    }
    text
}

fn what(notice: &MailNotice) -> String {
    match notice {
        MailNotice::SecondFactorOn => {
            "A second factor was turned on for your account. From now on each sign-in\n\
             asks for a code from your authenticator app, too."
                .to_owned()
        }
        MailNotice::SecondFactorOff => {
            "The second factor of your account was turned off. From now on a code sent\n\
             to this address is enough to sign in."
                .to_owned()
        }
        MailNotice::RecoveryCodeUsed => {
            "One of your recovery codes was used in place of your authenticator app.\n\
             It works no more."
                .to_owned()
        }
        MailNotice::RecoveryCodesRenewed => {
            "New recovery codes were made for your account. The earlier ones work no\n\
             more, and no browser is spared the second factor any longer."
                .to_owned()
        }
        MailNotice::SignedIn { what } => format!(
            "Somebody signed in to your account from a network or with a program that\n\
             is new to it:\n  {what}."
        ),
        MailNotice::TokenMade { name, prefix, expires_at } => {
            let until = expires_at.map_or_else(|| "it is revoked".to_owned(), minute);
            format!(
                "An access token was made for your account. Whoever holds it is signed in\n\
                 as you until {until}.\n\n  Name:     {}\n  Begins:   {prefix}",
                harmless(name)
            )
        }
        MailNotice::Invited { email, role } => format!(
            "In your name somebody was invited into a workspace of yours. They have\n\
             14 days to accept, and stay if they do.\n\n  Who:      {}\n  As:       {}",
            harmless(email),
            role.as_str()
        ),
        MailNotice::RoleRaised { email, role } => format!(
            "In your name a member of a workspace of yours was given a higher role.\n\n  \
             Who:      {}\n  Now:      {}",
            harmless(email),
            role.as_str()
        ),
        MailNotice::Alarm(alarm) => alarm_text(alarm),
    }
}

fn alarm_text(alarm: &AlarmNotice) -> String {
    let AlarmNotice { session, app: _, began_at, began_from, seen_from, everywhere, made } = alarm;
    let from = began_from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    let seen = seen_from.as_ref().map_or_else(String::new, |seen| format!(",\nlast seen from {seen}"));
    let ended =
        if *everywhere { "Every session of your account has ended" } else { "That session has ended" };
    let mut text = format!(
        "A sign-in of yours was used by two parties, each with a copy of its token.\n\
         One of them may be a thief; a restored backup looks the same.\n\n\
         The sign-in was {session},\nsince {}{from}{seen}.\n\n{ended}",
        minute(*began_at)
    );
    if made.tokens.is_empty() {
        text.push_str(". It had made no access token that still worked.");
    } else {
        text.push_str(",\nand so have the access tokens it had made:\n");
        for (name, prefix) in made.tokens.iter().take(MOST_NAMES) {
            text.push_str(&format!("  {prefix}  {}\n", harmless(name)));
        }
        if made.tokens.len() > MOST_NAMES {
            text.push_str(&format!("  and {} more\n", made.tokens.len() - MOST_NAMES));
        }
    }
    if !made.let_in.is_empty() {
        text.push_str("\nIt had let others in, which have ended, too:\n");
        for one in made.let_in.iter().take(MOST_NAMES) {
            text.push_str(&format!("  {}\n", one.replace(", let in from a browser", "")));
        }
        if made.let_in.len() > MOST_NAMES {
            text.push_str(&format!("  and {} more\n", made.let_in.len() - MOST_NAMES));
        }
    }
    if made.shares + made.invitations > 0 {
        text.push_str(&format!(
            "\nIt had also made {} share links and {} open invitations; they have ended.",
            made.shares, made.invitations
        ));
    }
    text.push_str("\n\nThe second party:");
    text
}

fn advice(notice: &MailNotice, site: &str) -> String {
    match notice {
        MailNotice::SecondFactorOn
        | MailNotice::SecondFactorOff
        | MailNotice::RecoveryCodeUsed
        | MailNotice::RecoveryCodesRenewed => format!(
            "If that was not you, sign in, end your other sessions, and set the second\n\
             factor up anew; if you can't, tell whoever runs this server.\n  {site}/dashboard/sessions\n  \
             {site}/dashboard/security\n"
        ),
        MailNotice::SignedIn { .. } => format!(
            "If that was you, nothing needs doing. If it was not, end the session here,\n\
             and see to who else reads your mail:\n  {site}/dashboard/sessions\n"
        ),
        MailNotice::TokenMade { .. } => format!(
            "If that was not you, revoke it, then end your other sessions:\n  \
             {site}/dashboard/access-tokens\n  {site}/dashboard/sessions\n"
        ),
        MailNotice::Invited { .. } | MailNotice::RoleRaised { .. } => format!(
            "If that was not you, end your other sessions and what they have made, and\n\
             look at the members of your workspaces:\n  {site}/dashboard/sessions\n"
        ),
        MailNotice::Alarm(_) => format!(
            "Sign in again where you need it. If you did not restore a backup or copy\n\
             your files, find out who can read them, and look what else is there:\n  \
             {site}/dashboard/sessions\n  {site}/dashboard/access-tokens\n"
        ),
    }
}

/// `2026-11-28 10:00 UTC`.
pub(super) fn minute(at: Timestamp) -> String {
    let text = at.rfc3339();
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::made_by_session::MadeBySession;
    use crate::mail::letter::LetterOrigin;
    use crate::rules::role::Role;

    fn letter(notice: MailNotice, is_last: bool) -> String {
        let origin = LetterOrigin {
            network: "192.0.2.7".to_owned(),
            program: "evil.example/1 \u{1b}[31m http://evil.example".to_owned(),
        };
        let site = "https://auth.example".to_owned();
        text(&Letter { notice, origin, is_last, site }, Timestamp::from_secs(1_700_000_000))
    }

    fn every_notice() -> Vec<MailNotice> {
        let bad =
            "pay at http://evil.example/\r\nBcc: x \u{202e} <b>now</b> to Mallory & Sons, soon".to_owned();
        let tokens = vec![(bad.clone(), "binboi_pat_0123".to_owned()); 12];
        vec![
            MailNotice::SecondFactorOn,
            MailNotice::SecondFactorOff,
            MailNotice::RecoveryCodeUsed,
            MailNotice::RecoveryCodesRenewed,
            MailNotice::SignedIn { what: "a browser".to_owned() },
            MailNotice::TokenMade { name: bad, prefix: "binboi_pat_0123".to_owned(), expires_at: None },
            MailNotice::Invited { email: "thief@evil.example".to_owned(), role: Role::Admin },
            MailNotice::RoleRaised { email: "thief@evil.example".to_owned(), role: Role::Owner },
            MailNotice::Alarm(AlarmNotice {
                session: "a browser".to_owned(),
                app: None,
                began_at: Timestamp::from_secs(1_600_000_000),
                began_from: Some("192.0.2.9".to_owned()),
                seen_from: Some("198.51.100.23".to_owned()),
                everywhere: true,
                made: MadeBySession {
                    tokens,
                    shares: 2,
                    invitations: 1,
                    let_in: vec!["an app that calls itself \"a b\", let in from a browser".to_owned(); 13],
                },
            }),
        ]
    }

    #[test]
    fn each_letter_says_when_from_where_and_what_to_do() {
        for notice in every_notice() {
            let text = letter(notice.clone(), false);
            assert!(text.contains("  When:     2023-11-14 22:13 UTC\n  Network:  192.0.2.7\n"), "{text}");
            assert!(text.contains("  https://auth.example/dashboard/"), "{text}");
            assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 78), "{text}");
            assert!(!text.contains("withheld") && letter(notice, true).contains("withheld"));
        }
    }

    #[test]
    fn nothing_that_others_wrote_is_a_link_or_a_line() {
        for notice in every_notice() {
            let text = letter(notice, false);
            assert!(!text.contains("evil.example") && !text.contains("Bcc:"), "{text}");
            assert!(!text.contains('<') && !text.contains('\u{1b}') && !text.contains('\r'), "{text}");
        }
        assert_eq!(harmless("M2 MacBook"), "\"M2 MacBook\"");
        assert_eq!(harmless("https://a.b/c?d"), "\"https a b c d\"");
        assert_eq!(harmless("\u{e9}\u{202e}"), "(no name)");
        assert_eq!(harmless(&"x".repeat(500)).len(), 42);
    }

    #[test]
    fn an_alarm_lists_what_ended_but_not_without_end() {
        let text = letter(every_notice().pop().unwrap(), false);
        assert_eq!(text.matches("binboi_pat_0123").count(), MOST_NAMES);
        assert!(
            text.contains("and 2 more") && text.contains("2 share links and 1 open invitations"),
            "{text}"
        );
        assert_eq!(text.matches("  an app that calls itself \"a b\"\n").count(), MOST_NAMES, "{text}");
        assert!(text.contains("and 3 more"), "{text}");
    }
}
