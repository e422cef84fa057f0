//! Tells the owner of an account by mail what happened to its second factor.

use crate::app::AppState;
use crate::mail::{Mail, MailContent, MailNotice};
use crate::rules::email::Email;

/// Leaves a notice in the outbox, once what it tells is committed. A full outbox is no reason to fail: the audit
/// has it too.
pub fn send(app: &AppState, address: &str, notice: MailNotice) {
    let Ok(to) = Email::parse(address) else { return };
    let name = app.pseudonym(&to);
    match app.outbox.reserve() {
        Some(slot) => slot.send(Mail { name, to, content: MailContent::Notice(notice), at: app.now() }),
        None => tracing::warn!(to = name, "the outbox is full; a notice was not sent"),
    }
}
