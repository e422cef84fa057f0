//! Following what happens: every kind of event, no gap and no double, and nobody who is waited for.

use crate::wire::{framed, framed_reply};
use everkey_proto::frame::{REQUEST_CAP, enclose};
use everkey_proto::reply::EventKind;
use everkey_proto::request::{Events, Request};
use everkey_proto::{Code, Reply, codec};
use everkey_tests::lines::Lines;
use everkey_tests::process::{Running, signal};
use everkey_tests::{ADA, Account, Canned, Fault, REFRESH, Setup, World, othertool, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const BOB: &str = "bob@example.com";

/// How many may follow at a time.
const MOST: usize = 32;

/// Somebody who follows by JSON lines.
struct Follower {
    lines: Lines,
    seen: Vec<String>,
}

impl Follower {
    fn of(world: &World, past: bool) -> Self {
        let mut lines = world.lines();
        let answer = lines.ask(&json!({ "request": "events", "past": past }));
        assert_eq!(answer, json!({ "reply": "following" }));
        Self { lines, seen: Vec::new() }
    }

    /// The next reply; none if the agent hangs up instead.
    fn reply(&mut self) -> Option<Value> {
        let line = self.lines.next_line()?;
        self.seen.push(line.clone());
        Some(serde_json::from_str(&line).unwrap())
    }

    fn next(&mut self) -> Value {
        let event = self.reply().expect("an event");
        assert_eq!(event["reply"], "event", "{event}");
        event
    }

    /// The next event of this kind; whatever comes before is passed over.
    fn until(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next();
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// Ids up to this one, each one more than that before.
    fn reads_on(&mut self, last: u64) -> Vec<u64> {
        let mut ids = Vec::new();
        while ids.last().is_none_or(|id| *id < last) {
            ids.push(self.next()["id"].as_u64().unwrap());
        }
        let strange = ids.windows(2).find(|pair| pair[0] + 1 != pair[1]);
        assert_eq!(strange, None, "a gap or a double");
        ids
    }
}

/// Asks for tokens as fast as they come; returns how many came.
fn ask_for_tokens(socket: &Path, times: usize) -> usize {
    let mut lines = Lines::open(socket);
    (0..times).filter(|_| lines.request("token")["reply"] == "token").count()
}

/// Says that it is over when it is dropped, be it by a test that fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn every_session_event_is_sent_without_tokens() {
    let mut world = World::new();
    let mut secrets = BTreeSet::new();
    let learn = |world: &World, secrets: &mut BTreeSet<String>| {
        for field in ["access_token", "refresh_token"] {
            secrets.insert(world.session_text(field));
        }
    };
    world.everkey("agent start").ok();
    let mut follower = Follower::of(&world, false);
    world.login();
    learn(&world, &mut secrets);
    let event = follower.until("signed_in");
    assert_eq!((&event["profile"], &event["user"]["email"]), (&json!("failproofai"), &json!(ADA)));
    assert!(event["at"].as_u64().unwrap().abs_diff(now()) < 600, "{event}");

    world.everkey("auth refresh --force").ok();
    learn(&world, &mut secrets);
    let event = follower.until("refreshed");
    assert_eq!(event["access_expires_at"], world.session().unwrap()["access_expires_at"]);

    let mut talk = world.start("auth token");
    talk.line();
    let event = follower.until("handed");
    assert_eq!(event["pid"], talk.pid());
    assert!(event["program"].as_str().unwrap().ends_with("/everkey"), "{event}");
    talk.finish().ok();

    // Trouble that lasts is told once.
    world.proxy.go_away();
    for _ in 0..3 {
        world.everkey("auth refresh --force").exits(4);
    }
    let event = follower.until("offline");
    assert!(event["why"].as_str().unwrap().contains("Could not reach"), "{event}");
    world.proxy.come_back();
    world.everkey("auth refresh --force").ok();
    learn(&world, &mut secrets);
    assert_eq!(follower.next()["event"], "refreshed", "the same trouble is not told again");
    world.proxy.go_away();
    world.everkey("auth refresh --force").exits(4);
    follower.until("offline");
    world.proxy.come_back();

    // Another tool signs somebody else in, then the server ends it.
    othertool::write(&world.auth_file(), &othertool::session(&world.server.sign_in(BOB)));
    learn(&world, &mut secrets);
    assert_eq!(follower.until("adopted")["user"]["email"], BOB);
    let refusal = Canned::json(401, &json!({ "code": "unauthorized", "message": "no" }));
    world.proxy.every(REFRESH, Fault::Answer(refusal));
    world.everkey("auth refresh --force").exits(1);
    let event = follower.until("needs_login");
    assert_eq!(event["why"], "the api-server has ended the session");
    world.proxy.heal();

    world.login();
    learn(&world, &mut secrets);
    assert_eq!(follower.until("signed_in")["user"]["email"], ADA);
    world.everkey("auth logout").ok();
    assert_eq!(follower.until("signed_out")["why"], "signed out");
    world.login();
    learn(&world, &mut secrets);
    std::fs::remove_file(world.auth_file()).unwrap();
    let event = follower.until("signed_out");
    assert_eq!(event["why"], "the session file was removed by another program");

    // Whoever comes later is told the same, and nobody is told a secret.
    let mut later = Follower::of(&world, true);
    let last = event["id"].as_u64().unwrap();
    assert_eq!(later.reads_on(last), (1..=last).collect::<Vec<_>>());
    assert!(later.seen.ends_with(&follower.seen[follower.seen.len() - 3..]));
    for secret in secrets {
        let middle = &secret[secret.len() / 2 - 10..][..20];
        assert!(!follower.seen.concat().contains(middle), "a token in an event");
    }
}

#[test]
fn what_happens_to_a_reminder_is_told() {
    let world = World::signed_in(Setup::default());
    let mut account = Account::of(&world, "failproofai");
    let mut follower = Follower::of(&world, false);
    let at = now() + 3;
    account.ask("set_reminder", &json!({ "at": at }));
    let event = follower.until("reminder_set");
    assert_eq!((&event["reminder"]["at"], &event["reminder"]["email"]), (&json!(at), &json!(ADA)));
    let event = follower.until("reminder_due");
    assert_eq!((&event["reminder"]["at"], &event["reminder"]["due"]), (&json!(at), &json!(true)));
    assert!(now() >= at);
    account.request("clear_reminder");
    follower.until("reminder_cleared");
}

#[test]
fn past_and_present_meet_without_a_gap_or_a_double() {
    let world = World::signed_in(Setup::default());
    let (socket, over) = (world.socket(), AtomicBool::new(false));
    thread::scope(|scope| {
        let _over = Over(&over);
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    assert_eq!(ask_for_tokens(&socket, 20), 20);
                }
            });
        }
        let ends = |past| {
            let mut follower = Follower::of(&world, past);
            let first = follower.next()["id"].as_u64().unwrap();
            (first, *follower.reads_on(first + 700).first().unwrap())
        };
        for _ in 0..5 {
            let (present, second) = ends(false);
            assert_eq!(second, present + 1);
            let (past, second) = ends(true);
            assert!(second == past + 1 && past > present, "{past} is of the last 500 events");
        }
    });
}

#[test]
fn frames_carry_the_same_events_as_lines() {
    let world = World::signed_in(Setup::default());
    let mut stream = framed(&world);
    let request = Request::Agent(Events { past: true }.into());
    let body = codec::encode_request(&request).unwrap();
    stream.write_all(&enclose(&body, REQUEST_CAP).unwrap()).unwrap();
    assert_eq!(framed_reply(&mut stream), Reply::Following);
    let Reply::Event(event) = framed_reply(&mut stream) else { panic!("an event") };
    assert!(matches!(event.what, EventKind::SignedIn { user: Some(user) } if user.email == ADA));
    let mut lines = Follower::of(&world, true);
    assert_eq!(lines.next()["id"], event.id);
    world.stop_agent();
    let Reply::Failed(failure) = framed_reply(&mut stream) else { panic!("a last word") };
    assert_eq!(failure.code, Code::Busy);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_slow_reader_learns_its_gap_and_others_miss_nothing() {
    const FLOOD: usize = 4000;
    let world = World::signed_in(Setup::default());
    let socket = world.socket();
    let mut slow = Follower::of(&world, false);
    let mut keen = Follower::of(&world, false);
    let told = thread::scope(|scope| {
        let reading = scope.spawn(|| (0..FLOOD).filter(|_| keen.next()["event"] == "handed").count());
        assert_eq!(ask_for_tokens(&socket, FLOOD), FLOOD, "requests are answered meanwhile");
        reading.join().unwrap()
    });
    assert_eq!(told, FLOOD, "whoever reads is told everything");
    let mut read = 0;
    let last = loop {
        let reply = slow.reply().expect("a last word");
        if reply["reply"] != "event" {
            break reply;
        }
        read += 1;
    };
    assert_eq!((&last["reply"], &last["code"]), (&json!("error"), &json!("busy")), "{last}");
    let said = last["message"].as_str().unwrap();
    let missed: usize = said.split(' ').next().unwrap().parse().unwrap();
    assert!(said.contains("events were missed") && missed > 0, "{said}");
    assert!(read + missed <= FLOOD && read + missed > FLOOD - 1000, "{read} read, {missed} missed");
    assert_eq!(slow.reply(), None, "told once, then closed");
    assert_eq!(world.lines().request("whoami")["email"], ADA);
}

#[test]
fn followers_are_bounded_and_silent_ones_dropped() {
    let world = World::signed_in(Setup::default());
    let mut followers: Vec<Follower> = (0..MOST).map(|_| Follower::of(&world, false)).collect();
    let mut lines = world.lines();
    let full = lines.ask(&json!({ "request": "events" }));
    assert_eq!((&full["reply"], &full["code"]), (&json!("error"), &json!("busy")), "{full}");
    assert!(full["message"].as_str().unwrap().contains("32 programs follow"), "{full}");
    assert_eq!(lines.request("whoami")["email"], ADA, "the connection is as good as before");
    world.everkey("events").exits(3).complains("32 programs follow");

    // One that hangs up is noticed though nothing happens.
    let follows = |lines: &mut Lines| lines.ask(&json!({ "request": "events" }))["reply"] == "following";
    drop(followers.pop());
    until("its place to be free", || follows(&mut world.lines()));

    // Ones that read nothing are not waited for, but not for ever.
    let mut all = Vec::new();
    until("every place to be taken", || {
        let mut lines = world.lines();
        let more = follows(&mut lines);
        all.push(lines);
        !more
    });
    ask_for_tokens(&world.socket(), 3000);
    let mut lines = world.lines();
    assert!(!follows(&mut lines), "they are given time");
    until("a place to be free", || follows(&mut world.lines()));
}

#[test]
fn one_who_follows_can_ask_nothing_more() {
    let world = World::signed_in(Setup::default());
    let mut follower = Follower::of(&world, false);
    follower.lines.send(b"{\"request\":\"logout\"}\n");
    assert_eq!(follower.reply(), None);
    assert_eq!(world.lines().request("whoami")["email"], ADA);
}

#[test]
fn an_agent_that_ends_says_so() {
    let world = World::signed_in(Setup::default());
    let mut follower = Follower::of(&world, true);
    let mut command = world.start("events --json --past");
    assert_eq!(command.json()["event"], "signed_in");
    follower.until("signed_in");
    assert_eq!(world.lines().request("stop")["reply"], "stopping");
    let last = follower.reply().unwrap();
    assert_eq!((&last["code"], &last["message"]), (&json!("busy"), &json!("The agent is shutting down.")));
    assert_eq!(follower.reply(), None);
    let said = command.finish().exits(3);
    let last: Value = serde_json::from_str(said.out.lines().last().unwrap()).unwrap();
    assert_eq!(last["code"], "busy", "{last}");

    world.everkey("agent start").ok();
    let command = world.start("events");
    until("it to follow", || world.agent_log().matches("follows what happens").count() == 3);
    world.kill_agent();
    command.finish().exits(3).complains("The agent has ended.");
}

#[test]
fn the_command_tells_people_in_words_and_programs_in_lines() {
    let mut world = World::signed_in(Setup::default());
    world.set_env("TZ", "UTC");
    let mut people = world.start("events --past");
    let mut programs = world.start("events --past --json");
    let others = world.start("events --past --json --profile binboi");
    let line = people.line();
    assert!(line.ends_with(&format!("  failproofai   signed in as {}", world.everkey("auth whoami").ok())));
    assert!(line.starts_with("20") && !line.contains('\u{1b}'), "{line:?}");
    assert_eq!(programs.json()["user"]["email"], ADA);

    world.everkey("auth token").ok();
    let line = people.line();
    assert!(line.contains("token handed to /") && line.contains("(process "), "{line}");
    let event = programs.json();
    assert_eq!((&event["reply"], &event["event"]), (&json!("event"), &json!("handed")));
    world.everkey("auth refresh --force").ok();
    assert!(people.line().contains("refreshed; the access token is good until 20"));
    world.everkey("auth logout").ok();
    assert!(people.line().ends_with("failproofai   signed out"));

    // An account that is named is the only one.
    let mut binboi = Account::of(&world, "binboi");
    assert_eq!(binboi.login()["reply"], "ask");
    signal(others.pid(), Signal::INT);
    assert_eq!(others.finish().ok(), "", "nothing happened to it");
    for command in [people, programs] {
        signal(command.pid(), Signal::INT);
        command.finish().exits(0);
    }
}

#[test]
fn the_command_ends_well_when_nobody_reads_its_output() {
    let world = World::signed_in(Setup::default());
    let client = world.agent_command("").get_program().to_owned();
    let client = Path::new(&client).with_file_name("everkey");
    for happens in [false, true] {
        let mut command = world.command(&client);
        command.args(["events", "--past"]).stdout(Stdio::piped()).stdin(Stdio::null());
        let mut running = Running::spawn(&mut command);
        let mut output = BufReader::new(running.child().stdout.take().unwrap());
        output.read_line(&mut String::new()).unwrap();
        drop(output);
        if happens {
            world.everkey("auth token").ok();
        }
        assert_eq!(running.ended().code(), Some(0));
    }
}

#[test]
fn who_was_handed_tokens_is_told_newest_first() {
    let world = World::signed_in(Setup::default());
    let mut lines = world.lines();
    assert_eq!(lines.request("accesses")["accesses"], json!([]));
    let mut talk = world.start("auth token");
    talk.line();
    let first = talk.pid();
    talk.finish().ok();
    ask_for_tokens(&world.socket(), 150);
    let mut accesses = |limit: u32| {
        let reply = lines.ask(&json!({ "request": "accesses", "limit": limit }));
        reply["accesses"].as_array().unwrap().clone()
    };
    until("all to be written", || accesses(1000).len() == 151);
    let all = accesses(1000);
    assert_eq!(all[150]["pid"], first);
    assert_eq!((&all[0]["pid"], &all[0]["profile"]), (&json!(std::process::id()), &json!("failproofai")));
    assert!(all[150]["program"].as_str().unwrap().ends_with("/everkey"));
    assert_eq!(accesses(2), all[..2]);
    assert!(accesses(0).is_empty());
    assert_eq!(lines.request("accesses")["accesses"].as_array().unwrap().len(), 100);
}
