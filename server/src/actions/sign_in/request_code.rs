//! Sends a login code. Whether the address has an account is never looked at.

use std::time::Duration;

use uuid::Uuid;

use crate::actions::accounts::sign_up;
use crate::actions::server_error::ServerError;
use crate::actions::sign_in::error::SignInError;
use crate::app::AppState;
use crate::db::audit::AuditEntry;
use crate::db::retry;
use crate::db::throttle::ThrottleKind;
use crate::mail::{Mail, MailContent};
use crate::rules::address::NetworkAddress;
use crate::rules::audit_event::AuditEvent;
use crate::rules::email::Email;
use crate::rules::rate::Rate;
use crate::rules::request_code::{CodeLimits, CodeRequestFacts, decide};
use crate::time::Timestamp;
use crate::tokens::code::LoginCode;

/// A code is on its way.
#[derive(Clone, Copy, Debug)]
pub struct LoginCodeSent {
    pub expires_in: Duration,
    /// How long until another one may be asked for.
    pub resend_available_in: Duration,
}

/// Makes a code, stores its hash, and leaves its mail in the outbox, whose delivery is not waited for.
pub async fn request_code(
    app: &AppState,
    email: Email,
    client: NetworkAddress,
) -> Result<LoginCodeSent, SignInError> {
    // A place in the outbox comes first, so that no code is stored that can't be sent.
    let slot =
        app.outbox.reserve().ok_or_else(|| ServerError::Unavailable("the outbox is full".to_owned()))?;
    let (code, now) = retry(|| store(app, &email, client)).await?;
    let name = app.pseudonym(&email);
    // Whoever may not sign up is told so by the letter alone.
    let content = if sign_up::admits_now(app, &email).await? {
        MailContent::Code { code, works_for: app.limits.code_ttl }
    } else {
        MailContent::NoAccount { site: app.public_url.clone() }
    };
    slot.send(Mail { name, to: email, content, at: now });
    Ok(LoginCodeSent { expires_in: app.limits.code_ttl, resend_available_in: app.limits.code_cooldown })
}

async fn store(
    app: &AppState,
    email: &Email,
    client: NetworkAddress,
) -> Result<(LoginCode, Timestamp), SignInError> {
    let (limits, from) = (&app.limits, client.to_string());
    let mut tx = app.store.begin().await?;
    let now = app.now();
    let facts = CodeRequestFacts {
        last_for_email: tx.nth_newest(ThrottleKind::CodeToEmail, email.as_str(), 1).await?,
        nth_for_email: tx
            .nth_newest(ThrottleKind::CodeToEmail, email.as_str(), limits.codes_per_email.max)
            .await?,
        nth_for_ip: tx.nth_newest(ThrottleKind::CodeFromIp, &from, limits.codes_per_ip.max).await?,
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
    tx.count_event(ThrottleKind::CodeToEmail, email.as_str(), limits.codes_per_email, now).await?;
    tx.count_event(ThrottleKind::CodeFromIp, &from, limits.codes_per_ip, now).await?;
    let name = app.pseudonym(email);
    tx.record(
        AuditEntry { event: AuditEvent::CodeSent, session: None, generation: None, detail: Some(&name) },
        now,
    )
    .await?;
    tx.commit().await?;
    Ok((code, now))
}
