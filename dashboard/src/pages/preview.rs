//! Every page with something to show: checked as text, and written to the folder `EVERKEY_PREVIEW` names, to be looked at.

use super::ASSETS;
use super::access::{Accesses, Filter};
use super::activity::Activity;
use super::audit::Audit;
use super::samples::{NOON, accesses, ada, clock, events, fresh, full, gone, look, profile, reminder};
use super::sessions::Sessions;
use super::shell::{Absence, AgentProblem, Section, Shell};
use askama::Template;
use everkey_client::{Code, Failure, Secret, Status};
use everkey_config::ProviderKind;
use everkey_proto::reply::{Reminder, Upstream};
use std::path::PathBuf;

fn audit(status: Status) -> String {
    let look = look(vec![(profile("failproofai", ProviderKind::Failproofai), Ok(status))]);
    Audit::new(&look, &clock()).render().unwrap()
}

fn pages() -> Vec<(&'static str, String)> {
    let shell =
        |here, region| Shell::new(here, region, Ok("0.1.0".to_owned()), Secret::new("k")).render().unwrap();
    let sessions = |look| shell(Section::Sessions, Sessions::new(&look, &clock()).render().unwrap());
    let due = Reminder { at: NOON - 7200, due: true, ..reminder() };
    let pending = Reminder { upstream: Upstream::Pending, ..reminder() };
    let access = |accesses: &[_], filter| Accesses::new(accesses, filter, &clock()).render().unwrap();
    let none = Filter { program: "emacs".to_owned(), ..Filter::default() };
    let activity = |events: &[_]| Activity::new(events, &clock()).render().unwrap();
    let stopped = AgentProblem::new(&gone()).render().unwrap();
    let odd = Failure::new(
        Code::Storage,
        "config.toml:3:1: unknown field `sever`",
        "Mend that line and try again.",
    );
    vec![
        ("sessions", sessions(full())),
        ("sessions-fresh", sessions(fresh())),
        (
            "sessions-gone",
            Shell::new(Section::Sessions, stopped, Err(Absence::Gone), Secret::new("k")).render().unwrap(),
        ),
        ("sessions-trouble", shell(Section::Sessions, AgentProblem::new(&odd).render().unwrap())),
        ("audit", shell(Section::Audit, audit(Status { reminder: Some(reminder()), ..ada() }))),
        ("audit-none", shell(Section::Audit, audit(ada()))),
        ("audit-due", shell(Section::Audit, audit(Status { reminder: Some(due), ..ada() }))),
        ("audit-pending", shell(Section::Audit, audit(Status { reminder: Some(pending), ..ada() }))),
        ("audit-out", shell(Section::Audit, Audit::new(&fresh(), &clock()).render().unwrap())),
        ("access", shell(Section::Access, access(&accesses(), Filter::default()))),
        ("access-empty", shell(Section::Access, access(&[], Filter::default()))),
        ("access-none", shell(Section::Access, access(&accesses(), none))),
        ("activity", shell(Section::Activity, activity(&events()))),
        ("activity-empty", shell(Section::Activity, activity(&[]))),
    ]
}

#[test]
fn no_page_needs_more_than_its_policy_allows() {
    for (name, html) in pages() {
        for forbidden in [" style=", "<style", " onclick=", "javascript:", "https://fonts", "<b>"] {
            assert!(!html.contains(forbidden), "{forbidden:?} in {name}");
        }
        let scripts = html.matches("<script").count();
        assert_eq!(scripts, html.matches("<script type=\"module\" src=\"/assets/").count(), "{name}");
        let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(ids.len(), unique.len(), "an id twice in {name}: {ids:?}");
        for asset in html.split("\"/assets/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(ASSETS.iter().any(|(name, _)| *name == asset), "{name} loads {asset}");
        }
    }
    let Some(folder) = std::env::var_os("EVERKEY_PREVIEW").map(PathBuf::from) else { return };
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    for (name, html) in pages() {
        std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
    }
    for (name, bytes) in ASSETS {
        std::fs::write(folder.join("assets").join(name), bytes).unwrap();
    }
}
