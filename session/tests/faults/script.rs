//! A small language for scenarios: an agent, a clock that is moved by hand, and the walk through one refresh.

pub use crate::fixtures::*;

use everkey_proto::reply::SignInUnderWay;
use everkey_proto::request::SessionRequest;
use everkey_proto::{Expect, ReplayRule, Secret};
use everkey_session::policy::Policy;
use everkey_session::{
    Boot, CallTarget, Capability, Effect, EndReason, EndingReason, Error, FileContent, Input, JobResult,
    KeptSignIn, Loaded, LoginAnswer, Moment, NetJob, Notice, Op, Profile, ProfileReply, ProfileStatus,
    RefreshAnswer, Replaced, SendTerms, Session, Settings, StoreJob, TokenResponse, Waiter,
};

/// The agent on stage.
pub struct Agent {
    profile: Profile,
    boot: u64,
    wall: u64,
    events: u8,
    /// What the session file holds.
    pub file: Session,
    /// Whether it is there.
    pub is_there: bool,
    /// The sign-in that the disk holds for the agent's next life.
    pub kept_sign_in: Option<KeptSignIn>,
    /// Where its tokens are to go.
    pub at: CallTarget,
}

/// A refresh token that has been sent.
#[derive(Debug)]
pub struct Sent {
    pub op: Op,
    pub token: Option<Secret>,
    pub key: Secret,
    pub deadline: u64,
    pub terms: SendTerms,
}

impl Agent {
    /// Signed in, an hour before the access token expires.
    pub fn signed_in(capability: Capability) -> Self {
        let (agent, effects) = Self::start(files(capability), ReplayRule::StrictUser);
        assert_eq!(effects, []);
        agent
    }

    /// Starts and reads these files.
    pub fn start(files: Loaded, rule: ReplayRule) -> (Self, Vec<Effect>) {
        Self::start_with(Policy { replay: replay(rule), ..policy() }, files)
    }

    /// The same for another provider.
    pub fn start_with(policy: Policy, files: Loaded) -> (Self, Vec<Effect>) {
        Self::start_set_up(settings(policy), files)
    }

    /// The same for a profile that announces revocations.
    pub fn start_announcing(files: Loaded) -> (Self, Vec<Effect>) {
        Self::start_set_up(Settings { announces_revocations: true, ..settings(policy()) }, files)
    }

    fn start_set_up(settings: Settings, files: Loaded) -> (Self, Vec<Effect>) {
        let (boot, wall) = (START_BOOT, START_WALL);
        let is_there = files.file != FileContent::Missing;
        let (profile, effects) = Profile::start(settings, &Moment { boot: Boot(boot), wall, dice: [0; 32] });
        let mut agent = Self {
            profile,
            boot,
            wall,
            events: 0,
            file: session(0),
            is_there,
            kept_sign_in: None,
            at: home(),
        };
        let (op, job) = only_store(effects);
        assert_eq!(job, StoreJob::Load);
        let effects = agent.done(op, JobResult::Loaded(Box::new(files)));
        (agent, effects)
    }

    fn moment(&mut self) -> Moment {
        self.events = self.events.wrapping_add(1);
        Moment { boot: Boot(self.boot), wall: self.wall, dice: [self.events; 32] }
    }

    fn handle(&mut self, input: Input) -> Vec<Effect> {
        let now = self.moment();
        let mut rest = Vec::new();
        for effect in self.profile.handle(&now, input) {
            match effect {
                Effect::Store(op, job) if matches!(*job, StoreJob::KeepSignIn(_)) => {
                    let StoreJob::KeepSignIn(kept) = *job else { continue };
                    self.kept_sign_in = kept.map(|kept| *kept);
                    rest.extend(self.done(op, JobResult::Stored(Ok(()))));
                }
                other => rest.push(other),
            }
        }
        rest
    }

    pub fn ask(&mut self, waiter: u64, ask: SessionRequest) -> Vec<Effect> {
        self.handle(Input::Request { waiter: Waiter(waiter), expect: Expect::default(), request: ask })
    }

    pub fn ask_at(&mut self, waiter: u64, server: &str, ask: SessionRequest) -> Vec<Effect> {
        let expect = Expect { server: Some(server.to_owned()), session_file: None };
        self.ask_expecting(waiter, expect, ask)
    }

    pub fn ask_expecting(&mut self, waiter: u64, expect: Expect, ask: SessionRequest) -> Vec<Effect> {
        self.handle(Input::Request { waiter: Waiter(waiter), expect, request: ask })
    }

    pub fn done(&mut self, op: Op, done: JobResult) -> Vec<Effect> {
        self.handle(Input::Done(op, done))
    }

    pub fn answered(&mut self, sent: &Sent, answer: RefreshAnswer) -> Vec<Effect> {
        self.done(sent.op, JobResult::Answered(Box::new(answer), None))
    }

    /// A browser comes back.
    pub fn came_back(&mut self, waiter: u64, listener: Op, query: &str) -> Vec<Effect> {
        self.handle(Input::Callback { waiter: Waiter(waiter), listener, query: Secret::new(query) })
    }

    /// The server answers a call of a sign-in.
    pub fn login_answered(&mut self, op: Op, answer: LoginAnswer) -> Vec<Effect> {
        self.done(op, JobResult::LoginAnswered(Box::new(answer)))
    }

    /// From the tokens of a sign-in to the file that holds them.
    pub fn store_sign_in(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let (op, job) = only_store(effects);
        assert!(matches!(job, StoreJob::WriteSidecar(_)), "{job:?} instead of the side-car");
        let (op, job) = only_store(self.done(op, JobResult::Stored(Ok(()))));
        let StoreJob::Replace { parent: None, session } = job else { panic!("{job:?}") };
        (self.file, self.is_there) = (session, true);
        let effects = self.done(op, JobResult::Replaced(Ok(Replaced::Done)));
        self.keep_books(effects)
    }

    pub fn farewell_done(&mut self, revocation: u64) -> Vec<Effect> {
        self.handle(Input::FarewellDone(revocation))
    }

    pub fn file_changed(&mut self) -> Vec<Effect> {
        self.handle(Input::FileChanged)
    }

    /// The configuration, or a file that it names, was written.
    pub fn client_changed(&mut self) -> Vec<Effect> {
        self.handle(Input::ClientChanged)
    }

    /// The profile is set up so from now on.
    pub fn configured(&mut self, settings: Settings) -> Vec<Effect> {
        self.handle(Input::Configured(Box::new(settings)))
    }

    pub fn gone(&mut self, waiter: u64) -> Vec<Effect> {
        self.handle(Input::Gone(Waiter(waiter)))
    }

    /// The boot clock in milliseconds.
    pub fn boot(&self) -> u64 {
        self.boot
    }

    /// The wall clock in unix seconds.
    pub fn wall(&self) -> u64 {
        self.wall
    }

    /// Both clocks go on while the machine sleeps.
    pub fn suspend(&mut self, ms: u64) {
        self.boot += ms;
        self.wall += ms / 1000;
    }

    /// Both clocks go on, then the agent wakes.
    pub fn sleep(&mut self, ms: u64) -> Vec<Effect> {
        self.suspend(ms);
        self.handle(Input::Tick)
    }

    pub fn jump_wall(&mut self, secs: i64) {
        self.wall = self.wall.saturating_add_signed(secs);
    }

    /// Milliseconds until the agent next wants to wake.
    pub fn idle_ms(&mut self) -> u64 {
        let now = self.moment();
        self.profile.due(&now).map_or(u64::MAX, |wake| now.boot.ms_until(wake.at))
    }

    /// Sleeps and wakes, answering looks at the unchanged file, until the agent does something else.
    pub fn wait(&mut self) -> Vec<Effect> {
        let (effects, waited) = self.wait_for();
        assert!(waited < 12 * HOUR, "nothing happens");
        effects
    }

    /// The same, and how many milliseconds it took.
    pub fn wait_for(&mut self) -> (Vec<Effect>, u64) {
        let begun = self.boot;
        let mut effects = Vec::new();
        while effects.is_empty() && self.boot - begun < 12 * HOUR {
            let idle = self.idle_ms();
            effects = self.sleep(idle);
            effects = self.look_at_unchanged_file(effects);
        }
        (effects, self.boot - begun)
    }

    /// Answers every look among the effects; what is left, and what came of it.
    pub fn look_at_unchanged_file(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let file = if self.is_there { found(&self.file) } else { FileContent::Missing };
        self.look_at(effects, &file)
    }

    /// The same where another program, or a sign-out, has taken the file away.
    pub fn look_at_missing_file(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        self.look_at(effects, &FileContent::Missing)
    }

    /// Answers every look among the effects with this.
    pub fn look_at(&mut self, effects: Vec<Effect>, found: &FileContent) -> Vec<Effect> {
        let mut rest = Vec::new();
        for effect in effects {
            match effect {
                Effect::Store(op, job) if *job == StoreJob::ReadSession => {
                    rest.extend(self.done(op, JobResult::SessionRead(Box::new(found.clone()))));
                }
                other => rest.push(other),
            }
        }
        rest
    }

    /// S1 to S3: from the connection that the effects open to the token on its way.
    pub fn send(&mut self, effects: Vec<Effect>) -> Sent {
        let effects = self.look_at_unchanged_file(effects);
        let (op, job) = only_net(effects);
        assert_eq!(job, NetJob::Connect { at: self.at.clone() });
        let effects = self.done(op, JobResult::Connected(Ok(())));
        let (noted, job) = only_store(effects);
        let StoreJob::WriteIntent(intent) = job else { panic!("{job:?} instead of the intent") };
        assert_eq!(intent.parent, self.file.fingerprint());
        let effects = self.done(noted, JobResult::Stored(Ok(())));
        let [Effect::Net(sent, NetJob::Send { at, refresh, key, deadline, terms })] = &effects[..] else {
            panic!("{effects:?} instead of the token")
        };
        assert_eq!((*sent, at, key, *deadline), (op, &self.at, &intent.key, intent.deadline));
        let (token, terms) = (Some(refresh.clone()), terms.clone());
        Sent { op, token, key: key.clone(), deadline: *deadline, terms }
    }

    /// Waits until a refresh is due and sends it.
    pub fn send_when_due(&mut self) -> Sent {
        let effects = self.wait();
        self.send(effects)
    }

    /// S4 to S6: the answer is journaled, the file replaced. What happens then, without the books.
    pub fn succeed(&mut self, sent: &Sent, grant: TokenResponse) -> Vec<Effect> {
        let effects = self.answered(sent, RefreshAnswer::Granted(grant));
        let effects = self.keep_books(effects);
        let (op, job) = only_store(self.look_at_unchanged_file(effects));
        let StoreJob::Commit(outcome) = job else { panic!("{job:?} instead of the outcome") };
        let effects = self.done(op, JobResult::Stored(Ok(())));
        let (op, job) = only_store(effects);
        let parent = Some(self.file.fingerprint());
        assert_eq!(job, StoreJob::Replace { parent, session: outcome.clone() });
        self.file = outcome;
        let effects = self.done(op, JobResult::Replaced(Ok(Replaced::Done)));
        self.keep_books(effects)
    }

    /// Acknowledges the side-car, wherever it is among the effects.
    pub fn keep_books(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut rest = Vec::new();
        for effect in effects {
            match effect {
                Effect::Store(op, job) if matches!(*job, StoreJob::Settle(_) | StoreJob::WriteSidecar(_)) => {
                    rest.extend(self.done(op, JobResult::Stored(Ok(()))));
                }
                other => rest.push(other),
            }
        }
        rest
    }

    /// Whether whoami still names the user.
    pub fn is_signed_in(&mut self) -> bool {
        self.ask(999, SessionRequest::Whoami) == [reply(999, ProfileReply::Whoami(Some(user())))]
    }
}

pub fn reply(waiter: u64, answer: ProfileReply) -> Effect {
    Effect::Reply(Waiter(waiter), Box::new(answer))
}

/// Whose sign-in is in the way, as a second caller is told.
pub fn under_way(effects: &[Effect]) -> SignInUnderWay {
    let [Effect::Reply(_, answer)] = effects else { panic!("{effects:?} instead of one reply") };
    let ProfileReply::Failed(Error::InProgress(other)) = &**answer else { panic!("{answer:?}") };
    (**other).clone()
}

/// How the profile stands, as `status` says.
pub fn view(agent: &mut Agent) -> ProfileStatus {
    match &agent.ask(998, SessionRequest::Status)[..] {
        [Effect::Reply(_, answer)] => match &**answer {
            ProfileReply::Status(view) => view.clone(),
            other => panic!("{other:?} instead of a status"),
        },
        other => panic!("{other:?} instead of a status"),
    }
}

pub fn ended(why: EndReason) -> Effect {
    Effect::Notify(Notice::Ended(why))
}

/// A sign-in may be needed by then, because a refresh is in doubt.
pub fn ahead(by: Option<u64>) -> Effect {
    Effect::Notify(Notice::SignInAhead { by, why: EndingReason::InDoubt })
}

/// The one effect, which works on files.
pub fn only_store(effects: Vec<Effect>) -> (Op, StoreJob) {
    match <[Effect; 1]>::try_from(effects) {
        Ok([Effect::Store(op, job)]) => (op, *job),
        other => panic!("{other:?} instead of one job for the store"),
    }
}

/// The one effect, which works on the network.
pub fn only_net(effects: Vec<Effect>) -> (Op, NetJob) {
    match <[Effect; 1]>::try_from(effects) {
        Ok([Effect::Net(op, job)]) => (op, job),
        other => panic!("{other:?} instead of one job for the network"),
    }
}

/// The token asked for without naming a validity.
pub fn token() -> SessionRequest {
    SessionRequest::Token { min_validity_secs: 0 }
}

/// The answer with the tokens of this session.
pub fn token_of(session: &Session) -> ProfileReply {
    let (access, expires_at) = (session.access.clone(), session.access_expires_at);
    ProfileReply::Token { access, expires_at, short: None, ended: None }
}

/// The same where the session has ended, and leaves the access token alone.
pub fn last_token_of(session: &Session, why: EndReason) -> ProfileReply {
    let (access, expires_at) = (session.access.clone(), session.access_expires_at);
    ProfileReply::Token { access, expires_at, short: None, ended: Some(why) }
}
