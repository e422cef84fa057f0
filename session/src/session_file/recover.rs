//! Judges the journal at a start: is its token spent or still open, or is its outcome to be rolled forward? Where it
//! can't be judged, the profile is sealed.

use crate::error::{StoreError, StoreErrorKind};
use crate::jobs::FileContent;
use crate::journal::{Intent, Journal};
use crate::session::{Fingerprint, Session};

/// The journal, or the file it is about, can't be read: nothing may be sent until both can, or until a sign-in
/// replaces them.
#[derive(Debug, Default)]
pub(crate) struct Seal {
    why: Option<StoreError>,
    /// The token of the intent that is sealed in the journal.
    unjudged: Option<Fingerprint>,
}

/// What the journal means for the session in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JournalVerdict {
    Nothing,
    /// Its token may have been sent and is not the file's any more, or must not be.
    Spent(Fingerprint),
    /// The token of the file may have been sent.
    Open(Intent),
    /// The outcome is whole, and the file still holds its parent.
    RollForward(Intent, Session),
    /// The outcome is whole, and the file holds it.
    Stored(Intent, Session),
    /// It can't be judged, for this reason; the token is the intent's, if that could be read.
    Sealed(StoreError, Option<Fingerprint>),
}

/// Judges the journal. `epoch` is the side-car's; with a lost side-car nobody can say that a sign-in or sign-out has
/// come after the intent (F12).
pub(crate) fn judge(
    journal: Result<Journal, StoreError>,
    file: &FileContent,
    epoch: Option<u64>,
    session_file: &str,
) -> JournalVerdict {
    let (intent, outcome) = match journal {
        Ok(Journal::Empty) => return JournalVerdict::Nothing,
        Ok(Journal::Intent(intent)) => (intent, None),
        Ok(Journal::Outcome(intent, session)) => (intent, Some(session)),
        Err(why) => return JournalVerdict::Sealed(why, None),
    };
    if epoch.is_some_and(|epoch| epoch > intent.epoch) {
        return JournalVerdict::Spent(intent.parent);
    }
    let held = match file {
        FileContent::Session { session, .. } => Some(session.fingerprint()),
        FileContent::Missing => None,
        // What the journal says can't be judged before the file can be read.
        FileContent::Unusable(why) => return JournalVerdict::Sealed(why.clone(), Some(intent.parent)),
        FileContent::Damaged(_) => {
            let why = StoreError { path: session_file.to_owned(), kind: StoreErrorKind::Damaged };
            return JournalVerdict::Sealed(why, Some(intent.parent));
        }
    };
    match outcome {
        None if held == Some(intent.parent) => JournalVerdict::Open(intent),
        Some(session) if held == Some(intent.parent) => JournalVerdict::RollForward(intent, session),
        Some(session) if held == Some(session.fingerprint()) => JournalVerdict::Stored(intent, session),
        None | Some(_) => JournalVerdict::Spent(intent.parent),
    }
}

impl Seal {
    pub fn why(&self) -> Option<&StoreError> {
        self.why.as_ref()
    }

    /// Takes the seal off, for the files to be judged anew; returns why it was on.
    pub fn lift(&mut self) -> Option<StoreError> {
        self.unjudged = None;
        self.why.take()
    }

    pub fn put(&mut self, why: StoreError, unjudged: Option<Fingerprint>) {
        *self = Self { why: Some(why), unjudged };
    }

    /// A sign-in or a refresh has replaced what could not be read.
    pub fn replaced(&mut self) {
        self.why = None;
    }

    /// The token of an intent that nobody could judge, for a sign-in or sign-out that clears the journal.
    pub fn take_unjudged(&mut self) -> Option<Fingerprint> {
        self.unjudged.take()
    }
}
