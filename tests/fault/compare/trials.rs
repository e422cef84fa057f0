//! The trials: what fails while a token is refreshed that has just become due.

use super::Outcome;
use super::at::At;
use super::contestant::Contestant;
use crate::run::Trying;
use everkey_tests::cli::Talk;
use everkey_tests::{Canned, Fault, Gate, until};
use std::fmt;

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trial {
    /// Nothing; so many callers come at once.
    Calm(usize),
    /// The request never reaches the server.
    RequestLost,
    /// The server has rotated; its answer is lost.
    AnswerLost,
    /// Only so many bytes of the answer arrive.
    AnswerCut(usize),
    /// The connection is reset before the server gets the request.
    Reset,
    /// A proxy answers in the server's place.
    BadGateway,
    /// The server, or something before it, answers 503 or 429 without having looked at the token.
    Busy(u16),
    /// A captive portal answers 200 in the server's place.
    Portal,
    /// The server is killed before it has rotated, and started again.
    ServerKilledBefore,
    /// The server is killed after it has rotated and before it has answered, and started again.
    ServerKilledAfter,
    /// Whoever refreshes is killed there.
    Killed(At),
    /// For longer than the access token lives, the server answers 503.
    Down,
    /// For so long nobody listens where it was.
    Gone,
}

impl Trial {
    /// Whether nothing fails.
    pub fn is_calm(self) -> bool {
        matches!(self, Self::Calm(_))
    }

    /// Whether the server has rotated and nobody has got its answer, whoever refreshes.
    pub fn loses_the_answer(self) -> bool {
        match self {
            Self::AnswerLost | Self::AnswerCut(_) | Self::ServerKilledAfter | Self::Killed(At::Receive) => {
                true
            }
            Self::Calm(_)
            | Self::RequestLost
            | Self::Reset
            | Self::BadGateway
            | Self::Busy(_)
            | Self::Portal
            | Self::ServerKilledBefore
            | Self::Killed(At::Connect | At::Send | At::Write | At::Rename)
            | Self::Down
            | Self::Gone => false,
        }
    }

    /// Whether today's way sends a token again though its answer has come: to another process, or to one that was killed
    /// before it had written it down.
    pub fn today_sends_twice(self) -> bool {
        match self {
            Self::Calm(callers) => callers > 1,
            Self::Killed(at) => matches!(at, At::Write | At::Rename),
            Self::RequestLost
            | Self::AnswerLost
            | Self::AnswerCut(_)
            | Self::Reset
            | Self::BadGateway
            | Self::Busy(_)
            | Self::Portal
            | Self::ServerKilledBefore
            | Self::ServerKilledAfter
            | Self::Down
            | Self::Gone => false,
        }
    }

    /// Several callers only where nothing else fails: today's way loses the session to them alone.
    fn callers(self) -> usize {
        if let Self::Calm(callers) = self { callers } else { 1 }
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calm(1) => f.write_str("nothing fails, 1 caller"),
            Self::Calm(callers) => write!(f, "nothing fails, {callers} callers at once"),
            Self::RequestLost => f.write_str("request lost"),
            Self::AnswerLost => f.write_str("answer lost after the server rotated"),
            Self::AnswerCut(bytes) => write!(f, "answer cut after {bytes} bytes"),
            Self::Reset => f.write_str("connection reset"),
            Self::BadGateway => f.write_str("502 from a proxy"),
            Self::Busy(status) => write!(f, "{status}, the token not looked at"),
            Self::Portal => f.write_str("captive portal"),
            Self::ServerKilledBefore => f.write_str("server killed before it rotated"),
            Self::ServerKilledAfter => f.write_str("server killed after it rotated"),
            Self::Killed(At::Connect) => f.write_str("kill -9 before connecting"),
            Self::Killed(At::Send) => f.write_str("kill -9 before sending"),
            Self::Killed(At::Receive) => f.write_str("kill -9 before the answer is read"),
            Self::Killed(At::Write) => f.write_str("kill -9 before the file is written"),
            Self::Killed(At::Rename) => f.write_str("kill -9 before the file is put in place"),
            Self::Down => f.write_str("503 until the access token has expired"),
            Self::Gone => f.write_str("nobody listens until the access token has expired"),
        }
    }
}

/// Every trial.
pub fn all() -> Vec<Trial> {
    use Trial::*;
    let calm = [1, 2, 5, 20].map(Calm);
    let network =
        [RequestLost, AnswerLost, AnswerCut(0), AnswerCut(40), AnswerCut(400), Reset, BadGateway, Portal];
    let server = [ServerKilledBefore, ServerKilledAfter];
    calm.into_iter().chain(network).chain(server).chain(At::ALL.map(Killed)).collect()
}

/// Some of them: those that don't make a strict server's client wait for a deadline that it can't know after a restart.
pub fn few() -> Vec<Trial> {
    vec![Trial::Calm(5), Trial::AnswerLost, Trial::ServerKilledBefore, Trial::Killed(At::Write)]
}

/// Every trial at ordinary servers, whose answer has a head of 120 bytes and a body of 160.
pub fn ordinary() -> Vec<Trial> {
    use Trial::*;
    let calm = [1, 10, 50].map(Calm);
    let network = [RequestLost, AnswerLost, AnswerCut(0), AnswerCut(40), AnswerCut(200), Reset];
    let answers = [BadGateway, Busy(503), Busy(429), Portal];
    // The longest first.
    [Down, Gone].into_iter().chain(At::ALL.map(Killed)).chain(calm).chain(network).chain(answers).collect()
}

/// Some of them.
pub fn few_ordinary() -> Vec<Trial> {
    vec![Trial::Calm(10), Trial::RequestLost, Trial::AnswerLost]
}

/// Runs one trial. `contested`: the other tool has read the file before, and sends once the refresh is on its way.
pub fn run(contestant: &mut Contestant, trial: Trial, contested: bool) -> Outcome {
    let _trying = Trying(format!("{}: {trial}, contested: {contested}", contestant.system));
    loop {
        if let Trial::Killed(_) = trial {
            contestant.take_over();
            contestant.verdict();
        }
        contestant.wait_until_due();
        let other = contested.then(|| contestant.other_tool());
        let failed_calls = match trial {
            Trial::Killed(at) if contestant.call_and_die(at) => {
                go(other);
                1
            }
            // Killed somewhere else: that was no trial.
            Trial::Killed(_) => {
                drop(other);
                contestant.verdict();
                continue;
            }
            Trial::Down | Trial::Gone => outlast(contestant, trial),
            _ => fail(contestant, trial, other),
        };
        let cost = contestant.verdict();
        return Outcome {
            system: contestant.system,
            trial,
            contested,
            cost,
            failed_calls,
            calls: trial.callers(),
        };
    }
}

/// Lets the network or the server fail while it is called; how many calls ended without a token that works.
fn fail(contestant: &mut Contestant, trial: Trial, mut other: Option<Talk>) -> usize {
    let before = contestant.refreshes();
    let contested = other.is_some();
    let due = contestant.access_token();
    let gate = Gate::default();
    if let Some(fault) = fault(trial, &gate) {
        let route = contestant.route();
        contestant.world().proxy.next(route, fault);
    }
    let callers = contestant.call(trial.callers());
    until("the refresh to be on its way", || contestant.refreshes() > before);
    if let Trial::ServerKilledBefore | Trial::ServerKilledAfter = trial {
        // The other tool needs a server, so it comes before it is killed.
        gate.reached();
        go(other.take());
        restart_server(contestant);
    }
    gate.open();
    go(other.take());
    let outputs: Vec<_> = callers.into_iter().map(Talk::finish).collect();
    // Else the callers had no part in the trial. While another tool rotates, the old token is the best there is.
    if trial.is_calm() && !contested {
        assert!(outputs.iter().all(|output| output.out.trim() != due), "a token that was due was handed out");
    }
    outputs.iter().filter(|output| !contestant.is_served(output)).count()
}

/// Leaves the server away until the access token has expired; how many calls ended without one.
fn outlast(contestant: &mut Contestant, trial: Trial) -> usize {
    let route = contestant.route();
    let proxy = &mut contestant.world().proxy;
    if trial == Trial::Gone {
        proxy.go_away();
    } else {
        proxy.every(route, Fault::Answer(busy(503)));
    }
    let callers = contestant.call(trial.callers());
    contestant.wait_until_expired();
    let failed = callers.into_iter().map(Talk::finish).filter(|output| output.code != 0).count();
    let proxy = &mut contestant.world().proxy;
    if trial == Trial::Gone {
        proxy.come_back();
    } else {
        proxy.heal();
    }
    failed
}

/// The other tool sends, and does with the answer what such tools do.
fn go(other: Option<Talk>) {
    if let Some(mut other) = other {
        other.say("");
        other.finish();
    }
}

fn restart_server(contestant: &mut Contestant) {
    let world = contestant.world();
    world.server.kill();
    world.server.start_again();
    world.proxy.set_upstream(world.server.url());
}

fn fault(trial: Trial, gate: &Gate) -> Option<Fault> {
    match trial {
        Trial::Calm(_) | Trial::Killed(_) | Trial::Down | Trial::Gone => None,
        Trial::RequestLost => Some(Fault::LoseRequest),
        Trial::AnswerLost => Some(Fault::LoseAnswer),
        Trial::AnswerCut(bytes) => Some(Fault::CutAnswer(bytes)),
        Trial::Reset => Some(Fault::Reset),
        Trial::BadGateway => {
            Some(Fault::Answer(Canned::new(502, "text/html", &[], "<html>Bad gateway</html>")))
        }
        Trial::Busy(status) => Some(Fault::Answer(busy(status))),
        Trial::Portal => Some(Fault::Answer(Canned::captive_portal())),
        // Passed on when the gate opens, to a server that is not there any more.
        Trial::ServerKilledBefore => Some(Fault::HoldRequest(gate.clone())),
        Trial::ServerKilledAfter => Some(Fault::HoldAndLoseAnswer(gate.clone())),
    }
}

fn busy(status: u16) -> Canned {
    Canned::new(status, "text/plain", &["Retry-After: 1"], "Try again later.")
}
