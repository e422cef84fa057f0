//! What a way to sign in wants next.

use crate::error::Trouble;
use crate::login_job::LoginCall;
use crate::registration::Registration;
use crate::reply::{Page, Shown};
use crate::token_response::Grant;
use everkey_proto::reply::{CodeSent, Field};

/// What a scheme wants next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Put something to the person.
    Ask(Question),
    /// Ask the server.
    Call(LoginCall),
    /// Listen for a browser that comes back.
    Listen,
    /// Be woken in so many seconds; meanwhile the person sees to what is shown, if it is new.
    Sleep { secs: u64, show: Option<Question> },
    /// Whoever said that is told so, and nothing changes.
    Stray,
    /// The tokens are here, with what an OAuth server knows this client as.
    Finish(Box<Grant>, Option<Box<Registration>>),
    /// It is over.
    Fail(Trouble),
}

/// What is put to the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// To type something here.
    Field { field: Field, tries: u8, again: Option<Trouble>, sent: Option<CodeSent> },
    /// To type a code elsewhere.
    Show(Shown),
    /// To go to a page.
    Open(Page),
}
