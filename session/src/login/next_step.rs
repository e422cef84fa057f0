//! What a way to sign in wants next.

use crate::error::Error;
use crate::login_call::LoginCall;
use crate::policy::CallbackAddress;
use crate::registration::Registration;
use crate::reply::{BrowserPage, DeviceInstructions};
use crate::token_response::TokenResponse;
use everkey_proto::reply::{CodeSent, Field};

/// What a scheme wants next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Put something to the person.
    Ask(Prompt),
    /// Ask the server.
    Call(LoginCall),
    /// Listen for a browser that comes back.
    Listen(CallbackAddress),
    /// Be woken in so many seconds; meanwhile the person sees to what is shown, if it is new.
    Sleep { secs: u64, show: Option<Prompt> },
    /// Whoever said that is told so, and nothing changes.
    Stray,
    /// Whoever said that waits for the end like everybody: it was said before.
    Wait,
    /// The tokens are here, with what an OAuth server knows this client as.
    Finish(Box<TokenResponse>, Option<Box<Registration>>),
    /// It is over.
    Fail(Error),
}

/// What is put to the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// To type something here.
    Field { field: Field, tries: u8, again: Option<Error>, sent: Option<CodeSent> },
    /// To type a code elsewhere.
    Show(DeviceInstructions),
    /// To go to a page.
    Open(BrowserPage),
}
