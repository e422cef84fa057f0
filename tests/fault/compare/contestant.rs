//! Those who are compared: how each is called, killed, and asked afterwards whether its session is still there.

use crate::disk::recorded;
use crate::kills::die_at;
use crate::lane::{Cost, Lane};
use crate::strace::Role;
use crate::trace::{Point, Step};
use everkey_tests::cli::{Cli, Talk};
use everkey_tests::{ADA, Setup, World, othertool, until};
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The model of today's way.
const TODAYS_CLI: &str = env!("CARGO_BIN_EXE_todays-cli");

/// Tokens live this long, so that they are due (60 s before expiry) a moment after they were made.
const LIFETIME: &str = "63s";

/// What `todays-cli` takes for due, and what everkey is asked for, in seconds.
const MARGIN: f64 = 60.0;

/// By how many seconds at the most the agent, which counts milliseconds, expects the end later than the file, whose
/// second is the one before that in which the token was asked for.
const ROUNDED: f64 = 2.0;

/// Who keeps the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// everkey and its own server.
    Everkey,
    /// everkey, and a server that repeats no answer.
    Strict,
    /// Every process for itself.
    Today,
}

impl System {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Everkey, Self::Strict, Self::Today];

    /// For the head of a column.
    pub fn short(self) -> &'static str {
        match self {
            Self::Everkey => "rr1",
            Self::Strict => "strict",
            Self::Today => "today",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Everkey => "everkey (RR-1)",
            Self::Strict => "everkey, strict server",
            Self::Today => "today's way",
        })
    }
}

/// Where a refresh can be killed, whoever makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// Before it connects.
    Connect,
    /// Before it sends the request.
    Send,
    /// Before it reads the answer.
    Receive,
    /// Before it writes the new file.
    Write,
    /// Before it puts the new file in the old one's place.
    Rename,
}

/// A system in a world of its own.
pub struct Contestant {
    pub system: System,
    lane: Lane,
}

impl Contestant {
    /// Signed in.
    pub fn new(system: System) -> Self {
        let strict = system == System::Strict;
        let setup = Setup { access_ttl: LIFETIME, strict, ..Setup::default() };
        Self { system, lane: Lane::without_reader(setup) }
    }

    /// Its world.
    pub fn world(&mut self) -> &mut World {
        &mut self.lane.world
    }

    /// Waits until the token is due for whoever asks: else everkey would hand it out, and refresh when half of its
    /// life is over, with nobody waiting.
    pub fn wait_until_due(&mut self) {
        if self.is_everkey() {
            self.lane.start_if_needed();
        }
        until("the token to be due", || left(&self.lane.world) < MARGIN - ROUNDED);
    }

    /// So many calls at once for a token that is good for 60 s.
    pub fn call(&self, callers: usize) -> Vec<Talk> {
        let world = &self.lane.world;
        let one = || if self.is_everkey() { world.cli("auth token --min-validity 60s") } else { self.tool() };
        (0..callers).map(|_| one().talk()).collect()
    }

    /// The tool that knows of no lock: it has looked at the file and, at the next line, sends what it read, without a
    /// key and on a network where nothing fails.
    pub fn other_tool(&self) -> Talk {
        let world = &self.lane.world;
        let mut command = world.command(TODAYS_CLI);
        command.arg("--pause").env("FAILPROOFAI_AUTH_DIR", world.auth_dir());
        command.env("FAILPROOF_API_URL", world.server.url());
        let mut talk = Cli::new(command).talk();
        assert_eq!(talk.line(), "ready");
        talk
    }

    /// Makes the session its own: one that another tool wrote would be asked about first, on a connection of its own.
    pub fn take_over(&mut self) {
        if self.is_everkey() {
            self.lane.start_if_needed();
            self.lane.world.everkey("auth refresh --force").ok();
        }
    }

    /// Refreshes, and is killed there. False if it was killed somewhere else: a call can come once more or once less.
    pub fn call_and_die(&mut self, at: At) -> bool {
        let counts = |world: &World| (world.proxy.refreshes(), world.server.events("rotated"));
        let (requests, rotations) = counts(&self.lane.world);
        let died = if self.is_everkey() {
            let (role, syscall, nth) = at.in_the_agent();
            die_at(&mut self.lane, role, &syscall, nth, true)
        } else {
            self.tool_dies(at);
            true
        };
        let expected = match at {
            At::Connect | At::Send => (requests, rotations),
            // The server may still be at it when nobody waits for its answer any more.
            At::Receive | At::Write | At::Rename => (requests + 1, rotations + 1),
        };
        let end = Instant::now() + LONGEST_ROTATION;
        while died && counts(&self.lane.world) != expected && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        let there = died && counts(&self.lane.world) == expected;
        if !there {
            // Perhaps it was the recorded refresh that was unlike others.
            POINTS.lock().expect("nobody panics while holding this").clear();
        }
        there
    }

    /// What the trial cost, once everything has come to rest. A lost session is replaced.
    pub fn verdict(&mut self) -> Cost {
        if self.is_everkey() {
            return self.lane.verdict();
        }
        until("the network to be quiet", || self.lane.is_quiet());
        let world = &self.lane.world;
        // A call that says "not signed in" may have met the fault; the next one must not.
        let output = [(); 2].iter().map(|()| self.tool().run()).find(|output| output.code == 0);
        let lost = output.is_none_or(|output| world.server.me(output.out.trim()) != 200);
        if lost {
            othertool::write(&world.auth_file(), &othertool::session(&world.server.sign_in(ADA)));
        }
        self.lane.cost(lost)
    }

    fn is_everkey(&self) -> bool {
        match self.system {
            System::Everkey | System::Strict => true,
            System::Today => false,
        }
    }

    fn tool(&self) -> Cli {
        let world = &self.lane.world;
        let mut command = world.command(TODAYS_CLI);
        command.env("FAILPROOFAI_AUTH_DIR", world.auth_dir());
        Cli::new(command)
    }

    fn tool_dies(&mut self, at: At) {
        let syscall = match at {
            At::Connect => "connect",
            At::Send => "sendto",
            At::Receive => "recvfrom",
            At::Write => "write",
            At::Rename => "rename",
        };
        let log = self.lane.log("tool");
        let world = &self.lane.world;
        let mut command = world.command("strace");
        command.args(["-f", "-o"]).arg(&log).args(["-e", &format!("trace={syscall}")]);
        command.args(["-e", &format!("inject={syscall}:signal=SIGKILL:when=1")]).arg(TODAYS_CLI);
        command.env("FAILPROOFAI_AUTH_DIR", world.auth_dir());
        let output = Cli::new(command).run();
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(log.contains("killed by SIGKILL"), "the tool was not killed at {at:?}: {output:?}\n{log}");
    }
}

/// No server of these trials takes longer to rotate.
const LONGEST_ROTATION: Duration = Duration::from_secs(5);

/// The calls of a recorded refresh, once one is needed.
static POINTS: Mutex<Vec<Point>> = Mutex::new(Vec::new());

/// Seconds that the token in the file is still good for.
fn left(world: &World) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
    world.session().and_then(|session| session["access_expires_at"].as_f64()).map_or(0.0, |at| at - now)
}

impl At {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Connect, Self::Send, Self::Receive, Self::Write, Self::Rename];

    /// The agent's call there, by a recorded refresh.
    fn in_the_agent(self) -> (Role, String, usize) {
        let mut points = POINTS.lock().expect("nobody panics while holding this");
        if points.is_empty() {
            *points = recorded();
        }
        let is = |point: &&Point| match self {
            Self::Connect => point.role == Role::Main && point.syscall == "connect",
            Self::Send => point.step == Step::S3 && point.role == Role::Main && point.speaks(),
            Self::Receive => point.step == Step::S4 && point.role == Role::Main && point.speaks(),
            Self::Write => point.step == Step::S5File && point.on_file && point.syscall == "write",
            Self::Rename => {
                point.step == Step::S5File && point.on_file && point.syscall.starts_with("rename")
            }
        };
        let point = points.iter().find(is).expect("every refresh makes such a call");
        (point.role, point.syscall.clone(), point.nth)
    }
}
