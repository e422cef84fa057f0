//! The network jobs: each a future that ends in what the core is told.

use crate::http::{self, Parked};
use crate::provider::Provider;
use everkey_proto::Secret;
use everkey_session::job::{
    Done, Identity, LoginAnswer, LoginCall, Probe, Refresh, ReminderAnswer, RevokeAnswer,
};
use everkey_session::record::Revocation;
use everkey_session::registration::At;
use everkey_session::trouble::{NetKind, NetTrouble};

/// S1: makes the connection that a refresh token will be sent on.
pub async fn park(provider: Provider, at: At) -> Result<Parked, NetTrouble> {
    http::park(&at.server, &provider.refresh_target(&at)).await
}

/// S3 and S4: sends on the parked connection. Whatever goes wrong from here on leaves the outcome in doubt.
pub async fn send(
    provider: Provider,
    parked: Parked,
    at: At,
    refresh: Secret,
    key: Secret,
    deadline: u64,
) -> Done {
    match parked.send(provider.refresh(&at, &refresh, &key, deadline)).await {
        Ok(answer) => Done::Answered(Box::new(provider.read_refresh(&answer)), answer.date),
        Err(trouble) => Done::Answered(Box::new(Refresh::Unclear(trouble)), None),
    }
}

/// Asks the session route.
pub async fn probe(provider: Provider, at: At, access: Secret) -> Done {
    let Some(call) = provider.probe(&at, &access) else { return Done::Probed(Probe::NoRoute, None) };
    match http::call(&at.server, call).await {
        Ok(answer) => Done::Probed(provider.read_probe(&answer), answer.date),
        Err(trouble) => Done::Probed(Probe::Unclear(trouble), None),
    }
}

/// Makes a call of a sign-in.
pub async fn login(provider: Provider, server: String, call: LoginCall) -> Done {
    let answer = match provider.login(&server, &call) {
        Some(request) => match http::call(&server, request).await {
            Ok(answer) => provider.read_login(&call, &answer),
            Err(trouble) => LoginAnswer::Net(trouble),
        },
        // The core asks only what the provider's schemes need.
        None => LoginAnswer::Net(NetTrouble { server, kind: NetKind::NotTheContract }),
    };
    Done::LoginAnswered(Box::new(answer))
}

/// Asks whose a token is.
pub async fn identify(provider: Provider, at: At, access: Secret) -> Done {
    let Some(call) = provider.identify(&at, &access) else { return Done::Identified(Identity::Untold) };
    Done::Identified(match http::call(&at.server, call).await {
        Ok(answer) => provider.read_identity(&answer),
        Err(trouble) => Identity::Net(trouble),
    })
}

/// Tells the server of a reminder.
pub async fn tell_reminder(provider: Provider, at: At, access: Secret, due_at: Option<u64>) -> Done {
    let Some(call) = provider.remind(&access, due_at) else {
        return Done::ReminderTold(ReminderAnswer::Refused);
    };
    Done::ReminderTold(match http::call(&at.server, call).await {
        Ok(answer) => provider.read_reminded(&answer),
        Err(trouble) => ReminderAnswer::Net(trouble),
    })
}

/// Tells the server that a session has ended.
pub async fn revoke(provider: Provider, revocation: Revocation) -> Done {
    let Some(call) = provider.revoke(&revocation) else { return Done::Revoked(RevokeAnswer::Refused) };
    Done::Revoked(match http::call(&revocation.at.server, call).await {
        Ok(answer) => provider.read_revoke(&answer),
        Err(trouble) => RevokeAnswer::Net(trouble),
    })
}
