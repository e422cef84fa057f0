//! `everkey dashboard`: runs everkey-dashboard, opens its one-time link, and waits until it is ended.

use crate::cli::options::Options;
use crate::cli::{browser, ending, input, show};
use everkey_client::{Agent, Failure, environment};
use everkey_proto::Code;
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// How long the program may take to listen.
const START_TIME: Duration = Duration::from_secs(15);

/// How long the file that a browser is opened on stays: slow ones take their time to read it.
const FILE_TIME: Duration = Duration::from_secs(30);

/// How long the program may take to end.
const END_TIME: Duration = Duration::from_secs(3);

/// The longest link.
const LINK_CAP: u64 = 1024;

/// What comes first.
enum Heard {
    /// A line from the program.
    Line(String),
    /// The program has ended.
    Gone,
    /// The person pressed Enter.
    Again,
    /// The person ends it.
    End,
}

pub fn run(options: &Options) -> Result<ExitCode, Failure> {
    let places = environment::places()?;
    browser::sweep(&places.runtime);
    // The page says so, too, and goes on when there is one again.
    if let Err(failure) = Agent::connect() {
        show::err(format_args!("{} {}", show::plain(&failure.message), show::plain(&failure.hint)));
    }
    let (tell, heard) = channel();
    let end = tell.clone();
    ending::on_signal(&[SIGINT, SIGTERM, SIGHUP], move || drop(end.send(Heard::End)))
        .map_err(|e| no_signals(&e))?;
    let mut program = Program::start(&tell)?;
    let link = program.first_link(&heard)?;
    let mut view = View { options, folder: &places.runtime, file: None, told: false };
    let Some(link) = link else { return Ok(ExitCode::SUCCESS) };
    view.show(&link);
    hear_enter(tell);
    loop {
        let next = match &view.file {
            Some((_, until)) => heard.recv_timeout(until.saturating_duration_since(Instant::now())),
            None => heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(Heard::Line(line)) => view.show(&Link::read(&line).ok_or_else(nonsense)?),
            Ok(Heard::Again) => program.ask_again()?,
            Ok(Heard::End) => return Ok(ExitCode::SUCCESS),
            Err(RecvTimeoutError::Timeout) => view.file = None,
            Ok(Heard::Gone) | Err(RecvTimeoutError::Disconnected) => return Err(gone()),
        }
    }
}

/// The program, which ends when this is dropped.
struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Program {
    fn start(tell: &Sender<Heard>) -> Result<Self, Failure> {
        let path = environment::program("everkey-dashboard");
        let mut command = Command::new(&path);
        command.arg("--link-only").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| {
            Failure::new(
                Code::NoAgent,
                format!("Could not run {}: {e}.", path.display()),
                "Put everkey-dashboard beside everkey, or into a folder of the PATH.",
            )
        })?;
        if let Some(stdout) = child.stdout.take() {
            let tell = tell.clone();
            thread::spawn(move || read_lines(stdout, &tell));
        }
        Ok(Self { stdin: child.stdin.take(), child })
    }

    /// None if the person ended it before.
    fn first_link(&mut self, heard: &Receiver<Heard>) -> Result<Option<Link>, Failure> {
        match heard.recv_timeout(START_TIME) {
            Ok(Heard::Line(line)) => Link::read(&line).map(Some).ok_or_else(nonsense),
            Ok(Heard::End) => Ok(None),
            Ok(Heard::Gone | Heard::Again) | Err(RecvTimeoutError::Disconnected) => Err(gone()),
            Err(RecvTimeoutError::Timeout) => Err(Failure::new(
                Code::NoAgent,
                "The dashboard does not start.",
                "Run `everkey-dashboard --link-only` to see what it says.",
            )),
        }
    }

    fn ask_again(&mut self) -> Result<(), Failure> {
        let asked = self.stdin.as_mut().map(|stdin| stdin.write_all(b"\n").and_then(|()| stdin.flush()));
        if matches!(asked, Some(Ok(()))) { Ok(()) } else { Err(gone()) }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The end of its input is what it ends by.
        self.stdin = None;
        let deadline = Instant::now() + END_TIME;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            // The standard library can't wait for a program with a deadline.
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(stdout: impl Read, tell: &Sender<Heard>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = String::new();
        match (&mut stdout).take(LINK_CAP).read_line(&mut line) {
            Ok(1..) if tell.send(Heard::Line(line)).is_ok() => {}
            Ok(_) | Err(_) => break,
        }
    }
    let _ = tell.send(Heard::Gone);
}

fn hear_enter(tell: Sender<Heard>) {
    if !input::may_be_read() {
        return;
    }
    thread::spawn(move || {
        while let Ok(Some(_)) = input::line() {
            if tell.send(Heard::Again).is_err() {
                return;
            }
        }
    });
}

/// A one-time link, and what of it may be seen.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    whole: String,
    origin: String,
}

impl Link {
    /// `http://RANDOM.localhost:PORT/enter?key=KEY` and nothing else is shown or opened.
    fn read(line: &str) -> Option<Self> {
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        let whole = line.trim_end_matches(['\n', '\r']);
        let (authority, key) = whole.strip_prefix("http://")?.split_once("/enter?key=")?;
        let (name, port) = authority.split_once(".localhost:")?;
        port.parse::<u16>().ok()?;
        let key_is_plain = plain(&key.replace(['-', '_'], ""));
        (plain(name) && plain(port) && key_is_plain)
            .then(|| Self { whole: whole.to_owned(), origin: format!("http://{authority}") })
    }
}

/// What the person sees.
struct View<'a> {
    options: &'a Options,
    folder: &'a Path,
    /// The file that a browser was opened on, and until when it stays.
    file: Option<(NamedTempFile, Instant)>,
    /// Whether they know where it is and how it ends.
    told: bool,
}

impl View<'_> {
    fn show(&mut self, link: &Link) {
        self.file = None;
        if !self.options.no_browser {
            let file = browser::open_dashboard(&link.whole, self.folder);
            self.file = file.map(|file| (file, Instant::now() + FILE_TIME));
        }
        let opened = self.file.is_some();
        if self.options.json {
            let mut line = json!({ "type": "dashboard", "url": link.origin, "opened": opened });
            if !opened {
                line["link"] = json!(link.whole);
            }
            return show::json(&line);
        }
        let first = !std::mem::replace(&mut self.told, true);
        if first {
            show::out(format_args!("Dashboard: {}", link.origin));
        }
        match (opened, first) {
            (true, true) => {
                show::out("It is open in your browser. Enter opens it once more, Ctrl-C ends it.")
            }
            (true, false) => show::out("Opened once more."),
            (false, _) => {
                if !self.options.no_browser {
                    show::out("No browser could be opened.");
                }
                show::out("Open this link, which works once and for two minutes:");
                show::out(format_args!("  {}", link.whole));
                if first {
                    show::out("Enter makes another one, Ctrl-C ends the dashboard.");
                }
            }
        }
    }
}

fn gone() -> Failure {
    Failure::new(
        Code::NoAgent,
        "The dashboard has ended.",
        "Run `everkey-dashboard --link-only` to see what it says, or `everkey dashboard` again.",
    )
}

fn nonsense() -> Failure {
    Failure::new(
        Code::Version,
        "What everkey-dashboard says is no link of this version's.",
        "Upgrade everkey and everkey-dashboard together.",
    )
}

fn no_signals(e: &io::Error) -> Failure {
    Failure::new(Code::Storage, format!("Can't listen for Ctrl-C: {e}."), "Try again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_link_of_the_dashboard_is_shown_or_opened() {
        let link = Link::read("http://k3x7q.localhost:4321/enter?key=aB-9_z\n").unwrap();
        assert_eq!(link.origin, "http://k3x7q.localhost:4321");
        assert_eq!(link.whole, "http://k3x7q.localhost:4321/enter?key=aB-9_z");
        for bad in [
            "",
            "listening",
            "https://k.localhost:1/enter?key=a",
            "http://k.example.com:1/enter?key=a",
            "http://.localhost:1/enter?key=a",
            "http://a@k.localhost:1/enter?key=a",
            "http://k.localhost:99999/enter?key=a",
            "http://k.localhost:+1/enter?key=a",
            "http://k.localhost:1/enter?key=",
            "http://k.localhost:1/enter?key=a b",
            "http://k.localhost:1/enter?key=a\"><script>",
            "http://k.localhost:1/enter?key=a\u{1b}",
        ] {
            assert_eq!(Link::read(bad), None, "{bad}");
        }
    }
}
