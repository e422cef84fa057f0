//! One world for trial after trial: a signed-in session, a fresh agent for each trial, and the verdict after it.

use crate::outsider::{Outsider, refresh_token, refreshes};
use crate::reader::Reader;
use crate::strace::{Strace, Threads};
use everkey_tests::http::Message;
use everkey_tests::lines::Lines;
use everkey_tests::process::Running;
use everkey_tests::{REFRESH, Setup, World, eventually, until};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// What a trial cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Trials.
    pub trials: usize,
    /// Sessions that needed a new sign-in.
    pub lost: usize,
    /// Users whose every session the server revoked.
    pub revoked: usize,
    /// Tokens rotated at the server.
    pub rotations: usize,
    /// Refresh requests.
    pub requests: usize,
    /// Requests for a token that had been sent before.
    pub repeats: usize,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.trials += other.trials;
        self.lost += other.lost;
        self.revoked += other.revoked;
        self.rotations += other.rotations;
        self.requests += other.requests;
        self.repeats += other.repeats;
    }
}

/// How far the counters were before a trial.
#[derive(Clone, Copy)]
struct Marks {
    requests: usize,
    repeats: usize,
    rotations: usize,
    revoked: usize,
}

/// A world, its agent, and somebody who reads the session file all the time.
pub struct Lane {
    pub world: World,
    /// Whose sessions these are, if not the world's own server's.
    outsider: Option<Outsider>,
    agent: Option<Running>,
    reader: Option<Reader>,
    /// How long the token handed out must be good for.
    validity: &'static str,
    marks: Marks,
    logs: usize,
}

impl Lane {
    /// A world in which Ada is signed in.
    pub fn new(setup: Setup) -> Self {
        let mut lane = Self::without_reader(setup);
        lane.reader = Some(Reader::start(lane.world.auth_file()));
        lane.validity = "30m";
        lane
    }

    /// The same where other tools may remove the file, and tokens may be short-lived.
    pub fn without_reader(setup: Setup) -> Self {
        Self::signed_in(setup, None)
    }

    /// The same at an ordinary OAuth server.
    pub fn at(outsider: Outsider) -> Self {
        Self::signed_in(Setup::default(), Some(outsider))
    }

    fn signed_in(setup: Setup, outsider: Option<Outsider>) -> Self {
        let mut world = World::with(Setup { refresh_gap_ms: Some(0), ..setup });
        use_one_certificate(&mut world);
        if let Some(outsider) = &outsider {
            outsider.enter(&mut world);
        }
        let mut lane = Self {
            world,
            outsider,
            agent: None,
            reader: None,
            validity: "1s",
            marks: Marks { requests: 0, repeats: 0, rotations: 0, revoked: 0 },
            logs: 0,
        };
        lane.login();
        lane.world.stop_agent();
        lane.marks = lane.now();
        lane
    }

    /// Signs in through everkey.
    fn login(&self) {
        match &self.outsider {
            Some(outsider) => outsider.sign_in_everkey(&self.world),
            None => self.world.login(),
        }
    }

    /// The ordinary server, if it is one.
    pub fn outsider(&self) -> Option<&Outsider> {
        self.outsider.as_ref()
    }

    /// A path for the next trace.
    pub fn log(&mut self, what: &str) -> PathBuf {
        self.logs += 1;
        self.world.root().join(format!("trace-{}-{what}", self.logs))
    }

    /// A new agent at rest with one worker thread, which stays for 10 s, and a connection to ask it on.
    pub fn fresh_agent(&mut self) -> (Threads, Lines) {
        eventually("an agent with one worker", || {
            self.agent = None;
            let agent = self.world.foreground_agent();
            let pid = agent.pid();
            self.agent = Some(agent);
            let mut lines = self.world.lines();
            until("the agent to have read its files", || state_of(&mut lines) == "valid");
            until("nothing half-written to be left", || self.half_written().is_empty());
            let threads = Threads::of(pid)?;
            until("the worker to be idle", || threads.worker_sleeps());
            Some((threads, lines))
        })
    }

    /// The running agent.
    pub fn agent(&mut self) -> &mut Running {
        self.agent.as_mut().expect("an agent was started")
    }

    /// Starts an agent if none runs.
    pub fn start_if_needed(&mut self) {
        if self.agent.as_mut().is_none_or(|agent| !agent.is_running()) {
            self.fresh_agent();
        }
    }

    /// Asks for a refresh.
    pub fn ask(&self, lines: &mut Lines) {
        lines.send(b"{\"request\":\"refresh\",\"force\":true}\n");
    }

    /// Asks for a refresh; what comes back, or none if the agent dies.
    pub fn refresh(&self, mut lines: Lines) -> Option<String> {
        self.ask(&mut lines);
        lines.next_line()
    }

    /// Whether nothing is under way on disk.
    pub fn is_settled(&self) -> bool {
        !self.journal().exists()
    }

    /// Whether nothing is under way on the network.
    pub fn is_quiet(&self) -> bool {
        self.world.proxy.is_quiet()
    }

    /// Whether the session that the agent speaks of is the file's, so that it has seen what others did to the file.
    fn is_in_the_file(&self, status: &Value) -> bool {
        let masked = word(status, "masked_token");
        let (head, tail) = masked.split_once("...").expect("a token's beginning and end");
        let session = self.world.session();
        let field = if self.outsider.is_some() { "access" } else { "access_token" };
        let access = session.as_ref().and_then(|session| session[field].as_str());
        access.is_some_and(|access| access.starts_with(head) && access.ends_with(tail))
    }

    /// Whether the server has taken a refresh for theft since the last verdict.
    fn has_been_revoked(&self) -> bool {
        self.outsider.is_none() && self.world.server.events("replay_revoked_all") > self.marks.revoked
    }

    /// A trace of one undisturbed refresh, by one strace, so that its order is the order of time.
    pub fn record(&mut self) -> (String, Threads) {
        loop {
            let (threads, lines) = self.fresh_agent();
            let log = self.log("record");
            let expressions = [crate::strace::NO_NEW_THREADS];
            let Some(strace) = Strace::attach(log, &threads.all(), &expressions) else { continue };
            let answer = self.refresh(lines).expect("an undisturbed refresh is answered");
            assert!(answer.contains("refreshed"), "{answer}");
            until("the books to be closed", || self.is_settled());
            // One more round trip: what the settling set in motion is over when it is answered.
            self.world.everkey("auth whoami").ok();
            let log = strace.end();
            self.verdict();
            return (log, threads);
        }
    }

    /// Starts an agent if none runs, lets it recover, and asks the real client and the server how things are.
    /// A lost session is replaced by a new one. Panics where an invariant is broken.
    pub fn verdict(&mut self) -> Cost {
        let died = self.agent.as_mut().is_none_or(|agent| !agent.is_running());
        if died {
            self.agent = Some(self.world.foreground_agent());
        }
        let mut lines = self.world.lines();
        let mut nudged = false;
        let state = eventually("the session to be sound again, or lost", || {
            let status = lines.request("status");
            let state = word(&status, "state");
            // A refresh that failed before its intent is tried again when it is due, or when somebody asks.
            if state == "offline" && self.is_settled() && !nudged {
                nudged = true;
                self.world.everkey("auth refresh --force").ok();
            }
            let sound = || state == "valid" && self.is_settled() && self.is_in_the_file(&status);
            let at_rest = is_over(&state) || sound();
            // Looked at last: a request that the agent waits for no longer can still end the session.
            (at_rest && self.is_quiet()).then_some(state)
        });
        let mut lost = state != "valid";
        if !lost {
            self.world.everkey("auth whoami").ok();
            let token = self.world.everkey(&format!("auth token --min-validity {}", self.validity)).ok();
            let mut status = self.asks_for_its_user(&token);
            if status == 401 && self.outsider.is_some() {
                // There a refresh ends the access token before it, which somebody may have been handed just now.
                let better = self.world.cli("auth token --refused -").stdin(&token).run().ok();
                status = self.asks_for_its_user(&better);
            }
            lost = status == 401 && self.has_been_revoked();
            if lost {
                // Nobody told the agent; the first caller who does must be enough.
                let said = self.world.cli("auth token --refused -").stdin(&token).run();
                assert_ne!(said.code, 0, "another token of a session that is over");
                assert!(
                    is_over(&state_of(&mut lines)),
                    "the agent keeps a session that is over: {}",
                    said.err
                );
            } else {
                assert_eq!(status, 200, "the server does not accept the token handed out");
            }
        }
        if died {
            until("nothing half-written to be left", || self.half_written().is_empty());
        }
        if let Some(reader) = &self.reader {
            reader.assert_sound();
        }
        self.assert_one_key_for_each_token();
        let cost = self.cost(lost);
        if lost {
            self.login();
        }
        cost
    }

    /// What the server says to an access token.
    pub fn asks_for_its_user(&self, token: &str) -> u16 {
        match &self.outsider {
            Some(outsider) => outsider.whoami(token),
            None => self.world.server.me(token),
        }
    }

    /// The refresh requests that the network has seen.
    pub fn refreshes(&self) -> Vec<Message> {
        match &self.outsider {
            Some(_) => refreshes(&self.world),
            None => self.world.proxy.seen(REFRESH),
        }
    }

    /// How often the server has granted one.
    pub fn rotations(&self) -> usize {
        match &self.outsider {
            Some(outsider) => outsider.granted(&self.world),
            None => self.world.server.events("rotated"),
        }
    }

    /// What has been counted since the last time.
    pub fn cost(&mut self, lost: bool) -> Cost {
        let now = self.now();
        let before = std::mem::replace(&mut self.marks, now);
        Cost {
            trials: 1,
            lost: usize::from(lost),
            revoked: now.revoked - before.revoked,
            rotations: now.rotations - before.rotations,
            requests: now.requests - before.requests,
            repeats: now.repeats - before.repeats,
        }
    }

    /// Temporary files of ours, wherever we write.
    fn half_written(&self) -> Vec<PathBuf> {
        let folders = [self.world.auth_dir(), self.world.home().join("state/sessions")];
        let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
        entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with("-tmp")).collect()
    }

    fn journal(&self) -> PathBuf {
        self.world.auth_dir().join(".auth.json.everkey-journal")
    }

    /// I2, by what the network saw.
    fn assert_one_key_for_each_token(&self) {
        // A token that does not rotate is the same for every refresh.
        if self.outsider.as_ref().is_some_and(|outsider| !outsider.rotates()) {
            return;
        }
        for (token, keys) in self.sent() {
            let keys: BTreeSet<_> = keys.into_iter().collect();
            assert_eq!(keys.len(), 1, "several keys for one refresh token ({}...): {keys:?}", &token[..6]);
        }
    }

    /// The keys that each refresh token was sent with.
    fn sent(&self) -> BTreeMap<String, Vec<Option<String>>> {
        let mut sent: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        for request in self.refreshes() {
            let token = match &self.outsider {
                Some(_) => refresh_token(&request).unwrap_or_default(),
                None => request.json()["refresh_token"].as_str().unwrap_or_default().to_owned(),
            };
            sent.entry(token).or_default().push(request.header("idempotency-key").map(str::to_owned));
        }
        sent
    }

    fn now(&self) -> Marks {
        let sent = self.sent();
        let requests = sent.values().map(Vec::len).sum();
        Marks {
            requests,
            repeats: requests - sent.len(),
            rotations: self.rotations(),
            revoked: match &self.outsider {
                Some(outsider) => outsider.look_elsewhere(),
                None => self.world.server.events("replay_revoked_all"),
            },
        }
    }
}

/// How the session stands, asked on a connection that is there already.
fn state_of(lines: &mut Lines) -> String {
    word(&lines.request("status"), "state")
}

fn word(status: &Value, field: &str) -> String {
    status[field].as_str().unwrap_or_else(|| panic!("no {field} in {status}")).to_owned()
}

/// Whether it takes a new sign-in.
fn is_over(state: &str) -> bool {
    ["needs_login", "signed_out"].contains(&state)
}

/// Otherwise the machine's many certificates make most of a refresh's system calls; here all is plain http.
fn use_one_certificate(world: &mut World) {
    let all = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
    let end = "-----END CERTIFICATE-----\n";
    let one = all.iter().find_map(|path| {
        let bundle = fs::read_to_string(path).ok()?;
        Some(bundle[bundle.find("-----BEGIN CERTIFICATE-----")?..].split_once(end)?.0.to_owned() + end)
    });
    if let Some(one) = one {
        let (file, folder) = (world.root().join("one.pem"), world.root().join("no-certificates"));
        fs::write(&file, one).expect("a file");
        fs::create_dir(&folder).expect("a folder");
        world.set_env("SSL_CERT_FILE", &file.display().to_string());
        world.set_env("SSL_CERT_DIR", &folder.display().to_string());
    }
}
