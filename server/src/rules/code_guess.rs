//! Which login codes may a guess be compared with? The caller commits the guess before it compares, so parallel guesses
//! can't share a count.
//!
//! A code of six digits costs: of each million comparisons one is a hit. So they are counted for each email, and when the
//! count is full codes have sixteen digits, which nobody guesses: whoever reads the letter still gets in, always.

use std::time::Duration;

use crate::rules::rate::{Limit, Rate};
use crate::time::Timestamp;

/// How many codes one guess is compared with at most: the digits of a six-digit and of a sixteen-digit one.
pub const MOST_SHORT: usize = 5;
const MOST_LONG: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeLength {
    /// Six digits.
    Short,
    /// Sixteen digits: while somebody guesses.
    Long,
}

impl CodeLength {
    pub const ALL: [Self; 2] = [Self::Short, Self::Long];

    pub const fn digits(self) -> u8 {
        match self {
            Self::Short => 6,
            Self::Long => 16,
        }
    }
}

/// How a guess stands to a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuessWay {
    /// It names the request that the code belongs to.
    ById,
    /// It names no request and comes from the network that asked for the code.
    ByNetwork,
    /// It names no request and comes from elsewhere.
    ByOthers,
}

/// Guesses made at one code. Those of one kind use up nothing of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuessCounts {
    pub by_id: u32,
    pub by_network: u32,
    pub by_others: u32,
}

impl GuessCounts {
    const fn of(self, way: GuessWay) -> u32 {
        match way {
            GuessWay::ById => self.by_id,
            GuessWay::ByNetwork => self.by_network,
            GuessWay::ByOthers => self.by_others,
        }
    }
}

/// A code that was not used, as stored.
#[derive(Clone, Copy, Debug)]
pub struct CodeFacts {
    pub length: CodeLength,
    /// How the guess stands to it.
    pub way: GuessWay,
    pub origin: CodeOrigin,
    pub expires_at: Timestamp,
    pub guesses: GuessCounts,
}

/// Where a code was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeOrigin {
    /// In a network where the email has signed in lately.
    Familiar,
    /// Anywhere else: so could everybody.
    New,
}

/// Comparisons with one email's six-digit codes within a day, for one origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuessLedger {
    /// Those that can be made with a request's id: a code that was sent has all of its own.
    pub with_id: u32,
    /// Those that were made without.
    pub without_id: u32,
}

/// How often may be guessed.
#[derive(Clone, Copy, Debug)]
pub struct GuessLimits {
    /// Guesses of each kind after which a code is dead.
    pub per_code: u32,
    /// Comparisons of each of the four kinds: with an id and without, from familiar networks and from new ones.
    pub per_email: Limit,
}

/// What is known about a guess.
#[derive(Clone, Copy, Debug)]
pub struct GuessFacts {
    pub length: CodeLength,
    /// Whether it names a request, known or not.
    pub names_request: bool,
    /// Wrong guesses from its network.
    pub network: Rate,
    /// Those at this email's six-digit codes.
    pub pair: Rate,
    /// Of codes from familiar networks, and from new ones.
    pub familiar: GuessLedger,
    pub new: GuessLedger,
}

/// What to do with a guess. Every guess that is not `Limited` counts as wrong until it proves right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuessDecision {
    /// Count it at these codes, then compare: places in the list. With none it is wrong. A wrong one is refused, or, if
    /// `if_wrong` is full, limited.
    Compare { codes: Vec<usize>, way: GuessWay, if_wrong: Rate },
    /// Too many wrong guesses from this network; wait, or ask for another code.
    Limited { retry_after: Duration },
}

/// Decides about one guess. `codes` are the email's unused codes, newest first.
pub fn decide(limits: GuessLimits, guess: GuessFacts, codes: &[CodeFacts], now: Timestamp) -> GuessDecision {
    let live: Vec<(usize, &CodeFacts)> = codes
        .iter()
        .enumerate()
        .filter(|(_, code)| code.length == guess.length && now < code.expires_at)
        .collect();
    let open = |way: GuessWay| -> Vec<usize> {
        let open = |code: &CodeFacts| code.way == way && code.guesses.of(way) < limits.per_code;
        let open = live.iter().filter(|(_, code)| open(code)).map(|(place, _)| *place);
        open.take(MOST_SHORT).collect()
    };
    let own = open(GuessWay::ById);
    if guess.length == CodeLength::Long {
        // Nobody guesses these, so whoever reads the letter gets in, however full the network is.
        let codes = live.iter().map(|(place, _)| *place).take(MOST_LONG).collect();
        let way = if own.is_empty() { GuessWay::ByOthers } else { GuessWay::ById };
        return GuessDecision::Compare { codes, way, if_wrong: guess.network };
    }
    let compare = |codes, way| GuessDecision::Compare { codes, way, if_wrong: Rate::Open };
    // Nobody else can use these up, so nothing that others do keeps from trying them.
    if !own.is_empty() {
        return compare(own, GuessWay::ById);
    }
    if let Rate::Full { retry_after } = guess.network.and(guess.pair) {
        return GuessDecision::Limited { retry_after };
    }
    if guess.names_request {
        return compare(Vec::new(), GuessWay::ByOthers);
    }
    let from_here = live.iter().any(|(_, code)| code.way == GuessWay::ByNetwork);
    let way = if from_here { GuessWay::ByNetwork } else { GuessWay::ByOthers };
    let mut open = open(way);
    if way == GuessWay::ByOthers {
        // The newest or none: else a single guess would cost as much as many.
        let newest = live.iter().find(|(_, code)| code.way == way).map(|(place, _)| *place);
        open.retain(|place| Some(*place) == newest);
    }
    compare(affordable(limits, guess, codes, way, open), way)
}

/// Of these codes those that the email's ledgers have room for.
fn affordable(
    limits: GuessLimits,
    guess: GuessFacts,
    codes: &[CodeFacts],
    way: GuessWay,
    open: Vec<usize>,
) -> Vec<usize> {
    let (mut familiar, mut new) = (guess.familiar.without_id, guess.new.without_id);
    let fits = |place: &usize| {
        let origin = codes.get(*place).map_or(CodeOrigin::New, |code| code.origin);
        let spent = match ledger_of(way, origin) {
            CodeOrigin::Familiar => &mut familiar,
            CodeOrigin::New => &mut new,
        };
        let fits = *spent < limits.per_email.max;
        *spent += u32::from(fits);
        fits
    };
    open.into_iter().filter(fits).collect()
}

/// Whose ledger a comparison without an id is in: a stranger's guess at a code of a familiar network is a stranger's.
pub const fn ledger_of(way: GuessWay, origin: CodeOrigin) -> CodeOrigin {
    match way {
        GuessWay::ById | GuessWay::ByNetwork => origin,
        GuessWay::ByOthers => CodeOrigin::New,
    }
}

/// How long the next code must be that is asked for in networks of one origin. `half` is what the network has guessed wrongly,
/// at this email and at all, against half of the limits: a six-digit code must not stop counting before it is typed.
pub fn length(limits: GuessLimits, ledger: GuessLedger, half: Rate) -> CodeLength {
    let max = limits.per_email.max;
    let fits = ledger.with_id.saturating_add(limits.per_code) <= max && ledger.without_id < max.div_ceil(2);
    if fits && half == Rate::Open { CodeLength::Short } else { CodeLength::Long }
}

#[cfg(test)]
#[path = "code_guess_tests.rs"]
mod tests;
