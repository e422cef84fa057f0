//! Starts the agent: arguments, lock, socket, readiness; then runs it until it has to stop.

use crate::acceptor::Acceptor;
use crate::agent_lock::{AgentLock, Taken};
use crate::broker::{Broker, BrokerInputs};
use crate::configuration::Configuration;
use crate::detach::{ALREADY_RUNNING, Readiness};
use crate::socket::Socket;
use crate::{
    acceptor, conn, detach, environment, examine, logging, lookout, raw_fd, service_manager, store, tls,
    watch,
};
use anyhow::{Context, Result};
use clap::{CommandFactory as _, Parser};
use everkey_config::paths::Places;
use everkey_proto::Reply;
use everkey_proto::json::{self, ReplyLine};
use everkey_proto::reply::AgentInfo;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch as latest};

/// One that is for tests says so.
const VERSION: &str = if cfg!(feature = "test-hooks") {
    concat!(env!("CARGO_PKG_VERSION"), " with test hooks")
} else {
    env!("CARGO_PKG_VERSION")
};

/// How long an agent takes at most to notice that its socket's name was taken, to drain and to end.
const GIVE_WAY_TIME: Duration = Duration::from_secs(18);

/// How long threads that hang on something may go on after the drain.
const THREAD_GRACE: Duration = Duration::from_secs(1);

/// The agent that owns the sign-ins of your command-line tools.
///
/// It keeps every session fresh, survives crashes, and answers `everkey` over a Unix socket.
/// `everkey` starts it when it is needed; there is seldom a reason to run it by hand.
#[derive(Parser)]
#[command(
    name = "everkeyd",
    version = VERSION,
    after_help = "Environment:
  EVERKEY_HOME          keep everything under this folder (for trials, tests and containers)
  EVERKEY_SOCKET        the socket's path
  EVERKEY_LOG           error, warn, info (default), debug or trace
  FAILPROOF_API_URL     the api-server to sign in at
  FAILPROOFAI_AUTH_DIR  the folder of auth.json

Example:
  EVERKEY_LOG=debug everkeyd --foreground"
)]
struct Args {
    /// Go into the background; return when the agent answers, or say why it does not.
    #[arg(long, conflicts_with = "foreground")]
    detach: bool,
    /// Stay in the foreground and log to stderr (the default).
    #[arg(long)]
    foreground: bool,
    /// Look at callers and files for an agent that a sandbox keeps from it; systemd starts this.
    #[arg(long, conflicts_with_all = ["foreground", "detach"])]
    lookout: bool,
    /// Be no agent: print how far an agent started here would get to each server, and end. For `everkey doctor`.
    #[arg(long, conflicts_with_all = ["foreground", "detach"])]
    examine: bool,
}

/// The definition of the command line, for its manual page.
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the agent as the command line says, to its end.
pub fn main() -> ExitCode {
    let args = Args::parse();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // Tokens in memory stay there (D17).
    if let Err(e) = everkey_guard::memory::close() {
        return fail(
            Readiness::nobody_waits(),
            &anyhow::Error::from(e).context("can't close this process to others"),
        );
    }
    // Before any thread exists: taken by number, and forked.
    let inherited = raw_fd::passed_listener();
    if args.lookout {
        return look_out(inherited);
    }
    if args.detach {
        raw_fd::close_inherited(inherited.as_ref());
    }
    let places = match environment::places() {
        Ok(places) => places,
        Err(e) => return fail(Readiness::nobody_waits(), &e),
    };
    if args.examine {
        return examined(&places);
    }
    let readiness = if args.detach {
        match open_log(&places).and_then(detach::detach) {
            Ok(readiness) => readiness,
            Err(e) => return fail(Readiness::nobody_waits(), &e),
        }
    } else {
        Readiness::nobody_waits()
    };
    logging::start();
    let lock = match take_lock(&places, inherited.is_some()) {
        Ok(Taken::Ours(lock)) => lock,
        Ok(Taken::Theirs(socket)) => {
            let at = socket.map(|socket| format!(" at {}", socket.display())).unwrap_or_default();
            let message = format!("{ALREADY_RUNNING}{at}");
            let _ = writeln!(io::stdout(), "{message}");
            readiness.failed(&message);
            return ExitCode::SUCCESS;
        }
        Err(e) => {
            let e = anyhow::Error::from(e).context(format!("can't lock {}", places.agent_lock().display()));
            return fail(readiness, &e);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = match runtime {
        Ok(runtime) => {
            let served = runtime.block_on(serve(&places, lock, inherited, readiness));
            // A name server or a disk that hangs must not keep what has drained from ending.
            runtime.shutdown_timeout(THREAD_GRACE);
            served
        }
        Err(e) => return fail(readiness, &e.into()),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err((readiness, e)) => fail(readiness, &e),
    }
}

fn look_out(inherited: Option<OwnedFd>) -> ExitCode {
    let served = inherited.context("no socket was passed; systemd starts this").and_then(lookout::serve);
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(Readiness::nobody_waits(), &e),
    }
}

/// What an agent would answer to `examine`, as a line of JSON.
fn examined(places: &Places) -> ExitCode {
    let found = || -> Result<Reply> {
        tls::install()?;
        let configuration = Configuration::new(places, environment::Environment::read()?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let found = runtime.block_on(examine::examine(configuration, Vec::new()));
        // A name server that hangs keeps nobody waiting.
        runtime.shutdown_background();
        Ok(Reply::Examined(found))
    };
    match found().and_then(|reply| Ok(io::stdout().write_all(&json::write(&ReplyLine::from(reply)))?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(Readiness::nobody_waits(), &e),
    }
}

/// Only this process can serve a socket that was passed to it, so it waits for an agent that is about to give way.
fn take_lock(places: &Places, socket_was_passed: bool) -> io::Result<Taken> {
    let deadline = Instant::now() + GIVE_WAY_TIME;
    loop {
        match AgentLock::take(places)? {
            Taken::Theirs(_) if socket_was_passed && Instant::now() < deadline => {
                // A file lock can't be waited for with a deadline.
                std::thread::sleep(Duration::from_millis(50));
            }
            taken => return Ok(taken),
        }
    }
}

fn fail(readiness: Readiness, e: &anyhow::Error) -> ExitCode {
    let message = format!("{e:#}");
    let _ = writeln!(io::stderr(), "everkeyd: {message}");
    readiness.failed(&message);
    ExitCode::FAILURE
}

/// Where the output of a detached agent goes; a long log of an earlier one is kept as one older file.
fn open_log(places: &Places) -> Result<File> {
    const LONG: u64 = 4 * 1024 * 1024;
    let folder = &places.state;
    store::make_private_dir(folder).with_context(|| format!("can't use the folder {}", folder.display()))?;
    let path = folder.join("agent.log");
    if std::fs::metadata(&path).is_ok_and(|log| log.len() > LONG) {
        let _ = std::fs::rename(&path, store::older(&path));
    }
    store::open_log(&path).with_context(|| format!("can't open the log {}", path.display()))
}

async fn serve(
    places: &Places,
    lock: AgentLock,
    inherited: Option<OwnedFd>,
    readiness: Readiness,
) -> Result<(), (Readiness, anyhow::Error)> {
    match prepare(places, lock, inherited) {
        Ok(running) => {
            readiness.ready();
            running.await.map_err(|e| (Readiness::nobody_waits(), e))
        }
        Err(e) => Err((readiness, e)),
    }
}

/// Everything up to the moment from which clients are answered; what it returns runs the agent to its end.
fn prepare(
    places: &Places,
    lock: AgentLock,
    inherited: Option<OwnedFd>,
) -> Result<impl Future<Output = Result<()>>> {
    tls::install()?;
    lookout::begin(places);
    let configuration = Configuration::new(places, environment::Environment::read()?);
    let socket = match inherited {
        Some(fd) => Socket::inherited(fd)?,
        None => Socket::bind(places)?,
    };
    lock.record(&socket.path).with_context(|| format!("can't write {}", lock.path().display()))?;

    let (asking, requests) = mpsc::channel(64);
    let (changing, changed) = mpsc::channel(64);
    let (closing, closed) = latest::channel(false);
    let (stopping, stop) = oneshot::channel();

    let watch = watch::Watch::new(changing);
    if let Err(e) = &watch {
        // Editors like to use up what inotify has for a user.
        tracing::warn!(error = %e, "can't watch the session files; looking every 30 s instead");
    }
    let info = AgentInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        socket: socket.path.display().to_string(),
        state_dir: places.state.display().to_string(),
        replaced: false,
    };
    let (describing, info) = latest::channel(info);
    let broker = Broker::start(configuration, watch.ok(), info)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (losing, lost) = oneshot::channel();
    let conns = conn::AgentHandle {
        inbox: asking,
        closing: closed,
        events: broker.events(),
        followers: acceptor::follower_slots(),
    };
    let acceptor = Acceptor::start(socket, lock, describing, conns, losing);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            Ok(()) = lost => {}
        }
        let _ = stopping.send(());
    });
    service_manager::ready();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "ready");
    Ok(async move {
        let ended = broker.run(BrokerInputs { requests, changed, stop }).await;
        service_manager::stopping();
        let _ = closing.send(true);
        acceptor.close().await;
        ended
    })
}
