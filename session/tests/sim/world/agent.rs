//! The agent's lives: it starts, is fed, has its effects carried out, and dies.

use super::{Event, World};
use crate::check::Rule;
use crate::disk::{Job, Outcome, Progress};
use crate::mutants::Agent;
use crate::schedule::{HOME, Happening, happening, reminding};
use everkey_proto::{ReplayRule, SignInMethod};
use everkey_reminder::{ProfileEffect, ProfileInput, ReminderEffect};
use everkey_session::policy::Policy;
use everkey_session::{
    Boot, Effect, Input, JobResult, Journal, Moment, Op, ReplayKnowledge, Settings, StoreJob,
};

impl World {
    pub(super) fn start_agent(&mut self) {
        let settings = Settings {
            policy: Policy {
                schemes: vec![SignInMethod::Otp],
                renewal: everkey_session::policy::Renewal::RefreshToken,
                revokes: true,
                identifies: false,
                access_ends_with_session: self.plan.rules.is_known_to_end_access(),
                oauth: None,
                margin_secs: 60,
                replay: ReplayKnowledge {
                    profile: None,
                    issuers: &[],
                    otherwise: if self.plan.is_known { self.plan.rules.word() } else { ReplayRule::Unknown },
                    not_processed: Vec::new(),
                },
                gap_ms: 30_000,
            },
            server: HOME.to_owned(),
            server_is_named: false,
            session_file: "/session".to_owned(),
            machine: "machine".to_owned(),
            boot_id: format!("boot {}", self.booted),
            announces_revocations: false,
        };
        let now = self.moment();
        self.note(|world| format!("the agent starts, life {}", world.life));
        let (agent, effects) = Agent::start(settings, self.plan.reminds, &now, self.mutant);
        self.agent = Some(agent);
        self.carry_out(effects);
    }

    pub(super) fn crash(&mut self, power: bool) {
        if self.agent.take().is_none() {
            return;
        }
        self.note(|_| format!("crash, power cut: {power}"));
        self.life += 1;
        self.tick_at = None;
        self.connections.clear();
        let before = self.disk.reminder.seen.clone();
        self.disk.crash(power, &mut self.dice);
        self.reminder_crashed(before.as_ref());
        self.checks.crashed();
        // What the server has answered, and neither file nor journal holds, nobody will ever see.
        let used_up = self.disk.refresh().is_some_and(|refresh| self.server.is_used_up(refresh.expose()));
        self.excuses.answer_lost |= used_up && !matches!(self.disk.journal.seen, Journal::Outcome(..));
        if power {
            self.booted = self.now;
        }
        let after = self.dice.between(50, 5_000);
        self.at(after, Event::Restart);
    }

    pub(super) fn completed(&mut self, op: Op, done: JobResult) {
        if let JobResult::Answered(answer, _) = &done {
            self.checks.answered(self.global(op), answer, &self.server);
        }
        if let JobResult::Erased(result) = &done {
            self.checks.erased(result.is_ok());
        }
        self.feed(Input::Done(op, done));
    }

    /// One event for the agent.
    pub fn feed(&mut self, input: impl Into<ProfileInput>) {
        let input = input.into();
        let now = self.moment();
        self.note(|_| format!("-> {input:?}"));
        let went = matches!(input, ProfileInput::Session(Input::Gone(_)));
        let Some(agent) = &mut self.agent else { return };
        let effects = agent.handle(&now, input);
        let is_cancel = |effect: &ProfileEffect| matches!(effect, ProfileEffect::Session(Effect::Cancel(_)));
        let cancels = effects.iter().any(is_cancel);
        self.checks
            .require(!(went && cancels), Rule::I9, || "a client that left has cancelled work".to_owned());
        self.carry_out(effects);
        let Some(agent) = &self.agent else { return };
        let wake = agent.next_wake(&now).map(|boot| boot.0);
        self.checks.after_event(self.now, now.boot.0, wake);
        if let Some(wake) = wake.map(|boot| boot.saturating_add(self.booted))
            && self.tick_at != Some(wake)
        {
            self.tick_at = Some(wake);
            self.queue_at(wake, Event::Tick(self.life, wake));
        }
    }

    fn carry_out(&mut self, effects: Vec<ProfileEffect>) {
        for effect in effects {
            self.note(|_| format!("   {effect:?}"));
            self.checks.effect(self.now, &effect, &self.disk, &self.server);
            self.check_reminders(&effect);
            self.carry_out_one(effect);
            if !self.healing && self.dice.chance(self.plan.crashes) {
                let power = self.dice.chance(500);
                return self.crash(power);
            }
            if !self.healing && self.dice.chance(self.plan.ambushes) {
                let what = if self.plan.reminds && self.dice.chance(300) {
                    Happening::Reminder(reminding(&mut self.dice))
                } else {
                    happening(self.plan.mood, &mut self.dice)
                };
                let soon = self.dice.between(0, 300);
                self.at(soon, Event::Happen(what));
            }
        }
    }

    fn carry_out_one(&mut self, effect: ProfileEffect) {
        match effect {
            ProfileEffect::Session(effect) => self.carry_out_for_session(effect),
            ProfileEffect::Reminder(ReminderEffect::Store(op, job)) => {
                self.start_job(op, Job::Reminder(*job));
            }
            ProfileEffect::Reminder(ReminderEffect::Call(op, call)) => self.informed_of_reminder(op, call),
            ProfileEffect::Status(..)
            | ProfileEffect::Reminder(
                ReminderEffect::Reply(..) | ReminderEffect::Remind(_) | ReminderEffect::Notify(_),
            ) => {}
        }
    }

    fn carry_out_for_session(&mut self, effect: Effect) {
        match effect {
            Effect::Reply(_, answer) => self.client_reads(*answer),
            Effect::Store(op, job) => {
                if let StoreJob::Erase { revocation, .. } = &*job {
                    self.checks.erasing(revocation.as_ref(), &self.server);
                }
                self.start_job(op, Job::Session(*job));
            }
            Effect::Net(op, job) => self.net(op, job),
            Effect::Cancel(op) => {
                self.connections.remove(&op);
            }
            Effect::Notify(_) | Effect::Farewell(_) => {}
        }
    }

    fn start_job(&mut self, op: Op, job: Job) {
        if self.disk.start(op, job) {
            self.next_disk_step();
        }
    }

    fn next_disk_step(&mut self) {
        let takes = self.dice.between(1, 30);
        self.at(takes, Event::DiskStep(self.life));
    }

    pub(super) fn disk_step(&mut self) {
        if let Some(step) = self.disk.next_step().cloned() {
            self.note(|_| format!("   disk: {step:?}"));
            self.checks.before_step(&step, &self.disk, &self.server);
        }
        let before = self.plan.reminds.then(|| self.disk.reminder.seen.clone());
        let progress = self.disk.step(&mut self.dice);
        self.checks.after_step(&self.disk);
        if let Some(before) = before {
            self.reminder_stepped(before.as_ref());
        }
        if !self.disk.is_idle() {
            self.next_disk_step();
        }
        match progress {
            Some(Progress::Finished(op, Outcome::Session(done))) => self.completed(op, done),
            Some(Progress::Finished(op, Outcome::Reminder(done))) => {
                self.feed(ProfileInput::ReminderDone(op, done));
            }
            Some(Progress::More) | None => {}
        }
    }

    fn moment(&mut self) -> Moment {
        Moment { boot: Boot(self.now - self.booted), wall: self.wall(), dice: self.dice.bytes() }
    }

    /// The agent counts its work from one in every life.
    pub fn global(&self, op: Op) -> Op {
        Op(u64::from(self.life) << 32 | op.0)
    }
}
