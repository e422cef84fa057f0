//! Connections: hello, then requests and replies, in frames or JSON lines by the first byte.

mod follow;
mod handle;
mod serve;
mod stream;

pub use follow::MOST_FOLLOWERS;
pub use handle::AgentHandle;
pub use serve::serve;
