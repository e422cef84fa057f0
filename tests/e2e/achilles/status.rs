//! `achilles status` and its words where nobody is signed in, as its document shows them.

use super::*;

#[test]
fn nobody_is_told_in_the_documents_words() {
    let world = world(Setup::default());
    for command in ["achilles token", "achilles refresh"] {
        let said = world.typed(command).run().exits(1);
        let words = "✗ Authentication required\nRun achilles login to authenticate.\n";
        assert_eq!((said.out.as_str(), said.err.as_str()), ("", words), "{command}");
    }
    let said = world.typed("achilles token --json").run().exits(1);
    assert_eq!(said.json()["message"], "not signed in", "programs read the same everywhere");
}

#[test]
fn a_backend_that_hangs_is_given_up() {
    let (world, _account) = signed_in(Setup::default());
    let gate = Gate::default();
    world.proxy.next(ME, Fault::HoldAnswer(gate.clone()));
    let said = world.typed("achilles status").run().exits(4);
    assert!(said.out.contains("○ Backend does not answer"), "{said:?}");
    gate.open();
    world.proxy.next(ME, Fault::Answer(Canned::captive_portal()));
    world.typed("achilles status").run().exits(4);
    world.typed("achilles status").run().ok();
}

#[test]
fn fleet_and_score_are_shown_where_they_are_offered() {
    let (world, _account) = signed_in(Setup::default());
    let version = format!("ProjectAchilles CLI v{}", env!("CARGO_PKG_VERSION"));
    let said = world.typed("achilles status").run().ok();
    assert!(said.starts_with(&format!("{version}\nServer: {}\nUser: ", world.proxy.url())), "{said}");
    assert!(said.ends_with("\nFleet: 0 agents (0 online, 0 offline)"), "everkey-server has no score: {said}");

    let org = read(&world, FILE)["org_id"].as_str().unwrap().to_owned();
    let fleet_at = format!("/api/agent/admin/metrics?org_id={org}");
    world.proxy.next(&fleet_at, Fault::Answer(Canned::new(302, "text/html", &["Location: /"], "")));
    assert!(world.typed("achilles status").run().ok().ends_with("● Backend connected"), "not for this token");
    let metrics = json!({ "success": true, "data": { "total": 12, "online": 10, "offline": 2, "stale": 0 } });
    let fleet = Fault::Answer(Canned::json(200, &metrics));
    world.proxy.every(&fleet_at, fleet);
    let said = world.typed("achilles status").run().ok();
    assert!(said.ends_with("● Backend connected\nFleet: 12 agents (10 online, 2 offline)"), "{said}");

    let score = json!({ "score": 73.2, "protectedCount": 42, "unprotectedCount": 16, "totalExecutions": 58 });
    let score = Fault::Answer(Canned::json(200, &score));
    world.proxy.every(&format!("/api/analytics/defense-score?org={org}"), score);
    let said = world.typed("achilles status").run().ok();
    let shown = "Defense Score: 73.2% ████████████████████░░░░░░░░\n42 protected / 16 unprotected / 58 total";
    assert!(said.ends_with(shown), "{said}");
}
