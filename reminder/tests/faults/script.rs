//! A small language for scenarios: a session with its reminder, a clock that is moved by hand, and the walks through a
//! refresh, a sign-in and a sign-out.

pub use crate::fixtures::*;

use everkey_proto::request::{ReminderRequest, SessionRequest};
use everkey_proto::{Entry, Expect, FlowId, Secret};
use everkey_reminder::{
    FoundReminder, ProfileEffect, ProfileInput, ProfileMachines, ReminderAnswer, ReminderBook, ReminderCall,
    ReminderDone, ReminderEffect, ReminderJob,
};
use everkey_session::{
    Boot, Effect, FileContent, Input, JobResult, Loaded, LoginAnswer, Moment, NetJob, Op, ProfileReply,
    RefreshAnswer, Replaced, Session, StoreJob, TokenResponse, Waiter,
};

pub use everkey_reminder::ProfileEffect::{Reminder as OfReminder, Session as OfSession};

const ELSEWHERE: &str = "https://elsewhere.example";

/// The agent on stage.
pub struct Agent {
    machines: ProfileMachines,
    boot: u64,
    wall: u64,
    events: u8,
    /// What the session file holds.
    pub file: Session,
    is_there: bool,
}

impl Agent {
    /// Starts and reads these session files, for a server that keeps reminders or doesn't.
    pub fn start(keeps_reminders: bool, files: Loaded) -> (Self, Vec<ProfileEffect>) {
        let (boot, wall) = (START_BOOT, START_WALL);
        let is_there = files.file != FileContent::Missing;
        let now = Moment { boot: Boot(boot), wall, dice: [0; 32] };
        let (machines, effects) = ProfileMachines::start(settings(policy()), keeps_reminders, &now);
        let mut agent = Self { machines, boot, wall, events: 0, file: session(0), is_there };
        let (op, job) = only_store(effects);
        assert_eq!(job, StoreJob::Load);
        let effects = agent.done(op, JobResult::Loaded(Box::new(files)));
        (agent, effects)
    }

    fn moment(&mut self) -> Moment {
        self.events = self.events.wrapping_add(1);
        Moment { boot: Boot(self.boot), wall: self.wall, dice: [self.events; 32] }
    }

    fn handle(&mut self, input: impl Into<ProfileInput>) -> Vec<ProfileEffect> {
        let now = self.moment();
        self.machines.handle(&now, input.into())
    }

    pub fn ask(&mut self, waiter: u64, ask: SessionRequest) -> Vec<ProfileEffect> {
        self.ask_expecting(waiter, Expect::default(), ask)
    }

    fn ask_expecting(&mut self, waiter: u64, expect: Expect, ask: SessionRequest) -> Vec<ProfileEffect> {
        self.handle(Input::Request { waiter: Waiter(waiter), expect, request: ask })
    }

    pub fn request(&mut self, waiter: u64, request: ReminderRequest) -> Vec<ProfileEffect> {
        self.request_expecting(waiter, Expect::default(), request)
    }

    pub fn request_expecting(
        &mut self,
        waiter: u64,
        expect: Expect,
        request: ReminderRequest,
    ) -> Vec<ProfileEffect> {
        self.handle(ProfileInput::Request { waiter: Waiter(waiter), expect, request })
    }

    pub fn done(&mut self, op: Op, done: JobResult) -> Vec<ProfileEffect> {
        self.handle(Input::Done(op, done))
    }

    fn reminder_done(&mut self, op: Op, done: ReminderDone) -> Vec<ProfileEffect> {
        self.handle(ProfileInput::ReminderDone(op, done))
    }

    pub fn written(&mut self, op: Op) -> Vec<ProfileEffect> {
        self.reminder_done(op, ReminderDone::Stored(Ok(())))
    }

    pub fn unwritten(&mut self, op: Op) -> Vec<ProfileEffect> {
        self.reminder_done(op, ReminderDone::Stored(Err(io_error())))
    }

    pub fn server_says(&mut self, op: Op, answer: ReminderAnswer) -> Vec<ProfileEffect> {
        self.reminder_done(op, ReminderDone::Informed(answer))
    }

    pub fn file_changed(&mut self) -> Vec<ProfileEffect> {
        self.handle(Input::FileChanged)
    }

    pub fn reminder_changed(&mut self) -> Vec<ProfileEffect> {
        self.handle(ProfileInput::ReminderChanged)
    }

    pub fn gone(&mut self, waiter: u64) -> Vec<ProfileEffect> {
        self.handle(Input::Gone(Waiter(waiter)))
    }

    /// Whether a shutdown would wait.
    pub fn must_drain(&self) -> bool {
        self.machines.must_drain()
    }

    /// Both clocks go on, then the agent wakes.
    pub fn sleep(&mut self, ms: u64) -> Vec<ProfileEffect> {
        self.boot += ms;
        self.wall += ms / 1000;
        self.handle(Input::Tick)
    }

    pub fn jump_wall(&mut self, secs: i64) {
        self.wall = self.wall.saturating_add_signed(secs);
    }

    /// Milliseconds until the agent next wants to wake.
    pub fn idle_ms(&mut self) -> u64 {
        let now = self.moment();
        self.machines.due(&now).map_or(u64::MAX, |wake| now.boot.ms_until(wake.at))
    }

    /// Answers the look at the reminder, which must be among the effects; the rest, and what came of it.
    pub fn read(
        &mut self,
        effects: Vec<ProfileEffect>,
        found: &FoundReminder,
        book: &ReminderBook,
    ) -> Vec<ProfileEffect> {
        let (mut rest, mut looks) = (Vec::new(), 0);
        for effect in effects {
            match effect {
                OfReminder(ReminderEffect::Store(op, job)) if *job == ReminderJob::Read => {
                    looks += 1;
                    let done = ReminderDone::Read(Box::new(found.clone()), Box::new(book.clone()));
                    rest.extend(self.reminder_done(op, done));
                }
                other => rest.push(other),
            }
        }
        assert_eq!(looks, 1, "looks at the reminder, beside {rest:?}");
        rest
    }

    /// Time passes; both files are looked at and are as they were.
    pub fn live(&mut self, ms: u64, found: &FoundReminder, book: &ReminderBook) -> Vec<ProfileEffect> {
        let effects = self.sleep(ms);
        let effects = self.read(effects, found, book);
        self.look_at_unchanged_file(effects)
    }

    /// The reminder's file changes, and is read.
    pub fn edited(&mut self, found: &FoundReminder, book: &ReminderBook) -> Vec<ProfileEffect> {
        let effects = self.reminder_changed();
        self.read(effects, found, book)
    }

    /// Answers every look at the session file among the effects; what is left, and what came of it.
    pub fn look_at_unchanged_file(&mut self, effects: Vec<ProfileEffect>) -> Vec<ProfileEffect> {
        let file = if self.is_there { found(&self.file) } else { FileContent::Missing };
        self.look_at(effects, &file)
    }

    /// The same where another program, or a sign-out, has taken the file away.
    pub fn look_at_missing_file(&mut self, effects: Vec<ProfileEffect>) -> Vec<ProfileEffect> {
        self.look_at(effects, &FileContent::Missing)
    }

    /// Answers every look among the effects with this.
    pub fn look_at(&mut self, effects: Vec<ProfileEffect>, found: &FileContent) -> Vec<ProfileEffect> {
        let mut rest = Vec::new();
        for effect in effects {
            match effect {
                OfSession(Effect::Store(op, job)) if *job == StoreJob::ReadSession => {
                    rest.extend(self.done(op, JobResult::SessionRead(Box::new(found.clone()))));
                }
                other => rest.push(other),
            }
        }
        rest
    }

    /// Acknowledges the side-car, wherever it is among the effects.
    pub fn keep_books(&mut self, effects: Vec<ProfileEffect>) -> Vec<ProfileEffect> {
        let mut rest = Vec::new();
        for effect in effects {
            match effect {
                OfSession(Effect::Store(op, job))
                    if matches!(*job, StoreJob::Settle(_) | StoreJob::WriteSidecar(_)) =>
                {
                    rest.extend(self.done(op, JobResult::Stored(Ok(()))));
                }
                other => rest.push(other),
            }
        }
        rest
    }

    /// A refresh, from the connection that the effects open to the file with the new tokens.
    pub fn refresh(&mut self, effects: Vec<ProfileEffect>, grant: TokenResponse) -> Vec<ProfileEffect> {
        let (op, job) = only_net(self.look_at_unchanged_file(effects));
        assert_eq!(job, NetJob::Connect { at: home() });
        let (noted, _) = only_store(self.done(op, JobResult::Connected(Ok(()))));
        let (sent, _) = only_net(self.done(noted, JobResult::Stored(Ok(()))));
        let effects = self.done(sent, JobResult::Answered(Box::new(RefreshAnswer::Granted(grant)), None));
        let (op, job) = only_store(self.look_at_unchanged_file(effects));
        let StoreJob::Commit(outcome) = job else { panic!("{job:?} instead of the outcome") };
        let (op, _) = only_store(self.done(op, JobResult::Stored(Ok(()))));
        self.file = outcome;
        let effects = self.done(op, JobResult::Replaced(Ok(Replaced::Done)));
        self.keep_books(effects)
    }

    /// Signs in at another server.
    pub fn sign_in_elsewhere(&mut self) -> Vec<ProfileEffect> {
        let expect = Expect { server: Some(ELSEWHERE.to_owned()), session_file: None };
        let asked = self.ask_expecting(2, expect, SessionRequest::Login { scheme: None, under_way: None });
        let flow = flow_of(&asked);
        let text = Secret::new("ann@example.com");
        let (op, _) = only_net(self.ask(3, SessionRequest::Answer { flow, entry: Entry::Text(text) }));
        let sent = LoginAnswer::CodeSent { expires_in: None, resend_available_in: None, request_id: None };
        self.done(op, JobResult::LoginAnswered(Box::new(sent)));
        let (op, _) =
            only_net(self.ask(4, SessionRequest::Answer { flow, entry: Entry::Text(Secret::new("123456")) }));
        let granted = JobResult::LoginAnswered(Box::new(LoginAnswer::Granted(grant(7))));
        let (op, _) = only_store(self.done(op, granted));
        let (op, job) = only_store(self.done(op, JobResult::Stored(Ok(()))));
        assert!(matches!(job, StoreJob::Replace { parent: None, .. }), "{job:?}");
        self.done(op, JobResult::Replaced(Ok(Replaced::Done)))
    }
}

fn flow_of(effects: &[ProfileEffect]) -> FlowId {
    match effects {
        [OfSession(Effect::Reply(_, answer))] => match **answer {
            ProfileReply::Asked { flow, .. } => flow,
            ref other => panic!("{other:?} instead of a question"),
        },
        other => panic!("{other:?} instead of a question"),
    }
}

/// The one effect, which works on the session's files.
pub fn only_store(effects: Vec<ProfileEffect>) -> (Op, StoreJob) {
    match <[ProfileEffect; 1]>::try_from(effects) {
        Ok([OfSession(Effect::Store(op, job))]) => (op, *job),
        other => panic!("{other:?} instead of one job for the store"),
    }
}

/// The one effect, which works on the network for the session.
pub fn only_net(effects: Vec<ProfileEffect>) -> (Op, NetJob) {
    match <[ProfileEffect; 1]>::try_from(effects) {
        Ok([OfSession(Effect::Net(op, job))]) => (op, job),
        other => panic!("{other:?} instead of one job for the network"),
    }
}

/// The one effect, which works on the reminder's files.
pub fn only_job(effects: Vec<ProfileEffect>) -> (Op, ReminderJob) {
    match <[ProfileEffect; 1]>::try_from(effects) {
        Ok([OfReminder(ReminderEffect::Store(op, job))]) => (op, *job),
        other => panic!("{other:?} instead of one job on the reminder"),
    }
}

/// The one effect, which informs the api-server.
pub fn only_call(effects: Vec<ProfileEffect>) -> (Op, ReminderCall) {
    match <[ProfileEffect; 1]>::try_from(effects) {
        Ok([OfReminder(ReminderEffect::Call(op, call))]) => (op, call),
        other => panic!("{other:?} instead of one call to the api-server"),
    }
}
