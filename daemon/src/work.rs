//! The network jobs: each a future that ends in what the core is told.

use crate::http::{self, Parked};
use crate::provider::Provider;
use everkey_proto::Secret;
use everkey_session::event::{Done, LoginAnswer, LoginCall, Probe, Refresh, RevokeAnswer};
use everkey_session::record::Revocation;

/// S3 and S4: sends on the parked connection. Whatever goes wrong from here on leaves the outcome in doubt.
pub async fn send(provider: Provider, parked: Parked, refresh: Secret, key: Secret, deadline: u64) -> Done {
    match parked.send(provider.refresh(&refresh, &key, deadline)).await {
        Ok(answer) => Done::Answered(Box::new(provider.read_refresh(&answer)), answer.date),
        Err(trouble) => Done::Answered(Box::new(Refresh::Unclear(trouble)), None),
    }
}

/// Asks the session route.
pub async fn probe(provider: Provider, server: String, access: Secret) -> Done {
    match http::call(&server, provider.probe(&access)).await {
        Ok(answer) => Done::Probed(provider.read_probe(&answer), answer.date),
        Err(trouble) => Done::Probed(Probe::Unclear(trouble), None),
    }
}

/// Makes a call of a sign-in.
pub async fn login(provider: Provider, server: String, call: LoginCall) -> Done {
    Done::LoginAnswered(Box::new(match http::call(&server, provider.login(&call)).await {
        Ok(answer) => provider.read_login(&call, &answer),
        Err(trouble) => LoginAnswer::Net(trouble),
    }))
}

/// Tells the server that a session has ended.
pub async fn revoke(provider: Provider, revocation: Revocation) -> Done {
    Done::Revoked(match http::call(&revocation.server, provider.revoke(&revocation)).await {
        Ok(answer) => provider.read_revoke(&answer),
        Err(trouble) => RevokeAnswer::Net(trouble),
    })
}
