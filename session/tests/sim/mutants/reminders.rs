//! Faults of the reminder.

use super::Mutant;
use super::twist::Twist;
use everkey_reminder::{
    FoundReminder, ProfileEffect, ProfileInput, ReminderAnswer, ReminderDone, ReminderEffect, ReminderJob,
};

pub(super) fn twist_done(mutant: Mutant, done: ReminderDone) -> ReminderDone {
    match done {
        ReminderDone::Read(mut found, book) => {
            if let FoundReminder::There(reminder) = &mut *found
                && mutant == Mutant::ReminderOfAnotherTaken
            {
                reminder.user_email = "ann@example.com".to_owned();
            }
            ReminderDone::Read(found, book)
        }
        ReminderDone::Informed(answer) => ReminderDone::Informed(match (mutant, answer) {
            (Mutant::ReminderTroubleTakenForAccepted, ReminderAnswer::Net(_)) => ReminderAnswer::Accepted,
            (Mutant::ReminderGivenUpWhenUnauthorized, ReminderAnswer::Unauthorized) => {
                ReminderAnswer::Refused
            }
            (_, answer) => answer,
        }),
        ReminderDone::Stored(_) => done,
    }
}

pub(super) fn twist_effect(mutant: Mutant, effect: ReminderEffect) -> Twist {
    match (effect, mutant) {
        (ReminderEffect::Remind(_), Mutant::ReminderNotTold) => Twist::Swap(Vec::new()),
        (effect @ ReminderEffect::Remind(_), Mutant::ReminderToldTwice) => {
            Twist::Swap(vec![ProfileEffect::Reminder(effect.clone()), ProfileEffect::Reminder(effect)])
        }
        (ReminderEffect::Store(op, mut job), _) => {
            let early = twist_store(mutant, &mut job);
            let effect = ProfileEffect::Reminder(ReminderEffect::Store(op, job));
            match early {
                Some(done) => Twist::Acknowledge(effect, op, ProfileInput::ReminderDone(op, done)),
                None => Twist::Pass(effect),
            }
        }
        (effect, _) => Twist::Pass(ProfileEffect::Reminder(effect)),
    }
}

/// What the agent is told at once, if it is.
fn twist_store(mutant: Mutant, job: &mut ReminderJob) -> Option<ReminderDone> {
    if let ReminderJob::Put { book, .. } | ReminderJob::Note(book) = job {
        match mutant {
            Mutant::ReminderNeverNotedAsTold => book.told = None,
            Mutant::ReminderNotOwedOnDisk => (book.owed, book.before) = (None, None),
            Mutant::ReminderOwedBeforeForgotten => book.before = None,
            _ => {}
        }
    }
    let early = matches!(
        (mutant, &*job),
        (Mutant::ReminderToldBeforeItIsNoted, ReminderJob::Note(_))
            | (Mutant::ReminderConfirmedBeforeItIsStored, ReminderJob::Put { .. })
    );
    early.then_some(ReminderDone::Stored(Ok(())))
}
