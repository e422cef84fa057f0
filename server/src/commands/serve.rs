//! `everkey-server serve`.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use everkey_redact::RedactedWriter;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, oneshot};
use tracing_subscriber::EnvFilter;

use crate::actions::second_factor::reseal;
use crate::app::{AppState, TokenPolicy};
use crate::artifacts::Artifacts;
use crate::artifacts::transfers::Transfers;
use crate::cli::{LogFormat, ServeCommand};
use crate::command_error::CommandError;
use crate::commands::{files, listen};
use crate::db::Database;
use crate::http;
use crate::http::crowd::CrowdLimits;
use crate::http::serve::{serve, serve_all};
use crate::jobs::housekeeping::Housekeeping;
use crate::jobs::reminder_mail::{LOOK_EVERY, ReminderMail};
use crate::jobs::report_sweep::ReportSweep;
use crate::keys::history::KeyHistory;
use crate::keys::{KeyRing, file};
use crate::limits::Limits;
use crate::mail::carrier::Carrier;
use crate::mail::outbox;
use crate::router::router;
use crate::rules::security_contact::SecurityContact;
use crate::rules::sign_up::SignUpMode;
use crate::time::{SystemClock, TimeSource};
use crate::tokens::access::AccessTokens;

/// How long mail may take once the server is told to stop.
const LAST_MAIL: Duration = Duration::from_secs(5);

/// How often the keys file is looked at.
const LOOK_AT_KEYS: Duration = Duration::from_secs(2);

/// Runs the server until it is told to stop.
pub(super) async fn run(options: ServeCommand) -> Result<(), CommandError> {
    start_logging(options.log_format)?;
    let stop = stop_signals()?;
    let limits = options.limits.as_deref().map(Limits::load).transpose()?.unwrap_or_default();
    // The port comes before any file: a second server by mistake touches nothing.
    allow_descriptors();
    let (address, listeners) = listen::for_people(&options.listen, options.public_url.as_deref()).await?;
    let metrics = match &options.metrics {
        Some(address) => Some(listen::at(address, "--metrics").await?),
        None => None,
    };
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "tokens travel unencrypted beyond this machine unless a TLS proxy stands in front");
    }

    let carrier = Carrier::new(&options.mail, options.mail_from)?;
    let place = files::place(options.database.as_ref())?;
    let keys_file = files::keys(options.keys, &place)?;
    let store = if options.no_migrate {
        files::open_ready(&place).await?
    } else {
        let (store, taken) = files::open_or_make(&place).await?;
        if !taken.is_empty() {
            tracing::info!(migrations = ?taken, "brought the database's schema up to date");
        }
        store
    };
    let files = match files::artifacts(options.files, &place) {
        Some(place) => Some(files::open_artifacts(&place).await?),
        None => None,
    };
    let clock: Arc<dyn TimeSource> = Arc::new(SystemClock);
    let keys = open_keys(&keys_file, options.new_keys, &store, clock.as_ref()).await?;
    let keys = KeyRing::following(&keys_file, keys);

    let housekeeping = Housekeeping {
        store: store.clone(),
        limits: limits.clone(),
        refresh_ttl: options.refresh_ttl,
        clock: Arc::clone(&clock),
    };
    let housekeeping = tokio::spawn(housekeeping.run());
    let wake = Arc::new(Notify::new());
    let sweep = ReportSweep {
        store: store.clone(),
        files: files.clone(),
        wake: Arc::clone(&wake),
        clock: Arc::clone(&clock),
    };
    let sweep = tokio::spawn(sweep.run());
    let resealing = tokio::spawn(reseal::run(store.clone(), keys.clone()));
    let following = tokio::spawn(follow_keys(keys.clone(), hangups()?));
    let reminder_mail = ReminderMail {
        store: store.clone(),
        keys: keys.clone(),
        carrier: carrier.clone(),
        clock: Arc::clone(&clock),
        look_every: LOOK_EVERY,
    };
    let (stop_reminders, reminders_stopped) = oneshot::channel::<()>();
    let reminder_mail = tokio::spawn(reminder_mail.run(async {
        let _ = reminders_stopped.await;
    }));
    let (outbox, waiting) = outbox();
    let mail = tokio::spawn(carrier.run(waiting, store.clone(), Arc::clone(&clock)));
    let public_url = options.public_url.unwrap_or_else(|| format!("http://{address}"));
    let sign_up = SignUpMode::unset(&public_url, address.ip(), !options.trusted_proxy.is_empty());
    let security_contact = (!options.security_contact.is_empty())
        .then_some(SecurityContact { contacts: options.security_contact, policy: options.security_policy });
    let app = Arc::new(AppState {
        store: store.clone(),
        keys,
        public_url,
        sign_up,
        security_contact,
        access: AccessTokens::new(options.issuer),
        policy: TokenPolicy {
            access_ttl: options.access_ttl,
            refresh_ttl: options.refresh_ttl,
            retry: options.retry.into(),
        },
        artifacts: files.map(|store| Artifacts {
            store,
            transfers: Transfers::new(limits.transfers, limits.transfers_of_one),
            sweep: wake,
        }),
        limits,
        trusted_proxies: options.trusted_proxy,
        outbox,
        clock,
    });

    let metrics = metrics.map(|listener| {
        tracing::info!(
            address = listener.local_addr().ok().map(tracing::field::display),
            "metrics are served"
        );
        tokio::spawn(serve(listener, http::metrics::router(&app), std::future::pending()))
    });
    // Connections are queued from here on, so this is already true.
    announce(&format!("listening on http://{address}"));
    let crowd = CrowdLimits {
        all: app.limits.connections as usize,
        of_one: app.limits.connections_per_ip as usize,
        trusted: app.trusted_proxies.clone(),
    };
    serve_all(listeners, router(app), crowd, stop).await;

    if let Some(metrics) = metrics {
        metrics.abort();
    }
    // The router is gone, and with it the outbox: what is left in it is still carried, and no new reminder is.
    drop(stop_reminders);
    let last_mail = async { tokio::join!(mail, reminder_mail) };
    if tokio::time::timeout(LAST_MAIL, last_mail).await.is_err() {
        tracing::warn!("some mail was not delivered");
    }
    housekeeping.abort();
    sweep.abort();
    resealing.abort();
    following.abort();
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Each connection takes a descriptor, and systems give a program few unless it asks.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    if setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).is_err() {
        tracing::warn!(limit = ?limit.current, "could not raise the limit of open files");
    }
}

async fn open_keys(
    path: &Path,
    new_keys: bool,
    store: &Database,
    clock: &dyn TimeSource,
) -> Result<KeyHistory, CommandError> {
    if let Some(keys) = file::load(path)? {
        if keys.current().es256.is_some() {
            return Ok(keys);
        }
        let keys = file::upgrade(path, clock.now())?;
        tracing::info!(file = %path.display(), key = keys.current().id, "added a key for id_tokens to the keys");
        return Ok(keys);
    }
    let failed = |error: crate::db::DbError| CommandError::new(error.to_string(), "Try again.");
    let used = store.begin().await.map_err(failed)?.has_users().await.map_err(failed)?;
    if used && !new_keys {
        return Err(CommandError::new(
            format!("the database has users, but its keys file {} is gone", path.display()),
            "Restore it from your backup, or name it with --keys; if it is lost for good, start with --new-keys.",
        ));
    }
    let keys = file::create(path, clock.now())?;
    tracing::info!(file = %path.display(), key = keys.current().id, "made new keys");
    Ok(keys)
}

fn start_logging(format: LogFormat) -> Result<(), CommandError> {
    let filter = match std::env::var("EVERKEY_LOG") {
        Ok(directives) => EnvFilter::try_new(&directives).map_err(|error| {
            CommandError::new(
                format!("EVERKEY_LOG is not a log filter: {error}"),
                "Set it to error, warn, info, debug or trace.",
            )
        })?,
        Err(_) => EnvFilter::new("info"),
    };
    // Statements carry hashes and addresses, and mail carries codes: never below a warning.
    let filter = ["sqlx=warn", "lettre=warn"]
        .iter()
        .filter_map(|directive| directive.parse().ok())
        .fold(filter, EnvFilter::add_directive);
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| RedactedWriter::new(io::stderr()));
    match format {
        LogFormat::Text => lines.with_ansi(false).init(),
        LogFormat::Json => lines.json().init(),
    }
    // A panic's message may hold anything, so only its place is told.
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(place = panic.location().map(ToString::to_string), "panicked");
    }));
    Ok(())
}

fn stop_signals() -> Result<impl Future<Output = ()>, CommandError> {
    let watch = |kind: SignalKind| -> Result<Signal, CommandError> {
        signal(kind)
            .map_err(|error| CommandError::new(format!("can't watch for signals: {error}"), "Try again."))
    };
    let (mut terminate, mut interrupt) = (watch(SignalKind::terminate())?, watch(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}

/// Looks at the keys file now and then, and when told to by SIGHUP.
async fn follow_keys(keys: KeyRing, mut hangups: Signal) {
    let mut period = tokio::time::interval(LOOK_AT_KEYS);
    loop {
        tokio::select! {
            _ = period.tick() => {}
            _ = hangups.recv() => {}
        }
        keys.reload();
    }
}

fn hangups() -> Result<Signal, CommandError> {
    signal(SignalKind::hangup())
        .map_err(|error| CommandError::new(format!("can't watch for signals: {error}"), "Try again."))
}

/// A closed stdout is no reason not to serve.
fn announce(line: &str) {
    let mut out = io::stdout().lock();
    if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
        tracing::warn!(%error, "could not print the address");
    }
}
