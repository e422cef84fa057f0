//! What each job of the store does, step by step, and how it ends.

use super::{Job, Outcome, Running, Step};
use everkey_reminder::{FoundReminder, ReminderDone, ReminderJob};
use everkey_session::Journal;
use everkey_session::{Done, Found, Replaced, StoreJob};
use everkey_session::{StoreKind, StoreTrouble};
use std::collections::VecDeque;

pub(super) fn steps(job: &Job) -> VecDeque<Step> {
    match job {
        Job::Session(job) => steps_of_session(job),
        Job::Reminder(job) => steps_of_reminder(job),
    }
}

fn steps_of_reminder(job: &ReminderJob) -> VecDeque<Step> {
    let steps = match job.clone() {
        ReminderJob::Read => vec![Step::ReadReminder],
        ReminderJob::Put { book, reminder } => {
            let new = reminder.is_some().then_some(Step::WriteTemporary);
            [Step::WriteTemporary, Step::PutBook(book), Step::SyncState]
                .into_iter()
                .chain(new)
                .chain([Step::PutReminder(reminder), Step::SyncReminder])
                .collect()
        }
        ReminderJob::Note(book) => vec![Step::WriteTemporary, Step::PutBook(book), Step::SyncState],
    };
    steps.into()
}

fn steps_of_session(job: &StoreJob) -> VecDeque<Step> {
    let steps = match job.clone() {
        StoreJob::Load => vec![Step::ReadAll],
        StoreJob::Look => vec![Step::ReadFile],
        StoreJob::SetAside(digest) => vec![Step::SetAside(digest), Step::SyncFolder],
        StoreJob::Note(intent) => {
            vec![Step::WriteTemporary, Step::PutJournal(Journal::Intent(intent)), Step::SyncFolder]
        }
        StoreJob::Commit(session) => vec![Step::AppendOutcome(session), Step::SyncJournal],
        StoreJob::Remember(sidecar) => {
            vec![Step::WriteTemporary, Step::PutSidecar(sidecar), Step::SyncState]
        }
        StoreJob::Replace { parent, session } => {
            vec![Step::WriteTemporary, Step::PutFile(parent, session), Step::SyncFolder]
        }
        StoreJob::Settle(sidecar) => vec![
            Step::WriteTemporary,
            Step::PutSidecar(sidecar),
            Step::SyncState,
            Step::PutJournal(Journal::Empty),
            Step::SyncJournal,
        ],
        StoreJob::Erase { sidecar, revocation } => revocation
            .into_iter()
            .flat_map(|revocation| [Step::PutRevocation(revocation), Step::SyncState])
            .chain([
                Step::WriteTemporary,
                Step::PutSidecar(sidecar),
                Step::SyncState,
                Step::RemoveFile,
                Step::SyncFolder,
                Step::PutJournal(Journal::Empty),
                Step::SyncJournal,
            ])
            .collect(),
        StoreJob::Queue(revocation) => vec![Step::PutRevocation(revocation), Step::SyncState],
        StoreJob::Dequeue(id) => vec![Step::DropRevocation(id), Step::SyncState],
    };
    steps.into()
}

pub(super) fn succeeded(running: &Running) -> Outcome {
    let job = match &running.job {
        Job::Session(job) => job,
        // The read ends its job itself.
        Job::Reminder(ReminderJob::Read) => return unread_reminder(),
        Job::Reminder(ReminderJob::Put { .. } | ReminderJob::Note(_)) => {
            return Outcome::Reminder(ReminderDone::Stored(Ok(())));
        }
    };
    Outcome::Session(match job {
        StoreJob::Replace { .. } => Done::Replaced(Ok(Replaced::Done)),
        StoreJob::Erase { .. } => Done::Erased(Ok(())),
        StoreJob::SetAside(_) => Done::SetAside(Ok(running.aside.clone())),
        // The reads end their jobs themselves.
        StoreJob::Load | StoreJob::Look => Done::Looked(Box::new(Found::Unusable(trouble()))),
        StoreJob::Note(_)
        | StoreJob::Commit(_)
        | StoreJob::Remember(_)
        | StoreJob::Settle(_)
        | StoreJob::Queue(_)
        | StoreJob::Dequeue(_) => Done::Stored(Ok(())),
    })
}

pub(super) fn failed(job: &Job) -> Outcome {
    let job = match job {
        Job::Session(job) => job,
        Job::Reminder(ReminderJob::Read) => return unread_reminder(),
        Job::Reminder(ReminderJob::Put { .. } | ReminderJob::Note(_)) => {
            return Outcome::Reminder(ReminderDone::Stored(Err(trouble())));
        }
    };
    Outcome::Session(match job {
        StoreJob::Replace { .. } => Done::Replaced(Err(trouble())),
        StoreJob::Erase { .. } => Done::Erased(Err(trouble())),
        StoreJob::SetAside(_) => Done::SetAside(Err(trouble())),
        StoreJob::Load | StoreJob::Look => Done::Looked(Box::new(Found::Unusable(trouble()))),
        StoreJob::Note(_)
        | StoreJob::Commit(_)
        | StoreJob::Remember(_)
        | StoreJob::Settle(_)
        | StoreJob::Queue(_)
        | StoreJob::Dequeue(_) => Done::Stored(Err(trouble())),
    })
}

fn unread_reminder() -> Outcome {
    Outcome::Reminder(ReminderDone::Read(Box::new(FoundReminder::Unusable(trouble())), Box::default()))
}

pub(super) fn trouble() -> StoreTrouble {
    StoreTrouble { path: "/session".to_owned(), kind: StoreKind::Os("Input/output error".to_owned()) }
}
