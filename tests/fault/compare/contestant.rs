//! Those who are compared: how each is called, killed, and asked afterwards whether its session is still there.

use super::at::{At, forget};
use crate::kills::die_at;
use crate::lane::{Cost, Lane};
use crate::outsider::{Outsider, Reuse, TOKEN};
use everkey_tests::cli::{Cli, Output, Talk};
use everkey_tests::{ADA, REFRESH, Setup, World, othertool, until};
use std::fmt;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The model of today's way.
const TODAYS_CLI: &str = env!("CARGO_BIN_EXE_todays-cli");

/// Tokens live this long, so that they are due (60 s before expiry) a moment after they were made.
const LIFETIME: &str = "63s";

/// What `todays-cli` takes for due, and what everkey is asked for, in seconds.
const MARGIN: u32 = 60;

/// The same at an ordinary server, whose tokens live for 36 s.
const ORDINARY_MARGIN: u32 = 34;

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
    /// everkey, and an ordinary OAuth server.
    Ordinary(Reuse),
    /// Every process for itself, at that server.
    TodayOrdinary(Reuse),
}

impl System {
    /// Those at everkey's own server.
    pub const OWN: [Self; 3] = [Self::Everkey, Self::Strict, Self::Today];

    /// Those at ordinary servers.
    pub fn ordinary() -> Vec<Self> {
        Reuse::ALL.into_iter().flat_map(|reuse| [Self::Ordinary(reuse), Self::TodayOrdinary(reuse)]).collect()
    }

    /// For the head of a column.
    pub fn short(self) -> String {
        match self {
            Self::Everkey => "rr1".to_owned(),
            Self::Strict => "strict".to_owned(),
            Self::Today => "today".to_owned(),
            Self::Ordinary(reuse) => format!("{reuse}"),
            Self::TodayOrdinary(reuse) => format!("{reuse}: today"),
        }
    }

    /// What its server does with a repeat, if it is an ordinary one.
    fn reuse(self) -> Option<Reuse> {
        match self {
            Self::Ordinary(reuse) | Self::TodayOrdinary(reuse) => Some(reuse),
            Self::Everkey | Self::Strict | Self::Today => None,
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everkey => f.write_str("everkey (RR-1)"),
            Self::Strict => f.write_str("everkey, strict server"),
            Self::Today => f.write_str("today's way"),
            Self::Ordinary(reuse) => write!(f, "everkey, {reuse}"),
            Self::TodayOrdinary(reuse) => write!(f, "today's way, {reuse}"),
        }
    }
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
        let lane = match system.reuse() {
            Some(reuse) => Lane::at(Outsider::start(reuse)),
            None => Lane::without_reader(setup),
        };
        let contestant = Self { system, lane };
        if let System::TodayOrdinary(_) = system {
            contestant.sign_in_again();
        }
        contestant
    }

    /// Where refresh tokens are sent.
    pub fn route(&self) -> &'static str {
        if self.lane.outsider().is_some() { TOKEN } else { REFRESH }
    }

    /// How often they were.
    pub fn refreshes(&self) -> usize {
        self.lane.refreshes().len()
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
        let due = f64::from(self.margin()) - ROUNDED;
        until("the token to be due", || left(&self.lane.world) < due);
    }

    /// Waits until the access token has expired.
    pub fn wait_until_expired(&self) {
        until("the access token to have expired", || left(&self.lane.world) < 0.0);
    }

    /// The access token in the file.
    pub fn access_token(&self) -> String {
        let field =
            if self.lane.outsider().is_some() && self.is_everkey() { "access" } else { "access_token" };
        self.lane.world.session_text(field)
    }

    /// So many calls at once for a token that is good for the margin.
    pub fn call(&self, callers: usize) -> Vec<Talk> {
        let world = &self.lane.world;
        let words = format!("auth token --min-validity {}s", self.margin());
        let one = || if self.is_everkey() { world.cli(&words) } else { self.tool() };
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
        let counts = |lane: &Lane| (lane.refreshes().len(), lane.rotations());
        let point = self.is_everkey().then(|| at.in_the_agent(&mut self.lane));
        let (requests, rotations) = counts(&self.lane);
        let died = if let Some((role, syscall, nth)) = point {
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
        while died && counts(&self.lane) != expected && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        let there = died && counts(&self.lane) == expected;
        if !there {
            // Perhaps it was the recorded refresh that was unlike others.
            forget(&self.lane);
        }
        there
    }

    /// What the trial cost, once everything has come to rest. A lost session is replaced.
    pub fn verdict(&mut self) -> Cost {
        if self.is_everkey() {
            return self.lane.verdict();
        }
        until("the network to be quiet", || self.lane.is_quiet());
        // A call that says "not signed in" may have met the fault; the next one must not.
        let mut accepted = (0..2).any(|_| self.is_served(&self.tool().run()));
        if !accepted && self.lane.outsider().is_some() && self.lane.world.session().is_some() {
            // Where callers overtook each other, the server may have ended this access token and not the session.
            self.wait_until_due();
            accepted = self.is_served(&self.tool().run());
        }
        let cost = self.lane.cost(!accepted);
        if !accepted {
            self.sign_in_again();
        }
        cost
    }

    /// Whether a call has ended with a token that the server accepts.
    pub fn is_served(&self, output: &Output) -> bool {
        output.code == 0 && self.lane.asks_for_its_user(output.out.trim()) == 200
    }

    /// Gives the tool a session.
    fn sign_in_again(&self) {
        let world = &self.lane.world;
        let session = match self.lane.outsider() {
            Some(outsider) => outsider.session(),
            None => othertool::session(&world.server.sign_in(ADA)),
        };
        othertool::write(&world.auth_file(), &session);
    }

    fn is_everkey(&self) -> bool {
        match self.system {
            System::Everkey | System::Strict | System::Ordinary(_) => true,
            System::Today | System::TodayOrdinary(_) => false,
        }
    }

    fn margin(&self) -> u32 {
        if self.lane.outsider().is_some() { ORDINARY_MARGIN } else { MARGIN }
    }

    fn tool(&self) -> Cli {
        let mut command = self.lane.world.command(TODAYS_CLI);
        self.configure(&mut command);
        Cli::new(command)
    }

    /// Gives the tool its file and its server.
    fn configure(&self, command: &mut Command) {
        if let Some(outsider) = self.lane.outsider() {
            command.args(["--oauth", outsider.client_id(), "--margin", &self.margin().to_string()]);
        }
        command.env("FAILPROOFAI_AUTH_DIR", self.lane.world.auth_dir());
    }

    fn tool_dies(&mut self, at: At) {
        let syscall = at.in_the_tool();
        let log = self.lane.log("tool");
        let world = &self.lane.world;
        let mut command = world.command("strace");
        command.args(["-f", "-o"]).arg(&log).args(["-e", &format!("trace={syscall}")]);
        command.args(["-e", &format!("inject={syscall}:signal=SIGKILL:when=1")]).arg(TODAYS_CLI);
        self.configure(&mut command);
        let output = Cli::new(command).run();
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(log.contains("killed by SIGKILL"), "the tool was not killed at {at:?}: {output:?}\n{log}");
    }
}

/// No server of these trials takes longer to rotate.
const LONGEST_ROTATION: Duration = Duration::from_secs(5);

/// Seconds that the token in the file is still good for.
fn left(world: &World) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
    world.session().and_then(|session| session["access_expires_at"].as_f64()).map_or(0.0, |at| at - now)
}
