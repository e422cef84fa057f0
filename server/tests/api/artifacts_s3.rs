//! Files in an S3: the real program, against moto.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use tokio::process::{Child, Command};

use crate::kit::artifacts::{large, several};
use crate::kit::program::{Running, log_of, program, serve_in_vain_with, sign_in, spawn, stores};
use crate::kit::room::room;
use crate::kit::server::until;
use crate::kit::skip::skipped;
use crate::kit::wire::{Answer, Request, request};

const SECRET: &str = "hunter2hunter2hunter2hunter2";

struct S3 {
    _child: Child,
    address: SocketAddr,
}

/// `None`, said loudly, where there is no moto.
async fn s3(folder: &Path) -> Option<S3> {
    let moto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/moto_server");
    if !moto.is_file() {
        skipped("artifacts_s3", "moto_server is missing (python3-venv and PyPI, by ./dev setup)");
        return None;
    }
    let log = folder.join("moto");
    let mut command = Command::new(moto);
    command.args(["-H", "127.0.0.1", "-p", "0"]).env_remove("AWS_PROFILE").stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap()).kill_on_drop(true);
    let child = command.spawn().unwrap();
    let mut address = None;
    until("moto to listen", || {
        let said = std::fs::read_to_string(&log).unwrap();
        address =
            said.split("Running on http://").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
        address.is_some()
    })
    .await;
    Some(S3 { _child: child, address: address? })
}

impl S3 {
    async fn ask(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        // moto asks for a signature, and does not look at it.
        let answer = request(method, path)
            .header("authorization", "AWS everkey:x")
            .body(body)
            .send(self.address)
            .await;
        assert!(answer.status < 300, "{answer:?}");
        answer
    }

    /// The keys of all objects.
    async fn keys(&self) -> Vec<String> {
        let listed = self.ask("GET", "/everkey?list-type=2", b"").await.body;
        listed.split("<Key>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
    }

    /// What a program needs to reach it.
    fn tell(&self, command: &mut Command) {
        command.env("AWS_ENDPOINT_URL", format!("http://{}", self.address)).env("AWS_ALLOW_HTTP", "true");
        command.env("AWS_ACCESS_KEY_ID", "everkey").env("AWS_SECRET_ACCESS_KEY", SECRET);
        command.env("AWS_REGION", "us-east-1");
    }
}

async fn serve(s3: &S3, folder: &Path, place: &str) -> Running {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = program();
    s3.tell(&mut command);
    let mail = format!("dir:{}", folder.join("mail").display());
    command.args(["serve", "--listen", "127.0.0.1:0", "--mail", &mail, "--files", place]);
    command.args(stores(folder)).env("EVERKEY_LOG", "debug").stderr(log);
    spawn(command, folder).await
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_into_an_s3_and_come_out_whole() {
    let folder = room();
    let Some(s3) = s3(folder.path()).await else { return };
    s3.ask("PUT", "/everkey", b"").await;
    let server = serve(&s3, folder.path(), "s3://everkey/reports").await;
    let (access, _) = sign_in(folder.path(), &server).await;
    let send = async |request: Request| request.bearer(&access).send(server.address).await;
    let home = send(request("POST", "/v1/workspaces").json(&json!({ "name": "n" }))).await.text("id");
    let reports = format!("/v1/workspaces/{home}/reports");
    let large = large();
    let contents: [&[u8]; 3] = [b"small", &large, b""];
    let body = json!({ "title": "t", "body": "b", "files": several(&contents) });
    let id = send(request("POST", &reports).json(&body)).await.expect(201).text("id");
    let path = |place: usize| format!("{reports}/{id}/files/{place}");

    let mut other = large.clone();
    *other.last_mut().unwrap() = b'!';
    send(request("PUT", &path(2)).body(&other)).await.expect_error(400, "sha256_mismatch");
    assert_eq!(s3.keys().await, Vec::<String>::new(), "a broken upload is no object");
    for (place, content) in (1..).zip(contents) {
        send(request("PUT", &path(place)).body(content)).await.expect(204);
    }
    let keys = s3.keys().await;
    assert_eq!(keys.len(), 3);
    assert!(
        keys.iter().all(|key| key.strip_prefix("reports/").is_some_and(|rest| rest.len() == 33)),
        "{keys:?}"
    );
    for (place, content) in (1..).zip(contents) {
        let got = send(request("GET", &path(place))).await;
        assert!(got.expect(200).body.as_bytes() == content, "{place}");
    }

    for key in &keys {
        s3.ask("PUT", &format!("/everkey/{key}"), &other).await;
    }
    send(request("GET", &path(1))).await.expect_error(500, "file_damaged");
    let cut = send(request("GET", &path(2))).await;
    assert!(cut.body.len() < large.len(), "{} of {}", cut.body.len(), large.len());
    send(request("DELETE", &format!("{reports}/{id}"))).await.expect(204);
    let gone = async {
        while !s3.keys().await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(crate::kit::wire::PATIENCE, gone).await.expect("the objects were not deleted");
    assert!(!log_of(folder.path()).contains(SECRET));
}

#[tokio::test]
async fn a_store_that_does_not_work_is_said_at_once() {
    let folder = room();
    let open = folder.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut places = vec![(format!("dir:{}", open.display()), "other users")];
    places.push((format!("dir:{}/log/x", folder.path().display()), "can't be made"));
    std::fs::write(folder.path().join("log"), "").unwrap();
    for (place, said) in &places {
        let output = serve_in_vain_with(folder.path(), &["--files", place], |_| {}).await;
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("can't keep files in the folder") && text.contains(said), "{text}");
    }
    let wrong = serve_in_vain_with(folder.path(), &["--files", "s3://KEY:hunter2@bucket"], |_| {}).await;
    let text = String::from_utf8(wrong.stderr).unwrap();
    assert!(text.contains("--files") && text.contains("environment") && !text.contains("hunter2"), "{text}");
    let Some(s3) = s3(folder.path()).await else { return };
    let output =
        serve_in_vain_with(folder.path(), &["--files", "s3://nobody"], |command| s3.tell(command)).await;
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(text.contains("can't keep files in the bucket nobody") && !text.contains(SECRET), "{text}");
}
