//! What a mail says.

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::{Mailbox, header::ContentType};

use crate::mail::letter::{Mail, MailContent};
use crate::mail::notice;
use crate::rules::code_guess::CodeLength;
use crate::time::Timestamp;
use crate::tokens::code::LoginCode;

/// The message could not be written; says why, without the code.
#[derive(Debug, thiserror::Error)]
#[error("the message could not be written: {0}")]
pub struct Unwritten(String);

/// The message in plain ASCII text; a login code stands on a line of its own.
pub fn write(mail: &Mail, from: &Mailbox) -> Result<Message, Unwritten> {
    let unwritten = |error: &dyn std::fmt::Display| Unwritten(error.to_string());
    let to = mail.to.as_str().parse::<lettre::Address>().map_err(|error| unwritten(&error))?;
    let written_at = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(mail.at.secs()).unwrap_or(0));
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .date(written_at)
        .message_id(None)
        .subject(subject(mail))
        .header(ContentType::TEXT_PLAIN)
        .body(text(mail))
        .map_err(|error| unwritten(&error))
}

fn subject(mail: &Mail) -> &'static str {
    match &mail.content {
        MailContent::Code { .. } => "Your sign-in code",
        MailContent::Notice(letter) => notice::subject(&letter.notice),
        MailContent::NoAccount { .. } => "You have no account here",
        MailContent::Reminder { .. } => "Your audit is due",
    }
}

/// The body alone.
pub fn text(mail: &Mail) -> String {
    match &mail.content {
        MailContent::Code { code, works_for } => code_text(code, *works_for),
        MailContent::Notice(letter) => notice::text(letter, mail.at),
        MailContent::NoAccount { site } => no_account_text(site),
        MailContent::Reminder { due_at } => reminder_text(mail, *due_at),
    }
}

fn code_text(code: &LoginCode, works_for: Duration) -> String {
    let minutes = works_for.as_secs().div_ceil(60);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    let (shown, why) = match code.length() {
        CodeLength::Short => (code.expose().to_owned(), ""),
        CodeLength::Long => (in_fours(code.expose()), LONG),
    };
    format!(
        "Your sign-in code is\n\n{shown}\n\nIt works once, for {minutes} {unit}.\n{why}\
         Type it only where you asked for it. If you did not ask for one,\n\
         someone typed your address by mistake, and nothing needs doing.\n"
    )
}

const LONG: &str = "It is longer than usual, and may be the only letter for some minutes:\n\
    somebody asks for codes for this address, or guesses at them, again and\n\
    again. They can't read this letter, so nothing needs doing.\n";

/// `1234 5678 9012 3456`.
fn in_fours(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place.is_multiple_of(4) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn no_account_text(site: &str) -> String {
    format!(
        "Somebody asked for a sign-in code for this address at\n\n{site}\n\n\
         The address has no account there, and new accounts are only for whom\n\
         the people who run the server let in. If it was you, ask them.\n\
         If it was not, nothing needs doing.\n"
    )
}

fn reminder_text(mail: &Mail, due_at: Timestamp) -> String {
    format!(
        "It is time to run your audit again. The reminder was set for\n\n{}\n\n\
         of the account {}.\n\n\
         To see the audit page, run \"everkey dashboard\" on your machine and choose\n\
         Re-audit. \"everkey reminder set --in-days 7\" reminds you again in a\n\
         week, \"everkey reminder clear\" takes the reminder away. You get no other\n\
         letter about this one.\n",
        notice::minute(due_at),
        mail.to.as_str()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::email::Email;

    #[test]
    fn a_long_code_is_shown_in_fours_and_explained() {
        let code = LoginCode::random(CodeLength::Long).unwrap();
        let text = code_text(&code, Duration::from_secs(600));
        let line = text.lines().nth(2).unwrap();
        assert_eq!((line.len(), line.replace(' ', "")), (19, code.expose().to_owned()), "{text}");
        assert!(text.contains("longer than usual") && text.is_ascii(), "{text}");
        assert!(text.lines().all(|line| line.len() <= 78), "{text}");
        let short = code_text(&LoginCode::random(CodeLength::Short).unwrap(), Duration::from_secs(600));
        assert!(!short.contains("longer") && short.lines().nth(2).unwrap().len() == 6, "{short}");
    }

    #[test]
    fn a_reminder_says_which_account_and_when() {
        let mail = Mail {
            name: "0123456789ab".to_owned(),
            to: Email::parse("ada@example.com").unwrap(),
            content: MailContent::Reminder { due_at: Timestamp::from_secs(1_700_000_000) },
            at: Timestamp::from_secs(1_700_000_100),
        };
        let text = text(&mail);
        assert!(text.contains("\n2023-11-14 22:13 UTC\n\nof the account ada@example.com."), "{text}");
        assert!(text.contains("choose\nRe-audit."), "as the dashboard's menu calls it: {text}");
        assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 78), "{text}");
    }
}
