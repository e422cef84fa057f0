//! The real router over a real database and port, with a clock that tests move.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use everkey_server::app::{AppState, TokenPolicy};
use everkey_server::artifacts::Artifacts;
use everkey_server::artifacts::location::ArtifactLocation;
use everkey_server::artifacts::store::ArtifactStore;
use everkey_server::artifacts::transfers::Transfers;
use everkey_server::db::Database;
use everkey_server::db::throttle::ThrottleKind;
use everkey_server::http::serve::serve;
use everkey_server::jobs::housekeeping::Housekeeping;
use everkey_server::jobs::reminder_mail::ReminderMail;
use everkey_server::jobs::report_sweep::ReportSweep;
use everkey_server::keys::{KeyRing, ServerKey};
use everkey_server::limits::Limits;
use everkey_server::mail::carrier::Carrier;
use everkey_server::mail::outbox;
use everkey_server::mail::route::MailRoute;
use everkey_server::router::router;
use everkey_server::rules::rate::Limit;
use everkey_server::rules::rotation::RetryMode;
use everkey_server::rules::sign_up::SignUpMode;
use everkey_server::time::{TimeSource, Timestamp};
use everkey_server::tokens::access::AccessTokens;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};

use crate::kit::room::{self, Room, on_postgres, room};
use crate::kit::wire::{Answer, PATIENCE, request};

/// A clock that only moves when told to.
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(span.as_millis() as i64, Ordering::SeqCst);
    }
}

impl TimeSource for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// What a test may choose.
pub struct Options {
    pub limits: Limits,
    pub retry: RetryMode,
    pub trusted: Vec<&'static str>,
    pub mail: Option<MailRoute>,
    pub keys: Option<KeyRing>,
    /// Where files are kept: left out, in the test's folder.
    pub files: Option<ArtifactLocation>,
    pub public_url: &'static str,
    pub sign_up: SignUpMode,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            retry: RetryMode::Rr1,
            trusted: Vec::new(),
            mail: None,
            keys: None,
            files: None,
            public_url: "http://everkey.example",
            sign_up: SignUpMode::Open,
        }
    }
}

impl Options {
    pub fn strict() -> Self {
        Self { retry: RetryMode::Strict, ..Self::default() }
    }

    /// Limits that no test of something else runs into.
    pub fn without_limits() -> Self {
        Self { limits: no_limits(), ..Self::default() }
    }
}

pub fn no_limits() -> Limits {
    let endless = Limit { max: 1_000_000, window: Duration::from_secs(60) };
    Limits {
        code_cooldown: Duration::ZERO,
        codes_per_email: endless,
        codes_per_ip: endless,
        letters_per_email: endless,
        letters_per_email_daily: endless,
        failures_per_email: endless,
        failures_per_email_and_ip: endless,
        failures_per_ip: endless,
        registrations_per_ip: endless,
        client_failures_per_ip: endless,
        code_exchanges_per_ip: endless,
        rotations_per_session: endless,
        second_factor_failures: endless,
        refused_tokens_per_ip: endless,
        tokens_per_user: endless,
        consents_per_user: endless,
        device_codes_per_ip: endless,
        wrong_user_codes_per_user: endless,
        wrong_user_codes_per_ip: endless,
        achilles_polls_per_ip: endless,
        achilles_refreshes_per_ip: endless,
        ..Limits::default()
    }
}

pub struct Server {
    pub address: SocketAddr,
    pub clock: Arc<TestClock>,
    pub store: Database,
    pub keys: KeyRing,
    folder: Room,
    carrier: Carrier,
    /// How the router prints itself: the only list of its routes there is.
    pub debug: String,
    pub app: Arc<AppState>,
    pub files: ArtifactStore,
    /// Runs only when a test says so.
    pub sweep: ReportSweep,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
}

pub async fn start(options: Options) -> Server {
    start_in(room(), options).await
}

async fn start_in(folder: Room, options: Options) -> Server {
    let clock = Arc::new(TestClock(AtomicI64::new(1_800_000_000_000)));
    if !on_postgres() {
        let file = folder.path().join("test.db");
        std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    }
    let store = Database::open(&room::database(folder.path()).parse().unwrap()).await.unwrap();
    store.migrate().await.unwrap();
    let keys =
        options.keys.unwrap_or_else(|| KeyRing::new(ServerKey::random(clock.now()).unwrap(), Vec::new()));
    let route = options.mail.unwrap_or_else(|| MailRoute::Folder(folder.path().join("mail")));
    let carrier = Carrier::new(&route, "everkey <no-reply@localhost>".parse().unwrap()).unwrap();
    let place = options.files.unwrap_or_else(|| ArtifactLocation::Folder(folder.path().join("files")));
    let files = ArtifactStore::open(&place).await.unwrap();
    let wake = Arc::new(Notify::new());
    let (outbox, waiting) = outbox();
    tokio::spawn(carrier.clone().run(waiting, store.clone(), clock.clone()));
    let app = Arc::new(AppState {
        store: store.clone(),
        keys: keys.clone(),
        public_url: options.public_url.to_owned(),
        access: AccessTokens::new("https://issuer.example".to_owned()),
        policy: TokenPolicy {
            access_ttl: Duration::from_secs(3600),
            refresh_ttl: Duration::from_secs(30 * 86_400),
            retry: options.retry,
        },
        artifacts: Some(Artifacts {
            store: files.clone(),
            transfers: Transfers::new(options.limits.transfers, options.limits.transfers_of_one),
            sweep: Arc::clone(&wake),
        }),
        limits: options.limits,
        sign_up: options.sign_up,
        security_contact: None,
        trusted_proxies: options.trusted.iter().map(|net| net.parse().unwrap()).collect(),
        outbox,
        clock: clock.clone(),
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let router = router(Arc::clone(&app));
    let debug = format!("{router:?}");
    let served = tokio::spawn(serve(listener, router, async {
        let _ = stopped.await;
    }));
    let sweep = ReportSweep { store: store.clone(), files: Some(files.clone()), wake, clock: clock.clone() };
    Server {
        address,
        clock,
        store,
        keys,
        folder,
        carrier,
        debug,
        app,
        files,
        sweep,
        stop: Some(stop),
        served,
    }
}

/// A signed-in user.
pub struct SignedIn {
    pub access: String,
    pub refresh: String,
    pub user_id: String,
}

impl Server {
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops the server and starts another on the same database, keys and time.
    pub async fn restart(mut self, options: Options) -> Self {
        self.stop.take().unwrap().send(()).unwrap();
        self.served.await.unwrap();
        self.store.close().await;
        let (keys, then) = (options.keys.clone().unwrap_or(self.keys), self.clock.now());
        let server = start_in(self.folder, Options { keys: Some(keys), ..options }).await;
        server.clock.0.store(then.millis(), Ordering::SeqCst);
        server
    }

    /// Another server on the same database, with the same keys and clock. Returns where it listens.
    pub async fn beside(&self) -> SocketAddr {
        let store = Database::open(&room::database(self.folder()).parse().unwrap()).await.unwrap();
        let app = AppState {
            store,
            keys: self.keys.clone(),
            public_url: self.app.public_url.clone(),
            access: AccessTokens::new("https://issuer.example".to_owned()),
            policy: self.app.policy,
            sign_up: self.app.sign_up,
            security_contact: None,
            artifacts: None,
            limits: self.app.limits.clone(),
            trusted_proxies: self.app.trusted_proxies.clone(),
            outbox: self.app.outbox.clone(),
            clock: self.clock.clone(),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, router(Arc::new(app)), std::future::pending()));
        address
    }

    /// Posts the letters of reminders that are due, from now until what it answers with is dropped.
    pub fn remind(&self) -> oneshot::Sender<()> {
        let (stop, stopped) = oneshot::channel();
        let reminder_mail = ReminderMail {
            store: self.store.clone(),
            keys: self.keys.clone(),
            carrier: self.carrier.clone(),
            clock: self.clock.clone(),
            look_every: Duration::from_millis(2),
        };
        tokio::spawn(reminder_mail.run(async {
            let _ = stopped.await;
        }));
        stop
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        request("POST", path).json(body).send(self.address).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        request("GET", path).bearer(token).send(self.address).await
    }

    pub async fn ask_code(&self, email: &str) -> Answer {
        self.post("/v0/auth/login/request", &json!({ "email": email })).await
    }

    pub async fn verify(&self, email: &str, code: &str) -> Answer {
        self.post("/v0/auth/login/verify", &json!({ "email": email, "code": code })).await
    }

    /// The job that forgets what can no longer matter, with the limits of a server that was told none.
    pub fn housekeeping(&self) -> Housekeeping {
        Housekeeping {
            store: self.store.clone(),
            limits: Limits::default(),
            refresh_ttl: Duration::from_secs(30 * 86_400),
            clock: self.clock.clone(),
        }
    }

    /// The mails with codes in the folder, oldest first, once there are at least `count`.
    pub async fn mails(&self, count: usize) -> Vec<String> {
        self.mails_about("Your sign-in code", count).await
    }

    /// The mails with this subject in the folder, oldest first, once there are at least `count`.
    pub async fn mails_about(&self, subject: &str, count: usize) -> Vec<String> {
        let (folder, subject) = (self.folder().join("mail"), format!("Subject: {subject}\r\n"));
        let mut mails = Vec::new();
        until("mail to arrive", || {
            let mut names: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
            names.retain(|name| name.extension().is_some_and(|kind| kind == "eml"));
            names.sort();
            mails = names.iter().map(|name| std::fs::read_to_string(name).unwrap()).collect();
            mails.retain(|mail: &String| mail.contains(&subject));
            mails.len() >= count
        })
        .await;
        mails
    }

    /// Asks for a code and reads it from the newest mail. `count` mails are in the folder then.
    pub async fn new_code(&self, email: &str, count: usize) -> String {
        self.ask_code(email).await.expect(200);
        code_in(self.mails(count).await.last().unwrap())
    }

    /// Signs in, as the n-th mail of this server (counting from 1).
    pub async fn sign_in_as(&self, email: &str, n: usize) -> SignedIn {
        let code = self.new_code(email, n).await;
        let answer = self.verify(email, &code).await;
        answer.expect(200);
        SignedIn {
            access: answer.text("access_token"),
            refresh: answer.text("refresh_token"),
            user_id: answer.json()["user"]["id"].as_str().unwrap().to_owned(),
        }
    }

    pub async fn sign_in(&self) -> SignedIn {
        self.sign_in_as("ada@example.com", 1).await
    }

    /// How many events of this kind and subject a limit counts.
    pub async fn counted(&self, kind: ThrottleKind, subject: &str) -> usize {
        let (mut tx, mut count) = (self.store.begin_reading().await.unwrap(), 0);
        while tx.nth_newest(kind, subject, count + 1).await.unwrap().is_some() {
            count += 1;
        }
        count as usize
    }

    /// How many audit lines have this event.
    pub async fn events(&self, event: &str) -> usize {
        let lines = self.store.begin_reading().await.unwrap().audit_after(0).await.unwrap();
        lines.iter().filter(|line| line.event == event).count()
    }
}

/// The six digits that stand on a line of their own.
pub fn code_in(mail: &str) -> String {
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    mail.lines().find(is_code).unwrap_or_else(|| panic!("no code in {mail:?}")).to_owned()
}

/// A code that is not this one.
pub fn wrong(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

/// Waits until something holds, looking often.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited too long for {what}"));
}
