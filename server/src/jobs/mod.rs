//! What a running server does by itself, beside answering requests.

pub mod housekeeping;
pub mod reminder_mail;
pub mod report_sweep;
