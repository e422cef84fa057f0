//! Faults of the reminder.

use super::{Mutant, Twist};
use everkey_session::event::Effect;
use everkey_session::job::{Done, ReminderAnswer, StoreJob};
use everkey_session::reminder::FoundReminder;

pub(super) fn twist_done(mutant: Mutant, done: Done) -> Done {
    match done {
        Done::ReminderRead(mut found, book) => {
            if let FoundReminder::There(reminder) = &mut *found
                && mutant == Mutant::ReminderOfAnotherTaken
            {
                reminder.user_email = "ann@example.com".to_owned();
            }
            Done::ReminderRead(found, book)
        }
        Done::ReminderTold(answer) => Done::ReminderTold(match (mutant, answer) {
            (Mutant::ReminderTroubleTakenForAccepted, ReminderAnswer::Net(_)) => ReminderAnswer::Accepted,
            (Mutant::ReminderGivenUpWhenUnauthorized, ReminderAnswer::Unauthorized) => {
                ReminderAnswer::Refused
            }
            (_, answer) => answer,
        }),
        other => other,
    }
}

pub(super) fn twist_remind(mutant: Mutant, effect: Effect) -> Twist {
    match mutant {
        Mutant::ReminderToldTwice => Twist::Swap(vec![effect.clone(), effect]),
        Mutant::ReminderNotTold => Twist::Swap(Vec::new()),
        _ => Twist::Pass(effect),
    }
}

/// What the agent is told at once, if it is.
pub(super) fn twist_store(mutant: Mutant, job: &mut StoreJob) -> Option<Done> {
    if let StoreJob::PutReminder { book, .. } | StoreJob::NoteReminder(book) = job {
        match mutant {
            Mutant::ReminderNeverNotedAsTold => book.told = None,
            Mutant::ReminderNotOwedOnDisk => (book.owed, book.before) = (None, None),
            Mutant::ReminderOwedBeforeForgotten => book.before = None,
            _ => {}
        }
    }
    let early = matches!(
        (mutant, &*job),
        (Mutant::ReminderToldBeforeItIsNoted, StoreJob::NoteReminder(_))
            | (Mutant::ReminderConfirmedBeforeItIsStored, StoreJob::PutReminder { .. })
    );
    early.then_some(Done::ReminderStored(Ok(())))
}
