//! The session file as others leave it (F02, F04, F05, F06, F09, F10, F11, F12).

use everkey_tests::server::IssuedTokens;
use everkey_tests::{ADA, Fault, REFRESH, Setup, World, eventually, othertool, until};
use rustix::fs::{FileType, Mode};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

const BOB: &str = "bob@example.com";

#[test]
fn f02_anything_but_a_plain_file_is_refused() {
    let world = World::new();
    let (auth, elsewhere) = (world.auth_file(), world.root().join("elsewhere.json"));
    fs::create_dir_all(world.auth_dir()).unwrap();
    let theirs = othertool::session(&world.server.sign_in(ADA));
    othertool::write(&elsewhere, &theirs);

    let node = |kind, dev| rustix::fs::mknodat(rustix::fs::CWD, &auth, kind, Mode::RUSR, dev).unwrap();
    let places: [(&str, &dyn Fn()); 5] = [
        ("is a symbolic link", &|| symlink(&elsewhere, &auth).unwrap()),
        ("has a second name somewhere", &|| fs::hard_link(&elsewhere, &auth).unwrap()),
        ("is not a plain file but a named pipe (FIFO)", &|| node(FileType::Fifo, 0)),
        ("is not a plain file but a socket", &|| drop(UnixListener::bind(&auth).unwrap())),
        ("is not a plain file but a folder", &|| fs::create_dir(&auth).unwrap()),
    ];
    let device = || node(FileType::CharacterDevice, rustix::fs::makedev(1, 5));
    let mut places = places.to_vec();
    if everkey_tests::skip::is_root() {
        places.push(("is not a plain file but a device", &device));
    }
    for (words, place) in places {
        place();
        let what = eventually(words, || {
            let said = world.everkey("auth whoami");
            (said.code == 7).then_some(said)
        });
        assert!(what.err.contains(words) && what.err.contains(auth.to_str().unwrap()), "{what:?}");
        assert!(what.err.contains("everkey logout"), "it says what to do: {what:?}");
        let token = world.everkey("auth token").exits(7);
        let status = world.everkey("auth status").exits(7);
        assert_eq!(status.err, token.err, "status and token say the same");
        assert!(!status.out.contains("nobody is signed in") && !status.out.contains("login"), "{status:?}");
        assert!(world.everkey("auth status --json").exits(7).out.contains(words));
        world.everkey("auth login").exits(7);
        if auth.is_dir() {
            world.everkey("auth logout").exits(7);
            fs::remove_dir(&auth).unwrap();
        } else {
            world.everkey("auth logout").ok();
        }
        assert!(auth.symlink_metadata().is_err(), "{words}");
        until("nobody to be signed in", || world.everkey("auth whoami").code == 1);
    }
    assert_eq!(othertool::read(&elsewhere).unwrap().email, ADA, "what a link pointed to is untouched");
    assert_eq!(world.server.events("logout"), 0);
}

/// Contents that are no session, as the original tool's reader sees it.
const DAMAGED: [&str; 6] = [
    "",
    "\0\0\0\0",
    "{\"access_token\": \"a",
    "[]",
    "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"access_expires_at\":\"soon\",\"user\":{\"id\":\"i\",\"email\":\"e\"}}",
    "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"access_expires_at\":1,\"user\":{\"id\":\"i\"}}",
];

fn set_aside(world: &World) -> Vec<String> {
    let files = fs::read_dir(world.auth_dir()).unwrap().flatten();
    let aside = files.filter(|file| file.file_name().to_str().unwrap().starts_with("auth.json.damaged-"));
    aside.map(|file| fs::read_to_string(file.path()).unwrap()).collect()
}

#[test]
fn f04_a_damaged_file_is_set_aside_and_named() {
    for content in DAMAGED {
        let world = World::new();
        fs::create_dir_all(world.auth_dir()).unwrap();
        fs::write(world.auth_file(), content).unwrap();
        world.everkey("auth whoami");
        until("the damaged file to be set aside", || set_aside(&world) == [content]);
        let said = eventually("the reason", || {
            let said = world.everkey("auth whoami");
            (said.code == 1).then_some(said)
        });
        assert!(said.err.contains("auth.json.damaged-"), "never silently signed out: {said:?}");
        let status = world.status();
        assert!(status["reason"].as_str().unwrap().contains("auth.json.damaged-"), "{status}");
        assert!(world.everkey("auth status").exits(1).out.contains("auth.json.damaged-"));
    }
}

#[test]
fn f04_a_damaged_file_is_set_aside_until_a_login() {
    let world = World::signed_in(Setup::default());
    fs::write(world.auth_file(), "garbage").unwrap();
    until("the damaged file to be set aside", || set_aside(&world) == ["garbage"]);
    until("nobody to be signed in", || world.everkey("auth whoami").code == 1);
    world.login();
    assert_eq!(set_aside(&world), ["garbage"], "it is kept");
}

#[test]
fn f05_a_removed_file_means_signed_out() {
    let world = World::signed_in(Setup::default());
    fs::remove_file(world.auth_file()).unwrap();
    until("nobody to be signed in", || world.everkey("auth whoami").code == 1);
    world.everkey("auth whoami").exits(1).complains("removed by another program");
    world.everkey("auth token").exits(1);
    assert!(world.session().is_none());
}

#[test]
fn f05_a_removed_file_is_not_resurrected_by_a_late_answer() {
    let world = World::signed_in(Setup::default());
    let gate = world.proxy.hold_refresh_answer();
    let caller = world.start("auth refresh");
    gate.reached();
    fs::remove_file(world.auth_file()).unwrap();
    until("nobody to be signed in", || world.everkey("auth whoami").code == 1);
    gate.open();
    caller.finish().exits(1);
    until("the late session to be revoked", || world.server.events("logout") == 1);
    assert!(world.session().is_none());
}

#[test]
fn f05_a_file_removed_unseen_is_not_resurrected_either() {
    let world = World::signed_in(Setup::default());
    let gate = world.proxy.hold_refresh_answer();
    let caller = world.start("auth refresh");
    gate.reached();
    othertool::write_unseen(&world.auth_file(), None);
    gate.open();
    caller.finish().exits(1);
    until("the late session to be revoked", || world.server.events("logout") == 1);
    world.everkey("auth whoami").exits(1);
    assert!(world.session().is_none());
}

#[test]
fn f05_a_replaced_file_is_adopted() {
    let world = World::signed_in(Setup::default());
    let theirs = othertool::session(&world.server.sign_in(BOB));
    othertool::write(&world.auth_file(), &theirs);
    until("the other account", || world.everkey("auth whoami").out.starts_with(BOB));
    assert_eq!(world.token(), theirs["access_token"].as_str().unwrap());
    assert_eq!(world.session().unwrap(), theirs);
}

/// Bob's session appears while Ada's refresh is under way; it must win.
fn replaced_during_a_refresh(replace: impl FnOnce(&World, &serde_json::Value)) {
    let world = World::signed_in(Setup::default());
    let gate = world.proxy.hold_refresh_answer();
    let caller = world.start("auth refresh");
    gate.reached();
    let theirs = othertool::session(&world.server.sign_in(BOB));
    replace(&world, &theirs);
    gate.open();
    caller.finish().exits(1);
    until("the other account", || world.everkey("auth whoami").out.starts_with(BOB));
    assert_eq!(world.session().unwrap(), theirs);
    assert_eq!(world.token(), theirs["access_token"].as_str().unwrap());
    assert_eq!(world.server.me(&world.token()), 200);
    world.server.assert_nothing_revoked();
}

#[test]
fn f10_a_file_replaced_during_a_refresh_wins() {
    replaced_during_a_refresh(|world, theirs| {
        othertool::write(&world.auth_file(), theirs);
        until("the other account", || world.everkey("auth whoami").out.starts_with(BOB));
    });
}

#[test]
fn f10_a_file_replaced_after_the_last_look_wins_the_exchange() {
    replaced_during_a_refresh(|world, theirs| othertool::write_unseen(&world.auth_file(), Some(theirs)));
}

#[test]
fn f09_an_old_file_from_a_backup_is_not_sent() {
    let world = World::signed_in(Setup::default());
    let backup = fs::read(world.auth_file()).unwrap();
    world.everkey("auth refresh").ok();
    world.everkey("auth refresh --force").ok();
    let sent = world.proxy.refreshes();
    fs::write(world.auth_file(), &backup).unwrap();
    world.until_state("needs_login");
    world.everkey("auth whoami").exits(1).complains("as from a backup");
    world.everkey("auth refresh --force").exits(1);
    world.kill_agent();
    world.everkey("auth refresh --force").exits(1);
    assert_eq!(world.proxy.refreshes(), sent);
    world.server.assert_nothing_revoked();
}

#[test]
fn f11_another_tool_that_refreshes_the_same_token_revokes_nothing() {
    let world = World::signed_in(Setup::default());
    let old = world.session().unwrap();
    // Our request is on its way, and theirs overtakes it.
    let gate = everkey_tests::Gate::default();
    world.proxy.next(REFRESH, Fault::HoldRequest(gate.clone()));
    let caller = world.start("auth refresh");
    gate.reached();
    let theirs = world.server.refresh(old["refresh_token"].as_str().unwrap());
    assert_eq!(theirs.status(), 200);
    gate.open();
    until("our request to be answered with a 409", || world.server.log().contains("status=409"));
    let mut grant = IssuedTokens::of(&theirs);
    grant.answer["user"] = old["user"].clone();
    othertool::write(&world.auth_file(), &othertool::session(&grant));

    until("their session to be taken over", || world.everkey("auth token").out.trim() == grant.access);
    caller.finish();
    world.everkey("auth refresh --force").ok();
    world.server.assert_nothing_revoked();
    assert_eq!(world.server.me(&world.token()), 200);
}

#[test]
fn f11_n29_a_revoked_session_ends_on_a_callers_report() {
    let world = World::signed_in(Setup { strict: true, ..Setup::default() });
    let old = world.session().unwrap();
    // Our request is on its way, theirs overtakes it, and theirs is the file that stands when ours comes as a replay.
    let gate = everkey_tests::Gate::default();
    world.proxy.next(REFRESH, Fault::HoldRequest(gate.clone()));
    let mut caller = world.start("auth token --refused -");
    caller.say(old["access_token"].as_str().unwrap());
    gate.reached();
    let mut theirs = IssuedTokens::of(&world.server.refresh(old["refresh_token"].as_str().unwrap()));
    theirs.answer["user"] = old["user"].clone();
    othertool::write(&world.auth_file(), &othertool::session(&theirs));
    assert_eq!(caller.finish().ok(), theirs.access, "their session is taken over");
    assert_eq!(world.server.me(&theirs.access), 200);
    gate.open();
    until("our request to have come to its end", || world.proxy.is_quiet());
    assert_eq!(world.server.events("replay_revoked_all"), 1);

    // Nobody has told the agent, so it still hands the token out; who is refused it says so.
    let token = world.token();
    assert_eq!((&token, world.server.me(&token)), (&theirs.access, 401));
    world.cli("auth token --refused -").stdin(&token).run().exits(1);
    assert_eq!(world.state(), "needs_login");
    let sent: Vec<_> =
        world.proxy.seen(REFRESH).iter().map(|sent| sent.json()["refresh_token"].clone()).collect();
    assert_eq!(sent, [old["refresh_token"].clone(), theirs.refresh.into()], "each token is sent once");
}

#[test]
fn f12_the_intent_is_found_though_the_state_folder_is_lost() {
    let world = World::signed_in(Setup::default());
    let refresh = world.session_text("refresh_token");
    let gate = world.proxy.hold_refresh_answer();
    let mut caller = world.lines();
    caller.send(b"{\"request\":\"refresh\",\"force\":true}\n");
    gate.reached();
    world.kill_agent();
    drop(caller);
    gate.open();
    fs::remove_dir_all(world.home().join("state")).unwrap();

    assert!(world.everkey("auth whoami").ok().starts_with(ADA));
    until("the successor in the file", || world.session_text("refresh_token") != refresh);
    let sent = world.proxy.seen(REFRESH);
    assert_eq!(sent[0].header("idempotency-key"), sent[1].header("idempotency-key"));
    assert_eq!((world.server.events("rotated"), world.server.events("repeat_answered")), (1, 1));
    world.server.assert_nothing_revoked();
}

#[test]
fn f06_a_change_that_nobody_told_of_is_seen_before_use() {
    let world = World::signed_in(Setup::default());
    let pid = world.agent_pid();
    // Written while the agent is stopped, so that no event can come before the question.
    everkey_tests::process::signal(pid, rustix::process::Signal::STOP);
    let theirs = othertool::session(&world.server.sign_in(BOB));
    othertool::write(&world.auth_file(), &theirs);
    everkey_tests::process::signal(pid, rustix::process::Signal::CONT);
    world.everkey("auth refresh");
    until("the other account", || world.everkey("auth whoami").out.starts_with(BOB));
    let sent: Vec<_> =
        world.proxy.seen(REFRESH).iter().map(|sent| sent.json()["refresh_token"].clone()).collect();
    assert!(sent.iter().all(|token| *token == theirs["refresh_token"]), "only the file's own token is sent");
}

#[test]
fn f06_a_change_without_an_event_is_found_regularly() {
    let world = World::signed_in(Setup::default());
    let theirs = othertool::session(&world.server.sign_in(BOB));
    othertool::write_unseen(&world.auth_file(), Some(&theirs));
    until("the other account", || world.everkey("auth whoami").out.starts_with(BOB));
    assert_eq!(world.token(), theirs["access_token"].as_str().unwrap());
}

#[test]
fn f12_an_agent_with_another_state_folder_reads_then_owns() {
    let mut first = World::new();
    let auth = first.root().join("auth");
    first.set_env("FAILPROOFAI_AUTH_DIR", auth.to_str().unwrap());
    first.login();
    let mut second = World::new();
    second.set_env("FAILPROOFAI_AUTH_DIR", auth.to_str().unwrap());
    second.set_env("FAILPROOF_API_URL", &first.proxy.url());
    assert!(second.everkey("auth whoami").ok().starts_with(ADA));
    assert_eq!(second.token(), first.token());
    assert_eq!(second.state(), "read_only");
    for words in ["auth refresh", "auth logout"] {
        second.everkey(words).exits(7).complains("Another agent owns this session file");
    }
    assert_eq!(first.proxy.refreshes(), 0);

    // Only the first one's death makes the second the owner, and what was sent is honoured.
    let gate = first.proxy.hold_refresh_answer();
    // Another caller than `everkey`, which would have the first one start anew.
    let mut caller = first.lines();
    caller.send(b"{\"request\":\"refresh\",\"force\":true}\n");
    gate.reached();
    first.kill_agent();
    drop(caller);
    gate.open();
    second.until_state("valid");
    until("the successor to be stored", || first.server.events("repeat_answered") == 1);
    let sent = first.proxy.seen(REFRESH);
    assert_eq!(sent[0].header("idempotency-key"), sent[1].header("idempotency-key"));
    first.server.assert_nothing_revoked();
    assert_eq!(first.server.me(&second.token()), 200);
}

#[test]
fn f05_the_folder_is_made_when_something_is_stored() {
    let world = World::new();
    for words in ["whoami", "status", "token", "reminder", "logout", "refresh", "profile list"] {
        world.everkey(words);
        world.everkey(&format!("{words} --profile binboi"));
    }
    assert!(!world.auth_dir().exists(), "nothing was stored");
    assert!(!world.home().join("home").exists(), "nor in any other tool's folder");

    // Another tool's folder is noticed as soon as it comes, and again after it went.
    let theirs = othertool::session(&world.server.sign_in(ADA));
    // Each is written when the one before is known, so regular looks alone would take at least five times as long as one.
    let began = Instant::now();
    for _ in 0..3 {
        fs::create_dir_all(world.auth_dir()).unwrap();
        othertool::write(&world.auth_file(), &theirs);
        until("their session to be seen", || world.everkey("whoami").code == 0);
        fs::remove_dir_all(world.auth_dir()).unwrap();
        until("nobody to be signed in", || world.everkey("whoami").code == 1);
    }
    assert!(began.elapsed() < 4 * Duration::from_secs(30), "only looks have found them");
    world.login();
    world.everkey("refresh").ok();
}
