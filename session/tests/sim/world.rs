//! The world of one schedule: clocks, a queue of events, the agent, its disk and its network.

use crate::check::{Breach, Checks, Rule};
use crate::dice::Dice;
use crate::disk::{Content, Disk, Health, Progress};
use crate::ending::Excuses;
use crate::mutants::{Agent, Mutant};
use crate::network::{Connection, Request};
use crate::reminders::Reminders;
use crate::schedule::{AWAY, HOME, Happening, Plan, Start, happening, reminding};
use crate::server::{Rules, Server, session_of};
use everkey_proto::{Scheme, Secret};
use everkey_session::event::{Ask, Effect, Input};
use everkey_session::job::{Done, Refresh, StoreJob};
use everkey_session::policy::{Policy, Renewal};
use everkey_session::record::{Fingerprint, Pin, Session, Sidecar};
use everkey_session::{Boot, Moment, Op, Settings};
use std::collections::BTreeMap;

/// The true time at which a schedule begins, in unix milliseconds.
const BEGIN_MS: u64 = 1_800_000_000_000;

/// What has been going for a while when a schedule begins.
const UPTIME_MS: u64 = 3_600_000;

/// How many in a thousand uses of a token are refused though it is good, in schedules where that happens.
const REFUSALS: u64 = 200;

/// How long everything is well at the end, in milliseconds: longer than any backoff and Retry-After drawn here.
const HEALING_MS: u64 = 150_000;

/// More than any schedule needs; one that takes more is going round in circles.
const MOST_EVENTS: u32 = 20_000;

pub enum Event {
    Happen(Happening),
    Restart,
    LockFree,
    NetUp,
    DiskWell,
    /// Of the life with this number, like the next three.
    DiskStep(u32),
    Tick(u32, u64),
    Done(u32, Op, Done),
    Typed(u32, Ask),
    Arrive(Request),
    UseAccess(String),
    Report(Fingerprint),
    OtherSends(Secret),
    OtherMends(u64, Option<Content>),
    OtherWrites(Option<Content>),
    ReminderChanged,
}

pub struct World {
    pub dice: Dice,
    pub plan: Plan,
    /// The true time in unix milliseconds.
    pub now: u64,
    end: u64,
    booted: u64,
    wall_ahead: i64,
    queue: BTreeMap<(u64, u64), Event>,
    queued: u64,
    pub agent: Option<Agent>,
    pub life: u32,
    mutant: Option<Mutant>,
    pub disk: Disk,
    pub server: Server,
    pub checks: Checks,
    pub net_is_up: bool,
    pub connections: BTreeMap<Op, Connection>,
    tick_at: Option<u64>,
    pub waiters: u64,
    /// An old session file, for [`Happening::Restore`].
    pub backup: Option<Session>,
    pub healing: bool,
    pub excuses: Excuses,
    pub got_token: bool,
    pub reminders: Reminders,
    trace: Option<Vec<String>>,
}

impl World {
    pub fn new(seed: u64, mutant: Option<Mutant>, traced: bool) -> Self {
        let mut dice = Dice::new(seed);
        // A third, so that the seeds in regressions.txt, which were found without, keep their course.
        let refusals = if seed % 3 == 1 { REFUSALS } else { 0 };
        let plan = Plan { refusals, ..Plan::draw(&mut dice) };
        // Likewise: none of those seeds is among these.
        let rules = match seed % 16 {
            3 | 11 => Rules::Rejects,
            6 | 14 => Rules::Reusable,
            _ => plan.rules,
        };
        // None of those seeds is among these either; the others roll no dice for it.
        let reminds = matches!(seed % 8, 3 | 4);
        let mut plan = Plan { rules, reminds, ..plan };
        for _ in 0..if reminds { dice.between(2, 6) } else { 0 } {
            let at = dice.between(0, plan.horizon_ms);
            plan.script.push((at, Happening::Reminder(reminding(&mut dice))));
        }
        let mut world = Self {
            server: Server::new(plan.rules, plan.server_skew, plan.access_secs),
            now: BEGIN_MS,
            end: BEGIN_MS,
            booted: BEGIN_MS - UPTIME_MS,
            wall_ahead: 0,
            queue: BTreeMap::new(),
            queued: 0,
            agent: None,
            life: 0,
            mutant,
            disk: Disk::new(),
            checks: Checks::default(),
            net_is_up: true,
            connections: BTreeMap::new(),
            tick_at: None,
            waiters: 0,
            backup: None,
            healing: false,
            excuses: Excuses::default(),
            got_token: false,
            reminders: Reminders::default(),
            trace: traced.then(Vec::new),
            dice,
            plan,
        };
        world.note(|world| format!("{:#?}", world.plan));
        world.furnish();
        world.furnish_reminder();
        for (after, what) in world.plan.script.clone() {
            world.at(after, Event::Happen(what));
        }
        world
    }

    /// What is there before the agent first starts.
    fn furnish(&mut self) {
        if self.plan.start == Start::SignedOut {
            self.excuses.sign_in_or_out = true;
            return;
        }
        let grant = self.server.sign_in(self.now, HOME, "ann");
        // Where the token stays, an earlier refresh has shown that.
        let (capability, lifetime_secs) = (self.plan.rules.capability(), grant.access_lifetime());
        let session = session_of(grant, self.wall());
        self.checks.written_by_other(&session);
        if self.plan.start == Start::WithoutSidecar {
            self.excuses.no_sidecar = true;
            self.checks.guessing();
        }
        if self.plan.start == Start::SignedIn {
            self.checks.vouch(&session);
            let fingerprint = session.fingerprint();
            let pin = Pin {
                fingerprint,
                server: HOME.to_owned(),
                capability,
                lifetime_secs,
                scheme: None,
                user: session.holder.user.clone(),
                about: session.holder.about.clone(),
            };
            let sidecar =
                Sidecar { pin: Some(pin), machine: Some("machine".to_owned()), ..Sidecar::default() };
            self.disk.sidecar = crate::disk::File::new(Some(sidecar));
        }
        self.disk.write_by_other(Some(Content::Session(session)));
    }

    /// Runs the schedule, then lets everything be well for a while. The breach, if any rule was broken.
    pub fn run(mut self) -> Result<Stats, (Breach, Vec<String>)> {
        self.start_agent();
        self.run_for(self.plan.horizon_ms);
        self.heal();
        self.run_for(HEALING_MS);
        if self.checks.breach.is_none() {
            self.final_checks();
        }
        let trace = self.trace.take().unwrap_or_default();
        match self.checks.breach {
            Some(breach) => Err((breach, trace)),
            None => Ok(Stats {
                events: self.queued,
                rotations: self.server.rotations,
                requests: self.server.requests,
                lives: self.life,
            }),
        }
    }

    pub fn run_for(&mut self, ms: u64) {
        self.end = self.now + ms;
        let mut events = 0;
        while self.checks.breach.is_none() {
            let end = self.end;
            let Some(first) = self.queue.first_entry().filter(|first| first.key().0 <= end) else { break };
            let ((at, _), event) = first.remove_entry();
            self.now = self.now.max(at);
            self.event(event);
            events += 1;
            let circles = events > MOST_EVENTS;
            self.checks.require(!circles, Rule::Busy, || "goes round in circles".to_owned());
        }
        self.now = self.now.max(self.end);
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Happen(what) => self.happen(what),
            Event::Restart => self.start_agent(),
            Event::LockFree => self.disk.lock_is_free = true,
            Event::NetUp => self.net_is_up = true,
            Event::DiskWell => self.disk.health = Health::Fine,
            Event::DiskStep(life) if life == self.life => self.disk_step(),
            Event::Tick(life, at) if life == self.life && self.tick_at == Some(at) => {
                self.tick_at = None;
                self.feed(Input::Tick);
            }
            Event::Done(life, op, done) if life == self.life => self.completed(op, done),
            Event::Typed(life, ask) if life == self.life => self.ask(ask, None),
            Event::DiskStep(_) | Event::Tick(..) | Event::Done(..) | Event::Typed(..) => {}
            Event::Arrive(request) => self.arrive(request),
            Event::UseAccess(access) => self.use_access(access),
            Event::Report(than) => self.ask(Ask::Better { than }, None),
            Event::OtherSends(token) => self.other_sends(&token),
            Event::OtherMends(digest, whole) => self.other_mends(digest, whole),
            Event::OtherWrites(content) => self.other_writes(content),
            Event::ReminderChanged => self.feed(Input::ReminderChanged),
        }
    }

    fn happen(&mut self, what: Happening) {
        if self.healing && !matches!(what, Happening::Token(..)) {
            return;
        }
        self.note(|_| format!("== {what:?}"));
        match what {
            Happening::Token(clients, min_validity_secs) => {
                for _ in 0..clients {
                    self.ask(Ask::Token { min_validity_secs }, None);
                }
            }
            Happening::Refresh { force } => self.ask(Ask::Refresh { force }, None),
            Happening::Whoami => self.ask(Ask::Whoami, None),
            Happening::Status => self.ask(Ask::Status, None),
            Happening::Gone => self.someone_goes(),
            Happening::Login(server) => self.ask(Ask::Login { scheme: None }, Some(server)),
            Happening::Logout => self.ask(Ask::Logout, None),
            Happening::Crash { power } => self.crash(power),
            // Once another program has put a session back, only the state folder can tell it from the real thing.
            Happening::LoseState if self.excuses.other_tool => {}
            Happening::LoseState => {
                self.crash(false);
                self.disk.sidecar = crate::disk::File::new(None);
                self.lose_reminder_book();
                self.excuses.no_sidecar = true;
                self.checks.guessing();
                self.backup = None;
                self.server.families.iter_mut().for_each(|family| family.is_stray = true);
            }
            Happening::LoseLock => {
                self.crash(false);
                self.disk.lock_is_free = false;
                let until = self.dice.between(1_000, 60_000);
                self.at(until, Event::LockFree);
            }
            Happening::Suspend(ms) => {
                self.now += ms;
                self.end += ms;
                self.checks.suspended(ms);
            }
            Happening::WallJump(secs) => {
                self.wall_ahead += secs;
                self.checks.guessing();
                self.excuses.wall_went_back |= secs < 0;
            }
            Happening::NetDown(ms) => {
                self.net_is_up = false;
                self.at(ms, Event::NetUp);
            }
            Happening::DiskBad(health, ms) => {
                self.disk.health = health;
                self.at(ms, Event::DiskWell);
            }
            Happening::FileChanged => self.feed(Input::FileChanged),
            Happening::OtherRefresh => self.other_refreshes(),
            Happening::OtherLogin => self.other_signs_in(),
            Happening::OtherDelete => self.other_writes(None),
            Happening::OtherGarble => self.other_garbles(),
            Happening::Restore => self.restore_backup(),
            Happening::Reminder(what) => self.remind(what),
        }
    }

    fn start_agent(&mut self) {
        let settings = Settings {
            policy: Policy {
                schemes: vec![Scheme::Otp],
                renewal: Renewal::RefreshToken,
                revokes: true,
                identifies: false,
                reminds: self.plan.reminds,
                oauth: None,
                margin_secs: 60,
                replay: self.plan.rules.replay(),
                gap_ms: 30_000,
            },
            server: HOME.to_owned(),
            session_file: "/session".to_owned(),
            machine: "machine".to_owned(),
        };
        let now = self.moment();
        self.note(|world| format!("the agent starts, life {}", world.life));
        let (agent, effects) = Agent::start(settings, &now, self.mutant);
        self.agent = Some(agent);
        self.carry_out(effects);
    }

    fn crash(&mut self, power: bool) {
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
        if power {
            self.booted = self.now;
        }
        let after = self.dice.between(50, 5_000);
        self.at(after, Event::Restart);
    }

    fn completed(&mut self, op: Op, done: Done) {
        if let Done::Answered(answer, _) = &done {
            self.checks.answered(self.global(op), answer, &self.server);
        }
        if let Done::Erased(result) = &done {
            self.checks.erased(result.is_ok());
        }
        self.feed(Input::Done(op, done));
    }

    /// One event for the agent.
    pub fn feed(&mut self, input: Input) {
        let now = self.moment();
        self.note(|_| format!("-> {input:?}"));
        let went = matches!(input, Input::Gone(_));
        let Some(agent) = &mut self.agent else { return };
        let effects = agent.handle(&now, input);
        let cancels = effects.iter().any(|effect| matches!(effect, Effect::Cancel(_)));
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

    fn carry_out(&mut self, effects: Vec<Effect>) {
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

    fn carry_out_one(&mut self, effect: Effect) {
        match effect {
            Effect::Reply(_, answer) => self.client_reads(*answer),
            Effect::Store(op, job) => {
                if let StoreJob::Erase { revocation, .. } = &*job {
                    self.checks.erasing(revocation.as_ref(), &self.server);
                }
                if self.disk.start(op, *job) {
                    self.next_disk_step();
                }
            }
            Effect::Net(op, job) => self.net(op, job),
            Effect::Cancel(op) => {
                self.connections.remove(&op);
            }
            Effect::Tell(_) | Effect::Remind(_) => {}
        }
    }

    fn next_disk_step(&mut self) {
        let takes = self.dice.between(1, 30);
        self.at(takes, Event::DiskStep(self.life));
    }

    fn disk_step(&mut self) {
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
        if let Some(Progress::Finished(op, done)) = progress {
            self.completed(op, done);
        }
    }

    /// So many milliseconds from now.
    pub fn at(&mut self, after: u64, event: Event) {
        self.queue_at(self.now + after, event);
    }

    fn queue_at(&mut self, at: u64, event: Event) {
        self.queued += 1;
        self.queue.insert((at, self.queued), event);
    }

    pub fn wall(&self) -> u64 {
        (self.now / 1000).saturating_add_signed(self.wall_ahead)
    }

    /// Whether trouble is still to be made.
    pub fn is_rough(&self) -> bool {
        !self.healing
    }

    /// Whether a copy of a request with this token has yet to reach the server.
    pub fn is_under_way(&self, token: &str) -> bool {
        self.queue.values().any(|event| matches!(event, Event::Arrive(r) if r.token.expose() == token))
    }

    fn moment(&mut self) -> Moment {
        Moment { boot: Boot(self.now - self.booted), wall: self.wall(), dice: self.dice.bytes() }
    }

    /// The agent counts its work from one in every life.
    pub fn global(&self, op: Op) -> Op {
        Op(u64::from(self.life) << 32 | op.0)
    }

    pub fn note(&mut self, what: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let line = format!("{:>10.3} {}", (self.now - BEGIN_MS) as f64 / 1000.0, what(self));
            self.trace.iter_mut().for_each(|trace| trace.push(line.clone()));
        }
    }
}

/// What a schedule amounted to.
#[derive(Debug, Default, Clone, Copy)]
pub struct Stats {
    pub events: u64,
    pub rotations: u32,
    pub requests: u32,
    pub lives: u32,
}

/// The server a name stands for.
pub fn known_server(url: &str) -> &'static str {
    if url == AWAY { AWAY } else { HOME }
}

/// Unclear answers keep their shape in one place.
pub fn answered(answer: Refresh, clock: Option<u64>) -> Done {
    Done::Answered(Box::new(answer), clock)
}
