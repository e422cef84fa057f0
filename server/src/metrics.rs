//! What a running server counts, for Prometheus. Every label has a fixed set of values: no user data, and nothing that a
//! request could choose.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::db::throttle::ThrottleKind;
use crate::rules::audit_event::AuditEvent;

/// The counts of this process.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Upper bounds of the latency histogram, in seconds.
const SECONDS: [f64; 9] = [0.002, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 20.0];

/// Events that alerts watch: they are there, as zero, before the first one happens.
const WATCHED: &[AuditEvent] = &[
    AuditEvent::FileDamaged,
    AuditEvent::CodeSent,
    AuditEvent::CodeRefused,
    AuditEvent::MailFailed,
    AuditEvent::ReminderMailed,
    AuditEvent::ReminderGivenUp,
    AuditEvent::Login,
    AuditEvent::Rotated,
    AuditEvent::RepeatAnswered,
    AuditEvent::Refused,
    AuditEvent::ReplayRevokedAll,
    AuditEvent::ReplayRevokedSession,
    AuditEvent::RememberedReplayed,
    AuditEvent::Logout,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Happened {
    event: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusing {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

/// What is not counted but looked at when metrics are fetched.
#[derive(Clone, Copy, Debug)]
pub struct Gauges {
    /// Connections to the database that are in use.
    pub busy_connections: u32,
    /// Connections to the database that wait for use.
    pub idle_connections: u32,
    /// Messages in the outbox.
    pub waiting_mails: usize,
    /// Sets of keys, the one in use and older ones.
    pub keys: usize,
    /// How long the set in use has been there.
    pub key_age: Duration,
}

/// The limits that are no number of events in a window, and count what they refuse.
const CEILINGS: &[&str] = &[
    "code_cooldown",
    "rotations_per_session",
    "clients_most",
    "sessions_per_user",
    "workspace_mib",
    "user_mib",
    "store_mib",
    "transfers",
    "transfers_of_one",
];

/// Counters and gauges.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram>,
    rate_limited: Counter,
    turned_away: Counter,
    limit_refusals: Family<Refusing, Counter>,
    events: Family<Happened, Counter>,
    mails: Family<Outcome, Counter>,
    mail_queue: Gauge,
    retries: Counter,
    retries_in_vain: Counter,
    connections: Family<State, Gauge>,
    key_age: Gauge<f64, AtomicU64>,
    keys: Gauge,
}

impl Metrics {
    fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("everkey"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            rate_limited: Counter::default(),
            turned_away: Counter::default(),
            limit_refusals: Family::default(),
            events: Family::default(),
            mails: Family::default(),
            mail_queue: Gauge::default(),
            retries: Counter::default(),
            retries_in_vain: Counter::default(),
            connections: Family::default(),
            key_age: Gauge::default(),
            keys: Gauge::default(),
        };
        metrics.register();
        for event in WATCHED {
            drop(metrics.events.get_or_create(&Happened { event: event.as_str() }));
        }
        let counted = ThrottleKind::COUNTED.iter().filter_map(|kind| kind.limit_key());
        for limit in counted.chain(CEILINGS.iter().copied()) {
            drop(metrics.limit_refusals.get_or_create(&Refusing { limit }));
        }
        for outcome in ["sent", "retried", "failed"] {
            drop(metrics.mails.get_or_create(&Outcome { outcome }));
        }
        metrics
    }

    fn register(&mut self) {
        let Self { registry, .. } = self;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that runs", version);
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time to an answer",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register("rate_limited", "Requests refused as too many", self.rate_limited.clone());
        let turned_away = self.turned_away.clone();
        registry.register("connections_turned_away", "Connections ended to make room", turned_away);
        registry.register("limit_refusals", "Refusals of each limit", self.limit_refusals.clone());
        registry.register("events", "Events of the audit that were committed", self.events.clone());
        registry.register("mails", "Deliveries of mail", self.mails.clone());
        registry.register("mail_queue", "Messages that wait for delivery", self.mail_queue.clone());
        registry.register(
            "database_retries",
            "Transactions run again because another one came first",
            self.retries.clone(),
        );
        registry.register(
            "database_retries_in_vain",
            "Actions given up after many such retries",
            self.retries_in_vain.clone(),
        );
        registry.register("database_connections", "Open connections", self.connections.clone());
        registry.register_with_unit("key_age", "Age of the keys in use", Unit::Seconds, self.key_age.clone());
        registry.register("keys", "Sets of keys, the one in use and older ones", self.keys.clone());
    }

    /// A connection was ended, or not let in, because there was no room.
    pub fn turned_away(&self) {
        self.turned_away.inc();
    }

    /// Counts an answer. `route` is the route's template, `None` if there is no such route.
    pub fn answered(&self, method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
        let route = route.unwrap_or("none").to_owned();
        let answered = Answered { method: known(method), route: route.clone(), status: status.as_u16() };
        self.requests.get_or_create(&answered).inc();
        self.seconds.get_or_create(&Route { route }).observe(took.as_secs_f64());
        if status == StatusCode::TOO_MANY_REQUESTS {
            self.rate_limited.inc();
        }
    }

    /// Counts what a limit refused.
    pub fn limit_refused(&self, kind: ThrottleKind) {
        if let Some(limit) = kind.limit_key() {
            self.limit_refusals.get_or_create(&Refusing { limit }).inc();
        }
    }

    /// Counts what a ceiling refused that is not a number of events in a window.
    pub fn ceiling_refused(&self, limit: &'static str) {
        self.limit_refusals.get_or_create(&Refusing { limit }).inc();
    }

    /// Counts an event that was committed.
    pub fn happened(&self, event: AuditEvent) {
        self.events.get_or_create(&Happened { event: event.as_str() }).inc();
    }

    /// Counts a mail that was delivered.
    pub fn mail_sent(&self) {
        self.mails.get_or_create(&Outcome { outcome: "sent" }).inc();
    }

    /// Counts a mail that will be tried again.
    pub fn mail_retried(&self) {
        self.mails.get_or_create(&Outcome { outcome: "retried" }).inc();
    }

    /// Counts a mail that was given up.
    pub fn mail_failed(&self) {
        self.mails.get_or_create(&Outcome { outcome: "failed" }).inc();
    }

    /// Counts a transaction that is run again.
    pub fn database_retried(&self) {
        self.retries.inc();
    }

    /// Counts an action that was given up.
    pub fn database_retried_in_vain(&self) {
        self.retries_in_vain.inc();
    }

    /// All of it in the OpenMetrics text format, with the gauges as they stand now.
    pub fn text(&self, gauges: Gauges) -> String {
        let Gauges { busy_connections, idle_connections, waiting_mails, keys, key_age } = gauges;
        self.connections.get_or_create(&State { state: "busy" }).set(i64::from(busy_connections));
        self.connections.get_or_create(&State { state: "idle" }).set(i64::from(idle_connections));
        self.mail_queue.set(i64::try_from(waiting_mails).unwrap_or(i64::MAX));
        self.keys.set(i64::try_from(keys).unwrap_or(i64::MAX));
        self.key_age.set(key_age.as_secs_f64());
        let mut text = String::new();
        if text::encode(&mut text, &self.registry).is_err() {
            text.clear();
            let _ = writeln!(text, "# EOF");
        }
        text
    }
}

/// A request may name any method it likes; only those that exist become labels.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
