//! A newer everkey than the agent that runs: it says so to a person, and to nobody else.

use everkey_tests::{ADA, Setup, Terminal, World, until};

#[test]
fn d09_a_newer_client_offers_the_restart() {
    let mut world = World::signed_in(Setup::default());
    world.stop_agent();
    world.set_env("EVERKEY_TEST_VERSION", "0.0.9");
    world.everkey("agent start").ok();
    world.set_env("EVERKEY_TEST_VERSION", "");
    let said = world.everkey("whoami");
    assert!(said.err.is_empty() && said.out.starts_with(ADA), "{said:?}");
    let mut command = world.command(world.client());
    command.arg("whoami");
    let shown = |command| {
        let terminal = Terminal::start(command);
        until("an answer", || terminal.shown().contains(ADA));
        terminal.shown()
    };
    let said = shown(&command);
    assert!(said.contains("is older (0.0.9) than this everkey"), "{said}");
    assert!(said.contains("Run `everkey agent restart`; no session is interrupted."), "{said}");
    world.everkey("agent restart").ok();
    let said = shown(&command);
    assert!(!said.contains("older"), "{said}");
}
