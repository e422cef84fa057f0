//! The one task that owns every session: takes an event, applies it to the core, starts the effects.
//! Nothing here awaits while it holds a session; completions come back as events.

mod effects;
mod inputs;
mod profile_runtime;
mod requests;

pub use inputs::{BrokerInputs, BrowserCallback, Caller, ClientRequest};
pub use requests::hands_out_token;

use crate::access_log::AccessLog;
use crate::clock::{self, Alarm};
use crate::configuration::{Configuration, ConfiguredProfile};
use crate::configured_client::ConfiguredClient;
use crate::events::EventLog;
use crate::http::Parked;
use crate::service_manager::Watchdog;
use crate::sleep_delay::SleepDelay;
use crate::store::reminder;
use crate::watch::Watch;
use anyhow::{Result, bail};
use everkey_proto::reply::AgentInfo;
use everkey_reminder::{ProfileInput, ProfileMachines};
use everkey_session::{Boot, Input, JobResult, Op, Waiter};
use profile_runtime::{CompletedJob, Completion, PendingReply, ProfileRuntime};
use std::collections::{BTreeMap, VecDeque};
use tokio::sync::{mpsc, oneshot, watch as latest};
use tokio::task::{AbortHandle, JoinSet};

/// How long a shutdown waits for what is under way, in milliseconds (N07).
const DRAIN_MS: u64 = 10_000;

pub struct Broker {
    profiles: Vec<ProfileRuntime>,
    pending: BTreeMap<Waiter, PendingReply>,
    access: AccessLog,
    events: EventLog,
    last_waiter: u64,
    work: JoinSet<Completion>,
    running: BTreeMap<(usize, Op), AbortHandle>,
    parked: BTreeMap<(usize, Op), Parked>,
    /// Each is closed by dropping it.
    listeners: BTreeMap<(usize, Op), oneshot::Sender<()>>,
    callbacks: (mpsc::Sender<BrowserCallback>, mpsc::Receiver<BrowserCallback>),
    configuration: Configuration,
    watch: Option<Watch>,
    info: latest::Receiver<AgentInfo>,
    stopping: Option<Boot>,
    /// Reminders that no helper has yet.
    handing_over: u32,
    watchdog: Watchdog,
    sleep_delay: SleepDelay,
}

impl Broker {
    /// Starts every profile that has something to look after; the others start when they are asked for.
    pub fn start(
        configuration: Configuration,
        watch: Option<Watch>,
        info: latest::Receiver<AgentInfo>,
    ) -> Result<Self> {
        let access = AccessLog::in_state(std::path::Path::new(&info.borrow().state_dir));
        let mut broker = Self {
            profiles: Vec::new(),
            pending: BTreeMap::new(),
            access,
            events: EventLog::new(),
            last_waiter: 0,
            work: JoinSet::new(),
            running: BTreeMap::new(),
            parked: BTreeMap::new(),
            listeners: BTreeMap::new(),
            callbacks: mpsc::channel(16),
            watch,
            info,
            stopping: None,
            handing_over: 0,
            watchdog: Watchdog::new(),
            sleep_delay: SleepDelay::default(),
            configuration,
        };
        for profile in broker.configuration.in_use() {
            broker.open(profile)?;
        }
        Ok(broker)
    }

    pub fn events(&self) -> EventLog {
        self.events.clone()
    }

    /// Begins to look after a profile: its files are read at once.
    fn open(&mut self, profile: ConfiguredProfile) -> Result<usize> {
        let keeps_reminders = profile.provider.remind.is_some();
        let reminder_file = keeps_reminders.then(|| reminder::beside(&profile.session_file));
        if let Some(watch) = &mut self.watch {
            watch.add(&profile.session_file);
            reminder_file.iter().for_each(|file| watch.add(file));
        }
        self.watch_client(profile.client.as_ref());
        let settings = profile.settings.clone();
        let (machines, effects) = ProfileMachines::start(profile.settings, keeps_reminders, &clock::now()?);
        self.profiles.push(ProfileRuntime {
            name: profile.name,
            provider: profile.provider,
            session_file: profile.session_file,
            reminder_file,
            machines,
            settings,
            client: profile.client,
            network: profile.network,
            store: Some(profile.store),
            jobs: VecDeque::new(),
        });
        let index = self.profiles.len() - 1;
        self.perform(index, effects);
        Ok(index)
    }

    /// Runs until it has to stop and everything under way is safe.
    pub async fn run(mut self, mut inputs: BrokerInputs) -> Result<()> {
        let alarm = Alarm::new()?;
        loop {
            if self.may_exit() {
                return Ok(());
            }
            self.watchdog.alive(clock::boot());
            self.sleep_delay.set(self.profiles.iter().any(|profile| profile.machines.must_drain()));
            alarm.set(self.next_wake()?)?;
            tokio::select! {
                Some(asked) = inputs.requests.recv() => self.handle_request(asked),
                Some(ended) = self.work.join_next() => match ended {
                    Ok(completion) => self.completed(completion)?,
                    Err(e) if e.is_cancelled() => {}
                    Err(_panicked) => bail!("a worker failed; starting anew is safer than going on"),
                },
                Some(path) = inputs.changed.recv() => self.changed(&path)?,
                Some(callback) = self.callbacks.1.recv() => self.browser_returned(callback)?,
                rung = alarm.ring() => { rung?; self.tick()?; }
                _ = &mut inputs.stop, if self.stopping.is_none() => self.stop(),
            }
        }
    }

    /// Sees when what the profile's OAuth client is made of changes.
    fn watch_client(&mut self, client: Option<&ConfiguredClient>) {
        let Some(watch) = &mut self.watch else { return };
        let own = client.and_then(ConfiguredClient::file);
        own.into_iter().chain([self.configuration.file()]).for_each(|file| watch.add_if_there(file));
    }

    fn completed(&mut self, completion: Completion) -> Result<()> {
        let Completion { index, op, job } = completion;
        let wanted = self.running.remove(&(index, op)).is_some();
        let done = match job {
            // Cancelled when it was at its end already: nobody would ever ask for the connection that it made.
            CompletedJob::Parked(_) | CompletedJob::Listening(_) if !wanted => return Ok(()),
            CompletedJob::Found(asked, found) => return self.profile_found(*asked, *found),
            CompletedJob::Configured(found) => {
                let found = found.ok().filter(|found| self.profiles[index].is(found));
                return found.map_or(Ok(()), |found| self.configured_anew(index, found));
            }
            CompletedJob::Listening(bound) => JobResult::Listening(self.listen(index, op, bound)),
            CompletedJob::Done(input) => return self.apply(index, input),
            CompletedJob::Logged(outcome) => {
                if let Err(e) = outcome {
                    tracing::warn!(error = %e, "can't write the access log");
                }
                return Ok(());
            }
            CompletedJob::HandedOver(handed) => {
                self.handing_over -= 1;
                if let Err(e) = handed {
                    let profile = &self.profiles[index].name;
                    tracing::warn!(profile, error = format!("{e:#}"), "can't show the person a notification");
                }
                return Ok(());
            }
            CompletedJob::Parked(Ok(parked)) => {
                self.parked.insert((index, op), parked);
                JobResult::Connected(Ok(()))
            }
            CompletedJob::Parked(Err(error)) => JobResult::Connected(Err(error)),
            CompletedJob::Stored(store, input) => {
                self.profiles[index].store = Some(*store);
                self.start_next_job(index);
                return self.apply(index, input);
            }
        };
        self.apply(index, Input::Done(op, done))
    }

    fn changed(&mut self, path: &std::path::Path) -> Result<()> {
        let appeared = self.watch.as_mut().map(|watch| watch.folder_changed(path)).unwrap_or_default();
        appeared.iter().try_for_each(|file| self.file_changed(file))?;
        self.file_changed(path)
    }

    fn file_changed(&mut self, path: &std::path::Path) -> Result<()> {
        if path == self.configuration.file() {
            self.configure_all();
        }
        for index in 0..self.profiles.len() {
            // An empty path means that events were lost: look everywhere.
            let lost = path.as_os_str().is_empty();
            if lost || self.profiles[index].session_file == path {
                self.apply(index, Input::FileChanged)?;
            }
            let client = self.profiles[index].client.as_ref();
            let is_client = client.is_some_and(|client| client.file() == Some(path));
            if lost || is_client || path == self.configuration.file() {
                self.apply(index, Input::ClientChanged)?;
            }
            if self.profiles[index].reminder_file.as_ref().is_some_and(|file| lost || file == path) {
                self.apply(index, ProfileInput::ReminderChanged)?;
            }
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<()> {
        (0..self.profiles.len()).try_for_each(|index| self.apply(index, Input::Tick))
    }

    fn apply(&mut self, index: usize, input: impl Into<ProfileInput>) -> Result<()> {
        let effects = self.profiles[index].machines.handle(&clock::now()?, input.into());
        self.perform(index, effects);
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
            let busy = self.profiles.iter().any(|index| index.machines.must_drain() || index.store.is_none());
            !(busy || self.handing_over > 0) || clock::boot() >= until
        })
    }

    fn next_wake(&self) -> Result<Option<Boot>> {
        let now = clock::now()?;
        let wakes = self.profiles.iter().filter_map(|profile| {
            let wake = profile.machines.due(&now)?;
            let (ms, why) = (now.boot.ms_until(wake.at), wake.why.as_str());
            tracing::trace!(profile = profile.name, ms, why, "wakes next");
            Some(wake.at)
        });
        Ok(wakes.chain(self.stopping).chain(self.watchdog.next()).min())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_config::network::NetworkSettings;

    #[tokio::test]
    async fn a_connection_that_was_cancelled_at_its_end_is_closed() {
        let _ = crate::tls::install();
        let dir = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let state_dir = dir.path().display().to_string();
        let (version, socket) = Default::default();
        let info = AgentInfo { version, pid: 0, socket, state_dir, replaced: false };
        let mut broker =
            Broker::start(Configuration::in_folder(dir.path()), None, latest::channel(info).1).unwrap();
        let Ok(parked) = crate::http::park(&NetworkSettings::default(), &server, &"/".into()).await else {
            panic!("somebody listens")
        };
        let job = CompletedJob::Parked(Ok(parked));
        broker.completed(Completion { index: 0, op: Op(1), job }).unwrap();
        assert!(broker.parked.is_empty());
    }
}
