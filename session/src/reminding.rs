//! The re-audit reminder of whoever is signed in.

use crate::Op;
use crate::event::{Answer, Waiter};
use crate::job::ReminderAnswer;
use crate::profile::Profile;
use crate::reminder::{FoundReminder, ReminderBook};
use crate::time::{Boot, Moment};
use crate::trouble::{StoreTrouble, Trouble};
use everkey_proto::When;
use everkey_proto::reply::Reminder;

/// Where the reminder stands.
#[derive(Debug, Default)]
pub(crate) struct Reminding {}

impl Profile {
    pub(crate) fn read_reminder_soon(&mut self, _now: &Moment) {}
    pub(crate) fn remind_at(&self, _now: &Moment) -> Option<Boot> {
        None
    }
    pub(crate) fn remind_if_due(&mut self, _now: &Moment) {}
    pub(crate) fn reminder(&self, _now: &Moment) -> Option<Reminder> {
        None
    }
    pub(crate) fn show_reminder(&mut self, _now: &Moment, waiter: Waiter) {
        self.reply(waiter, Answer::Failed(Trouble::NoReminders));
    }
    pub(crate) fn set_reminder(&mut self, _now: &Moment, waiter: Waiter, _when: When) {
        self.reply(waiter, Answer::Failed(Trouble::NoReminders));
    }
    pub(crate) fn clear_reminder(&mut self, _now: &Moment, waiter: Waiter) {
        self.reply(waiter, Answer::Failed(Trouble::NoReminders));
    }
    pub(crate) fn reminder_read(&mut self, _: &Moment, _: Op, _: FoundReminder, _: ReminderBook) {}
    pub(crate) fn reminder_stored(&mut self, _: &Moment, _: Op, _: Result<(), StoreTrouble>) {}
    pub(crate) fn reminder_told(&mut self, _: &Moment, _: Op, _: ReminderAnswer) {}
}
