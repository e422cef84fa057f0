//! `everkey redact`: a filter that needs no agent.

use everkey_tests::World;

#[test]
fn redact_copies_all_but_secrets_and_starts_no_agent() {
    let world = World::new();
    let said = world.cli("redact").stdin("a\nPASSWORD=hunter2\r\n\tin /home/ada/x").run();
    assert_eq!(said.exits(0).out, "a\nPASSWORD=[redacted:password]\n\tin /home/[user]/x\n");
    assert_eq!(world.find_agent(), None);
    world.everkey("redact --json").exits(2);
    world.everkey("redact file").exits(2);
}

#[test]
fn redact_gives_each_line_as_it_comes() {
    let world = World::new();
    let mut talk = world.start("redact");
    for line in ["one", "two"] {
        talk.say(line);
        assert_eq!(talk.line(), line);
    }
    talk.finish().exits(0);
}
