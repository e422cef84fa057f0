//! The one task that owns every session: takes an event, applies it to the core, starts the effects.
//! Nothing here awaits while it holds a session; completions come back as events.

mod asking;
mod effects;

use crate::access_log::AccessLog;
use crate::clock::{self, Alarm};
use crate::happenings::Happenings;
use crate::http::Parked;
use crate::provider::Descriptor;
use crate::service_manager::Watchdog;
use crate::setup::Setup;
use crate::store::{Store, reminder};
use crate::watch::Watch;
use anyhow::{Result, bail};
use everkey_proto::reply::AgentInfo;
use everkey_proto::{Failure, Reply, Request, Secret};
use everkey_session::job::Done;

use everkey_session::trouble::NetTrouble;
use everkey_session::{Boot, Input, Op, Profile, Settings, StoreJob, Waiter};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use tokio::net::TcpListener;
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

/// A browser that came back to the listener of a sign-in.
pub struct Back {
    /// Whose sign-in.
    pub lane: usize,
    /// The listener.
    pub listener: Op,
    /// What it brings.
    pub query: Secret,
    /// Where it is told how the sign-in ended.
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
    pub provider: &'static Descriptor,
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
    provider: &'static Descriptor,
    session_file: PathBuf,
    /// Where the provider keeps reminders: the file that holds one.
    reminder_file: Option<PathBuf>,
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
    Listening(std::io::Result<TcpListener>),
    /// A profile that nobody has asked for before, and who asks.
    Found(Asked, Box<Result<Account, Failure>>),
    Logged(std::io::Result<()>),
    /// A helper has, or nobody could be given, what is to be told to the person.
    HandedOver(Result<()>),
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
    happenings: Happenings,
    last_waiter: u64,
    work: JoinSet<Finished>,
    running: BTreeMap<(usize, Op), AbortHandle>,
    parked: BTreeMap<(usize, Op), Parked>,
    /// Each is closed by dropping it.
    listeners: BTreeMap<(usize, Op), oneshot::Sender<()>>,
    back: (mpsc::Sender<Back>, mpsc::Receiver<Back>),
    setup: Setup,
    watch: Option<Watch>,
    info: AgentInfo,
    stopping: Option<Boot>,
    /// Reminders that no helper has yet.
    handing_over: u32,
    watchdog: Watchdog,
}

impl Broker {
    /// Starts every account that has something to look after; the others start when they are asked for.
    pub fn start(setup: Setup, watch: Option<Watch>, info: AgentInfo) -> Result<Self> {
        let mut broker = Self {
            lanes: Vec::new(),
            desk: BTreeMap::new(),
            access: AccessLog::in_state(std::path::Path::new(&info.state_dir)),
            happenings: Happenings::new(),
            last_waiter: 0,
            work: JoinSet::new(),
            running: BTreeMap::new(),
            parked: BTreeMap::new(),
            listeners: BTreeMap::new(),
            back: mpsc::channel(16),
            watch,
            info,
            stopping: None,
            handing_over: 0,
            watchdog: Watchdog::new(),
            setup,
        };
        for account in broker.setup.begun()? {
            broker.open(account)?;
        }
        Ok(broker)
    }

    /// What happens to its sessions.
    pub fn happenings(&self) -> Happenings {
        self.happenings.clone()
    }

    /// Begins to look after an account: its files are read at once.
    fn open(&mut self, account: Account) -> Result<usize> {
        // The folder must be there before it can be watched; what goes wrong is told when the file is needed.
        if let Some(dir) = account.session_file.parent() {
            let _ = crate::store::make_dir(dir);
        }
        let reminds = account.settings.policy.reminds;
        let reminder_file = reminds.then(|| reminder::beside(&account.session_file));
        if let Some(watch) = &mut self.watch {
            watch.add(&account.session_file);
            reminder_file.iter().for_each(|file| watch.add(file));
        }
        let (core, effects) = Profile::start(account.settings, &clock::now()?);
        self.lanes.push(Lane {
            name: account.name,
            provider: account.provider,
            session_file: account.session_file,
            reminder_file,
            core,
            store: Some(account.store),
            jobs: VecDeque::new(),
        });
        let lane = self.lanes.len() - 1;
        self.perform(lane, effects);
        Ok(lane)
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
                Some(back) = self.back.1.recv() => self.came_back(back)?,
                rung = alarm.ring() => { rung?; self.tick()?; }
                _ = &mut events.stop, if self.stopping.is_none() => self.stop(),
            }
        }
    }

    fn finished(&mut self, finished: Finished) -> Result<()> {
        let Finished { lane, op, outcome } = finished;
        let wanted = self.running.remove(&(lane, op)).is_some();
        let done = match outcome {
            // Cancelled when it was at its end already: nobody would ever ask for the connection that it made.
            Outcome::Parked(_) | Outcome::Listening(_) if !wanted => return Ok(()),
            Outcome::Found(asked, found) => return self.found(asked, *found),
            Outcome::Listening(bound) => Done::Listening(self.listen(lane, op, bound)),
            Outcome::Done(done) => done,
            Outcome::Logged(outcome) => {
                if let Err(e) = outcome {
                    tracing::warn!(error = %e, "can't write the access log");
                }
                return Ok(());
            }
            Outcome::HandedOver(outcome) => {
                self.handing_over -= 1;
                if let Err(e) = outcome {
                    let profile = &self.lanes[lane].name;
                    tracing::warn!(
                        profile,
                        error = format!("{e:#}"),
                        "can't tell the person of the reminder"
                    );
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
            let lost = path.as_os_str().is_empty();
            if lost || self.lanes[lane].session_file == path {
                self.apply(lane, Input::FileChanged)?;
            }
            if self.lanes[lane].reminder_file.as_ref().is_some_and(|file| lost || file == path) {
                self.apply(lane, Input::ReminderChanged)?;
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

    fn stop(&mut self) {
        tracing::info!("stopping");
        self.stopping = Some(clock::boot().plus_ms(DRAIN_MS));
    }

    /// Once stopping: nothing sent is unanswered, nothing answered is unstored and nothing due is untold, or time is up
    /// and the journal has to do.
    fn may_exit(&self) -> bool {
        self.stopping.is_some_and(|until| {
            let busy = self.lanes.iter().any(|lane| lane.core.must_drain() || lane.store.is_none());
            !(busy || self.handing_over > 0) || clock::boot() >= until
        })
    }

    fn next_wake(&self) -> Result<Option<Boot>> {
        let now = clock::now()?;
        let wakes = self.lanes.iter().filter_map(|lane| lane.core.next_wake(&now));
        Ok(wakes.chain(self.stopping).chain(self.watchdog.next()).min())
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
        let mut broker = Broker::start(Setup::in_folder(dir.path()), None, info).unwrap();
        let Ok(parked) = crate::http::park(&server, &"/".into()).await else { panic!("somebody listens") };
        let outcome = Outcome::Parked(Ok(parked));
        broker.finished(Finished { lane: 0, op: Op(1), outcome }).unwrap();
        assert!(broker.parked.is_empty());
    }
}
