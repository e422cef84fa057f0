//! Accepts connections: checks whose they are, bounds how many there are, binds again when the socket's name is gone,
//! and gives way to whoever has taken it.

use crate::agent_lock::AgentLock;
use crate::conn::{self, AgentHandle};
use crate::environment;
use crate::socket::{self, Name, Socket};
use anyhow::{Context, Result};
use everkey_listen::{Room, Seldom};
use everkey_proto::reply::AgentInfo;
use interprocess::local_socket::tokio::prelude::*;
use rustix::process::{Resource, getrlimit};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot, watch as latest};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// The most connections at a time; fewer where descriptors are scarce, so that half of them stay for refreshes (D12).
const MAX_CONNECTIONS: u64 = 256;

/// How many of them a process may have before its own give way to others'.
const SHARE: usize = 16;

/// How often the socket's name is looked for.
const NAME_CHECK: Duration = Duration::from_secs(5);

/// How long the last replies have to reach their clients.
const FLUSH: Duration = Duration::from_secs(1);

pub struct Acceptor {
    accepting: JoinHandle<()>,
    close: oneshot::Sender<()>,
}

impl Acceptor {
    /// Accepts until it is closed; holds the lock until then. `lost` resolves when another agent takes over.
    pub fn start(
        socket: Socket,
        lock: AgentLock,
        info: latest::Sender<AgentInfo>,
        agent: AgentHandle,
        lost: oneshot::Sender<()>,
    ) -> Self {
        let (close, closed) = oneshot::channel();
        let accepting = tokio::spawn(accept(socket, lock, info, agent, Some(lost), closed));
        Self { accepting, close }
    }

    /// Accepts nobody any more, waits for the last replies to leave, removes the socket.
    pub async fn close(self) {
        let _ = self.close.send(());
        let _ = self.accepting.await;
    }
}

fn max_connections() -> u32 {
    let most = getrlimit(Resource::Nofile)
        .current
        .map_or(MAX_CONNECTIONS, |limit| (limit / 2).clamp(4, MAX_CONNECTIONS));
    u32::try_from(most).unwrap_or(4)
}

/// Places for those who follow what happens, who stay: at most half of all.
pub fn follower_slots() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(conn::MOST_FOLLOWERS.min(max_connections() as usize / 2)))
}

async fn accept(
    mut socket: Socket,
    lock: AgentLock,
    info: latest::Sender<AgentInfo>,
    agent: AgentHandle,
    mut lost: Option<oneshot::Sender<()>>,
    mut closed: oneshot::Receiver<()>,
) {
    static TURNED_AWAY: Seldom = Seldom::new();
    let room = Room::new(max_connections(), SHARE);
    let mut look = interval(NAME_CHECK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = &mut closed => break,
            _ = look.tick(), if lost.is_some() => match socket.name() {
                _ if !lock.is_valid() => give_way(&mut lost, "the agent's lock was removed"),
                Name::Ours => {
                    if let Err(e) = lock.record(&socket.path) {
                        tracing::warn!(error = %e, "can't write down where the socket is");
                    }
                }
                Name::Gone => match rebind(&lock) {
                    Ok(bound) => {
                        tracing::warn!(path = %bound.path.display(), "the socket was removed; bound it again");
                        info.send_modify(|info| info.socket = bound.path.display().to_string());
                        socket = bound;
                    }
                    Err(e) => {
                        tracing::error!(error = format!("{e:#}"), "the socket can't be bound again");
                        give_way(&mut lost, "the socket was removed, so nobody can reach this agent");
                    }
                },
                Name::Taken => give_way(&mut lost, "another program has taken the socket's name"),
            },
            stream = next_connection(&socket) => {
                let Some(stream) = stream else { continue };
                let Some(pid) = socket::peer(&stream) else {
                    if let Some(times) = TURNED_AWAY.happened() {
                        tracing::warn!(times, "turned away a connection of another user");
                    }
                    continue;
                };
                let (guest, agent) = (room.enter(Some(pid)).await, agent.clone());
                tokio::spawn(conn::serve(stream, pid, guest, agent));
            }
        }
    }
    socket.remove();
    let _ = timeout(FLUSH, room.empty()).await;
}

async fn next_connection(socket: &Socket) -> Option<interprocess::local_socket::tokio::Stream> {
    static REFUSED: Seldom = Seldom::new();
    match socket.listener.accept().await {
        Ok(stream) => Some(stream),
        Err(e) => {
            if let Some(times) = REFUSED.happened() {
                tracing::warn!(error = %e, times, "can't accept a connection");
            }
            // Out of descriptors, most likely: somebody has to leave first.
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// This agent is not the one any more: it ends, and the next command finds or starts the one that is.
fn give_way(lost: &mut Option<oneshot::Sender<()>>, why: &str) {
    tracing::warn!(why, "giving way");
    if let Some(lost) = lost.take() {
        let _ = lost.send(());
    }
}

/// Somebody removed the socket's name; the lock is still ours, so it may be bound again. Where the runtime folder is gone,
/// as after a logout, that is in the state folder; clients find it by the lock's record (D07).
fn rebind(lock: &AgentLock) -> Result<Socket> {
    let places = environment::places()?;
    let bound = Socket::bind(&places).or_else(|e| match places.in_state_folder() {
        Some(elsewhere) => Socket::bind(&elsewhere).with_context(|| format!("{e:#}")),
        None => Err(e),
    })?;
    lock.record(&bound.path).with_context(|| format!("can't write {}", lock.path().display()))?;
    Ok(bound)
}
