//! The one task that owns every session: takes an event, applies it to the core, starts the effects.
//! Nothing here awaits while it holds a session; completions come back as events.

use crate::access_log::{self, AccessLog, Handed};
use crate::clock::{self, Alarm};
use crate::conn::closing;
use crate::http::{self, Parked, base_url};
use crate::provider::Provider;
use crate::service_manager::Watchdog;
use crate::store::Store;
use crate::words;
use crate::{logging, work};
use anyhow::{Result, bail};
use everkey_proto::reply::AgentInfo;
use everkey_proto::{Code, DEFAULT_PROFILE, Failure, Reply, Request, Verb};
use everkey_session::event::{Done, NetJob, Refresh};
use everkey_session::record::Fingerprint;

use everkey_session::trouble::{NetKind, NetTrouble};
use everkey_session::{Ask, Boot, Effect, Input, Op, Profile, Settings, StoreJob, Waiter};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};

/// A request from a connection.
pub struct Asked {
    /// What is asked.
    pub request: Request,
    /// Who asks.
    pub pid: i32,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Reply>,
}

/// What the broker is told from outside.
pub struct Events {
    /// Requests.
    pub inbox: mpsc::Receiver<Asked>,
    /// Session files that may have changed.
    pub changed: mpsc::Receiver<PathBuf>,
    /// Resolves when the agent shall stop.
    pub stop: oneshot::Receiver<()>,
}

/// One profile to serve.
pub struct Account {
    /// Its name.
    pub name: String,
    /// What its server speaks.
    pub provider: Provider,
    /// Its session file.
    pub session_file: PathBuf,
    /// The core's settings.
    pub settings: Settings,
    /// Its files.
    pub store: Store,
}

/// How long a shutdown waits for what is under way, in milliseconds (N07).
const DRAIN_MS: u64 = 10_000;

/// A profile with its core and files.
struct Lane {
    name: String,
    provider: Provider,
    session_file: PathBuf,
    core: Profile,
    /// None while a job runs.
    store: Option<Store>,
    jobs: VecDeque<(Op, StoreJob)>,
}

/// The end of work, and whose it was.
struct Finished {
    lane: usize,
    op: Op,
    outcome: Outcome,
}

enum Outcome {
    Stored(Box<Store>, Done),
    Done(Done),
    Parked(Result<Parked, NetTrouble>),
    Logged(std::io::Result<()>),
}

/// A client that waits for its answer.
struct Desk {
    reply: oneshot::Sender<Reply>,
    pid: i32,
    program: Option<String>,
}

/// The owner of every session.
pub struct Broker {
    lanes: Vec<Lane>,
    desk: BTreeMap<Waiter, Desk>,
    access: AccessLog,
    last_waiter: u64,
    work: JoinSet<Finished>,
    running: BTreeMap<(usize, Op), AbortHandle>,
    parked: BTreeMap<(usize, Op), Parked>,
    info: AgentInfo,
    stopping: Option<Boot>,
    watchdog: Watchdog,
}

impl Broker {
    /// Starts every account: its files are read at once.
    pub fn start(accounts: Vec<Account>, info: AgentInfo) -> Result<Self> {
        let mut broker = Self {
            lanes: Vec::new(),
            desk: BTreeMap::new(),
            access: AccessLog::in_state(std::path::Path::new(&info.state_dir)),
            last_waiter: 0,
            work: JoinSet::new(),
            running: BTreeMap::new(),
            parked: BTreeMap::new(),
            info,
            stopping: None,
            watchdog: Watchdog::new(),
        };
        for account in accounts {
            let (core, effects) = Profile::start(account.settings, &clock::now()?);
            broker.lanes.push(Lane {
                name: account.name,
                provider: account.provider,
                session_file: account.session_file,
                core,
                store: Some(account.store),
                jobs: VecDeque::new(),
            });
            broker.perform(broker.lanes.len() - 1, effects);
        }
        Ok(broker)
    }

    /// Runs until it is told to stop and everything under way is safe.
    pub async fn run(mut self, mut events: Events) -> Result<()> {
        let alarm = Alarm::new()?;
        loop {
            if self.may_exit() {
                return Ok(());
            }
            self.watchdog.alive(clock::boot());
            alarm.set(self.next_wake()?)?;
            tokio::select! {
                Some(asked) = events.inbox.recv() => self.asked(asked)?,
                Some(finished) = self.work.join_next() => match finished {
                    Ok(finished) => self.finished(finished)?,
                    Err(e) if e.is_cancelled() => {}
                    Err(_panicked) => bail!("a worker failed; starting anew is safer than going on"),
                },
                Some(path) = events.changed.recv() => self.changed(&path)?,
                rung = alarm.ring() => { rung?; self.tick()?; }
                _ = &mut events.stop, if self.stopping.is_none() => self.stop(),
            }
        }
    }

    fn asked(&mut self, asked: Asked) -> Result<()> {
        let Asked { mut request, pid, reply } = asked;
        if self.stopping.is_some() {
            let _ = reply.send(closing());
            return Ok(());
        }
        let name = request.profile.as_deref().unwrap_or(DEFAULT_PROFILE);
        let ask = match request.verb {
            Verb::Agent => {
                let _ = reply.send(Reply::Agent(self.info.clone()));
                return Ok(());
            }
            Verb::Stop => {
                let _ = reply.send(Reply::Stopping);
                self.stop();
                return Ok(());
            }
            Verb::Whoami => Ask::Whoami,
            Verb::Status => Ask::Status,
            Verb::Token { min_validity_secs } => Ask::Token { min_validity_secs: min_validity_secs.into() },
            Verb::Better { than } => match Fingerprint::try_from(than) {
                Ok(than) => Ask::Better { than },
                Err(why) => {
                    let _ = reply.send(Reply::Failed(no_fingerprint(why)));
                    return Ok(());
                }
            },
            Verb::Refresh { force } => Ask::Refresh { force },
            // Every provider has one scheme so far, so there is nothing to choose.
            Verb::Login { scheme: _ } => Ask::Login,
            Verb::Answer { flow, text } => Ask::Answer { flow, text },
            Verb::Cancel { flow } => Ask::Cancel { flow },
            Verb::Logout => Ask::Logout,
        };
        let Some(lane) = self.lanes.iter().position(|lane| lane.name == name) else {
            let _ = reply.send(Reply::Failed(self.no_such_profile(name)));
            return Ok(());
        };
        match request.expect.server.as_deref().map(base_url) {
            Some(Ok(server)) => request.expect.server = Some(server),
            Some(Err(why)) if ask == Ask::Login => {
                let _ = reply.send(Reply::Failed(not_a_server(why)));
                return Ok(());
            }
            // No session is bound to what is no server: the core says whose it is.
            Some(Err(_)) | None => {}
        }
        self.last_waiter += 1;
        let waiter = Waiter(self.last_waiter);
        tracing::debug!(pid, profile = name, ask = logging::verb(&ask), "asked");
        let program =
            matches!(ask, Ask::Token { .. } | Ask::Better { .. }).then(|| access_log::program(pid)).flatten();
        self.desk.insert(waiter, Desk { reply, pid, program });
        self.apply(lane, Input::Ask { waiter, expect: request.expect, ask })
    }

    fn finished(&mut self, finished: Finished) -> Result<()> {
        let Finished { lane, op, outcome } = finished;
        let wanted = self.running.remove(&(lane, op)).is_some();
        let done = match outcome {
            // Cancelled when it was at its end already: nobody would ever ask for the connection that it made.
            Outcome::Parked(_) if !wanted => return Ok(()),
            Outcome::Done(done) => done,
            Outcome::Logged(outcome) => {
                if let Err(e) = outcome {
                    tracing::warn!(error = %e, "can't write the access log");
                }
                return Ok(());
            }
            Outcome::Parked(Ok(parked)) => {
                self.parked.insert((lane, op), parked);
                Done::Connected(Ok(()))
            }
            Outcome::Parked(Err(trouble)) => Done::Connected(Err(trouble)),
            Outcome::Stored(store, done) => {
                self.lanes[lane].store = Some(*store);
                self.start_next_job(lane);
                done
            }
        };
        self.apply(lane, Input::Done(op, done))
    }

    fn changed(&mut self, path: &std::path::Path) -> Result<()> {
        for lane in 0..self.lanes.len() {
            // An empty path means that events were lost: look everywhere.
            if path.as_os_str().is_empty() || self.lanes[lane].session_file == path {
                self.apply(lane, Input::FileChanged)?;
            }
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<()> {
        (0..self.lanes.len()).try_for_each(|lane| self.apply(lane, Input::Tick))
    }

    fn apply(&mut self, lane: usize, input: Input) -> Result<()> {
        let effects = self.lanes[lane].core.handle(&clock::now()?, input);
        self.perform(lane, effects);
        Ok(())
    }

    fn perform(&mut self, lane: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Reply(waiter, answer) => {
                    let of = &self.lanes[lane];
                    let reply = words::reply(&of.name, &of.session_file.to_string_lossy(), *answer);
                    if let Some(desk) = self.desk.remove(&waiter) {
                        self.answer(lane, desk, reply);
                    }
                }
                Effect::Store(op, job) => {
                    self.lanes[lane].jobs.push_back((op, *job));
                    self.start_next_job(lane);
                }
                Effect::Net(op, job) => self.start_net(lane, op, job),
                Effect::Cancel(op) => {
                    self.parked.remove(&(lane, op));
                    if let Some(running) = self.running.remove(&(lane, op)) {
                        running.abort();
                    }
                }
                Effect::Tell(notice) => logging::tell(&self.lanes[lane].name, &notice),
            }
        }
    }

    fn answer(&mut self, lane: usize, desk: Desk, reply: Reply) {
        if let (Reply::Token(_), Ok(now)) = (&reply, clock::now()) {
            let profile = self.lanes[lane].name.clone();
            let handed = Handed { at: now.wall, profile, pid: desk.pid, program: desk.program };
            let log = self.access.clone();
            self.work.spawn_blocking(move || {
                let outcome = Outcome::Logged(log.add(&handed));
                Finished { lane, op: Op(0), outcome }
            });
        }
        // A client that went away has no use for it.
        let _ = desk.reply.send(reply);
    }

    /// Jobs of one profile run one after another; each takes the store along and brings it back.
    fn start_next_job(&mut self, lane: usize) {
        let of = &mut self.lanes[lane];
        let Some(mut store) = of.store.take() else { return };
        let Some((op, job)) = of.jobs.pop_front() else {
            of.store = Some(store);
            return;
        };
        self.work.spawn_blocking(move || {
            let done = store.run(job);
            Finished { lane, op, outcome: Outcome::Stored(Box::new(store), done) }
        });
    }

    fn start_net(&mut self, lane: usize, op: Op, job: NetJob) {
        let provider = self.lanes[lane].provider;
        let running = match job {
            NetJob::Connect { server } => self.work.spawn(async move {
                Finished { lane, op, outcome: Outcome::Parked(http::park(&server).await) }
            }),
            NetJob::Send { refresh, key, deadline } => {
                let parked = self.parked.remove(&(lane, op));
                self.spawn(lane, op, async move {
                    match parked {
                        Some(parked) => work::send(provider, parked, refresh, key, deadline).await,
                        None => {
                            let trouble = NetTrouble { server: String::new(), kind: NetKind::Broken };
                            Done::Answered(Box::new(Refresh::Unclear(trouble)), None)
                        }
                    }
                })
            }
            NetJob::Probe { server, access } => self.spawn(lane, op, work::probe(provider, server, access)),
            NetJob::Login { server, call } => self.spawn(lane, op, work::login(provider, server, call)),
            NetJob::Revoke(revocation) => self.spawn(lane, op, work::revoke(provider, revocation)),
        };
        self.running.insert((lane, op), running);
    }

    fn spawn(
        &mut self,
        lane: usize,
        op: Op,
        job: impl Future<Output = Done> + Send + 'static,
    ) -> AbortHandle {
        self.work.spawn(async move { Finished { lane, op, outcome: Outcome::Done(job.await) } })
    }

    fn stop(&mut self) {
        tracing::info!("stopping");
        self.stopping = Some(clock::boot().plus_ms(DRAIN_MS));
    }

    /// Once stopping: nothing sent is unanswered and nothing answered is unstored, or time is up and the journal
    /// has to do.
    fn may_exit(&self) -> bool {
        self.stopping.is_some_and(|until| {
            let busy = self.lanes.iter().any(|lane| lane.core.must_drain() || lane.store.is_none());
            !busy || clock::boot() >= until
        })
    }

    fn next_wake(&self) -> Result<Option<Boot>> {
        let now = clock::now()?;
        let wakes = self.lanes.iter().filter_map(|lane| lane.core.next_wake(&now));
        Ok(wakes.chain(self.stopping).chain(self.watchdog.next()).min())
    }

    fn no_such_profile(&self, name: &str) -> Failure {
        let known: Vec<&str> = self.lanes.iter().map(|lane| lane.name.as_str()).collect();
        let shown = everkey_proto::text::harmless(name, 64);
        Failure {
            code: Code::UnknownProfile,
            message: format!("There is no profile {shown:?}."),
            hint: format!("There is: {}.", known.join(", ")),
            retry_after_secs: None,
        }
    }
}

fn no_fingerprint(why: &str) -> Failure {
    Failure {
        code: Code::BadRequest,
        message: format!("\"than\" names no token: {why}."),
        hint: "Send the SHA-256 of the refused token in hexadecimal.".to_owned(),
        retry_after_secs: None,
    }
}

fn not_a_server(why: String) -> Failure {
    Failure {
        code: Code::BadRequest,
        message: format!("Can't sign in there: {why}."),
        hint: "Name the api-server's base URL, like https://api.befailproof.ai.".to_owned(),
        retry_after_secs: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_was_cancelled_at_its_end_is_closed() {
        let _ = crate::setup::tls();
        let dir = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let state_dir = dir.path().display().to_string();
        let info = AgentInfo { version: String::new(), pid: 0, socket: String::new(), state_dir };
        let mut broker = Broker::start(Vec::new(), info).unwrap();
        let Ok(parked) = http::park(&server).await else { panic!("somebody listens") };
        let outcome = Outcome::Parked(Ok(parked));
        broker.finished(Finished { lane: 0, op: Op(1), outcome }).unwrap();
        assert!(broker.parked.is_empty());
    }
}
