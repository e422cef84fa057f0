//! A day of attacks on one mailbox, by the rules alone: how often attackers compare, and whether its owner gets in.
//! 1, 100 and 10,000 addresses; the numbers stand in docs/hosting.md.

use std::time::Duration;

use crate::rules::code_guess::CodeLength;
use crate::rules::guess_mailbox::{Asked, Code, Counted, HOME, Mailbox};
use crate::rules::rate::Rate;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// The same; and somebody in the owner's network guesses, at this mailbox and at others, to fill its limits.
    Neighbour,
}

const STRATEGIES: [Strategy; 6] = [
    Strategy::OwnRequests,
    Strategy::Anonymous,
    Strategy::Everything,
    Strategy::Hoard,
    Strategy::Flood,
    Strategy::Neighbour,
];

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
                Strategy::Flood | Strategy::Neighbour => (0, 0),
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

    /// Guesses from one network until all its limits are full.
    fn crowd(&self, mailbox: &mut Mailbox, network: u32) {
        if self.strategy == Strategy::Neighbour {
            for _ in 0..26 {
                mailbox.attack(network, None, CodeLength::Short);
            }
            // At others' mailboxes.
            while mailbox.room(Counted::Guessed(network), mailbox.limits.failures_per_ip) == Rate::Open {
                mailbox.count(Counted::Guessed(network));
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
    attackers.crowd(mailbox, network);
    let (request, own) = match mailbox.ask(network) {
        Asked::Letter { request, code } => (Some(request), Some(mailbox.codes[code].request)),
        // An id that belongs to no code.
        Asked::Shared => (Some(u64::MAX), None),
        Asked::Wait => return false,
    };
    attackers.act(mailbox, 20);
    attackers.crowd(mailbox, network);
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
