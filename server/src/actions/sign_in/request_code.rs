//! Sends a login code. Whether the address has an account is never looked at.

use std::time::Duration;

use uuid::Uuid;

use crate::actions::server_error::ServerError;
use crate::actions::sign_in::error::SignInError;
use crate::app::App;
use crate::db::audit::Entry;
use crate::db::retry;
use crate::db::throttle::Kind;
use crate::mail::{Mail, Says};
use crate::rules::address::Client;
use crate::rules::audit_event::AuditEvent;
use crate::rules::email::Email;
use crate::rules::rate::Rate;
use crate::rules::request_code::{CodeLimits, Facts, decide};
use crate::time::Moment;
use crate::tokens::code::LoginCode;

/// A code is on its way.
#[derive(Clone, Copy, Debug)]
pub struct CodeSent {
    /// How long the code works.
    pub expires_in: Duration,
    /// How long until another one may be asked for.
    pub resend_available_in: Duration,
}

/// Makes a code, stores its hash, and leaves its mail in the outbox, whose delivery is not waited for.
pub async fn request_code(app: &App, email: Email, client: Client) -> Result<CodeSent, SignInError> {
    // A place in the outbox comes first, so that no code is stored that can't be sent.
    let slot =
        app.outbox.reserve().ok_or_else(|| ServerError::Unavailable("the outbox is full".to_owned()))?;
    let (code, now) = retry(|| store(app, &email, client)).await?;
    let name = app.pseudonym(&email);
    let says = Says::Code { code, works_for: app.limits.code_ttl };
    slot.send(Mail { name, to: email, says, at: now });
    Ok(CodeSent { expires_in: app.limits.code_ttl, resend_available_in: app.limits.code_cooldown })
}

async fn store(app: &App, email: &Email, client: Client) -> Result<(LoginCode, Moment), SignInError> {
    let (limits, from) = (&app.limits, client.to_string());
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let facts = Facts {
        last_for_email: tx.nth_newest(Kind::CodeToEmail, email.as_str(), 1).await?,
        nth_for_email: tx.nth_newest(Kind::CodeToEmail, email.as_str(), limits.codes_per_email.max).await?,
        nth_for_ip: tx.nth_newest(Kind::CodeFromIp, &from, limits.codes_per_ip.max).await?,
    };
    let asked = CodeLimits {
        cooldown: limits.code_cooldown,
        per_email: limits.codes_per_email,
        per_ip: limits.codes_per_ip,
    };
    if let Rate::Full { retry_after } = decide(asked, facts, now) {
        return Err(SignInError::RateLimited { retry_after });
    }

    let (code, id, key) = (LoginCode::random()?, Uuid::new_v4().to_string(), app.keys.current());
    tx.put_code(email, &id, &key.id, &code.hash(&key, &id, email), now.plus(limits.code_ttl)).await?;
    tx.count_event(Kind::CodeToEmail, email.as_str(), limits.codes_per_email, now).await?;
    tx.count_event(Kind::CodeFromIp, &from, limits.codes_per_ip, now).await?;
    let name = app.pseudonym(email);
    tx.record(
        Entry { event: AuditEvent::CodeSent, session: None, generation: None, detail: Some(&name) },
        now,
    )
    .await?;
    tx.commit().await?;
    Ok((code, now))
}
