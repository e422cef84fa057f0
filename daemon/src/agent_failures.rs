//! What the agent answers where no profile is asked: requests that it can't serve as they are.

use crate::events::Missed;
use everkey_proto::{Code, Failure, Reply};

/// What came is no request; `message` says why, without quoting it.
pub fn bad_request(message: String) -> Reply {
    Reply::Failed(Failure::new(Code::BadRequest, message, "See proto/README.md for what may be asked."))
}

/// The agent shuts down.
pub fn stopping() -> Reply {
    let failure = Failure::new(
        Code::Busy,
        "The agent is shutting down.",
        "Try again; the next command starts a new one.",
    );
    Reply::Failed(Failure { retry_after_secs: Some(1), ..failure })
}

/// One who follows has not read in time.
pub fn too_slow(missed: &Missed) -> Reply {
    let events = if missed.0 == 1 { "event was" } else { "events were" };
    Reply::Failed(Failure::new(
        Code::Busy,
        format!("{} {events} missed, because they were not read in time.", missed.0),
        "Follow again, and read faster; the agent waits for nobody.",
    ))
}

/// There is no room for one more who follows.
pub fn too_many_followers(most: usize) -> Reply {
    Reply::Failed(Failure::new(
        Code::Busy,
        format!("{most} programs follow what happens already, or as many as there is room for."),
        "End one of them (`everkey events`, dashboards), then try again.",
    ))
}

/// The access log can't be read.
pub fn no_access_log(e: &std::io::Error) -> Reply {
    Reply::Failed(Failure::new(
        Code::Storage,
        format!("The access log can't be read: {e}."),
        "Mend its permissions; it is access.jsonl in the folder that `everkey agent status` names.",
    ))
}

/// What is named as a server is none.
pub fn not_a_server(why: &str) -> Reply {
    Reply::Failed(Failure::new(
        Code::BadRequest,
        format!("Can't sign in there: {why}."),
        "Name the api-server's base URL, like https://api.befailproof.ai.",
    ))
}
