//! Starts what the core wants done: replies at once, files one job after another, the network side by side.

use super::{Broker, Desk, Finished, Outcome};
use crate::happenings::happening;
use crate::remind::{self, Errand};
use crate::{clock, listener, logging, net_jobs, words};
use anyhow::Result;
use everkey_proto::Reply;
use everkey_proto::reply::{Access, Happening};
use everkey_session::job::{Done, NetJob, Refresh};
use everkey_session::reminder::Reminder;
use everkey_session::trouble::{NetKind, NetTrouble, Notice};
use everkey_session::{Effect, Op};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, spawn_blocking};

impl Broker {
    pub(super) fn perform(&mut self, lane: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Reply(waiter, answer) => {
                    let of = &self.lanes[lane];
                    let file = of.session_file.to_string_lossy();
                    let reply = words::reply(&of.name, of.provider.kind.word(), &file, *answer);
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
                    self.listeners.remove(&(lane, op));
                    if let Some(running) = self.running.remove(&(lane, op)) {
                        running.abort();
                    }
                }
                Effect::Remind(reminder) => self.remind(lane, reminder),
                Effect::Tell(notice) => self.tell(lane, &notice),
            }
        }
    }

    /// Has the person told by a program outside of this one, with the command that is configured now.
    fn remind(&mut self, lane: usize, reminder: Reminder) {
        let (setup, profile) = (self.setup.clone(), self.lanes[lane].name.clone());
        self.handing_over += 1;
        self.work.spawn(async move {
            let is_service = setup.is_service;
            let configured = spawn_blocking(move || setup.reminder_command()).await;
            let command = configured.map_err(Into::into).flatten().unwrap_or_else(|e| {
                tracing::warn!(profile, error = format!("{e:#}"), "can't read the reminder's command");
                None
            });
            let errand = Errand { at: reminder.next_audit_at, email: reminder.user_email, command };
            let outcome = Outcome::HandedOver(remind::hand_over(errand, is_service).await);
            Finished { lane, op: Op(0), outcome }
        });
    }

    /// In the log, and to whoever follows.
    fn tell(&self, lane: usize, notice: &Notice) {
        let of = &self.lanes[lane];
        logging::tell(&of.name, notice);
        if let (Some(what), Ok(now)) = (happening(notice, &of.core), clock::now()) {
            self.happenings.tell(now.wall, &of.name, what);
        }
    }

    pub(super) fn answer(&mut self, lane: usize, desk: Desk, reply: Reply) {
        if let (Reply::Token(_), Ok(now)) = (&reply, clock::now()) {
            let profile = self.lanes[lane].name.clone();
            let what = Happening::Handed { pid: desk.pid, program: desk.program.clone() };
            self.happenings.tell(now.wall, &profile, what);
            let handed = Access { at: now.wall, profile, pid: desk.pid, program: desk.program };
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
    pub(super) fn start_next_job(&mut self, lane: usize) {
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

    pub(super) fn start_net(&mut self, lane: usize, op: Op, job: NetJob) {
        let provider = self.lanes[lane].provider;
        let running = match job {
            NetJob::Connect { at } => self.work.spawn(async move {
                Finished { lane, op, outcome: Outcome::Parked(net_jobs::park(provider, at).await) }
            }),
            NetJob::Listen => self.work.spawn(async move {
                Finished { lane, op, outcome: Outcome::Listening(listener::bind().await) }
            }),
            NetJob::Send { at, refresh, key, deadline } => {
                let parked = self.parked.remove(&(lane, op));
                self.spawn(lane, op, async move {
                    match parked {
                        Some(parked) => net_jobs::send(provider, parked, at, refresh, key, deadline).await,
                        None => {
                            let trouble = NetTrouble { server: String::new(), kind: NetKind::Broken };
                            Done::Answered(Box::new(Refresh::Unclear(trouble)), None)
                        }
                    }
                })
            }
            NetJob::Probe { at, access } => self.spawn(lane, op, net_jobs::probe(provider, at, access)),
            NetJob::Identify { at, access } => self.spawn(lane, op, net_jobs::identify(provider, at, access)),
            NetJob::Login { server, call } => self.spawn(lane, op, net_jobs::login(provider, server, call)),
            NetJob::TellReminder { at, access, due_at } => {
                self.spawn(lane, op, net_jobs::tell_reminder(provider, at, access, due_at))
            }
            NetJob::Revoke(revocation) => self.spawn(lane, op, net_jobs::revoke(provider, revocation)),
        };
        self.running.insert((lane, op), running);
    }

    /// The listener serves until it is cancelled.
    pub(super) fn listen(
        &mut self,
        lane: usize,
        op: Op,
        bound: std::io::Result<TcpListener>,
    ) -> Result<u16, String> {
        let listener = bound.map_err(|e| e.to_string())?;
        let port = listener.local_addr().map_err(|e| e.to_string())?.port();
        let (close, closed) = oneshot::channel();
        self.listeners.insert((lane, op), close);
        tokio::spawn(listener::serve(listener, lane, op, self.back.0.clone(), closed));
        Ok(port)
    }

    pub(super) fn spawn(
        &mut self,
        lane: usize,
        op: Op,
        job: impl Future<Output = Done> + Send + 'static,
    ) -> AbortHandle {
        self.work.spawn(async move { Finished { lane, op, outcome: Outcome::Done(job.await) } })
    }
}
