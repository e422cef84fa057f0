//! The real binary.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

pub use crate::kit::room::database;
use crate::kit::room::on_postgres;
use crate::kit::server::{code_in, until};
use crate::kit::wire::{PATIENCE, request};

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everkey-server"));
    command.env_remove("EVERKEY_LOG").env_remove("EVERKEY_SERVER_DATABASE").env_remove("EVERKEY_SERVER_MAIL");
    command.env_remove("EVERKEY_SERVER_FILES");
    command.kill_on_drop(true).stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub async fn run(arguments: &[&str]) -> Output {
    tokio::time::timeout(PATIENCE, program().args(arguments).output()).await.expect("it did not end").unwrap()
}

/// Fails unless it exited with this code and said one line of what happened and one of what to do.
#[track_caller]
pub fn expect_trouble(output: &Output, what: &str) {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].starts_with("everkey-server: ") && lines[0].contains(what), "{text}");
    assert!(lines[1].starts_with("  ") && lines[1].ends_with('.'), "{text}");
    assert!(output.stdout.is_empty());
}

/// A running server.
pub struct Running {
    pub child: Child,
    pub address: SocketAddr,
    pub line: String,
}

/// The flags that name database and keys of the test in `folder`.
pub fn stores(folder: &Path) -> Vec<String> {
    let mut flags = vec!["--database".to_owned(), database(folder)];
    if on_postgres() {
        flags.extend(["--keys".to_owned(), folder.join("test.db.keys").display().to_string()]);
    }
    flags
}

/// Runs a `serve` that is to end by itself.
pub async fn serve_in_vain(folder: &Path) -> Output {
    serve_in_vain_with(folder, &[], |_| {}).await
}

/// The same with more flags, and with what `prepare` adds.
pub async fn serve_in_vain_with(folder: &Path, more: &[&str], prepare: impl FnOnce(&mut Command)) -> Output {
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0"]).args(stores(folder)).args(more);
    prepare(&mut command);
    tokio::time::timeout(PATIENCE, command.output()).await.expect("it did not end").unwrap()
}

pub fn mail_folder(folder: &Path) -> PathBuf {
    folder.join("mail")
}

/// Starts `serve` with its files in `folder` and waits until it says where it listens.
pub async fn serve(folder: &Path, more: &[&str]) -> Running {
    let mail = format!("dir:{}", mail_folder(folder).display());
    serve_mailing(folder, &mail, more).await
}

/// Starts `serve` with this `--mail`.
pub async fn serve_mailing(folder: &Path, mail: &str, more: &[&str]) -> Running {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = program();
    command.args(["serve", "--mail", mail]);
    if !more.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    if more.contains(&"--keys") {
        command.args(["--database", &database(folder)]);
    } else {
        command.args(stores(folder));
    }
    command.args(more).stderr(log);
    spawn(command, folder).await
}

/// Starts a `serve` whose log goes to `folder`, and waits until it says where it listens.
pub async fn spawn(mut command: Command, folder: &Path) -> Running {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    let line = line.unwrap_or_else(|| panic!("it ended: {}", log_of(folder)));
    let address = line.strip_prefix("listening on http://").unwrap().parse().unwrap();
    Running { child, address, line }
}

pub fn log_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap()
}

/// Sends a signal by its name.
pub async fn signal(child: &Child, name: &str) {
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().await.unwrap().success());
}

/// The newest mail in the mail folder.
pub fn newest_mail(folder: &Path) -> Option<String> {
    let files = mail_folder(folder).read_dir().unwrap().map(|entry| entry.unwrap().path());
    let newest = files.filter(|path| path.extension().is_some_and(|kind| kind == "eml")).max();
    newest.map(|path| std::fs::read_to_string(path).unwrap())
}

/// Signs in as ada@example.com; answers with her access and refresh token.
pub async fn sign_in(folder: &Path, server: &Running) -> (String, String) {
    let before = newest_mail(folder);
    let ask = request("POST", "/v0/auth/login/request").json(&json!({ "email": "ada@example.com" }));
    ask.send(server.address).await.expect(200);
    until("the mail", || newest_mail(folder) != before).await;
    let mail = newest_mail(folder).unwrap();
    let body = json!({ "email": "ada@example.com", "code": code_in(&mail) });
    let answer = request("POST", "/v0/auth/login/verify").json(&body).send(server.address).await;
    answer.expect(200);
    (answer.text("access_token"), answer.text("refresh_token"))
}

/// The rows that `sessions` or `events` print with --json.
pub async fn rows(folder: &Path, listing: &str) -> Vec<Value> {
    let output = run(&[listing, "--database", &database(folder), "--json"]).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
