//! What the pages say of an agent that is gone, or does not answer.

use everkey_tests::process::signal;
use everkey_tests::{Dashboard, Setup, Tab, World, until};
use rustix::process::Signal;

const PAGES: [&str; 4] = ["/", "/audit", "/access", "/activity"];
const FRAGMENTS: [&str; 4] =
    ["/fragment/sessions", "/fragment/audit", "/fragment/access", "/fragment/activity"];

fn html(tab: &Tab, path: &str) -> String {
    let answer = tab.get(path);
    assert_eq!(answer.status(), 200, "{path}");
    String::from_utf8(answer.body).unwrap()
}

/// Page and header say the same of the agent, and so does the fragment, by which the header goes from then on.
#[track_caller]
fn says(tab: &Tab, header: &str, card: &str, word: &str, button: &str) {
    for path in PAGES {
        let page = html(tab, path);
        assert!(page.contains(&format!("<span id=\"agent-words\">{header}</span>")), "{path}: {page}");
        assert!(page.contains(&format!("<h2 id=\"trouble\">{card}</h2>")), "{path}: {page}");
    }
    for path in FRAGMENTS {
        let region = html(tab, path);
        for part in [card, button, &format!("data-agent=\"{word}\""), "data-unsettled"] {
            assert!(region.contains(part), "{part:?} in {path}: {region}");
        }
        assert_eq!(region.matches("<button").count(), 1, "{path}: {region}");
    }
}

#[test]
fn a_silent_agent_differs_from_a_gone_one() {
    let world = World::signed_in(Setup::default());
    let pid = world.agent_pid();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    for path in PAGES {
        let page = html(&tab, path);
        assert!(page.contains("<span id=\"agent-words\">Agent running</span>"), "{path}: {page}");
        assert!(!page.contains("id=\"trouble\""), "{path}: {page}");
    }
    signal(pid, Signal::STOP);
    says(&tab, "Agent does not answer", "The agent does not answer", "stuck", "Look again");
    let card = html(&tab, "/fragment/sessions");
    assert!(card.contains("it is stopped or stuck") && card.contains("kill the everkeyd process"), "{card}");
    signal(pid, Signal::CONT);
    for path in FRAGMENTS {
        until("the page to come back", || !html(&tab, path).contains("data-agent"));
    }
    world.kill_agent();
    says(&tab, "Agent not running", "The agent is not running", "gone", "Start the agent");
}

#[test]
fn the_version_of_the_agent_is_told_when_it_comes() {
    let world = World::new();
    let dashboard = Dashboard::start(&world);
    let tab = dashboard.enter();
    assert!(html(&tab, "/").contains("<span id=\"agent-version\"></span>"));
    let stream = tab.follow();
    assert!(stream.agent(false)["version"].is_null());
    let started = tab.post("/api/agent/start", &serde_json::json!({})).json();
    let version = stream.agent(true)["version"].clone();
    assert_eq!(version, started["version"]);
    let footer = format!("<span id=\"agent-version\">Agent {}.</span>", version.as_str().unwrap());
    assert!(html(&tab, "/").contains(&footer));
    world.kill_agent();
    assert!(stream.agent(false)["version"].is_null());
}
