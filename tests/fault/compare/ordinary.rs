//! The comparison at ordinary OAuth servers: what they do with a refresh token that comes twice decides what a lost
//! answer costs, and nothing else does.

use super::contestant::System;
use super::trials::{few_ordinary, ordinary};
use super::{Outcome, compare, report, sum};
use crate::outsider::{Outsider, Reuse};
use crate::run::{can, everything, say};

/// What everkey must not lose there.
fn assert_kept(outcome: &Outcome, reuse: Reuse) {
    let Outcome { system, trial, cost, .. } = outcome;
    let what = format!("{system}, {trial}: {cost:?}");
    // Everywhere else the server still knows the token, or everkey has its successor.
    if reuse.is_forgiven() || !trial.loses_the_answer() {
        assert_eq!(cost.lost, 0, "{what}");
    }
    if trial.is_calm() {
        assert_eq!((cost.requests, cost.rotations), (1, 1), "{what}");
    }
}

#[test]
fn n37_n38_compare_at_ordinary_servers() {
    let test = "n37_n38_compare_at_ordinary_servers";
    if !can(test) || !Outsider::can_run(test) {
        return;
    }
    let (trials, times) = if everything() { (ordinary(), 3) } else { (few_ordinary(), 1) };
    let systems = System::ordinary();
    let outcomes = compare(&systems, &trials, &[false], times);
    say(&report(&outcomes, &systems, &[false]));
    for outcome in &outcomes {
        let Outcome { system, trial, cost, .. } = outcome;
        let what = format!("{system}, {trial}: {cost:?}");
        let reuse = match system {
            System::Ordinary(reuse) => {
                assert_kept(outcome, *reuse);
                *reuse
            }
            System::TodayOrdinary(reuse) => {
                if !trial.loses_the_answer() && !trial.today_sends_twice() {
                    assert_eq!(cost.lost, 0, "{what}");
                }
                *reuse
            }
            System::Everkey | System::Strict | System::Today => panic!("{what} is no ordinary one"),
        };
        let most = if reuse == Reuse::EndsAll { cost.lost } else { 0 };
        assert!(cost.revoked <= most, "{what}");
    }
    for reuse in [Reuse::EndsFamily, Reuse::EndsAll] {
        let today = sum(outcomes.iter().filter(|o| o.system == System::TodayOrdinary(reuse))).0;
        assert!(today.lost > 0, "the model of today's way loses nothing at a server where {reuse}");
    }
}
