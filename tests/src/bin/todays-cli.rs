//! How command-line tools keep a session today, as a model: each process reads the file, refreshes when less than 60 s
//! are left, and writes the file back. As the failproofai contract says of the original: calls are de-duplicated inside
//! one process only, nothing is fsynced, a network error means "signed out" for that call, and any 401 ends the session.
//!
//! `todays-cli [--calls N] [--pause] [--oauth CLIENT] [--margin SECS]`: prints a token for each of N threads. With
//! `--pause` it says "ready" between the look at the file and the request and waits for a line, as if the scheduler had
//! other things to do. With `--oauth` it asks as that client of an OAuth server, whose `invalid_grant` ends the session.
#![forbid(unsafe_code)]
// A model's bugs are the test's to see.
#![allow(clippy::unwrap_used, clippy::panic)]

use everkey_tests::http::Message;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A token with less left is refreshed, in seconds, unless another margin is named.
const MARGIN: u64 = 60;

/// How long the api-server may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One process of the tool.
struct Tool {
    file: PathBuf,
    server: String,
    pause: bool,
    /// Whose tokens these are, at an OAuth server.
    client: Option<String>,
    margin: u64,
    /// De-duplicates refreshes inside this process.
    refreshing: Mutex<()>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| words.iter().position(|word| word == name).map(|at| words[at + 1].clone());
    let calls = option("--calls").map_or(1, |calls| calls.parse().unwrap());
    let var = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} must be set"));
    let tool = Tool {
        file: PathBuf::from(var("FAILPROOFAI_AUTH_DIR")).join("auth.json"),
        server: var("FAILPROOF_API_URL").trim_start_matches("http://").to_owned(),
        pause: words.iter().any(|word| word == "--pause"),
        client: option("--oauth"),
        margin: option("--margin").map_or(MARGIN, |secs| secs.parse().unwrap()),
        refreshing: Mutex::new(()),
    };
    let tokens: Vec<Option<String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..calls).map(|_| scope.spawn(|| tool.token())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    match tokens.into_iter().collect::<Option<Vec<String>>>() {
        Some(tokens) => {
            tokens.iter().for_each(|token| println!("{token}"));
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("not signed in");
            ExitCode::FAILURE
        }
    }
}

impl Tool {
    /// A token that is good for a while, or none: "not signed in".
    fn token(&self) -> Option<String> {
        let _alone = self.refreshing.lock().ok()?;
        let session = self.read()?;
        if session["access_expires_at"].as_u64()? > now() + self.margin {
            return text(&session, "access_token");
        }
        if self.pause {
            println!("ready");
            io::stdin().read_line(&mut String::new()).ok()?;
        }
        let answer = self.refresh(&text(&session, "refresh_token")?).ok()?;
        if self.is_the_end(&answer) {
            let _ = fs::remove_file(&self.file);
            return None;
        }
        let answer = (answer.status() == 200).then(|| answer.json())?;
        let fresh = json!({
            "access_token": text(&answer, "access_token")?,
            "refresh_token": text(&answer, "refresh_token")?,
            "access_expires_at": now() + lifetime(&answer, "access_expires_in")?,
            "refresh_expires_at": lifetime(&answer, "refresh_expires_in").map(|secs| now() + secs),
            "user": session["user"],
        });
        self.write(&fresh).ok()?;
        text(&fresh, "access_token")
    }

    fn read(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(&self.file).ok()?).ok()
    }

    /// Whether it takes a new sign-in.
    fn is_the_end(&self, answer: &Message) -> bool {
        match &self.client {
            Some(_) => answer.json()["error"] == "invalid_grant",
            None => answer.status() == 401,
        }
    }

    fn refresh(&self, token: &str) -> io::Result<Message> {
        let (path, kind, body) = match &self.client {
            Some(client) => (
                "/token/",
                "application/x-www-form-urlencoded",
                format!("grant_type=refresh_token&refresh_token={token}&client_id={client}"),
            ),
            None => {
                ("/v0/auth/token/refresh", "application/json", json!({ "refresh_token": token }).to_string())
            }
        };
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            self.server,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.server)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.write_all(request.as_bytes())?;
        Message::read(&mut BufReader::new(stream))?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Atomic for readers, but nothing says when it reaches the disk.
    fn write(&self, session: &Value) -> io::Result<()> {
        let temp = self.file.with_extension(format!("json.{}", std::process::id()));
        let mut file: File =
            File::options().write(true).create(true).truncate(true).mode(0o600).open(&temp)?;
        file.write_all(session.to_string().as_bytes())?;
        fs::rename(&temp, &self.file)
    }
}

/// By failproofai's name for it, or OAuth's.
fn lifetime(answer: &Value, field: &str) -> Option<u64> {
    answer[field].as_u64().or_else(|| answer[field.trim_start_matches("access_")].as_u64())
}

fn text(value: &Value, field: &str) -> Option<String> {
    value[field].as_str().map(str::to_owned)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
