//! Two server processes on one database behind nginx, with the configuration that docs/nginx.conf recommends: every
//! rule holds across both, whoever is asked.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::process::{Child, Command};

use crate::kit::artifacts::{large, several};
use crate::kit::metrics::{metrics_address, samples};
use crate::kit::program::{Running, database, rows, run, serve, sign_in};
use crate::kit::room::{Room, on_postgres, room};
use crate::kit::skip::skipped;
use crate::kit::wire::{Answer, PATIENCE, Request, request};

/// Two servers and the nginx before them.
struct Pair {
    room: Room,
    servers: [Running; 2],
    metrics: [SocketAddr; 2],
    nginx: Nginx,
}

struct Nginx {
    _child: Child,
    _folder: TempDir,
    address: SocketAddr,
}

/// `None`, said loudly, where there is no nginx.
async fn pair(limits: &str, change: fn(String) -> String) -> Option<Pair> {
    let room = room();
    let file = room.path().join("limits.toml");
    std::fs::write(&file, limits).unwrap();
    let files = format!("dir:{}", room.path().join("files").display());
    let flags = |proxy| {
        let file = file.to_str().unwrap();
        ["--limits", file, "--trusted-proxy", proxy, "--metrics", "127.0.0.1:0", "--files", &files]
    };
    let first = serve(room.path(), &flags("127.0.0.1/32")).await;
    let first_metrics = metrics_address(room.path());
    let second = serve(room.path(), &flags("127.0.0.1/32")).await;
    let metrics = [first_metrics, metrics_address(room.path())];
    let servers = [first, second];
    // Behind a proxy nobody signs up unless it is said.
    let opened = run(&["sign-up", "set", "open", "--database", &database(room.path())]).await;
    assert!(opened.status.success(), "{opened:?}");
    let nginx = nginx(&servers, change).await?;
    Some(Pair { room, servers, metrics, nginx })
}

async fn nginx(servers: &[Running; 2], change: fn(String) -> String) -> Option<Nginx> {
    let program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"].map(Path::new);
    let Some(program) = program.into_iter().find(|path| path.exists()) else {
        skipped("behind_nginx", "nginx is missing (apt-get install nginx)");
        return None;
    };
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let address = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let recommended = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/nginx.conf");
        let site = site(std::fs::read_to_string(recommended).unwrap(), address, servers);
        std::fs::write(folder.path().join("everkey.conf"), change(site)).unwrap();
        std::fs::write(
            folder.path().join("nginx.conf"),
            MAIN.replace("ROOM", folder.path().to_str().unwrap()),
        )
        .unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(folder.path().join("nginx.conf")).arg("-e").arg(folder.path().join("log"));
        if rustix::process::geteuid().is_root() {
            // Nobody's, as it would be without root.
            std::os::unix::fs::chown(folder.path(), Some(65_534), Some(65_534)).unwrap();
            std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711)).unwrap();
            command.uid(65_534).gid(65_534);
        }
        let mut child =
            command.kill_on_drop(true).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut waited = 0;
        while child.try_wait().unwrap().is_none() {
            if std::net::TcpStream::connect(address).is_ok() {
                return Some(Nginx { _child: child, _folder: folder, address });
            }
            waited += 1;
            assert!(waited < 10_000, "nginx does not listen");
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        assert!(log.contains("Address already in use"), "{log}");
    }
    panic!("no free port for nginx")
}

const MAIN: &str = "
daemon off;
master_process off;
pid ROOM/pid;
error_log ROOM/log warn;
events { worker_connections 1024; }
http {
    client_body_temp_path ROOM/body;
    proxy_temp_path ROOM/proxy;
    fastcgi_temp_path ROOM/fastcgi;
    uwsgi_temp_path ROOM/uwsgi;
    scgi_temp_path ROOM/scgi;
    include ROOM/everkey.conf;
}
";

/// The recommended configuration on these ports, without TLS and without the redirect to it.
fn site(recommended: String, listen: SocketAddr, servers: &[Running; 2]) -> String {
    let upstreams = recommended
        .replace("127.0.0.1:8787", &servers[0].address.to_string())
        .replace("127.0.0.1:8788", &servers[1].address.to_string());
    let (before, _) = upstreams.split_once("server {\n    listen 80;").unwrap();
    let lines = before.lines().filter(|line| !line.contains("ssl_") && !line.contains("listen [::]"));
    let lines: Vec<&str> = lines.collect();
    let site = lines.join("\n").replace("listen 443 ssl;", &format!("listen {listen};"));
    assert!(site.contains(&servers[1].address.to_string()) && site.contains(&format!("listen {listen}")));
    site
}

/// Sends a request from another address of this machine.
async fn from(source: [u8; 4], request: &Request, to: SocketAddr) -> Answer {
    let exchange = async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((source, 0))).unwrap();
        let mut stream = socket.connect(to).await.unwrap();
        stream.write_all(&request.bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        Answer::parse(&answer)
    };
    tokio::time::timeout(PATIENCE, exchange).await.expect("no answer")
}

/// Sends all requests at once.
async fn at_once(to: SocketAddr, requests: Vec<Request>) -> Vec<Answer> {
    let tasks: Vec<_> =
        requests.into_iter().map(|request| tokio::spawn(async move { request.send(to).await })).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

fn refresh(token: &str, key: usize) -> Request {
    request("POST", "/v0/auth/token/refresh")
        .header("idempotency-key", &format!("{key:04x}").repeat(16))
        .json(&json!({ "refresh_token": token }))
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

fn as_is(site: String) -> String {
    site
}

impl Pair {
    /// A sample of both servers together.
    async fn sum(&self, name: &str) -> f64 {
        samples(self.metrics[0]).await[name] + samples(self.metrics[1]).await[name]
    }

    /// Fails unless both have had a share of the work.
    async fn expect_both_asked(&self) {
        for metrics in self.metrics {
            let samples = samples(metrics).await;
            let answered = samples.iter().filter(|(name, _)| name.starts_with("everkey_http_requests_total"));
            assert!(answered.map(|(_, count)| count).sum::<f64>() >= 5.0, "nginx asked only one of the two");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_under_fire_rotates_once_and_is_no_replay() {
    let Some(pair) =
        pair("code_cooldown = \"0s\"\nrotations_per_session = { max = 1000, window = \"1m\" }", as_is).await
    else {
        return;
    };
    let to = pair.nginx.address;
    let (_, mut token) = sign_in(pair.room.path(), &pair.servers[0]).await;
    let rounds = 5;
    for round in 0..rounds {
        let same_key = at_once(to, (0..32).map(|_| refresh(&token, round)).collect()).await;
        let successors: BTreeSet<String> =
            same_key.iter().map(|answer| answer.expect(200).text("refresh_token")).collect();
        assert_eq!(successors.len(), 1, "round {round}");
        token = successors.into_iter().next().unwrap();

        let other_keys = at_once(to, (0..32).map(|key| refresh(&token, 100 * round + key)).collect()).await;
        assert_eq!((count(&other_keys, 200), count(&other_keys, 409)), (1, 31), "{other_keys:?}");
        for answer in other_keys.iter().filter(|answer| answer.status == 409) {
            answer.expect_error(409, "rotation_in_progress");
            assert_eq!(answer.json()["attempt_consumed"], false);
        }
        token = other_keys.iter().find(|answer| answer.status == 200).unwrap().text("refresh_token");
    }
    let events = rows(pair.room.path(), "events").await;
    let of = |event: &str| events.iter().filter(|row| row["event"] == event).count();
    assert_eq!((of("rotated"), of("replay_revoked_all")), (2 * rounds, 0));
    pair.expect_both_asked().await;
    let retries = pair.sum("everkey_database_retries_total").await;
    assert_eq!(retries > 0.0, on_postgres(), "{retries}: no transaction was ever in another one's way");
    assert_eq!(pair.sum("everkey_database_retries_in_vain_total").await, 0.0);
    if on_postgres() {
        expect_rollbacks(pair.room.path()).await;
    }
}

/// Fails unless PostgreSQL too says that it rolled transactions back.
async fn expect_rollbacks(folder: &Path) {
    use sqlx::Row as _;
    let mut database = crate::kit::room::connect(folder).await;
    let seen = async {
        loop {
            let rows =
                sqlx::query("SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()");
            let rollbacks: i64 = rows.fetch_one(&mut database).await.unwrap().get(0);
            if rollbacks > 0 {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.expect("PostgreSQL rolled nothing back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_at_one_ends_the_sessions_at_both() {
    let Some(pair) = pair("", as_is).await else { return };
    let (access, token) = sign_in(pair.room.path(), &pair.servers[0]).await;
    let bare = request("POST", "/v0/auth/token/refresh").json(&json!({ "refresh_token": token }));
    let both = at_once(pair.nginx.address, vec![bare; 8]).await;
    assert_eq!((count(&both, 200), count(&both, 401)), (1, 7), "{both:?}");
    for server in &pair.servers {
        request("GET", "/v0/auth/me").bearer(&access).send(server.address).await.expect(401);
    }
    let events = rows(pair.room.path(), "events").await;
    assert_eq!(events.iter().filter(|row| row["event"] == "replay_revoked_all").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_guesses_are_counted_once_for_both() {
    let Some(pair) = pair("code_cooldown = \"0s\"", as_is).await else { return };
    let ask = request("POST", "/v0/auth/login/request").json(&json!({ "email": "bob@example.com" }));
    let asked = at_once(pair.nginx.address, vec![ask; 16]).await;
    assert_eq!((count(&asked, 200), count(&asked, 429)), (5, 11), "{asked:?}");
    let body = json!({ "email": "bob@example.com", "code": "000000" });
    let guess = request("POST", "/v0/auth/login/verify").json(&body);
    let guesses = at_once(pair.nginx.address, vec![guess; 64]).await;
    assert_eq!((count(&guesses, 401), count(&guesses, 429)), (50, 14), "{guesses:?}");
    pair.expect_both_asked().await;
}

/// Each of three clients may ask twice, and a lie about where it comes from changes nothing.
async fn expect_clients_told_apart(pair: &Pair) {
    for last in [2, 3, 4] {
        let mut statuses = Vec::new();
        for lie in ["", "198.51.100.9", "127.0.0.1", "198.51.100.9, 127.0.0.1"] {
            let ask = request("POST", "/v0/auth/login/request");
            let ask = if lie.is_empty() { ask } else { ask.header("x-forwarded-for", lie) };
            let ask = ask.json(&json!({ "email": format!("user{last}{}@example.com", statuses.len()) }));
            statuses.push(from([127, 0, 0, last], &ask, pair.nginx.address).await.status);
        }
        assert_eq!(statuses, [200, 200, 429, 429], "127.0.0.{last}");
    }
}

const TWO_PER_ADDRESS: &str = "codes_per_ip = { max = 2, window = \"1h\" }";

#[tokio::test(flavor = "multi_thread")]
async fn nginx_is_believed_about_its_clients_and_they_are_not() {
    let Some(pair) = pair(TWO_PER_ADDRESS, as_is).await else { return };
    expect_clients_told_apart(&pair).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appending_proxy_is_no_way_around_limits() {
    let append = |site: String| {
        let changed =
            site.replace("X-Forwarded-For $remote_addr", "X-Forwarded-For $proxy_add_x_forwarded_for");
        assert_ne!(changed, site);
        changed
    };
    let Some(pair) = pair(TWO_PER_ADDRESS, append).await else { return };
    expect_clients_told_apart(&pair).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server_less_is_not_noticed() {
    let Some(mut pair) = pair("rotations_per_session = { max = 1000, window = \"1m\" }", as_is).await else {
        return;
    };
    let (_, mut token) = sign_in(pair.room.path(), &pair.servers[0]).await;
    pair.servers[1].child.kill().await.unwrap();
    for key in 0..12 {
        let answer = refresh(&token, key).send(pair.nginx.address).await;
        token = answer.expect(200).text("refresh_token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_pass_and_other_large_bodies_do_not() {
    let Some(pair) = pair("", as_is).await else { return };
    let (access, _) = sign_in(pair.room.path(), &pair.servers[0]).await;
    let send = async |request: Request| request.bearer(&access).send(pair.nginx.address).await;
    let home = send(request("POST", "/v1/workspaces").json(&json!({ "name": "n" }))).await.text("id");
    let reports = format!("/v1/workspaces/{home}/reports");
    let large = large();
    let body = json!({ "title": "t", "body": "b", "files": several(&[&large]) });
    let id = send(request("POST", &reports).json(&body)).await.expect(201).text("id");
    let file = format!("{reports}/{id}/files/1");
    send(request("PUT", &file).body(&large)).await.expect(204);
    assert!(send(request("GET", &file)).await.expect(200).body.as_bytes() == large);
    // nginx itself refuses the others.
    for path in [reports, "/v0/auth/login/verify".to_owned()] {
        assert_eq!(send(request("POST", &path).body(&large[..70_000])).await.status, 413);
    }
}
