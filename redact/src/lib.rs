//! Finds secrets in any text and puts `[redacted:KIND]` in their place: one module for logs, errors, reports and pipes.
//! Deliberately absent: files, the network, any other crate of this workspace.
#![forbid(unsafe_code)]

mod assignment;
mod block;
mod code;
mod extent;
mod insert;
mod judgement;
mod name;
mod path;
mod quote;
mod rules;
mod scan;
mod span;
mod stream;
mod value;
mod view;
mod whole;
mod writer;

pub use quote::quote;
pub use stream::Redactor;
pub use whole::{bytes, text};
pub use writer::{RedactedWriter, log_panics};
