//! Reports with files.

use std::path::{Path, PathBuf};

use everkey_server::digest::{Digest, hex};
use serde_json::{Value, json};

use crate::kit::server::{Server, SignedIn};
use crate::kit::team::call;
use crate::kit::wire::{Answer, Request, request};

/// A file as a manifest describes it.
pub fn described(name: &str, content: &[u8]) -> Value {
    json!({ "name": name, "size": content.len(), "sha256": hex(Digest::sha256(content).bytes()) })
}

/// The same for several, each called by its place.
pub fn several(contents: &[&[u8]]) -> Value {
    let files = (1..).zip(contents).map(|(place, content)| described(&format!("{place}.txt"), content));
    files.collect()
}

/// Asks for a report with these files.
pub fn announcing(home: &str, by: &SignedIn, files: &Value) -> Request {
    let body = json!({ "title": "Q3", "body": "the secret figures", "files": files });
    request("POST", &format!("{home}/reports")).bearer(&by.access).json(&body)
}

/// Begins a report with these files, and answers with its path.
pub async fn announce(server: &Server, home: &str, by: &SignedIn, files: &Value) -> String {
    let made = announcing(home, by, files).send(server.address).await;
    format!("{home}/reports/{}", made.expect(201).text("id"))
}

pub fn sending(report: &str, by: &SignedIn, place: usize, content: &[u8]) -> Request {
    request("PUT", &format!("{report}/files/{place}")).bearer(&by.access).body(content)
}

pub async fn send(server: &Server, report: &str, by: &SignedIn, place: usize, content: &[u8]) -> Answer {
    sending(report, by, place, content).send(server.address).await
}

/// A complete report with these files; answers with its path.
pub async fn whole(server: &Server, home: &str, by: &SignedIn, contents: &[&[u8]]) -> String {
    let report = announce(server, home, by, &several(contents)).await;
    for (place, content) in (1..).zip(contents) {
        send(server, &report, by, place, content).await.expect(204);
    }
    report
}

pub async fn get(server: &Server, report: &str, by: &SignedIn, place: usize) -> Answer {
    call(server, "GET", &format!("{report}/files/{place}"), &by.access, None).await
}

/// Every object in the server's folder of files, whatever its name.
pub fn objects(server: &Server) -> Vec<PathBuf> {
    objects_in(&server.folder().join("files"))
}

pub fn objects_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { found.extend(objects_in(&entry)) } else { found.push(entry) }
    }
    found
}

/// A text that is larger than one part, and no two pieces of it are the same.
pub fn large() -> Vec<u8> {
    let mut text = String::with_capacity(6 << 20);
    let mut line: u32 = 0;
    while text.len() < 6 << 20 {
        text.push_str(&format!("{line:08} the quick brown fox jumps over the lazy dog and back again\n"));
        line += 1;
    }
    text.into_bytes()
}
