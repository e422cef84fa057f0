//! The real binary.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::wire::PATIENCE;

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everkey-server"));
    command.env_remove("EVERKEY_LOG").env_remove("EVERKEY_SERVER_DATABASE").env_remove("EVERKEY_SERVER_MAIL");
    command.kill_on_drop(true).stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub async fn run(arguments: &[&str]) -> Output {
    tokio::time::timeout(PATIENCE, program().args(arguments).output()).await.expect("it did not end").unwrap()
}

/// A running server.
pub struct Running {
    pub child: Child,
    pub address: SocketAddr,
    pub line: String,
}

pub fn database(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("test.db").display())
}

pub fn mail_folder(folder: &Path) -> PathBuf {
    folder.join("mail")
}

/// Starts `serve` with its files in `folder` and waits until it says where it listens.
pub async fn serve(folder: &Path, more: &[&str]) -> Running {
    let mail = format!("dir:{}", mail_folder(folder).display());
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut child = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--database", &database(folder), "--mail", &mail])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
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
