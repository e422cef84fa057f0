//! The terminal: what is typed, printed, opened and interrupted.

pub mod browser;
pub mod code_file;
pub mod dates;
pub mod interrupt;
pub mod key_by_key;
pub mod output;
pub mod progress;
pub mod prompt;
pub mod qr;
pub mod stdin_or_step;
pub mod step_watch;
mod typed_line;
