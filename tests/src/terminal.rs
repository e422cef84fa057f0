//! A terminal with somebody at it: types keys, reads what is shown, looks at how the terminal is set.

use crate::process::{self, is_alive};
use crate::wait::{eventually, until};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A terminal, and the program that was started on it. Both end when it is dropped.
pub struct Terminal {
    master: File,
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
    reading: thread::JoinHandle<()>,
}

impl Terminal {
    /// Starts a program at a terminal of its own, which reports Ctrl-C to it.
    pub fn start(command: &Command) -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("a terminal of ours");
        let path = ptsname(&master, Vec::new()).expect("it has a name");
        let slave = File::options().read(true).write(true).open(OsStr::from_bytes(path.to_bytes()));
        let slave = slave.expect("its other end");
        let end = || slave.try_clone().expect("one more of it");
        let mut on_terminal = Command::new("setsid");
        on_terminal.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
        on_terminal.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let child = on_terminal.env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end()).spawn();
        let child = child.expect("setsid is there");
        let master = File::from(master);
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, kept) = (master.try_clone().expect("one more of it"), Arc::clone(&shown));
        let reading = thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut some) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&some[..count]);
            }
        });
        Self { master, child, shown, reading }
    }

    /// Types keys.
    pub fn keys(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("it still listens");
    }

    /// Everything it has shown so far.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Waits until it has shown these words.
    pub fn until_shown(&self, words: &str) {
        until(&format!("{words:?} on the terminal, which shows {:?}", self.shown()), || {
            self.shown().contains(words)
        });
    }

    /// Whether it shows what is typed, and hands it over line by line: how a shell leaves it.
    pub fn is_as_usual(&self) -> bool {
        self.modes().contains(LocalModes::ECHO | LocalModes::ICANON)
    }

    /// Whether it shows what is typed by itself.
    pub fn echoes(&self) -> bool {
        self.modes().contains(LocalModes::ECHO)
    }

    fn modes(&self) -> LocalModes {
        tcgetattr(&self.master).expect("a terminal of ours").local_modes
    }

    /// The process id of the program.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the program's end, and until all that it has shown is there.
    pub fn ended(&mut self) -> ExitStatus {
        let status = eventually("the end of a program on a terminal", || {
            self.child.try_wait().expect("a child of ours")
        });
        until("the terminal to be read to its end", || self.reading.is_finished());
        status
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if is_alive(self.pid()) {
            process::signal(self.pid(), Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
