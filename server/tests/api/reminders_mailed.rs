//! A reminder that is due is mailed once: whoever is down, however many servers look, whatever becomes of it meanwhile.

use std::path::Path;
use std::time::Duration;

use everkey_server::time::TimeSource as _;
use serde_json::{Value, json};
use sqlx::Executor as _;
use tokio::io::AsyncWriteExt as _;

use crate::kit::program::{Running, log_of, mail_folder, newest_mail, rows, serve, sign_in, signal};
use crate::kit::room::{connect, room};
use crate::kit::server::{Options, Server, SignedIn, code_in, start, until};
use crate::kit::smtp::{sink, sink_at};
use crate::kit::wire::{PATIENCE, request};

const PATH: &str = "/v0/reminders";
const SUBJECT: &str = "Your audit is due";
const HOUR: Duration = Duration::from_secs(3600);

async fn set_in(server: &Server, who: &SignedIn, span: Duration) {
    let at = server.clock.now().plus(span).secs();
    let set = request("POST", PATH).bearer(&who.access).json(&json!({ "at": at }));
    set.send(server.address).await.expect(200);
}

async fn clear(server: &Server, who: &SignedIn) {
    request("DELETE", PATH).bearer(&who.access).send(server.address).await.expect(204);
}

/// Waits until this many letters went out, by the audit, which is written when one is settled.
async fn mailed(server: &Server, count: usize) {
    let counted = async {
        while server.events("reminder_mailed").await < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, counted).await.expect("no letter");
}

/// Another user's reminder falls due and is mailed: whatever was due before has had its turn then.
async fn everyone_had_a_turn(server: &Server, other: &SignedIn) {
    let before = server.events("reminder_mailed").await;
    set_in(server, other, Duration::from_secs(1)).await;
    server.clock.advance(Duration::from_secs(2));
    mailed(server, before + 1).await;
}

fn letters_to<'a>(mails: &'a [String], email: &str) -> Vec<&'a String> {
    mails.iter().filter(|mail| mail.contains(&format!("To: {email}\r\n"))).collect()
}

async fn two_people() -> (Server, SignedIn, SignedIn) {
    let server = start(Options::without_limits()).await;
    let ada = server.sign_in_as("ada@example.com", 1).await;
    server.clock.advance(Duration::from_secs(1));
    let bob = server.sign_in_as("bob@example.com", 2).await;
    (server, ada, bob)
}

#[tokio::test]
async fn one_letter_is_sent_and_the_reminder_stays() {
    let (server, ada, bob) = two_people().await;
    let _stop = server.remind();
    set_in(&server, &ada, HOUR / 2).await;
    let set = server.get(PATH, &ada.access).await.json();
    server.clock.advance(HOUR / 2 - Duration::from_secs(5));
    everyone_had_a_turn(&server, &bob).await;
    assert_eq!(letters_to(&server.mails_about(SUBJECT, 1).await, "ada@example.com").len(), 0, "not yet due");

    server.clock.advance(Duration::from_secs(10));
    mailed(&server, 2).await;
    let mails = server.mails_about(SUBJECT, 2).await;
    let [letter] = letters_to(&mails, "ada@example.com")[..] else { panic!("{mails:?}") };
    for part in ["of the account ada@example.com", "everkey reminder clear", "everkey dashboard", " UTC"] {
        assert!(letter.contains(part), "no {part:?} in {letter}");
    }
    assert!(!letter.contains(&ada.access) && !letter.contains("bob"), "{letter}");

    server.clock.advance(HOUR / 3);
    everyone_had_a_turn(&server, &bob).await;
    assert_eq!(letters_to(&server.mails_about(SUBJECT, 3).await, "ada@example.com").len(), 1, "once");
    assert_eq!(server.get(PATH, &ada.access).await.json(), set, "it stays until it is set anew or cleared");
}

#[tokio::test]
async fn reminders_due_during_an_outage_are_mailed_afterwards() {
    let (server, ada, _) = two_people().await;
    set_in(&server, &ada, HOUR).await;
    server.clock.advance(HOUR * 48);
    let server = server.restart(Options::without_limits()).await;
    let stop = server.remind();
    mailed(&server, 1).await;
    drop(stop);
    let server = server.restart(Options::without_limits()).await;
    let _stop = server.remind();
    let bob = server.sign_in_as("bob@example.com", 3).await;
    everyone_had_a_turn(&server, &bob).await;
    assert_eq!(letters_to(&server.mails_about(SUBJECT, 2).await, "ada@example.com").len(), 1);
}

#[tokio::test]
async fn a_changed_reminder_is_not_mailed_for_its_former_time() {
    let (server, ada, bob) = two_people().await;
    let _stop = server.remind();
    set_in(&server, &ada, HOUR / 4).await;
    set_in(&server, &ada, HOUR / 2).await;
    server.clock.advance(HOUR / 4 + Duration::from_secs(1));
    everyone_had_a_turn(&server, &bob).await;
    assert_eq!(server.events("reminder_mailed").await, 1, "moved");
    clear(&server, &ada).await;
    server.clock.advance(HOUR / 3);
    everyone_had_a_turn(&server, &bob).await;
    assert_eq!(server.events("reminder_mailed").await, 2, "cleared");

    set_in(&server, &ada, Duration::from_secs(1)).await;
    server.clock.advance(Duration::from_secs(2));
    mailed(&server, 3).await;
    set_in(&server, &ada, Duration::from_secs(1)).await;
    server.clock.advance(Duration::from_secs(2));
    mailed(&server, 4).await;
    assert_eq!(letters_to(&server.mails_about(SUBJECT, 4).await, "ada@example.com").len(), 2, "each once");
}

#[tokio::test]
async fn a_disabled_account_gets_no_letter_until_it_is_enabled() {
    let (server, ada, bob) = two_people().await;
    let _stop = server.remind();
    set_in(&server, &ada, HOUR / 4).await;
    let mut database = connect(server.folder()).await;
    database.execute("UPDATE users SET status = 'disabled' WHERE email = 'ada@example.com'").await.unwrap();
    server.clock.advance(HOUR / 3);
    everyone_had_a_turn(&server, &bob).await;
    assert_eq!(server.events("reminder_mailed").await, 1);
    database.execute("UPDATE users SET status = 'active' WHERE email = 'ada@example.com'").await.unwrap();
    mailed(&server, 2).await;
}

/// How often posting Ada's letter was begun.
async fn tries(server: &Server) -> i64 {
    use sqlx::Row as _;
    let mut database = connect(server.folder()).await;
    let query = "SELECT max(mail_tries) AS tries FROM reminders JOIN users ON users.id = user_id
        WHERE mail_claim IS NULL AND email = 'ada@example.com'";
    database.fetch_one(query).await.unwrap().get::<Option<i64>, _>("tries").unwrap_or(0)
}

async fn until_tried(server: &Server, count: i64) {
    let tried = async {
        while tries(server).await < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, tried).await.unwrap_or_else(|_| panic!("not tried {count} times"));
}

/// Mail can't be written there from now on.
fn break_mail(folder: &Path) {
    std::fs::rename(folder.join("mail"), folder.join("mail-away")).unwrap();
}

fn mend_mail(folder: &Path) {
    std::fs::rename(folder.join("mail-away"), folder.join("mail")).unwrap();
}

#[tokio::test]
async fn failing_letters_are_tried_ever_later_then_given_up() {
    let (server, ada, _) = two_people().await;
    let _stop = server.remind();
    break_mail(server.folder());
    set_in(&server, &ada, Duration::from_secs(60)).await;
    server.clock.advance(Duration::from_secs(61));
    until_tried(&server, 1).await;
    server.clock.advance(Duration::from_secs(11));
    until_tried(&server, 2).await;
    mend_mail(server.folder());
    // The second pause is longer than the first.
    server.clock.advance(Duration::from_secs(61));
    mailed(&server, 1).await;
    assert_eq!(tries(&server).await, 3);

    break_mail(server.folder());
    set_in(&server, &ada, Duration::from_secs(60)).await;
    server.clock.advance(Duration::from_secs(61));
    for n in 1..=10 {
        until_tried(&server, n).await;
        server.clock.advance(HOUR * 8 + Duration::from_secs(1));
    }
    mend_mail(server.folder());
    let given_up = async { while server.events("reminder_given_up").await == 0 {} };
    tokio::time::timeout(PATIENCE, given_up).await.expect("it was not given up");
    server.clock.advance(HOUR * 24);
    let bob = server.sign_in_as("bob@example.com", 3).await;
    everyone_had_a_turn(&server, &bob).await;
    assert_eq!(letters_to(&server.mails_about(SUBJECT, 2).await, "ada@example.com").len(), 1);
}

#[tokio::test]
async fn a_failed_letter_of_a_changed_reminder_is_dropped() {
    let (server, ada, bob) = two_people().await;
    let _stop = server.remind();
    for change in ["cleared", "moved"] {
        break_mail(server.folder());
        set_in(&server, &ada, Duration::from_secs(60)).await;
        server.clock.advance(Duration::from_secs(61));
        until_tried(&server, 1).await;
        match change {
            "cleared" => clear(&server, &ada).await,
            _ => set_in(&server, &ada, HOUR * 24 * 30).await,
        }
        mend_mail(server.folder());
        server.clock.advance(Duration::from_secs(600));
        everyone_had_a_turn(&server, &bob).await;
        let mails = server.mails_about(SUBJECT, 1).await;
        assert_eq!(letters_to(&mails, "ada@example.com").len(), 0, "{change}");
    }
}

#[tokio::test]
async fn a_dead_servers_claim_ends_with_its_lease() {
    let (server, ada, bob) = two_people().await;
    set_in(&server, &ada, Duration::from_secs(60)).await;
    server.clock.advance(Duration::from_secs(61));
    let now = server.clock.now();
    let mut tx = server.store.begin().await.unwrap();
    let claimed = tx.claim_letter(now, now.plus(HOUR / 12)).await.unwrap().expect("a letter");
    tx.commit().await.unwrap();
    let _stop = server.remind();
    everyone_had_a_turn(&server, &bob).await;
    assert_eq!(
        letters_to(&server.mails_about(SUBJECT, 1).await, "ada@example.com").len(),
        0,
        "it is claimed"
    );
    server.clock.advance(HOUR / 12);
    mailed(&server, 2).await;
    assert_eq!(letters_to(&server.mails_about(SUBJECT, 2).await, "ada@example.com").len(), 1);
    // The one that was thought dead finds that it has nothing to say any more.
    let mut tx = server.store.begin().await.unwrap();
    assert!(!tx.settle_letter(&claimed, Some(now)).await.unwrap());
}

/// Signs in at a real server and sets a reminder that is due at once.
async fn due_at_once(folder: &Path, server: &Running) {
    let (access, _) = sign_in(folder, server).await;
    set_at_once(server, &access).await;
}

async fn set_at_once(server: &Running, access: &str) {
    let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 2;
    request("POST", PATH).bearer(access).json(&json!({ "at": at })).send(server.address).await.expect(200);
}

async fn count(folder: &Path, event: &str) -> usize {
    rows(folder, "events").await.iter().filter(|row| row["event"] == event).count()
}

async fn until_event(folder: &Path, event: &str, wanted: usize) {
    let counted = async {
        while count(folder, event).await < wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(3 * PATIENCE, counted).await.unwrap_or_else(|_| panic!("no {event}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_database_mail_it_once() {
    let folder = room();
    let limits = folder.path().join("limits.toml");
    std::fs::write(&limits, "code_cooldown = \"0s\"").unwrap();
    let flags = ["--limits", limits.to_str().unwrap()];
    let servers = [serve(folder.path(), &flags).await, serve(folder.path(), &flags).await];
    for n in 1..=3 {
        due_at_once(folder.path(), &servers[n % 2]).await;
        until_event(folder.path(), "reminder_mailed", n).await;
    }
    let letters = mail_folder(folder.path()).read_dir().unwrap().filter(|entry| {
        let text = std::fs::read_to_string(entry.as_ref().unwrap().path()).unwrap();
        text.contains(SUBJECT)
    });
    assert_eq!(letters.count(), 3);
    assert!(newest_mail(folder.path()).unwrap().contains("of the account ada@example.com"));
}

/// Signs in by the code that the mail server got.
async fn sign_in_by_smtp(server: &Running, sink: &mut crate::kit::smtp::Sink) -> String {
    let body = json!({ "email": "ada@example.com" });
    request("POST", "/v0/auth/login/request").json(&body).send(server.address).await.expect(200);
    let mut mail = sink.next().await;
    if mail.get("waits").is_some() {
        mail = sink.next().await;
    }
    let code = code_in(&mail["data"].as_str().unwrap().replace("\r\n", "\n"));
    let body = json!({ "email": "ada@example.com", "code": code });
    let answer = request("POST", "/v0/auth/login/verify").json(&body).send(server.address).await;
    answer.expect(200);
    answer.text("access_token")
}

fn expect_letter(mail: &Value) {
    assert_eq!(mail["to"], json!(["ada@example.com"]), "{mail}");
    let text = mail["data"].as_str().unwrap();
    assert!(text.contains(SUBJECT) && text.contains("of the account ada@example.com"), "{text}");
}

#[tokio::test]
async fn a_due_letter_waits_until_the_mail_server_is_up() {
    let Some(mut first) = sink("accepts").await else { return };
    let (folder, port) = (room(), first.port);
    let server = first.server(&folder).await;
    let access = sign_in_by_smtp(&server, &mut first).await;
    drop(first);
    set_at_once(&server, &access).await;
    until("the first try", || log_of(folder.path()).contains("a reminder will be mailed again")).await;
    let log = log_of(folder.path());
    assert!(!log.contains("ada@example.com"), "{log}");
    let Some(mut second) = sink_at("accepts", port).await else { return };
    expect_letter(&second.next().await);
    until_event(folder.path(), "reminder_mailed", 1).await;
}

#[tokio::test]
async fn a_reminder_set_during_delivery_gets_its_own_letter() {
    let Some(mut sink) = sink("slow").await else { return };
    let folder = room();
    let server = sink.server(&folder).await;
    sink.input.write_all(b"now\n").await.unwrap();
    let access = sign_in_by_smtp(&server, &mut sink).await;
    set_at_once(&server, &access).await;
    for last in [false, true] {
        assert_eq!(sink.next().await["waits"], json!(["ada@example.com"]));
        if !last {
            set_at_once(&server, &access).await;
        }
        sink.input.write_all(b"now\n").await.unwrap();
        expect_letter(&sink.next().await);
    }
    until_event(folder.path(), "reminder_mailed", 2).await;
}

#[tokio::test]
async fn a_letter_under_way_arrives_before_the_server_stops() {
    let Some(mut sink) = sink("slow").await else { return };
    let folder = room();
    let mut server = sink.server(&folder).await;
    sink.input.write_all(b"now\n").await.unwrap();
    let access = sign_in_by_smtp(&server, &mut sink).await;
    set_at_once(&server, &access).await;
    assert_eq!(sink.next().await["waits"], json!(["ada@example.com"]));
    signal(&server.child, "TERM").await;
    until("the server to notice", || log_of(folder.path()).contains("stopping")).await;
    sink.input.write_all(b"now\n").await.unwrap();
    expect_letter(&sink.next().await);
    let ended = tokio::time::timeout(PATIENCE, server.child.wait()).await.expect("it did not stop").unwrap();
    assert!(ended.success());
    assert_eq!(count(folder.path(), "reminder_mailed").await, 1, "and it is noted");
}
