//! What a mail says.

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::{Mailbox, header::ContentType};

use super::Mail;

/// The message could not be written; says why, without the code.
#[derive(Debug, thiserror::Error)]
#[error("the message could not be written: {0}")]
pub struct Unwritten(String);

/// The message for a login code, in plain ASCII text with the code on a line of its own.
pub fn login_code(mail: &Mail, from: &Mailbox) -> Result<Message, Unwritten> {
    let unwritten = |error: &dyn std::fmt::Display| Unwritten(error.to_string());
    let to = mail.to.as_str().parse::<lettre::Address>().map_err(|error| unwritten(&error))?;
    let written_at = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(mail.at.secs()).unwrap_or(0));
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .date(written_at)
        .message_id(None)
        .subject("Your sign-in code")
        .header(ContentType::TEXT_PLAIN)
        .body(text(mail))
        .map_err(|error| unwritten(&error))
}

/// The body alone.
pub fn text(mail: &Mail) -> String {
    let minutes = mail.works_for.as_secs().div_ceil(60);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    format!(
        "Your sign-in code is\n\n{}\n\nIt works once, for {minutes} {unit}.\n\
         Type it only where you asked for it. If you did not ask for one,\n\
         someone typed your address by mistake, and nothing needs doing.\n",
        mail.code.expose()
    )
}
