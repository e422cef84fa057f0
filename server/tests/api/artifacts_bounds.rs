//! How much and how long: quotas that no two requests fill at once, reports that are given up, uploads that end nowhere,
//! transfers that take too long or are too many.

use std::net::SocketAddr;
use std::time::Duration;

use everkey_server::artifacts::store::ObjectKey;
use everkey_server::limits::Limits;
use everkey_server::time::TimeSource as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::kit::artifacts::{announce, announcing, get, large, objects, send, sending, several, whole};
use crate::kit::burst::{burst, count};
use crate::kit::server::{Options, no_limits, until};
use crate::kit::team::{Cast, call, cast, cast_with, promote};
use crate::kit::wire::{Answer, request};

const DAY: Duration = Duration::from_secs(86_400);

async fn bounded(limits: Limits) -> Cast {
    cast_with(Options { limits, ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_never_exceeded_however_many_ask_at_once() {
    let mib = vec![b'x'; 1 << 19];
    for (limits, contents) in [
        (Limits { workspace_files: 5, ..no_limits() }, vec![b"a".as_slice(), b"b"]),
        (Limits { workspace_mib: 2, ..no_limits() }, vec![mib.as_slice(), &mib, b"c"]),
    ] {
        let cast = bounded(limits).await;
        let files = several(&contents);
        let answers = burst(12, |_| {
            let (ask, address) = (announcing(&cast.home, &cast.owner, &files), cast.server.address);
            async move { ask.send(address).await }
        })
        .await;
        let most = if contents.len() == 2 { 2 } else { 1 };
        assert_eq!((count(&answers, 201), count(&answers, 409)), (most, 12 - most), "{answers:?}");
        let full = answers.iter().find(|answer| answer.status == 409).unwrap();
        full.expect_error(409, "workspace_full");
        // Text needs none of it, and another workspace has its own.
        cast.report(&cast.owner).await.expect(201);
        let mine = crate::kit::team::make(&cast.server, &cast.outsider).await;
        announcing(&mine, &cast.outsider, &files).send(cast.server.address).await.expect(201);
    }
}

#[tokio::test]
async fn more_workspaces_do_not_make_the_store_larger() {
    let cast = bounded(Limits { store_mib: 1, ..no_limits() }).await;
    let files = several(&[&vec![b'x'; 600_000]]);
    let first = announce(&cast.server, &cast.home, &cast.owner, &files).await;
    let another = crate::kit::team::make(&cast.server, &cast.outsider).await;
    let ask = announcing(&another, &cast.outsider, &files);
    ask.send(cast.server.address).await.expect_error(409, "store_full");
    call(&cast.server, "DELETE", &first, &cast.owner.access, None).await.expect(204);
    ask.send(cast.server.address).await.expect(201);
}

#[tokio::test]
async fn announcements_of_one_account_leave_room_for_others() {
    let cast = bounded(Limits { user_mib: 1, store_mib: 2, ..no_limits() }).await;
    let files = several(&[&vec![b'x'; 600_000]]);
    announce(&cast.server, &cast.home, &cast.owner, &files).await;
    let second = crate::kit::team::make(&cast.server, &cast.owner).await;
    let ask = announcing(&second, &cast.owner, &files);
    ask.send(cast.server.address).await.expect_error(409, "user_full");
    let mine = crate::kit::team::make(&cast.server, &cast.outsider).await;
    let report = announce(&cast.server, &mine, &cast.outsider, &files).await;
    send(&cast.server, &report, &cast.outsider, 1, &vec![b'x'; 600_000]).await.expect(204);
}

#[tokio::test]
async fn a_host_sees_who_fills_the_store_and_frees_it() {
    let cast = bounded(Limits { store_mib: 1, ..no_limits() }).await;
    announce(&cast.server, &cast.home, &cast.owner, &several(&[&vec![b'x'; 600_000]])).await;
    let database = crate::kit::room::database(cast.server.folder());
    let command = async |words: &[&str]| {
        let words: Vec<&str> = words.iter().copied().chain(["--database", &database, "--json"]).collect();
        let output = crate::kit::program::run(&words).await;
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let row = command(&["users", "files"]).await;
    assert_eq!(
        (&row["user"], &row["stored_bytes"], &row["awaited_bytes"]),
        (&json!("owner@example.com"), &json!(0), &json!(600_000))
    );

    let mine = crate::kit::team::make(&cast.server, &cast.outsider).await;
    let ask = announcing(&mine, &cast.outsider, &several(&[&vec![b'y'; 600_000]]));
    ask.send(cast.server.address).await.expect_error(409, "store_full");
    // What a disabled account has announced is never sent.
    command(&["users", "disable", "owner@example.com"]).await;
    let report = ask.send(cast.server.address).await.expect(201).text("id");
    send(&cast.server, &format!("{mine}/reports/{report}"), &cast.outsider, 1, &vec![b'y'; 600_000])
        .await
        .expect(204);
    assert_eq!(objects(&cast.server).len(), 1);
    assert_eq!(command(&["users", "delete-reports", "outsider@example.com"]).await["reports"], 1);
    cast.server.sweep.sweep(cast.server.clock.now()).await.unwrap();
    assert_eq!(objects(&cast.server).len(), 0);
}

#[tokio::test]
async fn a_store_whose_folder_vanished_takes_and_forgets_nothing() {
    let cast = cast().await;
    let kept = whole(&cast.server, &cast.home, &cast.owner, &[b"kept"]).await;
    let report = announce(&cast.server, &cast.home, &cast.owner, &several(&[b"one"])).await;
    let (files, away) = (cast.server.folder().join("files"), cast.server.folder().join("away"));
    std::fs::rename(&files, &away).unwrap();
    send(&cast.server, &report, &cast.owner, 1, b"one").await.expect(503);
    get(&cast.server, &kept, &cast.owner, 1).await.expect(503);
    call(&cast.server, "DELETE", &kept, &cast.owner.access, None).await.expect(204);
    cast.server.sweep.sweep(cast.server.clock.now()).await.unwrap();
    assert!(!files.exists(), "nothing is written beside the volume");
    std::fs::rename(&away, &files).unwrap();
    send(&cast.server, &report, &cast.owner, 1, b"one").await.expect(204);
    cast.server.clock.advance(Duration::from_secs(601));
    cast.server.sweep.sweep(cast.server.clock.now()).await.unwrap();
    assert_eq!(objects(&cast.server).len(), 1, "the deleted one is gone, the new one is there");
}

#[tokio::test]
async fn a_report_whose_files_never_come_is_given_up() {
    let cast = bounded(Limits { workspace_files: 2, ..no_limits() }).await;
    let report = announce(&cast.server, &cast.home, &cast.owner, &several(&[b"one", b"two"])).await;
    send(&cast.server, &report, &cast.owner, 1, b"one").await.expect(204);
    let more = announcing(&cast.home, &cast.owner, &several(&[b"three"]));
    more.send(cast.server.address).await.expect_error(409, "workspace_full");
    cast.server.clock.advance(DAY);
    let me = cast.server.sign_in_as("owner@example.com", 5).await;
    send(&cast.server, &report, &me, 2, b"two").await.expect_error(404, "not_found");
    let swept = cast.server.sweep.sweep(cast.server.clock.now()).await.unwrap();
    assert_eq!((swept.reports, swept.objects, objects(&cast.server).len()), (1, 1, 0));
    announcing(&cast.home, &me, &several(&[b"three"])).send(cast.server.address).await.expect(201);
}

/// What a crash leaves: an object that was announced, written, and never became a file's.
#[tokio::test]
async fn an_upload_that_ended_nowhere_is_swept_and_nothing_else() {
    let cast = cast().await;
    let report = whole(&cast.server, &cast.home, &cast.owner, &[b"live"]).await;
    let now = cast.server.clock.now();
    let (written, staged) = (ObjectKey::random(), ObjectKey::random());
    let mut tx = cast.server.store.begin().await.unwrap();
    for key in [&written, &staged] {
        tx.announce_object(key, now.plus(Duration::from_secs(7200))).await.unwrap();
    }
    tx.commit().await.unwrap();
    cast.server.files.put(&written, "left".into()).await.unwrap();
    let (folder, rest) = staged.as_str().split_at(2);
    let folder = cast.server.folder().join("files").join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{rest}#1")), "half").unwrap();
    assert_eq!(objects(&cast.server).len(), 3);
    let sweep = async || cast.server.sweep.sweep(cast.server.clock.now()).await.unwrap().objects;
    assert_eq!(sweep().await, 0, "it may still be on its way");
    cast.server.clock.advance(Duration::from_secs(7200));
    assert_eq!((sweep().await, objects(&cast.server).len()), (2, 1));
    let me = cast.server.sign_in_as("owner@example.com", 5).await;
    assert_eq!(get(&cast.server, &report, &me, 1).await.expect(200).body, "live");
    // Whoever was still writing it can't make it a file any more.
    let mut tx = cast.server.store.begin().await.unwrap();
    let workspace = cast.home.rsplit('/').next().unwrap().parse().unwrap();
    let seat = tx.seat(workspace, &me.user_id).await.unwrap().unwrap();
    let report = report.rsplit('/').next().unwrap().parse().unwrap();
    assert!(!tx.keep_object(&seat, report, 1, &written).await.unwrap());
}

/// An upload of which the first half is sent.
async fn begun(to: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(&bytes[..bytes.len() - 3]).await.unwrap();
    stream
}

async fn finished(mut stream: TcpStream, bytes: &[u8]) -> Answer {
    use tokio::io::AsyncReadExt as _;
    stream.write_all(&bytes[bytes.len() - 3..]).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    Answer::parse(&answer)
}

/// Waits until the server has begun to write so many objects.
async fn under_way(cast: &Cast, uploads: usize) {
    until("the upload to begin", || objects(&cast.server).len() >= uploads).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_right_while_sending_stores_nothing() {
    let large = large();
    for case in ["report deleted", "demoted", "removed", "account disabled", "signed out"] {
        let cast = cast().await;
        let (server, owner) = (&cast.server, &cast.owner.access);
        promote(server, "outsider@example.com").await;
        let report = announce(&cast.server, &cast.home, &cast.admin, &several(&[&large])).await;
        let bytes = sending(&report, &cast.admin, 1, &large).bytes();
        let upload = begun(server.address, &bytes).await;
        under_way(&cast, 1).await;
        let expected = match case {
            "report deleted" => {
                call(server, "DELETE", &report, owner, None).await.expect(204);
                404
            }
            "demoted" => {
                cast.set_role(&cast.owner, &cast.admin, "member").await.expect(204);
                404
            }
            "removed" => {
                cast.remove(&cast.owner, &cast.admin).await.expect(204);
                404
            }
            "account disabled" => {
                let path = format!("/v1/admin/users/{}/disable", cast.admin.user_id);
                call(server, "POST", &path, &cast.outsider.access, None).await.expect(200);
                401
            }
            _ => {
                let body = json!({ "refresh_token": cast.admin.refresh });
                let logout = request("POST", "/v0/auth/logout").bearer(&cast.admin.access).json(&body);
                logout.send(server.address).await.expect(204);
                401
            }
        };
        assert_eq!(finished(upload, &bytes).await.status, expected, "{case}");
        server.sweep.sweep(server.clock.now()).await.unwrap();
        assert_eq!(objects(server).len(), 0, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_left_leaves_nothing_behind() {
    let cast = cast().await;
    let large = large();
    let report = announce(&cast.server, &cast.home, &cast.owner, &several(&[&large])).await;
    let bytes = sending(&report, &cast.owner, 1, &large).bytes();
    let upload = begun(cast.server.address, &bytes).await;
    under_way(&cast, 1).await;
    drop(upload);
    until("the server to notice", || objects(&cast.server).is_empty()).await;
    send(&cast.server, &report, &cast.owner, 1, &large).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_are_so_many_and_so_slow_and_no_more() {
    let stall = Duration::from_secs(1);
    let cast = bounded(Limits { transfers_of_one: 1, transfer_stall: stall, ..no_limits() }).await;
    let large = large();
    let report = announce(&cast.server, &cast.home, &cast.owner, &several(&[&large, b"two"])).await;
    let bytes = sending(&report, &cast.owner, 1, &large).bytes();
    let upload = begun(cast.server.address, &bytes).await;
    under_way(&cast, 1).await;
    send(&cast.server, &report, &cast.owner, 2, b"two").await.expect_error(429, "rate_limited");
    // Another one has places of their own.
    send(&cast.server, &report, &cast.admin, 2, b"two").await.expect(204);
    let mut answer = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut { upload }, &mut answer).await.unwrap();
    Answer::parse(&answer).expect_error(408, "request_timeout");
    until("what was stored of it to go", || objects(&cast.server).len() == 1).await;
    send(&cast.server, &report, &cast.owner, 1, &large).await.expect(204);
}
