//! The other side: `everkeyd --lookout`, which systemd starts for the agent and which ends when nobody asks any more.

use super::{Answer, LINE_CAP, Owned, Question};
use crate::caller_process;
use crate::inhibitor::Inhibitor;
use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long it stays when nobody is there.
const IDLE: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// How long a look at a file waits, as on a network file system that hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers whoever connects to a socket that systemd has passed.
pub fn serve(listener: OwnedFd) -> Result<()> {
    let listener = UnixListener::from(listener);
    listener.set_nonblocking(false).context("the passed descriptor is no socket")?;
    let guests = Arc::new(());
    loop {
        let ready = poll(&mut [PollFd::new(&listener, PollFlags::IN)], Some(&IDLE))?;
        if ready == 0 && Arc::strong_count(&guests) == 1 {
            return Ok(());
        }
        if ready == 0 {
            continue;
        }
        let (stream, _) = listener.accept()?;
        let guest = Arc::clone(&guests);
        std::thread::Builder::new().spawn(move || {
            let _ = converse(&stream);
            drop(guest);
        })?;
    }
}

fn converse(stream: &UnixStream) -> std::io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if (&mut lines).take(LINE_CAP).read_line(&mut line)? == 0 {
            return Ok(());
        }
        let answer = match serde_json::from_str(&line) {
            Ok(Question::StayAwake) => return stay_awake(stream),
            Ok(Question::Process { pid, since }) => {
                Answer::Process(caller_process::look_at(pid, None, since))
            }
            Ok(Question::File { path }) => Answer::File(owners(&path)),
            Err(_) => Answer::Nothing,
        };
        let mut bytes = serde_json::to_vec(&answer)?;
        bytes.push(b'\n');
        (&*stream).write_all(&bytes)?;
    }
}

fn owners(path: &Path) -> Vec<Owned> {
    let there = [fs::symlink_metadata(path), fs::metadata(path)].into_iter().flatten();
    there.map(|one| Owned { device: one.dev(), inode: one.ino(), owner: one.uid() }).collect()
}

fn stay_awake(mut stream: &UnixStream) -> std::io::Result<()> {
    let held = Inhibitor::hold()?;
    let _ = stream.read(&mut [0]);
    drop(held);
    Ok(())
}
