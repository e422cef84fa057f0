//! Starts what the core wants done: replies at once, files one job after another, the network side by side.

use super::Broker;
use super::inputs::Caller;
use super::profile_runtime::{CompletedJob, Completion, FileJob, PendingReply, ProfileRuntime};
use crate::callback_listener::CallbackListener;
use crate::client_source::ClientSource;
use crate::http::in_force;
use crate::{callback_listener, clock, events, logging, messages, net_jobs, remind};
use anyhow::Result;
use everkey_proto::Reply;
use everkey_proto::errand::Errand;
use everkey_proto::reply::{Access, EventKind};
use everkey_reminder::{
    ProfileEffect, ProfileInput, ReminderCall, ReminderEffect, ReminderNotice, ReminderRecord,
};
use everkey_session::{
    Effect, EndingReason, Input, JobResult, ListenError, NetError, NetErrorKind, NetJob, Notice, Op,
    RefreshAnswer, Waiter,
};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, spawn_blocking};

impl Broker {
    pub(super) fn perform(&mut self, index: usize, effects: Vec<ProfileEffect>) {
        for effect in effects {
            let of = &self.profiles[index];
            let file = of.session_file.to_string_lossy();
            match effect {
                ProfileEffect::Session(Effect::Reply(waiter, answer)) => {
                    let reply = messages::reply(&of.name, of.provider.kind.as_str(), &file, *answer);
                    self.reply(index, waiter, reply);
                }
                ProfileEffect::Status(waiter, view, reminder) => {
                    let kind = of.provider.kind.as_str();
                    let mut reply = messages::status(&of.name, kind, &file, *view, reminder);
                    if let Reply::Status(status) = &mut reply {
                        (status.proxy, status.certificates) = in_force(&of.network, &status.server);
                    }
                    self.reply(index, waiter, reply);
                }
                ProfileEffect::Reminder(ReminderEffect::Reply(waiter, reply)) => {
                    let reply = messages::reminder_reply(reply);
                    self.reply(index, waiter, reply);
                }
                ProfileEffect::Session(Effect::Store(op, job)) => {
                    self.add_job(index, FileJob::Session(op, job));
                }
                ProfileEffect::Reminder(ReminderEffect::Store(op, job)) => {
                    self.add_job(index, FileJob::Reminder(op, job));
                }
                ProfileEffect::Session(Effect::Net(op, job)) => self.start_net(index, op, job),
                ProfileEffect::Reminder(ReminderEffect::Call(op, call)) => self.inform(index, op, call),
                ProfileEffect::Session(Effect::Cancel(op)) => {
                    self.parked.remove(&(index, op));
                    self.listeners.remove(&(index, op));
                    if let Some(running) = self.running.remove(&(index, op)) {
                        running.abort();
                    }
                }
                ProfileEffect::Reminder(ReminderEffect::Remind(reminder)) => self.remind(index, reminder),
                ProfileEffect::Session(Effect::Notify(notice)) => {
                    self.notify_session(index, &notice);
                    if let Notice::SignInAhead { by, why } = notice {
                        self.announce_sign_in(index, by, why);
                    }
                }
                ProfileEffect::Reminder(ReminderEffect::Notify(notice)) => {
                    self.notify_reminder(index, &notice)
                }
                // The reminder has had it.
                ProfileEffect::Session(Effect::Farewell(_)) => {}
            }
        }
    }

    fn reply(&mut self, index: usize, waiter: Waiter, reply: Reply) {
        if let Some(pending) = self.pending.remove(&waiter) {
            self.answer(index, pending, reply);
        }
    }

    /// Has the person told by a program outside of this one, with the command that is configured now.
    fn remind(&mut self, index: usize, reminder: ReminderRecord) {
        let (configuration, profile) = (self.configuration.clone(), self.profiles[index].name.clone());
        self.handing_over += 1;
        self.work.spawn(async move {
            let is_service = configuration.environment.is_service;
            let configured = spawn_blocking(move || configuration.reminder_command()).await;
            let command = configured.map_err(Into::into).flatten().unwrap_or_else(|e| {
                tracing::warn!(profile, error = format!("{e:#}"), "can't read the reminder's command");
                None
            });
            let (at, email) = (reminder.next_audit_at, reminder.user_email);
            let errand = Errand::Reminder { at, email, command };
            let job = CompletedJob::HandedOver(remind::hand_over(errand, is_service).await);
            Completion { index, op: Op(0), job }
        });
    }

    /// Has the person told on their desktop that a sign-in may be needed.
    fn announce_sign_in(&mut self, index: usize, by: Option<u64>, why: EndingReason) {
        let is_service = self.configuration.environment.is_service;
        let profile = self.profiles[index].name.clone();
        let errand = Errand::SignIn { profile, by, why: messages::why_ahead(why) };
        self.handing_over += 1;
        self.work.spawn(async move {
            let job = CompletedJob::HandedOver(remind::hand_over(errand, is_service).await);
            Completion { index, op: Op(0), job }
        });
    }

    /// In the log, and to whoever follows.
    fn notify_session(&self, index: usize, notice: &Notice) {
        let of = &self.profiles[index];
        logging::log(&of.name, notice);
        if let (Some(what), Ok(now)) = (events::of_notice(notice, of.machines.session()), clock::now()) {
            self.events.record(now.wall, &of.name, what);
        }
    }

    /// The same for the reminder.
    fn notify_reminder(&self, index: usize, notice: &ReminderNotice) {
        let profile = &self.profiles[index].name;
        logging::log_reminder(profile, notice);
        if let (Some(what), Ok(now)) = (events::of_reminder_notice(notice), clock::now()) {
            self.events.record(now.wall, profile, what);
        }
    }

    pub(super) fn answer(&mut self, index: usize, pending: PendingReply, reply: Reply) {
        if let (Reply::Token(_), Ok(now)) = (&reply, clock::now()) {
            let profile = self.profiles[index].name.clone();
            let Caller { pid, name: client, process, .. } = pending.caller;
            let looked = process.map(|process| (process.program.clone(), process.from.clone()));
            let (program, from) = looked.unwrap_or_default();
            let handed = Access { at: now.wall, profile, pid, program, client, from };
            let Access { program, client, from, .. } = handed.clone();
            self.events.record(now.wall, &handed.profile, EventKind::Handed { pid, program, client, from });
            let log = self.access.clone();
            self.work.spawn_blocking(move || {
                let job = CompletedJob::Logged(log.add(&handed));
                Completion { index, op: Op(0), job }
            });
        }
        // A client that went away has no use for it.
        let _ = pending.reply.send(reply);
    }

    fn add_job(&mut self, index: usize, job: FileJob) {
        self.profiles[index].jobs.push_back(job);
        self.start_next_job(index);
    }

    /// Jobs of one profile run one after another; each takes the store along and brings it back.
    pub(super) fn start_next_job(&mut self, index: usize) {
        let of = &mut self.profiles[index];
        let Some(mut store) = of.store.take() else { return };
        let Some(job) = of.jobs.pop_front() else {
            of.store = Some(store);
            return;
        };
        self.work.spawn_blocking(move || {
            let (op, input) = match job {
                FileJob::Session(op, job) => (op, ProfileInput::Session(Input::Done(op, store.run(*job)))),
                FileJob::Reminder(op, job) => (op, ProfileInput::ReminderDone(op, store.run_reminder(*job))),
            };
            Completion { index, op, job: CompletedJob::Stored(Box::new(store), input) }
        });
    }

    pub(super) fn start_net(&mut self, index: usize, op: Op, job: NetJob) {
        let of = &self.profiles[index];
        let (provider, client, network) = (of.provider, self.client_source(of), of.network.clone());
        let running = match job {
            NetJob::Connect { at } => self.work.spawn(async move {
                Completion {
                    index,
                    op,
                    job: CompletedJob::Parked(net_jobs::park(provider, &network, &client, at).await),
                }
            }),
            NetJob::Listen(at) => self.work.spawn(async move {
                Completion { index, op, job: CompletedJob::Listening(CallbackListener::bind(at).await) }
            }),
            NetJob::Send { at, refresh, key, deadline, terms } => {
                let parked = self.parked.remove(&(index, op));
                let send = net_jobs::RefreshSend { at, refresh, key, deadline, terms };
                self.spawn(index, op, async move {
                    match parked {
                        Some(parked) => net_jobs::send(provider, &client, parked, send).await,
                        None => {
                            let error = NetError { server: String::new(), kind: NetErrorKind::Broken };
                            JobResult::Answered(Box::new(RefreshAnswer::Unclear(error)), None)
                        }
                    }
                })
            }
            NetJob::Probe { at, access } => {
                self.spawn(index, op, async move { net_jobs::probe(provider, &network, at, access).await })
            }
            NetJob::Identify { at, access } => {
                self.spawn(index, op, async move { net_jobs::identify(provider, &network, at, access).await })
            }
            NetJob::Login { server, call } => self.spawn(index, op, async move {
                net_jobs::login(provider, &network, client, server, call).await
            }),
            NetJob::Revoke(revocation) => self.spawn(index, op, async move {
                net_jobs::revoke(provider, &network, client, revocation).await
            }),
        };
        self.running.insert((index, op), running);
    }

    fn client_source(&self, of: &ProfileRuntime) -> ClientSource {
        let (configuration, profile) = (self.configuration.clone(), of.name.clone());
        ClientSource { configuration, profile, known: of.client.clone() }
    }

    fn inform(&mut self, index: usize, op: Op, call: ReminderCall) {
        let of = &self.profiles[index];
        let (provider, network) = (of.provider, of.network.clone());
        let running = self.work.spawn(async move {
            let done = net_jobs::inform(provider, &network, call).await;
            let job = CompletedJob::Done(ProfileInput::ReminderDone(op, done));
            Completion { index, op, job }
        });
        self.running.insert((index, op), running);
    }

    /// The listener serves until it is cancelled.
    pub(super) fn listen(
        &mut self,
        index: usize,
        op: Op,
        bound: Result<CallbackListener, ListenError>,
    ) -> Result<u16, ListenError> {
        let listener = bound?;
        let port = listener.port().map_err(|e| ListenError { port: None, why: e.to_string() })?;
        let (close, closed) = oneshot::channel();
        self.listeners.insert((index, op), close);
        tokio::spawn(callback_listener::serve(listener, index, op, self.callbacks.0.clone(), closed));
        Ok(port)
    }

    pub(super) fn spawn(
        &mut self,
        index: usize,
        op: Op,
        job: impl Future<Output = JobResult> + Send + 'static,
    ) -> AbortHandle {
        self.work.spawn(async move {
            let job = CompletedJob::Done(ProfileInput::Session(Input::Done(op, job.await)));
            Completion { index, op, job }
        })
    }
}
