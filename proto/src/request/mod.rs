//! What a client may ask, protocol version 1. `table.rs` lists every request once: its word in JSON lines, its fields,
//! and the type of its reply. Once released, requests and fields are only appended, and an appended field has a default.

mod kinds;
mod table;
mod values;

pub use kinds::{
    Accesses, AgentCall, AgentRequest, Answer, Better, Call, Cancel, ClearReminder, DescribeAgent, Events,
    Examine, Inspect, Leave, Login, Logout, ProfileCall, ProfileRequest, ReadAccessLog, Refresh, Reminder,
    ReminderRequest, Request, SessionRequest, SetReminder, Status, Stop, Token, Wait, Whoami,
};
pub(crate) use table::{agent_requests, reminder_requests, session_requests};
pub use values::{DEFAULT_PROFILE, Entry, Expect, FlowId, SignInMethod, UnderWay, When};
