//! Says when the agent is of an older version than this program, as after an upgrade.

use crate::cli::terminal::output;
use everkey_client::Agent;
use std::io::{IsTerminal, stderr};

const OURS: &str = env!("CARGO_PKG_VERSION");

/// One line, to a person only: a script has nothing to decide here.
pub fn mention(agent: &Agent) {
    if stderr().is_terminal() && is_older(agent.version(), OURS) {
        let theirs = output::plain(agent.version());
        output::error_line(format_args!(
            "The agent that runs is older ({theirs}) than this everkey ({OURS}). \
             Run `everkey agent restart`; no session is interrupted."
        ));
    }
}

fn is_older(theirs: &str, ours: &str) -> bool {
    let numbers = |version: &str| -> Option<Vec<u64>> {
        let (release, _) = version.split_once(['-', '+', ' ']).unwrap_or((version, ""));
        release.split('.').map(|number| number.parse().ok()).collect()
    };
    numbers(theirs).zip(numbers(ours)).is_some_and(|(theirs, ours)| theirs < ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (theirs, ours) in [("0.9.0", "0.10.0"), ("0.1.0", "1.0.0"), ("1.2.3-rc.1", "1.2.4")] {
            assert!(is_older(theirs, ours) && !is_older(ours, theirs), "{theirs} {ours}");
        }
        for theirs in ["0.1.0", "0.1.0 with test hooks", "", "somebody's own"] {
            assert!(!is_older(theirs, "0.1.0"), "{theirs}");
        }
    }
}
