//! Sends a login code. Whether the address has an account is never looked at.

use std::time::Duration;

use uuid::Uuid;

use crate::actions::accounts::sign_up;
use crate::actions::limit::{NetworkLimit, room};
use crate::actions::server_error::ServerError;
use crate::actions::sign_in::error::SignInError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::codes::{GuessLedgers, NewCode};
use crate::db::throttle::ThrottleKind;
use crate::db::{DbError, Tx, retry};
use crate::digest::Digest;
use crate::limits::Limits;
use crate::mail::{Mail, MailContent};
use crate::metrics::METRICS;
use crate::rules::address::NetworkAddress;
use crate::rules::audit_event::AuditEvent;
use crate::rules::code_guess::{self, CodeLength, CodeOrigin, GuessLimits};
use crate::rules::email::Email;
use crate::rules::rate::{Rate, cool_down};
use crate::rules::request_code::{CodeRequestDecision, CodeRequestFacts, decide};
use crate::time::Timestamp;
use crate::tokens::code::LoginCode;

/// A code is on its way, or in the mailbox already.
#[derive(Clone, Copy, Debug)]
pub struct LoginCodeSent {
    pub expires_in: Duration,
    /// How long until another one may be asked for.
    pub resend_available_in: Duration,
}

/// Makes a code that belongs to the request with this hash, stores its hash, and leaves its mail in the outbox, whose
/// delivery is not waited for.
pub async fn request_code(
    app: &AppState,
    email: Email,
    request: Digest,
    client: NetworkAddress,
) -> Result<LoginCodeSent, SignInError> {
    // A place in the outbox comes first, so that no code is stored that can't be sent.
    let slot =
        app.outbox.reserve().ok_or_else(|| ServerError::Unavailable("the outbox is full".to_owned()))?;
    let asked = CodeRequest { app, email: &email, request, client, limits: &app.limits };
    let (sent, now) = retry(|| asked.carry_out()).await?;
    let expires_in = match sent {
        Sent::Letter(code) => {
            let name = app.pseudonym(&email);
            // Whoever may not sign up is told so by the letter alone.
            let content = if sign_up::admits_now(app, &email).await? {
                MailContent::Code { code, works_for: app.limits.code_ttl }
            } else {
                MailContent::NoAccount { site: app.public_url.clone() }
            };
            slot.send(Mail { name, to: email, content, at: now });
            app.limits.code_ttl
        }
        Sent::Shared { until } => until.since(now),
    };
    Ok(LoginCodeSent { expires_in, resend_available_in: app.limits.code_cooldown })
}

/// How often an email's codes may be guessed at.
pub(super) fn guess_limits(limits: &Limits) -> GuessLimits {
    GuessLimits { per_code: limits.guesses_per_code, per_email: limits.failures_per_email }
}

/// What was compared with an email's codes within the last day. A code is guessed at until it lapses.
pub(super) async fn ledgers(
    tx: &mut Tx,
    limits: &Limits,
    email: &Email,
    now: Timestamp,
) -> Result<GuessLedgers, DbError> {
    let since = now.minus(limits.failures_per_email.window).minus(limits.code_ttl);
    tx.guess_ledgers(email, limits.guesses_per_code, since).await
}

/// The wrong guesses from a network.
pub(super) fn wrong_from(limits: &Limits, from: NetworkAddress) -> NetworkLimit {
    NetworkLimit::new(ThrottleKind::WrongGuessFromIp, from, limits.failures_per_ip)
}

/// The wrong guesses from a network at one email's six-digit codes.
pub(super) fn wrong_at_email(limits: &Limits, from: NetworkAddress, email: &Email) -> NetworkLimit {
    let limit = limits.failures_per_email_and_ip;
    NetworkLimit::new(ThrottleKind::WrongGuessFromIpAtEmail, from, limit).about(email.as_str())
}

#[derive(Clone, Copy)]
struct CodeRequest<'a> {
    app: &'a AppState,
    email: &'a Email,
    request: Digest,
    client: NetworkAddress,
    limits: &'a Limits,
}

enum Sent {
    Letter(LoginCode),
    Shared { until: Timestamp },
}

impl CodeRequest<'_> {
    async fn carry_out(self) -> Result<(Sent, Timestamp), SignInError> {
        let Self { email, limits, client, .. } = self;
        let mut tx = self.app.store.begin().await?;
        let now = self.app.now();
        let since = now.minus(limits.familiar_for);
        let origin = tx.code_origin(email, &client.to_string(), since).await?;
        let mut asker = vec![
            NetworkLimit::new(ThrottleKind::CodeFromIpToEmail, client, limits.codes_per_email)
                .about(email.as_str()),
        ];
        // A neighbour who asks for others' codes is not in the way of those who sign in here always.
        if origin == CodeOrigin::New {
            asker.push(NetworkLimit::new(ThrottleKind::CodeFromIp, client, limits.codes_per_ip));
        }
        let facts = self.facts(&mut tx, origin, &asker, now).await?;
        let sent = match decide(facts, limits.code_ttl, now) {
            CodeRequestDecision::Wait { retry_after } => {
                return Err(SignInError::RateLimited { retry_after });
            }
            CodeRequestDecision::Send(length) => {
                Sent::Letter(self.store(&mut tx, origin, length, now).await?)
            }
            CodeRequestDecision::Share { until } => Sent::Shared { until },
        };
        for limit in &asker {
            limit.count(&mut tx, now).await?;
        }
        tx.commit().await?;
        Ok((sent, now))
    }

    async fn facts(
        self,
        tx: &mut Tx,
        origin: CodeOrigin,
        asker: &[NetworkLimit],
        now: Timestamp,
    ) -> Result<CodeRequestFacts, ServerError> {
        let Self { email, limits, client, .. } = self;
        let (mut allowed, mut is_first) = (Rate::Open, true);
        for (place, limit) in asker.iter().enumerate() {
            allowed = allowed.and(limit.room(tx, now).await?);
            if place == 0 {
                let pause = cool_down(limits.code_cooldown, limit.newest(tx).await?, now);
                if pause != Rate::Open {
                    METRICS.ceiling_refused("code_cooldown");
                }
                allowed = allowed.and(pause);
                is_first = limit.fewer_than(1, tx, now).await?;
            }
        }
        // Who asks again and again leaves half of the letters to those who ask for the first time.
        let factor = if is_first { 2 } else { 1 };
        let mut letters = Rate::Open;
        for limit in [limits.letters_per_email, limits.letters_per_email_daily] {
            letters =
                letters.and(room(tx, letters_from(origin), email.as_str(), limit.times(factor), now).await?);
        }
        let ledger = ledgers(tx, limits, email, now).await?.of(origin);
        let mut half = wrong_at_email(limits, client, email).half_room(tx, now).await?;
        half = half.and(wrong_from(limits, client).half_room(tx, now).await?);
        Ok(CodeRequestFacts {
            asker: allowed,
            letters,
            length: code_guess::length(guess_limits(limits), ledger, half),
            long_until: tx.long_code_until(email, now).await?,
        })
    }

    async fn store(
        self,
        tx: &mut Tx,
        origin: CodeOrigin,
        length: CodeLength,
        now: Timestamp,
    ) -> Result<LoginCode, ServerError> {
        let Self { app, email, limits, client, request } = self;
        let (code, id, key) = (LoginCode::random(length)?, Uuid::new_v4().to_string(), app.keys.current());
        let new = NewCode {
            email,
            id: &id,
            key_id: &key.id,
            hash: code.hash(&key, &id, email),
            length,
            request,
            network: &client.to_string(),
            origin,
            created_at: now,
            works_for: limits.code_ttl,
        };
        tx.put_code(&new).await?;
        // The longer of the two windows keeps what the shorter one counts.
        let daily = limits.letters_per_email_daily;
        tx.count_event(letters_from(origin), email.as_str(), daily, now).await?;
        let name = app.pseudonym(email);
        let detail = match length {
            CodeLength::Short => name,
            CodeLength::Long => format!("{name}, sixteen digits"),
        };
        let entry = AuditEntry {
            event: AuditEvent::CodeSent,
            session: None,
            generation: None,
            detail: Some(&detail),
        };
        tx.record(entry, now).await?;
        Ok(code)
    }
}

fn letters_from(origin: CodeOrigin) -> ThrottleKind {
    match origin {
        CodeOrigin::Familiar => ThrottleKind::CodeToFamiliar,
        CodeOrigin::New => ThrottleKind::CodeToEmail,
    }
}
