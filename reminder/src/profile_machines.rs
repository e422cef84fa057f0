//! A profile as the agent runs it: its session, and its reminder where the server keeps one. The session does not know
//! of the reminder; this routes between the two.

use crate::ask::PATIENCE_MS;
use crate::effect::{ReminderDone, ReminderEffect, ReminderError, ReminderInput};
use crate::facts::SessionFacts;
use crate::machine::ReminderMachine;
use everkey_proto::request::{ReminderRequest, SessionRequest};
use everkey_proto::{Expect, reply};
use everkey_session::{
    Boot, Effect, Farewell, Input, Moment, Op, Profile, ProfileReply, ProfileStatus, Settings, Waiter, Wake,
    WakeReason,
};
use std::collections::VecDeque;

/// The reminder's work is numbered from here on, the session's from one.
const REMINDER_OPS: Op = Op(1 << 62);

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileInput {
    /// For the session, or for both.
    Session(Input),
    /// A client asks about the reminder.
    Request {
        waiter: Waiter,
        /// What it counts on.
        expect: Expect,
        /// What it asks.
        request: ReminderRequest,
    },
    /// The reminder's work is done.
    ReminderDone(Op, ReminderDone),
    /// The reminder's file may have changed.
    ReminderChanged,
}

impl From<Input> for ProfileInput {
    fn from(input: Input) -> Self {
        Self::Session(input)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileEffect {
    /// Of the session; never its status nor a farewell, which stay here.
    Session(Effect),
    /// Answer a client with everything there is to show.
    Status(Waiter, Box<ProfileStatus>, Option<reply::Reminder>),
    Reminder(ReminderEffect),
}

pub struct ProfileMachines {
    session: Profile,
    reminder: Option<ReminderMachine>,
    /// Requests that came before the session's files were read.
    early: Vec<(Waiter, Expect, Early)>,
    /// Clients that wait for a status until the reminder was read.
    held: VecDeque<(Waiter, Expect, Boot)>,
    farewells: Vec<Farewell>,
    effects: Vec<ProfileEffect>,
}

/// What waits until the session's files were read.
enum Early {
    Status,
    Reminder(ReminderRequest),
}

impl ProfileMachines {
    /// A profile that has yet to read its files, and the effect that makes it do so.
    pub fn start(settings: Settings, keeps_reminders: bool, now: &Moment) -> (Self, Vec<ProfileEffect>) {
        let settings = Settings { announces_revocations: keeps_reminders, ..settings };
        let (session, effects) = Profile::start(settings, now);
        let reminder = keeps_reminders.then(|| ReminderMachine::start(REMINDER_OPS));
        let machines = Self {
            session,
            reminder,
            early: Vec::new(),
            held: VecDeque::new(),
            farewells: Vec::new(),
            effects: Vec::new(),
        };
        (machines, effects.into_iter().map(ProfileEffect::Session).collect())
    }

    /// The session, to look at.
    pub fn session(&self) -> &Profile {
        &self.session
    }

    /// Applies one event and returns what to do. Never waits.
    pub fn handle(&mut self, now: &Moment, input: ProfileInput) -> Vec<ProfileEffect> {
        match input {
            ProfileInput::Session(Input::Request { waiter, expect, request: SessionRequest::Status }) => {
                self.early.push((waiter, expect, Early::Status));
                self.apply_to_session(now, Input::Tick);
            }
            ProfileInput::Session(Input::Gone(waiter)) => {
                self.early.retain(|(early, ..)| *early != waiter);
                self.held.retain(|(held, ..)| *held != waiter);
                self.apply_to_session(now, Input::Gone(waiter));
                self.apply_to_reminder(now, ReminderInput::Gone(waiter));
            }
            ProfileInput::Session(input) => self.apply_to_session(now, input),
            ProfileInput::Request { waiter, expect, request } => {
                self.early.push((waiter, expect, Early::Reminder(request)));
                self.apply_to_session(now, Input::Tick);
            }
            ProfileInput::ReminderDone(op, done) => {
                self.apply_to_session(now, Input::Tick);
                self.apply_to_reminder(now, ReminderInput::Done(op, done));
            }
            ProfileInput::ReminderChanged => {
                self.apply_to_session(now, Input::Tick);
                self.apply_to_reminder(now, ReminderInput::FileChanged);
            }
        }
        self.admit_early(now);
        self.release_held(now);
        self.settle(now);
        std::mem::take(&mut self.effects)
    }

    /// When an [`Input::Tick`] is wanted at the latest, and why.
    pub fn due(&self, now: &Moment) -> Option<Wake> {
        let started = self.reminder.as_ref().filter(|_| self.session.is_started());
        let reminder = started.and_then(|r| r.due(now, &SessionFacts::of(&self.session, now)));
        let held = self.held.front().map(|(.., deadline)| WakeReason::CLIENT_PATIENCE.at(*deadline));
        [self.session.due(now), reminder, held].into_iter().flatten().min_by_key(|wake| wake.at)
    }

    /// Whether work is under way that a shutdown should wait for.
    pub fn must_drain(&self) -> bool {
        self.session.must_drain() || self.reminder.as_ref().is_some_and(ReminderMachine::must_drain)
    }

    /// Requests are checked once it is known which session there is.
    fn admit_early(&mut self, now: &Moment) {
        if !self.session.is_started() {
            return;
        }
        for (waiter, expect, early) in std::mem::take(&mut self.early) {
            match (self.session.check_expected(&expect, true), early) {
                (Ok(()), Early::Status) => {
                    self.held.push_back((waiter, expect, now.boot.plus_ms(PATIENCE_MS)));
                }
                (Ok(()), Early::Reminder(request)) if self.reminder.is_some() => {
                    self.apply_to_reminder(now, ReminderInput::Request(waiter, request));
                }
                (Ok(()), Early::Reminder(_)) => self.refuse(waiter, ReminderError::NoReminders),
                (Err(why), Early::Reminder(_)) => self.refuse(waiter, why.into()),
                (Err(why), Early::Status) => {
                    let failed = Effect::Reply(waiter, Box::new(ProfileReply::Failed(why)));
                    self.effects.push(ProfileEffect::Session(failed));
                }
            }
        }
    }

    fn refuse(&mut self, waiter: Waiter, why: ReminderError) {
        self.effects.push(ProfileEffect::Reminder(ReminderEffect::Reply(waiter, Err(why))));
    }

    /// A status waits for the first look at the reminder, which is part of it, though not for ever.
    fn release_held(&mut self, now: &Moment) {
        let read = self.reminder.as_ref().is_none_or(ReminderMachine::is_read);
        while let Some((waiter, expect, _)) =
            self.held.pop_front_if(|(.., deadline)| read || *deadline <= now.boot)
        {
            self.apply_to_session(now, Input::Request { waiter, expect, request: SessionRequest::Status });
        }
    }

    /// The reminder looks at the session as it is now, and has its word before each revocation.
    fn settle(&mut self, now: &Moment) {
        self.apply_to_reminder(now, ReminderInput::Tick);
        loop {
            for farewell in std::mem::take(&mut self.farewells) {
                self.apply_to_reminder(now, ReminderInput::Farewell(farewell));
            }
            let done = self.reminder.as_mut().map(ReminderMachine::take_farewells_done);
            let done = done.filter(|done| !done.is_empty());
            let Some(done) = done else { return };
            for revocation in done {
                self.apply_to_session(now, Input::FarewellDone(revocation));
            }
        }
    }

    fn apply_to_session(&mut self, now: &Moment, input: Input) {
        for effect in self.session.handle(now, input) {
            match effect {
                Effect::Farewell(farewell) => self.farewells.push(farewell),
                Effect::Reply(waiter, answer) => match *answer {
                    ProfileReply::Status(view) => self.reply_status(now, waiter, view),
                    other => {
                        let reply = Effect::Reply(waiter, Box::new(other));
                        self.effects.push(ProfileEffect::Session(reply));
                    }
                },
                other => self.effects.push(ProfileEffect::Session(other)),
            }
        }
    }

    fn reply_status(&mut self, now: &Moment, waiter: Waiter, mut view: ProfileStatus) {
        view.next_wake = self.due(now).and_then(|wake| Some((wake.told(now)?, wake.why)));
        let reminder = self.reminder.as_ref();
        let shown = reminder.and_then(|r| r.reminder(now, &SessionFacts::of(&self.session, now)));
        self.effects.push(ProfileEffect::Status(waiter, Box::new(view), shown));
    }

    fn apply_to_reminder(&mut self, now: &Moment, input: ReminderInput) {
        // Before that, nothing is known of the session; everything is looked at then.
        let Some(reminder) = self.reminder.as_mut().filter(|_| self.session.is_started()) else { return };
        let effects = reminder.handle(now, &SessionFacts::of(&self.session, now), input);
        self.effects.extend(effects.into_iter().map(ProfileEffect::Reminder));
    }
}
