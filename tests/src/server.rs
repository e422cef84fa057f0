//! The real api-server on a SQLite file, with its mail in a folder.

use crate::binaries::Binaries;
use crate::http::{self, Message};
use crate::process::Running;
use crate::setup::Setup;
use crate::wait::eventually;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A running api-server.
pub struct Server {
    folder: PathBuf,
    program: PathBuf,
    options: Vec<String>,
    process: Running,
    url: String,
}

/// What a sign-in at the server gives.
#[derive(Debug, Clone)]
pub struct IssuedTokens {
    /// The whole answer.
    pub answer: Value,
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

impl Server {
    /// Starts a server that keeps everything in `folder`.
    pub fn start(binaries: &Binaries, folder: &Path, setup: &Setup) -> Self {
        Self::start_as(binaries, folder, setup, None)
    }

    /// The same, for a server that the world knows by another address than the one it listens on.
    pub fn start_as(binaries: &Binaries, folder: &Path, setup: &Setup, public: Option<&str>) -> Self {
        fs::create_dir_all(folder.join("mail")).expect("a folder for the server");
        let mut options = vec!["--access-ttl".to_owned(), setup.access_ttl.to_owned()];
        if let Some(public) = public {
            options.extend(["--public-url".to_owned(), public.to_owned()]);
        }
        if setup.strict {
            options.extend(["--retry".to_owned(), "strict".to_owned()]);
        }
        if !setup.real_limits {
            let limits = folder.join("limits.toml");
            fs::write(&limits, no_limits(&binaries.server(), setup.limits)).expect("a file for the limits");
            options.extend(["--limits".to_owned(), limits.display().to_string()]);
        }
        let (process, url) = serve(&binaries.server(), folder, &options);
        Self { folder: folder.to_owned(), program: binaries.server(), options, process, url }
    }

    /// Its base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn process(&mut self) -> &mut Running {
        &mut self.process
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same database; its port is another one.
    pub fn start_again(&mut self) {
        (self.process, self.url) = serve(&self.program, &self.folder, &self.options);
    }

    /// Calls it as any HTTP client would.
    pub fn call(&self, method: &str, path: &str, bearer: Option<&str>, body: Option<&Value>) -> Message {
        http::call(&self.url, method, path, bearer, body)
    }

    /// The same without a bearer, and with these headers.
    pub fn call_with(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Message {
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        http::send(&self.url, method, path, &lines, "application/json", &body.to_string())
    }

    /// Sends it a form.
    pub fn call_form(&self, path: &str, form: &str) -> Message {
        http::call_form(&self.url, path, form)
    }

    /// The status of `GET /v0/auth/me` with this access token.
    pub fn me(&self, access: &str) -> u16 {
        self.call("GET", "/v0/auth/me", Some(access), None).status()
    }

    /// The codes mailed to this address so far, oldest first.
    pub fn codes(&self, email: &str) -> Vec<String> {
        self.letters(email).iter().filter_map(|text| code_in(text)).collect()
    }

    /// What was mailed to this address so far, oldest first.
    pub fn letters(&self, email: &str) -> Vec<String> {
        let entries = fs::read_dir(self.folder.join("mail")).expect("the mail folder").flatten();
        let mut mails: Vec<_> = entries.map(|entry| entry.path()).collect();
        mails.retain(|path| path.extension().is_some_and(|kind| kind == "eml"));
        mails.sort();
        let to = format!("To: {email}");
        let texts = mails.iter().map(|path| fs::read_to_string(path).expect("a whole mail"));
        texts.filter(|text| text.contains(&to)).collect()
    }

    /// The code that comes after the first `before` ones.
    pub fn code_after(&self, email: &str, before: usize) -> String {
        eventually("a code by mail", || self.codes(email).get(before).cloned())
    }

    /// Signs in past everkey, as another tool or machine does.
    pub fn sign_in(&self, email: &str) -> IssuedTokens {
        let before = self.codes(email).len();
        let asked = self.call("POST", "/v0/auth/login/request", None, Some(&json!({ "email": email })));
        assert_eq!(asked.status(), 200, "{}", asked.json());
        let body = json!({ "email": email, "code": self.code_after(email, before) });
        IssuedTokens::of(&self.call("POST", "/v0/auth/login/verify", None, Some(&body)))
    }

    /// Refreshes past everkey, without a key.
    pub fn refresh(&self, refresh: &str) -> Message {
        self.call("POST", crate::REFRESH, None, Some(&json!({ "refresh_token": refresh })))
    }

    /// Ends a session past everkey.
    pub fn end_session(&self, grant: &IssuedTokens) {
        let body = json!({ "refresh_token": grant.refresh });
        let answer = self.call("POST", "/v0/auth/logout", Some(&grant.access), Some(&body));
        assert_eq!(answer.status(), 204, "{}", answer.json());
    }

    /// How often this has happened, by the server's own audit.
    pub fn events(&self, event: &str) -> usize {
        self.rows("events").iter().filter(|row| row["event"] == event).count()
    }

    /// Every session the server knows.
    pub fn sessions(&self) -> Vec<Value> {
        self.rows("sessions")
    }

    /// Nobody was ever taken for a thief.
    pub fn assert_nothing_revoked(&self) {
        let alarms = self.events("replay_revoked_all") + self.events("replay_revoked_session");
        assert_eq!(alarms, 0, "the server took a refresh for theft");
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn rows(&self, listing: &str) -> Vec<Value> {
        let mut command = Command::new(&self.program);
        command.args([listing, "--json", "--database"]).arg(database(&self.folder));
        let output = command.output().expect("the server lists");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("rows are text");
        text.lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
    }
}

impl IssuedTokens {
    /// Reads a token answer.
    pub fn of(message: &Message) -> Self {
        assert_eq!(message.status(), 200, "{}", message.json());
        let answer = message.json();
        let text = |field: &str| answer[field].as_str().expect("a token").to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token"), answer }
    }
}

/// The six or sixteen digits that stand on a line of their own; a mail that only tells its reader something has none.
fn code_in(mail: &str) -> Option<String> {
    let is_code = |line: &String| matches!(line.len(), 6 | 16) && line.bytes().all(|b| b.is_ascii_digit());
    mail.lines().map(|line| line.replace(' ', "")).find(is_code)
}

/// Limits that no test of something else runs into: each that counts, as the program's own help lists them, but `set`.
fn no_limits(program: &Path, set: &str) -> String {
    let help = Command::new(program).args(["serve", "--help"]).output().expect("the server helps");
    let help = String::from_utf8(help.stdout).expect("help is text");
    let counting =
        help.lines().filter(|line| line.contains("= { max")).filter_map(|line| line.split('=').next());
    let is_set =
        |key: &str| set.lines().any(|line| line.split('=').next().is_some_and(|set| set.trim() == key));
    let endless: String = counting
        .map(str::trim)
        .filter(|key| !is_set(key))
        .map(|key| format!("{key} = {{ max = 1000000, window = \"1m\" }}\n"))
        .collect();
    assert!(endless.contains("codes_per_email"), "the help lists the limits: {help}");
    format!("code_cooldown = \"0s\"\n{endless}{set}\n")
}

fn database(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("server.db").display())
}

fn serve(program: &Path, folder: &Path, options: &[String]) -> (Running, String) {
    let stdout = folder.join("stdout");
    let log = File::options().create(true).append(true).open(folder.join("log")).expect("a log");
    let mut command = Command::new(program);
    command.args(["serve", "--listen", "127.0.0.1:0", "--database"]).arg(database(folder));
    command.arg("--mail").arg(format!("dir:{}", folder.join("mail").display())).args(options);
    command.stdin(Stdio::null()).stdout(File::create(&stdout).expect("a file")).stderr(log);
    let mut process = Running::spawn(&mut command);
    let url = eventually("the api-server to listen", || {
        assert!(process.is_running(), "the api-server ended: see {}", folder.join("log").display());
        let said = fs::read_to_string(&stdout).ok()?;
        said.lines().find_map(|line| line.strip_prefix("listening on ")).map(str::to_owned)
    });
    (process, url)
}
