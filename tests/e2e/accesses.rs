//! Who was handed a token, as the access log and the events tell it.

use everkey_tests::cli::Cli;
use everkey_tests::{Setup, World, eventually};
use serde_json::{Value, json};
use std::fs;

/// What the log says, once it has so many lines.
fn log_of(world: &World, count: usize) -> Value {
    // It is written beside the answer, so it may come a moment later.
    eventually("the access log", || {
        let page = world.everkey("agent accesses --json").exits(0).json();
        (page["accesses"].as_array().unwrap().len() == count).then_some(page)
    })
}

#[test]
fn a_script_is_named_behind_everkey_itself() {
    let world = World::signed_in(Setup::default());
    let folder = world.root().join("site");
    fs::create_dir(&folder).unwrap();
    let everkey = world.client();
    let mut script = world.command("sh");
    script.args(["-c", "x=$(\"$0\" token); (cd /; y=$(\"$0\" token); :); printf %s \"$x\""]).arg(&everkey);
    script.current_dir(&folder);
    let token = Cli::new(script).run().ok();
    assert_eq!(world.server.me(&token), 200);

    let (real, folder) = (fs::canonicalize(&everkey).unwrap(), folder.to_str().unwrap());
    let page = log_of(&world, 2);
    let (inner, outer) = (&page["accesses"][0], &page["accesses"][1]);
    for (access, place) in [(inner, "/"), (outer, folder)] {
        assert_eq!(access["program"], real.to_str().unwrap(), "{access}");
        assert_eq!(access["from"]["folder"], place, "{access}");
        let parent = &access["from"]["parents"][0];
        let program = parent["program"].as_str().unwrap();
        assert!(program.ends_with("sh"), "{access}");
        assert!(
            parent["pid"].as_i64().unwrap() > 1 && access["client"].as_str().unwrap().starts_with("everkey")
        );
    }
    let log = fs::read_to_string(world.home().join("state/access.jsonl")).unwrap();
    assert!(log.contains(folder) && !log.contains(&token), "where it was, but no argument and no token");

    let mut events = world.lines();
    assert_eq!(events.ask(&json!({ "request": "events", "past": true }))["reply"], "following");
    let handed = std::iter::repeat_with(|| events.next_line().unwrap())
        .map(|line| serde_json::from_str::<Value>(&line).unwrap())
        .find(|event| event["event"] == "handed")
        .unwrap();
    assert_eq!(handed["from"], outer["from"], "{handed}");
    let said = world.everkey("agent accesses").ok();
    assert!(
        said.contains(&format!(" in {folder}, started by ")) && said.contains("nobody has checked"),
        "{said}"
    );
}

#[test]
fn a_name_is_a_claim_and_stands_apart() {
    let world = World::signed_in(Setup::default());
    world.lines().request("token");
    let access = log_of(&world, 1)["accesses"][0].clone();
    assert_eq!(access["client"], "e2e");
    assert_eq!(access["program"], std::env::current_exe().unwrap().to_str().unwrap());
    assert_eq!(access["pid"], std::process::id());
    let said = world.everkey("agent accesses").ok();
    assert!(said.contains("it calls itself \"e2e\", which nobody has checked"), "{said}");
}

#[test]
fn the_log_is_read_by_page_and_time() {
    let world = World::signed_in(Setup::default());
    let line = |at: u64| format!("{{\"at\":{at},\"profile\":\"p\",\"pid\":{at},\"program\":null}}\n");
    let log: String = (1_000..3_500).map(line).collect();
    world.put("state/access.jsonl", &log);
    let read = |words: &str| world.everkey(&format!("agent accesses --json {words}")).exits(0).json();
    let times = |page: &Value| -> Vec<u64> {
        page["accesses"].as_array().unwrap().iter().map(|access| access["at"].as_u64().unwrap()).collect()
    };
    let page = read("");
    assert_eq!((&page["total"], times(&page).len()), (&json!(2_500), 100));
    assert_eq!(times(&read("--limit 5000")), (1_000..3_500).rev().collect::<Vec<_>>());
    assert_eq!(times(&read("--limit 2 --skip 2499")), [1_000]);
    let part = read("--since 1970-01-01T00:20:00Z --until 1970-01-01T00:20:02Z");
    assert_eq!((&part["total"], times(&part)), (&json!(3), vec![1_202, 1_201, 1_200]));
    assert_eq!(read("--since 2h")["total"], 0);

    let shown = world.everkey("agent accesses --limit 2 --skip 1").exits(0);
    assert_eq!(shown.out.lines().count(), 2);
    assert!(shown.err.contains("2 of 2500 are shown; `--skip 3` shows older ones."), "{shown:?}");
    world.everkey("agent accesses --since 2h").exits(0).complains("No program was handed a token");
    world.everkey("agent accesses --since yesterdayish").exits(2).complains("2h for two hours ago");
    world.everkey("agent accesses --limit many").exits(2).complains("is no number");
}
