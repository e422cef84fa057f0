//! What happens in a schedule: drawn from the seed, weighted so that bad company meets at bad moments.

use crate::dice::Dice;
use crate::disk::Health;
use crate::network::Fate;
use crate::rules::Rules;

pub const HOME: &str = "https://home.example";
pub const AWAY: &str = "https://away.example";

/// Something that happens from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// So many clients ask for a token valid for so many seconds.
    Token(u64, u32),
    Refresh {
        force: bool,
    },
    Whoami,
    Status,
    /// A client that waits goes away.
    Gone,
    Login(&'static str),
    Logout,
    /// The process dies; with `power`, the whole machine.
    Crash {
        power: bool,
    },
    /// It dies, and the state folder is lost (F12).
    LoseState,
    /// It dies, and another agent holds the lock for a while.
    LoseLock,
    /// Milliseconds.
    Suspend(u64),
    /// Seconds.
    WallJump(i64),
    /// For so many milliseconds.
    NetDown(u64),
    DiskBad(Health, u64),
    FileChanged,
    OtherRefresh,
    /// Somebody refreshes elsewhere with a copy of the file.
    Theft,
    OtherLogin,
    OtherDelete,
    OtherGarble,
    /// An old session file comes back from a backup.
    Restore,
    /// From now on the server does this with tokens that come twice.
    ServerChanges(Rules),
    Reminder(Reminding),
}

/// What happens to the reminder; times are seconds ahead, or past, of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reminding {
    Show,
    Set(i64),
    Clear,
    /// Another program, or a hand, writes one for this user.
    Written(&'static str, i64),
    Garbled,
    Deleted,
    /// Somebody says that the file has changed.
    Changed,
}

/// What kind of day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Calm,
    Network,
    Disk,
    Crashes,
    People,
    Time,
    OtherTools,
    Everything,
}

/// How a schedule begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    SignedIn,
    /// A session that the original tool wrote; no side-car yet.
    WithoutSidecar,
    SignedOut,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub mood: Mood,
    pub rules: Rules,
    /// Whether the agent is told what the server does with a token that comes twice.
    pub is_known: bool,
    /// What becomes of the first requests; of the others dice decide.
    pub fates: Vec<Fate>,
    pub start: Start,
    pub access_secs: i64,
    pub server_skew: i64,
    /// How many in a thousand requests meet trouble.
    pub net_faults: u64,
    /// How many in a thousand effects are the last before a crash.
    pub crashes: u64,
    /// How many in a thousand effects are followed at once by something from outside.
    pub ambushes: u64,
    /// How many in a thousand uses of a token that is good are refused all the same, and reported (N29).
    pub refusals: u64,
    /// Whether there are reminders.
    pub reminds: bool,
    /// When, in milliseconds from the start, and what.
    pub script: Vec<(u64, Happening)>,
    pub horizon_ms: u64,
}

const MOODS: [(u64, Mood); 8] = [
    (1, Mood::Calm),
    (3, Mood::Network),
    (2, Mood::Disk),
    (3, Mood::Crashes),
    (2, Mood::People),
    (1, Mood::Time),
    (3, Mood::OtherTools),
    (4, Mood::Everything),
];

const RULES: [(u64, Rules); 4] =
    [(5, Rules::Rr1), (3, Rules::Strict), (2, Rules::RevokesAll), (1, Rules::Rejects)];

const STARTS: [(u64, Start); 3] = [(7, Start::SignedIn), (2, Start::WithoutSidecar), (1, Start::SignedOut)];

impl Plan {
    pub fn draw(dice: &mut Dice) -> Self {
        let mood = dice.weighted(&MOODS);
        let rules = dice.weighted(&RULES);
        let absurd = mood != Mood::Calm && dice.chance(40);
        let access_secs =
            if absurd { dice.pick(&[0, -5, 2, 1_000_000_000_000]) } else { dice.pick(&[60, 120, 300, 3600]) };
        let horizon_ms = dice.between(60_000, 240_000);
        let script = (0..dice.between(2, 7))
            .map(|_| (dice.between(0, horizon_ms), happening(mood, dice)))
            .chain([(1000, Happening::Token(1, 0)), (horizon_ms / 2, Happening::Token(2, 0))])
            .collect();
        let all = mood == Mood::Everything;
        Self {
            mood,
            rules,
            is_known: true,
            fates: Vec::new(),
            start: dice.weighted(&STARTS),
            access_secs,
            server_skew: if dice.chance(300) { dice.pick(&[-90, -20, 20, 90]) } else { 0 },
            net_faults: if mood == Mood::Network || all { 350 } else { 0 },
            crashes: if mood == Mood::Crashes || all { 40 } else { 0 },
            ambushes: if mood == Mood::Calm { 0 } else { 60 },
            refusals: 0,
            reminds: false,
            script,
            horizon_ms,
        }
    }
}

/// Servers that everkey has not written, and whether the agent is told what they do with a token that comes twice.
const FOREIGN: [(Rules, bool); 14] = [
    (Rules::Stays, true),
    (Rules::Stays, false),
    (Rules::UntilUsed, true),
    (Rules::UntilUsed, false),
    (Rules::Grace(10), true),
    (Rules::Grace(30), true),
    (Rules::Grace(120), true),
    (Rules::Grace(600), false),
    (Rules::Family, true),
    (Rules::Family, false),
    (Rules::Rejects, false),
    (Rules::RevokesAll, false),
    (Rules::Reusable, false),
    (Rules::RevokesAll, true),
];

impl Plan {
    /// The same with one of the servers that everkey has not written.
    pub fn at_foreign_server(self, which: u64) -> Self {
        match which % 20 {
            0 => return self.at_server_that_changes(),
            10 => return self.at_server_that_stays_away(),
            _ => {}
        }
        let (rules, is_known) = FOREIGN[usize::try_from(which).unwrap_or(0) % FOREIGN.len()];
        let mut plan = Self { rules, is_known, server_skew: 0, ..self };
        if which % 3 == 1 {
            // A refresh long before the access token ends: there is much to lose.
            plan.access_secs = 3600;
            plan.script.push((2_000, Happening::Refresh { force: true }));
        }
        plan
    }

    /// The same with a thief, who needs no dice, where chance has its way.
    pub fn with_theft(mut self, seed: u64) -> Self {
        if self.mood != Mood::Calm && self.fates.is_empty() {
            self.script.push((seed % self.horizon_ms, Happening::Theft));
        }
        self
    }

    /// A grace is learnt, then the server stops giving it and refuses a repeat, then an answer is lost once more.
    fn at_server_that_changes(self) -> Self {
        let changes = [(100_000, Happening::ServerChanges(Rules::Family))];
        // A person who mistypes begins again.
        let person = [160_000, 175_000, 190_000].map(|at| (at, Happening::Login(HOME)));
        let lost = [(240_000, Happening::Crash { power: false })];
        Self {
            rules: Rules::Grace(600),
            is_known: false,
            fates: vec![Fate::AnswerCut, Fate::Fine, Fate::AnswerCut, Fate::Fine, Fate::AnswerLost],
            access_secs: 120,
            script: changes.into_iter().chain(person).chain(lost).collect(),
            horizon_ms: 330_000,
            ..self.scripted()
        }
    }

    /// An answer is lost, and nothing else comes for the rest of the grace.
    fn at_server_that_stays_away(self) -> Self {
        let asks = [20_000, 35_000, 50_000].map(|at| (at, Happening::Status));
        Self {
            rules: Rules::Grace(30),
            is_known: true,
            fates: [vec![Fate::AnswerLost], vec![Fate::BadGateway; 8]].concat(),
            access_secs: 3600,
            script: [(2_000, Happening::Refresh { force: true })].into_iter().chain(asks).collect(),
            horizon_ms: 60_000,
            ..self.scripted()
        }
    }

    /// Nothing happens by chance.
    fn scripted(self) -> Self {
        Self {
            mood: Mood::People,
            start: Start::SignedIn,
            server_skew: 0,
            net_faults: 0,
            crashes: 0,
            ambushes: 0,
            refusals: 0,
            reminds: false,
            ..self
        }
    }
}

/// Something about the reminder.
pub fn reminding(dice: &mut Dice) -> Reminding {
    let soon = i64::try_from(dice.between(0, 150)).unwrap_or(0) - 20;
    let days = dice.pick(&[86_400, 7 * 86_400]);
    let ahead = if dice.chance(800) { soon } else { days };
    let whose = if dice.chance(650) { "ann@example.com" } else { "bob@example.com" };
    dice.weighted(&[
        (2, Reminding::Show),
        (6, Reminding::Set(ahead)),
        (2, Reminding::Clear),
        (3, Reminding::Written(whose, ahead)),
        (1, Reminding::Garbled),
        (1, Reminding::Deleted),
        (1, Reminding::Changed),
    ])
}

/// Something that fits the mood.
pub fn happening(mood: Mood, dice: &mut Dice) -> Happening {
    let short = dice.between(50, 20_000);
    let asks = [
        (6, Happening::Token(dice.between(1, 4), 0)),
        (2, Happening::Token(1, dice.pick(&[1, 60, 5000]))),
        (1, Happening::Refresh { force: dice.chance(500) }),
        (1, Happening::Whoami),
        (1, Happening::Status),
        (3, Happening::Gone),
        (1, Happening::FileChanged),
    ];
    let network = [(3, Happening::NetDown(short))];
    let bad = if dice.chance(700) { Health::Failing } else { Health::Full };
    let disk = [(4, Happening::DiskBad(bad, short))];
    let crashes = [
        (6, Happening::Crash { power: dice.chance(500) }),
        (1, Happening::LoseState),
        (1, Happening::LoseLock),
    ];
    let server = if dice.chance(500) { HOME } else { AWAY };
    let people = [(3, Happening::Login(server)), (2, Happening::Logout)];
    let time = [
        (2, Happening::Suspend(dice.pick(&[40_000, 32_400_000]))),
        (2, Happening::WallJump(dice.pick(&[86_400, -86_400, 3600, -30]))),
    ];
    let others = [
        (4, Happening::OtherRefresh),
        (1, Happening::OtherLogin),
        (1, Happening::OtherDelete),
        (1, Happening::OtherGarble),
        (2, Happening::Restore),
    ];
    let of: Vec<(u64, Happening)> = match mood {
        Mood::Calm => asks.to_vec(),
        Mood::Network => [&asks[..], &network].concat(),
        Mood::Disk => [&asks[..], &disk].concat(),
        Mood::Crashes => [&asks[..], &crashes].concat(),
        Mood::People => [&asks[..], &people].concat(),
        Mood::Time => [&asks[..], &time, &network].concat(),
        Mood::OtherTools => [&asks[..], &others].concat(),
        Mood::Everything => [&asks[..], &network, &disk, &crashes, &people, &time, &others].concat(),
    };
    dice.weighted(&of)
}
