//! What guesses are compared with, case by case.

use super::*;

const LIMITS: GuessLimits =
    GuessLimits { per_code: 5, per_email: Limit { max: 200, window: Duration::from_secs(86_400) } };
const NOW: Timestamp = Timestamp::from_secs(100_000);
const FULL: Rate = Rate::Full { retry_after: Duration::from_secs(9) };
const ANONYMOUS: GuessFacts = GuessFacts {
    length: CodeLength::Short,
    names_request: false,
    network: Rate::Open,
    pair: Rate::Open,
    familiar: GuessLedger { with_id: 0, without_id: 0 },
    new: GuessLedger { with_id: 0, without_id: 0 },
};
const BY_ID: GuessFacts = GuessFacts { names_request: true, ..ANONYMOUS };

fn code(way: GuessWay) -> CodeFacts {
    CodeFacts {
        length: CodeLength::Short,
        way,
        origin: CodeOrigin::New,
        expires_at: Timestamp::from_secs(100_001),
        guesses: GuessCounts::default(),
    }
}

fn compared(guess: GuessFacts, codes: &[CodeFacts]) -> Vec<usize> {
    match decide(LIMITS, guess, codes, NOW) {
        GuessDecision::Compare { codes, .. } => codes,
        GuessDecision::Limited { .. } => panic!("limited"),
    }
}

use GuessWay::{ById, ByNetwork, ByOthers};

#[test]
fn an_id_leads_to_its_own_code_and_no_other() {
    assert_eq!(compared(BY_ID, &[code(ByOthers), code(ById), code(ByNetwork)]), [1]);
    assert_eq!(compared(BY_ID, &[code(ByOthers), code(ByNetwork)]), [] as [usize; 0]);
}

#[test]
fn without_an_id_codes_asked_for_here_or_the_newest() {
    assert_eq!(compared(ANONYMOUS, &[code(ByOthers), code(ByNetwork), code(ByNetwork)]), [1, 2]);
    assert_eq!(compared(ANONYMOUS, &[code(ByOthers), code(ByOthers)]), [0]);
    let lapsed = CodeFacts { expires_at: NOW, ..code(ByNetwork) };
    assert_eq!(compared(ANONYMOUS, &[lapsed, code(ByOthers)]), [1]);
    assert_eq!(compared(ANONYMOUS, &[]), [] as [usize; 0]);
}

#[test]
fn each_kind_has_five_guesses_at_a_code() {
    let others = GuessCounts { by_id: 4, by_network: 5, by_others: 1_000 };
    assert_eq!(compared(BY_ID, &[CodeFacts { guesses: others, ..code(ById) }]), [0]);
    let spent = GuessCounts { by_id: 5, by_network: 4, by_others: 1_000 };
    assert_eq!(compared(ANONYMOUS, &[CodeFacts { guesses: spent, ..code(ByNetwork) }]), [0]);
    assert_eq!(compared(BY_ID, &[CodeFacts { guesses: spent, ..code(ById) }]), [] as [usize; 0]);
    // A dead code asked for here does not lead to those of others.
    let dead = CodeFacts { guesses: others, ..code(ByNetwork) };
    assert_eq!(compared(ANONYMOUS, &[dead, code(ByOthers)]), [] as [usize; 0]);
    assert_eq!(compared(ANONYMOUS, &[CodeFacts { guesses: others, ..code(ByOthers) }]), [] as [usize; 0]);
}

#[test]
fn what_others_do_keeps_nobody_from_their_own_code() {
    let spent = GuessLedger { with_id: 10_000, without_id: 10_000 };
    let under_attack = GuessFacts { network: FULL, pair: FULL, familiar: spent, new: spent, ..BY_ID };
    assert_eq!(compared(under_attack, &[code(ById)]), [0]);
    let long = CodeFacts { length: CodeLength::Long, ..code(ByOthers) };
    let read = GuessFacts { length: CodeLength::Long, ..under_attack };
    assert_eq!(compared(read, &[code(ByOthers), long, code(ById), long]), [1, 3]);
}

#[test]
fn a_wrong_long_code_from_a_full_network_waits() {
    let long = CodeFacts { length: CodeLength::Long, ..code(ByOthers) };
    for network in [Rate::Open, FULL] {
        let guess = GuessFacts { length: CodeLength::Long, network, pair: FULL, ..ANONYMOUS };
        let expected = GuessDecision::Compare { codes: vec![0], way: ByOthers, if_wrong: network };
        assert_eq!(decide(LIMITS, guess, &[long], NOW), expected);
    }
}

#[test]
fn a_network_with_too_many_wrong_guesses_waits() {
    let limited = GuessDecision::Limited { retry_after: Duration::from_secs(9) };
    let here = GuessFacts { network: FULL, ..ANONYMOUS };
    assert_eq!(decide(LIMITS, here, &[code(ByNetwork)], NOW), limited);
    assert_eq!(decide(LIMITS, GuessFacts { names_request: true, ..here }, &[code(ByNetwork)], NOW), limited);
    let pair = GuessFacts { pair: FULL, ..ANONYMOUS };
    assert_eq!(decide(LIMITS, pair, &[code(ByNetwork)], NOW), limited);
    let long = CodeFacts { length: CodeLength::Long, ..code(ByNetwork) };
    assert_eq!(
        compared(GuessFacts { length: CodeLength::Long, ..pair }, &[long]),
        [0],
        "the next code is long"
    );
}

#[test]
fn a_full_ledger_ends_guesses_without_an_id() {
    let spent = |without_id| GuessLedger { with_id: 0, without_id };
    let familiar = CodeFacts { origin: CodeOrigin::Familiar, ..code(ByNetwork) };
    let strangers = GuessFacts { new: spent(200), ..ANONYMOUS };
    assert_eq!(compared(strangers, &[code(ByNetwork)]), [] as [usize; 0]);
    assert_eq!(compared(strangers, &[CodeFacts { way: ByOthers, ..familiar }]), [] as [usize; 0]);
    assert_eq!(compared(strangers, &[familiar]), [0]);
    assert_eq!(compared(GuessFacts { new: spent(199), ..ANONYMOUS }, &[code(ByNetwork); 3]), [0]);
}

#[test]
fn codes_grow_before_a_ledger_is_full() {
    let of = |with_id, without_id| length(LIMITS, GuessLedger { with_id, without_id }, Rate::Open);
    assert_eq!((of(195, 99), of(196, 0)), (CodeLength::Short, CodeLength::Long));
    assert_eq!(of(0, 100), CodeLength::Long);
    assert_eq!(length(LIMITS, GuessLedger::default(), FULL), CodeLength::Long);
}
