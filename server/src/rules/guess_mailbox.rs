//! One mailbox of the simulation of guesses: what the server remembers of it, decided by the real rules.

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
pub const HOME: u32 = 1_000_000;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    Letters(bool),
    Asked(u32),
    AskedForMailbox(u32),
    Guessed(u32),
    GuessedAtMailbox(u32),
}

#[derive(Clone)]
pub struct Code {
    pub request: u64,
    network: u32,
    origin: CodeOrigin,
    pub length: CodeLength,
    created_at: Timestamp,
    guesses: GuessCounts,
    pub used: bool,
}

/// One mailbox, and what the server remembers of it.
pub struct Mailbox {
    pub limits: Limits,
    pub now: Timestamp,
    pub codes: Vec<Code>,
    events: HashMap<Counted, Vec<Timestamp>>,
    pub letters: Vec<Timestamp>,
    /// When attackers compared with six-digit codes.
    compared: Vec<Timestamp>,
    pub compared_long: u64,
    next_request: u64,
}

/// What a request led to.
pub enum Asked {
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
    pub fn new() -> Self {
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

    pub fn room(&self, what: Counted, limit: Limit) -> Rate {
        let nth = self.events.get(&what).and_then(|at| at.iter().rev().nth(limit.max as usize - 1));
        rate::check(limit, nth.copied(), self.now)
    }

    pub fn count(&mut self, what: Counted) {
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

    pub fn ask(&mut self, network: u32) -> Asked {
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
        let half =
            self.room(Counted::GuessedAtMailbox(network), self.limits.failures_per_email_and_ip.half());
        let half = half.and(self.room(Counted::Guessed(network), self.limits.failures_per_ip.half()));
        let long = self.codes.iter().filter(|code| code.length == CodeLength::Long && !code.used);
        let facts = CodeRequestFacts {
            asker,
            letters: letters[0].and(letters[1]),
            length: code_guess::length(self.guess_limits(), self.ledger(origin), half),
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
    pub fn guess(&mut self, network: u32, request: Option<u64>, length: CodeLength) -> Option<Vec<usize>> {
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
        let GuessDecision::Compare { codes, way, .. } =
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
    pub fn attack(&mut self, network: u32, request: Option<u64>, length: CodeLength) {
        let compared = self.guess(network, request, length).map_or(0, |codes| codes.len());
        match length {
            CodeLength::Short => self.compared.extend(std::iter::repeat_n(self.now, compared)),
            CodeLength::Long => self.compared_long += compared as u64,
        }
    }

    /// The most comparisons with six-digit codes within any day.
    pub fn worst_day(&self) -> usize {
        let within = |place: usize| {
            let since = self.compared[place];
            self.compared[place..].iter().take_while(|at| at.since(since) < DAY).count()
        };
        (0..self.compared.len()).map(within).max().unwrap_or(0)
    }
}
