//! The clients of docs/clients as they stand there, each driven by a few lines in its own language.

mod agents;
mod driver;
mod fake_agent;
mod places;
mod readme;
mod sign_in;
mod tokens_and_events;

use driver::Language;
use everkey_tests::skip::skipped;

/// Each of these in both languages.
macro_rules! in_both_languages {
    ($($theme:ident::$test:ident)*) => {
        mod python {
            $(#[test] fn $test() {
                super::run(super::Language::Python, stringify!($test), super::$theme::$test);
            })*
        }
        mod node {
            $(#[test] fn $test() {
                super::run(super::Language::Node, stringify!($test), super::$theme::$test);
            })*
        }
    };
}

in_both_languages! {
    agents::a_killed_agent_is_started_again
    agents::nothing_to_start_is_told
    agents::a_stuck_agent_is_told
    agents::a_listener_that_takes_nobody_is_told
    agents::another_users_agent_is_told_nothing
    agents::the_agent_is_found_where_its_lock_says
    agents::a_wrong_idea_of_the_server_is_told
    fake_agent::pages_are_shown_once_and_waited_for
    fake_agent::nonsense_is_told_and_not_repeated
    places::a_home_of_somebody_else_is_refused
    places::a_record_that_leads_nowhere_keeps_nobody_out
    places::an_agent_is_found_without_its_runtime_folder
    readme::the_examples_of_the_readme_work
    sign_in::signs_in_and_out
    sign_in::a_sign_in_is_given_up
    sign_in::a_person_approves_elsewhere_or_in_the_browser
    tokens_and_events::ten_callers_with_a_refused_token_get_one_better_one
    tokens_and_events::follows_what_happens
}

fn run(language: Language, test: &str, body: fn(Language)) {
    match language.lacking() {
        Some(why) => skipped(&format!("clients::{test} ({})", language.program()), &why),
        None => body(language),
    }
}
