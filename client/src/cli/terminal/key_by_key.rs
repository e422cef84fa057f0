//! A terminal that hands over each key as it is typed and shows none of them. Every way out of the program puts it back:
//! the end of the prompt, of the program, a panic, and each signal that ends or stops it.

use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use rustix::termios::{tcgetattr, tcsetattr};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::io::{self, Write};
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;
use std::{env, fs, thread};

/// Asks the terminal to mark what is pasted, so that a line break in it does not end the answer; and not to.
const MARK_PASTES: (&str, &str) = ("\x1b[?2004h", "\x1b[?2004l");

/// How the terminal was before, while it is key by key.
static HELD: Mutex<Option<Held>> = Mutex::new(None);

/// What is done before Ctrl-C ends the program.
static FAREWELL: Mutex<Option<Farewell>> = Mutex::new(None);

type Farewell = Box<dyn FnOnce() + Send>;

/// How long Ctrl-C waits for the farewell.
const FAREWELL_TIME: Duration = Duration::from_secs(2);

struct Held {
    before: Termios,
    prompt: String,
}

/// The terminal is key by key as long as this lives.
pub struct KeyByKey(());

/// Puts the terminal back when the program ends, also where another thread is at a prompt.
pub struct PutBackAtEnd;

impl KeyByKey {
    /// `prompt` is shown now, and again when the program goes on after it was stopped.
    pub fn begin(prompt: &str) -> io::Result<Self> {
        watch_signals();
        let before = tcgetattr(io::stdin())?;
        let mut held = held();
        let new = Held { before, prompt: prompt.to_owned() };
        new.take_over()?;
        *held = Some(new);
        Ok(Self(()))
    }
}

impl Drop for KeyByKey {
    fn drop(&mut self) {
        put_back();
    }
}

impl Drop for PutBackAtEnd {
    fn drop(&mut self) {
        put_back();
    }
}

/// Has this done before Ctrl-C ends the program, in place of what was to be done before.
pub fn before_ctrl_c(farewell: impl FnOnce() + Send + 'static) {
    watch_signals();
    *FAREWELL.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(farewell));
}

fn say_farewell() {
    let Some(farewell) = FAREWELL.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    let (said, done) = channel();
    thread::spawn(move || {
        farewell();
        let _ = said.send(());
    });
    let _ = done.recv_timeout(FAREWELL_TIME);
}

/// Puts the terminal back, if it is not as it was.
pub fn put_back() {
    if let Some(held) = held().take() {
        held.put_back();
    }
}

/// Shows something on the terminal that is typed at, wherever standard output and standard error go.
pub fn show(text: &str) {
    if rustix::io::write(io::stdin(), text.as_bytes()).is_err() {
        let terminal = fs::File::options().write(true).open("/dev/tty");
        let _ = terminal.and_then(|mut terminal| terminal.write_all(text.as_bytes()));
    }
}

impl Held {
    fn take_over(&self) -> io::Result<()> {
        let mut typed = self.before.clone();
        typed.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ECHONL | LocalModes::IEXTEN;
        // Ctrl-C and Ctrl-Z stay what they are, and Enter is one key.
        typed.local_modes |= LocalModes::ISIG;
        typed.input_modes |= InputModes::ICRNL;
        typed.special_codes[SpecialCodeIndex::VMIN] = 1;
        typed.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Now, &typed)?;
        if marks_pastes() {
            show(MARK_PASTES.0);
        }
        let _ = write!(io::stderr(), "{}", self.prompt);
        Ok(())
    }

    fn put_back(&self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
        if marks_pastes() {
            show(MARK_PASTES.1);
        }
    }
}

/// A terminal that calls itself dumb would show the request.
fn marks_pastes() -> bool {
    env::var_os("TERM").is_some_and(|term| term != "dumb" && !term.is_empty())
}

fn held() -> MutexGuard<'static, Option<Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch_signals() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(begin_to_watch);
}

fn begin_to_watch() {
    let ignored = ignored_signals();
    let watched = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT];
    let watched = watched.into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let Ok(mut signals) = Signals::new(watched) else { return };
    thread::spawn(move || signals.forever().for_each(obey));
}

/// Nobody touches the terminal until the program has ended or goes on.
fn obey(signal: i32) {
    let held = held();
    if let Some(held) = held.as_ref().filter(|_| signal != SIGCONT) {
        held.put_back();
        show("\n");
    }
    if signal == SIGINT {
        say_farewell();
    }
    let _ = emulate_default_handler(signal);
    // It goes on, and perhaps in the background, where it must leave the terminal alone.
    let in_front = || rustix::termios::tcgetpgrp(io::stdin()).ok() == Some(rustix::process::getpgrp());
    if let Some(held) = held.as_ref().filter(|_| signal == SIGCONT && in_front()) {
        let _ = held.take_over();
    }
}

/// Those that whoever started the program wants to be ignored (`nohup`), as bits; a handler would overrule that.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or_default()
}
