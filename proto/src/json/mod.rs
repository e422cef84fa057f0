//! The same requests and replies as JSON, one object a line, for languages without a library.
//! Types of their own, because frames carry no tags and no flattened or skipped fields.

mod event;
mod fields;
mod hello;
mod line;
mod reply;
mod request;

pub use event::EventLine;
pub use hello::{AgentHelloBody, AgentHelloLine, HelloBody, HelloLine, read_hello};
pub use line::{LineError, write};
pub use reply::{ReplyLine, read_reply};
pub use request::{read_request, write_request};
