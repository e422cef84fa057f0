//! The program: opens a port, prints links, and serves until it is ended.

use crate::app::App;
use crate::feed::Feed;
use crate::link::{Browsers, LINK_LIFE, Links};
use crate::on_demand::{self, Address};
use crate::passed_sockets::{self, PassedSockets};
use crate::random::random;
use crate::{follower, listen, logging, routes};
use anyhow::Context as _;
use clap::Parser;
use everkey_client::{environment, hint_text};
use everkey_listen::Loopback;
use rustix::fs::{FileType, fstat};
use std::io::{self, BufRead as _, Write as _};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Threads for questions to the agent, and for looking up peers.
const THREADS: usize = 64;

/// Shows the dashboard of this user's sign-ins in a browser on this machine.
#[derive(Debug, Parser)]
#[command(name = "everkey-dashboard", version, after_help = "Example:\n  everkey-dashboard --link-only")]
struct Cli {
    /// Print the link and nothing else, for programs that open it themselves.
    #[arg(long)]
    link_only: bool,
}

/// Runs the program as its command line says, to its end.
pub fn run() -> ExitCode {
    // Before anything is opened: they are taken by number.
    let passed = passed_sockets::take();
    let cli = Cli::parse();
    logging::start();
    // It is never handed a token, so the agent need not see its program.
    if let Err(error) = everkey_guard::memory::close() {
        eprintln!("everkey-dashboard: can't close its memory: {error}");
        return ExitCode::FAILURE;
    }
    if let Err(failure) = environment::places() {
        eprintln!("everkey-dashboard: {} {}", failure.message, hint_text(&failure.hint));
        return ExitCode::FAILURE;
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(THREADS).build();
    let ended = runtime.context("can't start").and_then(|runtime| {
        let passed = passed.context("what was passed is no socket")?;
        let ended = runtime.block_on(serve(cli.link_only, passed));
        // Questions that are still under way are the agent's to finish.
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("everkey-dashboard: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(link_only: bool, passed: Option<PassedSockets>) -> anyhow::Result<()> {
    let (mut terminated, mut interrupted) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let served = async {
        match passed {
            Some(passed) => serve_on_demand(passed).await,
            None => serve_by_hand(link_only).await,
        }
    };
    tokio::select! {
        _ = terminated.recv() => Ok(()),
        _ = interrupted.recv() => Ok(()),
        served = served => served,
    }
}

/// At an address that a service manager holds, until nobody has been there for a while.
async fn serve_on_demand(passed: PassedSockets) -> anyhow::Result<()> {
    let Address { port, way_in, memory, remembered } = on_demand::address(passed)?;
    let host = format!("{}.localhost:{}", remembered.name, port.port()?);
    let proof_key = remembered.proof_key.clone();
    let browsers = Browsers::remembered(memory, remembered);
    let app = App::new(host, Links::new(life()), browsers, Feed::default(), proof_key);
    follower::start(app.clone()).context("can't start a thread")?;
    tokio::spawn(on_demand::give_ways_in(way_in, app.clone()));
    listen::serve_while_used(port, routes::router(app), idle()).await;
    Ok(())
}

/// At an address made up for this time.
async fn serve_by_hand(link_only: bool) -> anyhow::Result<()> {
    let listener = Loopback::bind_free(true).await.context("can't listen on 127.0.0.1")?;
    let port = listener.port()?;
    let name = random::<16>().context("no random numbers")?;
    let host = format!("{}.localhost:{port}", name.expose());
    let proof_key = random::<32>().context("no random numbers")?;
    let app = App::new(host, Links::new(life()), Browsers::default(), Feed::default(), proof_key);
    let router = routes::router(app.clone());
    tokio::spawn(listen::serve(listener, router));
    follower::start(app.clone()).context("can't start a thread")?;
    print_link(&app)?;
    if !link_only {
        eprintln!(
            "Open the link in a browser on this machine; it works once, for two minutes. Ctrl-C ends this."
        );
    }
    let mut wishes = wishes();
    while wishes.recv().await.is_some() {
        print_link(&app)?;
    }
    Ok(())
}

fn print_link(app: &App) -> anyhow::Result<()> {
    let key = app.links().issue(Instant::now()).context("no random numbers")?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}/enter?key={}", app.origin(), key.expose()).context("can't print the link")?;
    out.flush().context("can't print the link")
}

/// One for each line of standard input, and the end with its end. If that is no pipe, nobody wishes anything.
fn wishes() -> mpsc::Receiver<()> {
    let (wish, wishes) = mpsc::channel(1);
    let kind = fstat(io::stdin()).map(|stat| FileType::from_raw_mode(stat.st_mode));
    let piped = matches!(kind, Ok(FileType::Fifo | FileType::Socket));
    thread::spawn(move || {
        if !piped {
            // Keeps the channel open.
            loop {
                thread::park();
            }
        }
        let mut input = io::stdin().lock();
        loop {
            let (taken, lines) = match input.fill_buf() {
                Ok([]) => return,
                Ok(bytes) => (bytes.len(), bytes.iter().filter(|byte| **byte == b'\n').count()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            input.consume(taken);
            for _ in 0..lines {
                if wish.blocking_send(()).is_err() {
                    return;
                }
            }
        }
    });
    wishes
}

/// How long an address stays open while nobody is there.
fn idle() -> Duration {
    #[cfg(feature = "test-hooks")]
    if let Some(idle) = crate::test_hooks::idle() {
        return idle;
    }
    on_demand::IDLE
}

/// How long a link works.
fn life() -> Duration {
    #[cfg(feature = "test-hooks")]
    if let Some(life) = crate::test_hooks::link_life() {
        return life;
    }
    LINK_LIFE
}
