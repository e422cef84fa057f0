//! What each job of the store does, step by step, and how it ends.

use super::{Job, Outcome, Running, Step};
use everkey_reminder::{FoundReminder, ReminderDone, ReminderJob};
use everkey_session::{FileContent, JobResult, Journal, Replaced, StoreError, StoreErrorKind, StoreJob};
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
        StoreJob::ReadSession => vec![Step::ReadFile],
        StoreJob::SetAside(digest) => vec![Step::SetAside(digest), Step::SyncFolder],
        StoreJob::WriteIntent(intent) => {
            vec![Step::WriteTemporary, Step::PutJournal(Journal::Intent(intent)), Step::SyncFolder]
        }
        StoreJob::Commit(session) => vec![Step::AppendOutcome(session), Step::SyncJournal],
        StoreJob::WriteSidecar(sidecar) => {
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
        StoreJob::QueueRevocation(revocation) => vec![Step::PutRevocation(revocation), Step::SyncState],
        StoreJob::DropRevocation(id) => vec![Step::DropRevocation(id), Step::SyncState],
        // Nobody here registers.
        StoreJob::KeepClients(_) | StoreJob::KeepSignIn(_) => vec![Step::SyncState],
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
        StoreJob::Replace { .. } => JobResult::Replaced(Ok(Replaced::Done)),
        StoreJob::Erase { .. } => JobResult::Erased(Ok(())),
        StoreJob::SetAside(_) => JobResult::SetAside(Ok(running.aside.clone())),
        // The reads end their jobs themselves.
        StoreJob::Load | StoreJob::ReadSession => {
            JobResult::SessionRead(Box::new(FileContent::Unusable(trouble())))
        }
        StoreJob::WriteIntent(_)
        | StoreJob::Commit(_)
        | StoreJob::WriteSidecar(_)
        | StoreJob::Settle(_)
        | StoreJob::QueueRevocation(_)
        | StoreJob::DropRevocation(_)
        | StoreJob::KeepClients(_)
        | StoreJob::KeepSignIn(_) => JobResult::Stored(Ok(())),
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
        StoreJob::Replace { .. } => JobResult::Replaced(Err(trouble())),
        StoreJob::Erase { .. } => JobResult::Erased(Err(trouble())),
        StoreJob::SetAside(_) => JobResult::SetAside(Err(trouble())),
        StoreJob::Load | StoreJob::ReadSession => {
            JobResult::SessionRead(Box::new(FileContent::Unusable(trouble())))
        }
        StoreJob::WriteIntent(_)
        | StoreJob::Commit(_)
        | StoreJob::WriteSidecar(_)
        | StoreJob::Settle(_)
        | StoreJob::QueueRevocation(_)
        | StoreJob::DropRevocation(_)
        | StoreJob::KeepClients(_)
        | StoreJob::KeepSignIn(_) => JobResult::Stored(Err(trouble())),
    })
}

fn unread_reminder() -> Outcome {
    Outcome::Reminder(ReminderDone::Read(Box::new(FoundReminder::Unusable(trouble())), Box::default()))
}

pub(super) fn trouble() -> StoreError {
    StoreError { path: "/session".to_owned(), kind: StoreErrorKind::Os("Input/output error".to_owned()) }
}
