//! The program everkey-dashboard as `everkey dashboard` runs it: prints a one-time link for each line it reads.

use everkey_client::{Failure, environment};
use everkey_proto::Code;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How long the program may take to listen.
const START_TIME: Duration = Duration::from_secs(15);

/// How long the program may take to end.
const END_TIME: Duration = Duration::from_secs(3);

/// The longest link.
const LINK_CAP: u64 = 1024;

/// What comes first.
pub enum DashboardEvent {
    /// A line from the program.
    Line(String),
    /// The program has ended.
    Gone,
    /// The person pressed Enter.
    Enter,
    /// The person ends it.
    Ended,
}

/// The program, which ends when this is dropped.
pub struct DashboardProgram {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl DashboardProgram {
    pub fn start(events: &Sender<DashboardEvent>) -> Result<Self, Failure> {
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
            let events = events.clone();
            thread::spawn(move || read_lines(stdout, &events));
        }
        Ok(Self { stdin: child.stdin.take(), child })
    }

    /// None if the person ended it before.
    pub fn first_link(
        &mut self,
        events: &Receiver<DashboardEvent>,
    ) -> Result<Option<DashboardLink>, Failure> {
        match events.recv_timeout(START_TIME) {
            Ok(DashboardEvent::Line(line)) => DashboardLink::parse(&line).map(Some),
            Ok(DashboardEvent::Ended) => Ok(None),
            Ok(DashboardEvent::Gone | DashboardEvent::Enter) | Err(RecvTimeoutError::Disconnected) => {
                Err(ended())
            }
            Err(RecvTimeoutError::Timeout) => Err(Failure::new(
                Code::NoAgent,
                "The dashboard does not start.",
                "Run `everkey-dashboard --link-only` to see what it says.",
            )),
        }
    }

    /// Asks for another link, which comes as a line.
    pub fn ask_again(&mut self) -> Result<(), Failure> {
        let asked = self.stdin.as_mut().map(|stdin| stdin.write_all(b"\n").and_then(|()| stdin.flush()));
        if matches!(asked, Some(Ok(()))) { Ok(()) } else { Err(ended()) }
    }
}

impl Drop for DashboardProgram {
    fn drop(&mut self) {
        // It ends when its input does.
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

fn read_lines(stdout: impl Read, events: &Sender<DashboardEvent>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = String::new();
        match (&mut stdout).take(LINK_CAP).read_line(&mut line) {
            Ok(1..) if events.send(DashboardEvent::Line(line)).is_ok() => {}
            Ok(_) | Err(_) => break,
        }
    }
    let _ = events.send(DashboardEvent::Gone);
}

/// A one-time link, and what of it may be seen.
#[derive(Debug, PartialEq, Eq)]
pub struct DashboardLink {
    pub whole: String,
    /// It without the key.
    pub origin: String,
}

impl DashboardLink {
    /// `http://RANDOM.localhost:PORT/enter?key=KEY` and nothing else is shown or opened.
    pub fn parse(line: &str) -> Result<Self, Failure> {
        Self::read(line).ok_or_else(not_a_link)
    }

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

/// The error for a dashboard that ends by itself.
pub fn ended() -> Failure {
    Failure::new(
        Code::NoAgent,
        "The dashboard has ended.",
        "Run `everkey-dashboard --link-only` to see what it says, or `everkey dashboard` again.",
    )
}

fn not_a_link() -> Failure {
    Failure::new(
        Code::Version,
        "What everkey-dashboard says is no link of this version's.",
        "Upgrade everkey and everkey-dashboard together.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_link_of_the_dashboard_is_shown_or_opened() {
        let link = DashboardLink::read("http://k3x7q.localhost:4321/enter?key=aB-9_z\n").unwrap();
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
            assert_eq!(DashboardLink::read(bad), None, "{bad}");
        }
    }
}
