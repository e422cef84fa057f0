//! Connections: hello, then requests and replies, in frames or JSON lines by the first byte.

mod agent_handle;
mod follow;
mod serve;
mod stream;

pub use agent_handle::AgentHandle;
pub use follow::MOST_FOLLOWERS;
pub use serve::serve;
