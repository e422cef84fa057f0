//! A day of attacks on one mailbox, by the rules alone: how often attackers compare, and whether its owner gets in.
//! 1, 100 and 10,000 addresses; the numbers stand in docs/hosting.md.

use std::collections::HashMap;
use std::time::Duration;

use crate::limits::Limits;
use crate::rules::code_guess::{
    self, CodeFacts, CodeLength, CodeOrigin, GuessCounts, GuessDecision, GuessFacts, GuessLedger,
    GuessLimits, GuessWay, ledger_of,
};
use crate::rules::rate::{self, Limit, Rate};
use crate::rules::request_code::{self, CodeRequestDecision, CodeRequestFacts};
use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);
/// Where the owner has signed in before.
const HOME: u32 = 1_000_000;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Counted {
    Letters(bool),
    Asked(u32),
    AskedForMailbox(u32),
    Guessed(u32),
    GuessedAtMailbox(u32),
}

#[derive(Clone)]
struct Code {
    request: u64,
    network: u32,
    origin: CodeOrigin,
    length: CodeLength,
    created_at: Timestamp,
    guesses: GuessCounts,
    used: bool,
}

/// One mailbox, and what the server remembers of it.
struct Mailbox {
    limits: Limits,
    now: Timestamp,
    codes: Vec<Code>,
    events: HashMap<Counted, Vec<Timestamp>>,
    letters: Vec<Timestamp>,
    /// When attackers compared with six-digit codes.
    compared: Vec<Timestamp>,
    compared_long: u64,
    next_request: u64,
}

/// What a request led to.
enum Asked {
    /// A letter with this code.
    Letter {
        request: u64,
        code: usize,
    },
    /// The newest long code is to be used.
    Shared,
    Wait,
}

impl Mailbox {
    fn new() -> Self {
        Self {
            limits: Limits::default(),
            now: Timestamp::from_secs(1_000_000),
            codes: Vec::new(),
            events: HashMap::new(),
            letters: Vec::new(),
            compared: Vec::new(),
            compared_long: 0,
            next_request: 0,
        }
    }

    fn room(&self, what: Counted, limit: Limit) -> Rate {
        let nth = self.events.get(&what).and_then(|at| at.iter().rev().nth(limit.max as usize - 1));
        rate::check(limit, nth.copied(), self.now)
    }

    fn count(&mut self, what: Counted) {
        let at = self.events.entry(what).or_default();
        // No limit looks farther back.
        if at.len() > 900 {
            at.drain(..600);
        }
        at.push(self.now);
    }

    fn guess_limits(&self) -> GuessLimits {
        let Limits { guesses_per_code, failures_per_email, .. } = self.limits;
        GuessLimits { per_code: guesses_per_code, per_email: failures_per_email }
    }

    fn expires_at(&self, code: &Code) -> Timestamp {
        code.created_at.plus(self.limits.code_ttl)
    }

    fn ledger(&self, origin: CodeOrigin) -> GuessLedger {
        let mut ledger = GuessLedger::default();
        let since = self.now.minus(DAY).minus(self.limits.code_ttl);
        for code in
            self.codes.iter().filter(|code| code.length == CodeLength::Short && code.created_at > since)
        {
            let GuessCounts { by_id, by_network, by_others } = code.guesses;
            if code.origin == origin {
                ledger.with_id += if code.used { by_id } else { self.limits.guesses_per_code };
                ledger.without_id += by_network;
            }
            if ledger_of(GuessWay::ByOthers, code.origin) == origin {
                ledger.without_id += by_others;
            }
        }
        ledger
    }

    fn ask(&mut self, network: u32) -> Asked {
        let (now, ttl) = (self.now, self.limits.code_ttl);
        self.codes.retain(|code| match code.length {
            CodeLength::Short => now.since(code.created_at) < DAY + 2 * ttl,
            CodeLength::Long => now.since(code.created_at) < ttl,
        });
        let origin = if network == HOME { CodeOrigin::Familiar } else { CodeOrigin::New };
        let letters_from = Counted::Letters(network == HOME);
        let (mine, newest) = (Counted::AskedForMailbox(network), Limit { max: 1, window: DAY });
        let last = self.events.get(&mine).and_then(|at| at.last().copied());
        let mut asker = self.room(mine, self.limits.codes_per_email).and(rate::cool_down(
            self.limits.code_cooldown,
            last,
            self.now,
        ));
        if origin == CodeOrigin::New {
            asker = asker.and(self.room(Counted::Asked(network), self.limits.codes_per_ip));
        }
        let window = self.limits.codes_per_email.window;
        let factor = if self.room(mine, Limit { window, ..newest }) == Rate::Open { 2 } else { 1 };
        let letters = [self.limits.letters_per_email, self.limits.letters_per_email_daily];
        let letters = letters.map(|limit| self.room(letters_from, limit.times(factor)));
        let half = self.limits.failures_per_email_and_ip.half();
        let half_pair = self.room(Counted::GuessedAtMailbox(network), half);
        let long = self.codes.iter().filter(|code| code.length == CodeLength::Long && !code.used);
        let facts = CodeRequestFacts {
            asker,
            letters: letters[0].and(letters[1]),
            length: code_guess::length(self.guess_limits(), self.ledger(origin), half_pair),
            long_until: long.map(|code| self.expires_at(code)).max().filter(|until| *until > self.now),
        };
        let asked = match request_code::decide(facts, self.limits.code_ttl, self.now) {
            CodeRequestDecision::Wait { .. } => return Asked::Wait,
            CodeRequestDecision::Share { .. } => Asked::Shared,
            CodeRequestDecision::Send(length) => {
                self.next_request += 1;
                let (request, created_at) = (self.next_request, self.now);
                let guesses = GuessCounts::default();
                self.codes.push(Code { request, network, origin, length, created_at, guesses, used: false });
                self.letters.push(self.now);
                self.count(letters_from);
                Asked::Letter { request, code: self.codes.len() - 1 }
            }
        };
        self.count(mine);
        if origin == CodeOrigin::New {
            self.count(Counted::Asked(network));
        }
        asked
    }

    /// The codes that a guess is compared with, by their places.
    fn guess(&mut self, network: u32, request: Option<u64>, length: CodeLength) -> Option<Vec<usize>> {
        let way = |code: &Code| match request {
            Some(request) if request == code.request => GuessWay::ById,
            _ if code.network == network => GuessWay::ByNetwork,
            _ => GuessWay::ByOthers,
        };
        let live: Vec<usize> = (0..self.codes.len())
            .rev()
            .filter(|place| !self.codes[*place].used && self.now < self.expires_at(&self.codes[*place]))
            .collect();
        let facts = |place: &usize| {
            let code = &self.codes[*place];
            let Code { length, origin, guesses, .. } = *code;
            CodeFacts { length, way: way(code), origin, expires_at: self.expires_at(code), guesses }
        };
        let codes: Vec<CodeFacts> = live.iter().map(facts).collect();
        let (all, pair) = (Counted::Guessed(network), Counted::GuessedAtMailbox(network));
        let facts = GuessFacts {
            length,
            names_request: request.is_some(),
            network: self.room(all, self.limits.failures_per_ip),
            pair: self.room(pair, self.limits.failures_per_email_and_ip),
            familiar: self.ledger(CodeOrigin::Familiar),
            new: self.ledger(CodeOrigin::New),
        };
        let GuessDecision::Compare { codes, way } =
            code_guess::decide(self.guess_limits(), facts, &codes, self.now)
        else {
            return None;
        };
        let codes: Vec<usize> = codes.into_iter().map(|place| live[place]).collect();
        if length == CodeLength::Short {
            for code in &codes {
                let guesses = &mut self.codes[*code].guesses;
                match way {
                    GuessWay::ById => guesses.by_id += 1,
                    GuessWay::ByNetwork => guesses.by_network += 1,
                    GuessWay::ByOthers => guesses.by_others += 1,
                }
            }
        }
        for (what, rate) in [(all, facts.network), (pair, facts.pair)] {
            if rate == Rate::Open {
                self.count(what);
            }
        }
        Some(codes)
    }

    /// An attacker guesses, and is wrong.
    fn attack(&mut self, network: u32, request: Option<u64>, length: CodeLength) {
        let compared = self.guess(network, request, length).map_or(0, |codes| codes.len());
        match length {
            CodeLength::Short => self.compared.extend(std::iter::repeat_n(self.now, compared)),
            CodeLength::Long => self.compared_long += compared as u64,
        }
    }

    /// The most comparisons with six-digit codes within any day.
    fn worst_day(&self) -> usize {
        let within = |place: usize| {
            let since = self.compared[place];
            self.compared[place..].iter().take_while(|at| at.since(since) < DAY).count()
        };
        (0..self.compared.len()).map(within).max().unwrap_or(0)
    }
}

#[derive(Clone, Copy, Debug)]
enum Strategy {
    /// Each asks for codes and guesses at them with their ids.
    OwnRequests,
    /// Each guesses without an id at whatever there is.
    Anonymous,
    /// Each asks, guesses with the id and without, short and long.
    Everything,
    /// Each asks as often as it can, and then guesses at all of it at once.
    Hoard,
    /// Each asks, to fill the mailbox and the limits.
    Flood,
}

const STRATEGIES: [Strategy; 5] =
    [Strategy::OwnRequests, Strategy::Anonymous, Strategy::Everything, Strategy::Hoard, Strategy::Flood];

struct Attackers {
    strategy: Strategy,
    addresses: u32,
    /// The first one's address; the others follow.
    from: u32,
    turn: u32,
    /// Requests that wait to be guessed at.
    hoard: Vec<(u32, u64)>,
}

impl Attackers {
    /// So many of them do what they can, one after the other.
    fn act(&mut self, mailbox: &mut Mailbox, turns: u32) {
        for _ in 0..turns {
            self.turn += 1;
            let network = self.from + self.turn % self.addresses;
            let request = match (self.strategy, mailbox.now.secs() / 60 % 9) {
                (Strategy::Anonymous, _) => None,
                (Strategy::Hoard, 8) => {
                    self.spend(mailbox);
                    None
                }
                _ => match mailbox.ask(network) {
                    Asked::Letter { request, .. } => Some(request),
                    Asked::Shared | Asked::Wait => None,
                },
            };
            let (with_id, without) = match self.strategy {
                Strategy::Flood => (0, 0),
                Strategy::Anonymous => (0, 2),
                Strategy::OwnRequests => (6, 0),
                Strategy::Everything => (6, 6),
                Strategy::Hoard => {
                    self.hoard.extend(request.map(|request| (network, request)));
                    (0, 0)
                }
            };
            for _ in 0..with_id {
                if request.is_some() {
                    mailbox.attack(network, request, CodeLength::Short);
                }
            }
            for _ in 0..without {
                mailbox.attack(network, None, CodeLength::Short);
                mailbox.attack(network, None, CodeLength::Long);
            }
        }
    }

    /// Guesses at all that was asked for, without ids first: so that no count is full too soon.
    fn spend(&mut self, mailbox: &mut Mailbox) {
        for (network, request) in self.hoard.drain(..) {
            for _ in 0..2 {
                mailbox.attack(network, None, CodeLength::Short);
            }
            for _ in 0..6 {
                mailbox.attack(network, Some(request), CodeLength::Short);
            }
        }
    }
}

/// The owner asks for a code and types what the newest letter says, while the attackers go on. Whether it was right.
fn sign_in(mailbox: &mut Mailbox, attackers: &mut Attackers, network: u32, knows_id: bool) -> bool {
    let (request, own) = match mailbox.ask(network) {
        Asked::Letter { request, code } => (Some(request), Some(mailbox.codes[code].request)),
        // An id that belongs to no code.
        Asked::Shared => (Some(u64::MAX), None),
        Asked::Wait => return false,
    };
    attackers.act(mailbox, 20);
    let usable = |code: &Code| !code.used && own.is_none_or(|own| code.request == own);
    let newest = |code: &&Code| usable(code) && (own.is_some() || code.length == CodeLength::Long);
    let typed = mailbox.codes.iter().rev().find(newest).cloned().expect("a letter in the mailbox");
    let compared = mailbox.guess(network, request.filter(|_| knows_id), typed.length).unwrap_or_default();
    match compared.iter().find(|place| mailbox.codes[**place].request == typed.request) {
        Some(place) => {
            mailbox.codes[*place].used = true;
            true
        }
        None => false,
    }
}

/// A day and two hours under attack.
fn besieged(strategy: Strategy, addresses: u32, from: u32) -> Mailbox {
    let mut mailbox = Mailbox::new();
    let mut attackers = Attackers { strategy, addresses, from, turn: 0, hoard: Vec::new() };
    for minute in 0..26 * 60 {
        attackers.act(&mut mailbox, if minute % 60 == 0 { 150 } else { 3 });
        mailbox.now = mailbox.now.plus(Duration::from_secs(60));
        if minute % 60 == 30 && from != HOME {
            let on_the_way = 2_000_000 + minute;
            for (place, network) in [("at home", HOME), ("on the way", on_the_way)] {
                for (client, knows_id) in [("with an id", true), ("without", false)] {
                    let network = network + u32::from(network != HOME && knows_id);
                    let first = sign_in(&mut mailbox, &mut attackers, network, knows_id);
                    mailbox.now = mailbox.now.plus(Duration::from_secs(30));
                    // Who reads a six-digit code in the minute in which it stops counting asks once more.
                    let again = network != HOME && !knows_id;
                    let signed_in = first || again && sign_in(&mut mailbox, &mut attackers, network, false);
                    assert!(signed_in, "{strategy:?}, {addresses}: {place}, {client}, minute {minute}");
                }
            }
        }
    }
    mailbox
}

#[test]
fn a_day_of_attacks_by_few_and_many_addresses() {
    for (addresses, most) in [(1, 80), (100, 400), (10_000, 400)] {
        let mut worst = 0;
        for strategy in STRATEGIES {
            let mailbox = besieged(strategy, addresses, 0);
            let long = mailbox.compared_long as f64 / 1e16;
            let chance = mailbox.worst_day() as f64 / 1e6 + long;
            assert!(chance < 0.001, "{strategy:?}, {addresses}: {chance}");
            assert!(long < 1e-8, "{strategy:?}, {addresses}: {long}");
            worst = worst.max(mailbox.worst_day());
            let letters = mailbox.letters.len() * 24 / 26;
            assert!(letters < 600, "{strategy:?}, {addresses}: {letters} letters a day");
        }
        assert!(worst <= most, "{addresses} addresses compare {worst} times");
        assert!(worst * 2 > most, "docs/hosting.md promises too little: {addresses}, {worst}");
    }
}

#[test]
fn who_shares_the_owners_network_has_no_better_chance() {
    for strategy in STRATEGIES {
        // One at home, and 99 elsewhere.
        let mailbox = besieged(strategy, 100, HOME);
        assert!(mailbox.worst_day() <= 800, "{strategy:?}: {}", mailbox.worst_day());
    }
}
