//! An ordinary OAuth server, written by others (django-oauth-toolkit, `tests/interop/replay`), behind the network that
//! fails; and a session of the same user on another machine, which speaks to it past that network.

use everkey_tests::http::{self, Message};
use everkey_tests::process::Running;
use everkey_tests::python::{program, root};
use everkey_tests::{Account, World};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Where it is sent refresh tokens.
pub const TOKEN: &str = "/token/";

/// How long its access tokens work, in seconds: little more than the 30 s before their end at which a request in doubt
/// is sent again, and longer than a trial takes.
const ACCESS_SECS: u64 = 36;

/// What proves that whoever comes with the code has asked for it.
const VERIFIER: &str = "a-verifier-that-is-as-long-as-they-must-be-and-plain";

/// What the server does with a refresh token that comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reuse {
    /// The token stays the same at every refresh.
    NotRotated,
    /// It is granted for 10 s; everkey's profile says so.
    Grace,
    /// It ends what came of the same sign-in.
    EndsFamily,
    /// It signs the user out everywhere.
    EndsAll,
}

impl Reuse {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NotRotated, Self::Grace, Self::EndsFamily, Self::EndsAll];

    /// Whether a repeat costs nothing, whenever it comes in these trials.
    pub fn is_forgiven(self) -> bool {
        match self {
            Self::NotRotated | Self::Grace => true,
            Self::EndsFamily | Self::EndsAll => false,
        }
    }

    fn setting(self) -> &'static str {
        match self {
            Self::NotRotated => "not_rotated",
            Self::Grace => "grace",
            Self::EndsFamily => "reuse_protection",
            Self::EndsAll => "signs_out_everywhere",
        }
    }

    /// What the profile says of it. Of the others everkey knows nothing.
    fn told(self) -> &'static str {
        match self {
            Self::Grace => "replay = \"grace(10)\"",
            Self::NotRotated | Self::EndsFamily | Self::EndsAll => "",
        }
    }
}

impl fmt::Display for Reuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRotated => "not rotated",
            Self::Grace => "10 s of grace",
            Self::EndsFamily => "family revoked",
            Self::EndsAll => "all revoked",
        })
    }
}

/// The server, and the other machine.
pub struct Outsider {
    reuse: Reuse,
    url: String,
    whoami: String,
    client_id: String,
    /// The refresh token of the other machine.
    elsewhere: RefCell<String>,
    /// How often the other machine was signed out.
    signed_out: Cell<usize>,
    _server: Running,
}

/// Tokens that the server has issued.
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl Outsider {
    /// Whether it can run here; says loudly that `test` is skipped if not.
    pub fn can_run(test: &str) -> bool {
        program(test, "python").is_some()
    }

    /// Starts it.
    pub fn start(reuse: Reuse) -> Self {
        let python = program("the comparison", "python").expect("looked for before");
        let mut command = Command::new(python);
        command.arg(root().join("tests/interop/replay/django_server.py"));
        command.args(["--setting", reuse.setting(), "--grace-seconds", "10"]);
        command.args(["--access-seconds", &ACCESS_SECS.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Running::spawn(&mut command);
        let mut line = String::new();
        let stdout = server.child().stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line:?}: {e}"));
        let text = |name: &str| told[name].as_str().expect("a text").to_owned();
        let (url, whoami) = (text("issuer"), text("whoami"));
        let whoami = whoami.strip_prefix(&url).expect("a page of its own").to_owned();
        let outsider = Self {
            reuse,
            url,
            whoami,
            client_id: text("client_id"),
            elsewhere: RefCell::default(),
            signed_out: Cell::new(0),
            _server: server,
        };
        outsider.elsewhere.replace(outsider.sign_in().refresh);
        outsider
    }

    /// Makes it the server of this world's network, and of the profile that commands mean.
    pub fn enter(&self, world: &mut World) {
        world.proxy.set_upstream(&self.url);
        // The file is where the model of today's tools has its own; another profile must not have it too.
        let elsewhere = world.root().join("no-auth-dir").display().to_string();
        world.set_env("FAILPROOFAI_AUTH_DIR", &elsewhere);
        let (issuer, id, told) = (world.proxy.url(), &self.client_id, self.reuse.told());
        let file = world.auth_file().display().to_string();
        world.configure(&format!(
            "default = \"work\"\n[profiles.work]\nprovider = \"oauth\"\nissuer = \"{issuer}\"\nclient_id = \"{id}\"\n\
             scheme = \"browser\"\nsession_file = \"{file}\"\n{told}\n"
        ));
    }

    /// Signs everkey in. The page asks nothing, so whoever follows its redirect is back at once.
    pub fn sign_in_everkey(&self, world: &World) {
        let mut account = Account::of(world, "work");
        let step = account.login();
        let url = step["url"].as_str().unwrap_or_else(|| panic!("{step}"));
        follow(location(&follow(url)));
        let done = account.after(&step);
        assert_eq!(done["reply"], "done", "{done}");
    }

    /// Signs in past everkey, as another tool or machine does.
    pub fn sign_in(&self) -> Tokens {
        let back = "http://127.0.0.1/callback";
        let asked = format!(
            "/authorize/?response_type=code&client_id={}&redirect_uri={back}&code_challenge={VERIFIER}\
             &code_challenge_method=plain",
            self.client_id
        );
        let approved = http::call(&self.url, "GET", &asked, None, None);
        let (_, code) = location(&approved).split_once("code=").expect("a code");
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={back}&client_id={}&code_verifier={VERIFIER}",
            self.client_id
        );
        let answer = http::call_form(&self.url, TOKEN, &form);
        tokens(&answer).unwrap_or_else(|| panic!("{}: {}", answer.start, answer.json()))
    }

    /// A session file as today's tools have one, of a sign-in that was just made.
    pub fn session(&self) -> Value {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let Tokens { access, refresh } = self.sign_in();
        json!({
            "access_token": access, "refresh_token": refresh, "access_expires_at": now.as_secs() + ACCESS_SECS,
        })
    }

    /// What it says to an access token.
    pub fn whoami(&self, token: &str) -> u16 {
        http::call(&self.url, "GET", &self.whoami, Some(token), None).status()
    }

    /// Whether a refresh gives a new refresh token.
    pub fn rotates(&self) -> bool {
        self.reuse != Reuse::NotRotated
    }

    /// Whose tokens it issues.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// How often it has granted a refresh that came by the network of `world`.
    pub fn granted(&self, world: &World) -> usize {
        let sent: Vec<String> = refreshes(world).iter().filter_map(refresh_token).collect();
        let state = http::call(&self.url, "GET", "/_test/state", None, None).json();
        let requests = state["requests"].as_array().expect("all requests so far");
        let ours = |one: &&Value| one["refresh_token"].as_str().is_some_and(|t| sent.iter().any(|s| s == t));
        requests.iter().filter(|one| one["status"] == 200).filter(ours).count()
    }

    /// Looks whether the other machine is signed in still, and signs it in again if not; how often that was needed.
    pub fn look_elsewhere(&self) -> usize {
        let mut elsewhere = self.elsewhere.borrow_mut();
        let form = format!(
            "grant_type=refresh_token&refresh_token={}&client_id={}",
            elsewhere.as_str(),
            self.client_id
        );
        match tokens(&http::call_form(&self.url, TOKEN, &form)) {
            Some(next) => *elsewhere = next.refresh,
            None => {
                self.signed_out.set(self.signed_out.get() + 1);
                *elsewhere = self.sign_in().refresh;
            }
        }
        self.signed_out.get()
    }
}

/// Every refresh that has come by the network.
pub fn refreshes(world: &World) -> Vec<Message> {
    let mut seen = world.proxy.seen(TOKEN);
    seen.retain(|message| refresh_token(message).is_some());
    seen
}

/// The refresh token that a form brings.
pub fn refresh_token(message: &Message) -> Option<String> {
    let body = String::from_utf8_lossy(&message.body);
    body.split('&').find_map(|field| field.strip_prefix("refresh_token=")).map(str::to_owned)
}

fn tokens(answer: &Message) -> Option<Tokens> {
    let said = answer.json();
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    Some(Tokens { access: text("access_token")?, refresh: text("refresh_token")? })
}

fn location(answer: &Message) -> &str {
    answer.header("location").unwrap_or_else(|| panic!("no way on from here: {}", answer.start))
}

fn follow(address: &str) -> Message {
    let path = address.splitn(4, '/').nth(3).unwrap_or_default();
    let (base, path) = address.split_at(address.len() - path.len() - 1);
    http::call(base, "GET", path, None, None)
}
