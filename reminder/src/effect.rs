//! What comes in and what goes out: one event in, effects out.

use crate::book::{FoundReminder, ReminderBook, ReminderRecord};
use everkey_proto::request::ReminderRequest;
use everkey_proto::{Secret, reply};
use everkey_session::{CallTarget, Error, Farewell, NetError, Op, StoreError, Waiter};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderInput {
    /// A client asks.
    Request(Waiter, ReminderRequest),
    /// A client went away.
    Gone(Waiter),
    /// Work is done.
    Done(Op, ReminderDone),
    /// The reminder's file may have changed.
    FileChanged,
    /// A session that has ended is going to be revoked: its token can be used for the last time.
    Farewell(Farewell),
    /// Time has passed, or the session has changed.
    Tick,
}

/// The reminder as it stands, or why the request failed.
pub type ReminderReply = Result<Option<reply::Reminder>, ReminderError>;

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderError {
    /// This provider, or this session, has no reminders.
    NoReminders,
    /// A reminder that is past, or more than 365 days ahead.
    OutOfRange,
    /// As a request to the session would have failed.
    Session(Error),
}

impl From<Error> for ReminderError {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderEffect {
    /// Answer a client; exactly once each.
    Reply(Waiter, ReminderReply),
    /// Work on files; jobs of one profile run, and are reported as done, in the order given.
    Store(Op, Box<ReminderJob>),
    /// Inform the api-server.
    Call(Op, ReminderCall),
    /// Remind the person: it is due.
    Remind(ReminderRecord),
    /// Put it into the log, and before whoever follows.
    Notify(ReminderNotice),
}

/// Work on the reminder's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderJob {
    /// Read the reminder and the book.
    Read,
    /// Make the book durable, then put the reminder in the place of whatever is there (0600, atomic), or remove it.
    Put {
        /// What is noted.
        book: ReminderBook,
        /// The reminder; none removes the file.
        reminder: Option<ReminderRecord>,
    },
    /// Make the book durable and leave the file alone.
    Note(ReminderBook),
}

/// Informs the api-server of a reminder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReminderCall {
    /// The pinned server.
    pub at: CallTarget,
    /// Whose it is.
    pub access: Secret,
    /// Unix seconds at which it is due; none means that it was cleared.
    pub due_at: Option<u64>,
}

/// What an api-server answers to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderAnswer {
    /// It knows.
    Accepted,
    /// It will never have this one: past, too far ahead, or no such route.
    Refused,
    /// It does not accept the access token.
    Unauthorized,
    /// It asks to wait so many seconds.
    Limited(u64),
    /// No usable answer.
    Net(NetError),
}

/// How work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderDone {
    /// [`ReminderJob::Read`]
    Read(Box<FoundReminder>, Box<ReminderBook>),
    /// [`ReminderJob::Put`], [`ReminderJob::Note`]
    Stored(Result<(), StoreError>),
    /// [`ReminderCall`]
    Informed(ReminderAnswer),
}

/// Something worth a line in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderNotice {
    /// A reminder was set, or found set by another program.
    Set(reply::Reminder),
    /// The reminder is gone.
    Cleared,
    Due(reply::Reminder),
    /// The api-server does not know of a reminder that was set or cleared here.
    Untold(Untold),
    /// A file could not be read or written.
    StoreFailed(StoreError),
}

/// Why an api-server does not know of a reminder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untold {
    /// It could not be informed yet, for this reason; the call is repeated.
    Yet(NetError),
    /// It refuses this one for good.
    Refused,
}
