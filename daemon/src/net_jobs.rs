//! The network jobs: each a future that ends in what the core is told.

use crate::http::{self, HttpRequest, Parked};
use crate::provider::{BearerRequest, Descriptor, ProviderRoute};
use everkey_proto::Secret;
use everkey_reminder::{ReminderAnswer, ReminderCall, ReminderDone};
use everkey_session::At;
use everkey_session::Revocation;
use everkey_session::{Done, Identity, LoginAnswer, LoginCall, Probe, Refresh, RevokeAnswer};
use everkey_session::{NetKind, NetTrouble};

/// S1: makes the connection that a refresh token will be sent on.
pub async fn park(provider: &'static Descriptor, at: At) -> Result<Parked, NetTrouble> {
    match provider.refresh().and_then(|route| (route.target)(&at)) {
        Some(target) => http::park(&at.server, &target).await,
        None => Err(no_route(provider, at.server, "refresh")),
    }
}

/// S3 and S4: sends on the parked connection. Whatever goes wrong from here on leaves the outcome in doubt.
pub async fn send(
    provider: &'static Descriptor,
    parked: Parked,
    at: At,
    refresh: Secret,
    key: Secret,
    deadline: u64,
) -> Done {
    let unclear = |trouble| Done::Answered(Box::new(Refresh::Unclear(trouble)), None);
    let Some(route) = provider.refresh() else { return unclear(no_route(provider, at.server, "refresh")) };
    let Some(request) = route.request(&at, &refresh, &key, deadline) else {
        return unclear(no_route(provider, at.server, "refresh"));
    };
    match parked.send(request).await {
        Ok(answer) => Done::Answered(Box::new((route.read)(&answer)), answer.date),
        Err(trouble) => unclear(trouble),
    }
}

/// Asks how far a session has rotated.
pub async fn probe(provider: &'static Descriptor, at: At, access: Secret) -> Done {
    let Some((route, request)) = bearer(provider.probe.as_ref(), &at, &access) else {
        return Done::Probed(Probe::NoRoute, None);
    };
    match http::call(&at.server, request).await {
        Ok(answer) => Done::Probed((route.read)(&answer), answer.date),
        Err(trouble) => Done::Probed(Probe::Unclear(trouble), None),
    }
}

pub async fn login(provider: &'static Descriptor, server: String, call: LoginCall) -> Done {
    let answer = match (provider.login.request)(&call) {
        Some(request) => match http::call(&server, request).await {
            Ok(answer) => (provider.login.read)(&call, &answer),
            Err(trouble) => LoginAnswer::Net(trouble),
        },
        None => LoginAnswer::Net(no_route(provider, server, "login")),
    };
    Done::LoginAnswered(Box::new(answer))
}

/// Asks whose a token is.
pub async fn identify(provider: &'static Descriptor, at: At, access: Secret) -> Done {
    let Some((route, request)) = bearer(provider.identify.as_ref(), &at, &access) else {
        return Done::Identified(Identity::Untold);
    };
    Done::Identified(match http::call(&at.server, request).await {
        Ok(answer) => (route.read)(&answer),
        Err(trouble) => Identity::Net(trouble),
    })
}

/// Informs the server of a reminder.
pub async fn inform(provider: &'static Descriptor, call: ReminderCall) -> ReminderDone {
    let ReminderCall { at, access, due_at } = call;
    let Some(route) = &provider.remind else { return ReminderDone::Informed(ReminderAnswer::Refused) };
    ReminderDone::Informed(match http::call(&at.server, (route.request)(&access, due_at)).await {
        Ok(answer) => (route.read)(&answer),
        Err(trouble) => ReminderAnswer::Net(trouble),
    })
}

pub async fn revoke(provider: &'static Descriptor, revocation: Revocation) -> Done {
    let route = provider.revoke.as_ref();
    let Some((request, read)) = route.and_then(|route| Some(((route.request)(&revocation)?, route.read)))
    else {
        return Done::Revoked(RevokeAnswer::Refused);
    };
    Done::Revoked(match http::call(&revocation.at.server, request).await {
        Ok(answer) => read(&answer),
        Err(trouble) => RevokeAnswer::Net(trouble),
    })
}

/// A route and the request to it; none if provider or server lack the route, which is an answer too.
fn bearer<'a, Read>(
    route: Option<&'a ProviderRoute<BearerRequest, Read>>,
    at: &At,
    access: &Secret,
) -> Option<(&'a ProviderRoute<BearerRequest, Read>, HttpRequest)> {
    let route = route?;
    Some((route, (route.request)(at, access)?))
}

/// The core asks only for what a provider's policy offers, so this is a defect of everkey's own.
fn no_route(provider: &Descriptor, server: String, route: &str) -> NetTrouble {
    tracing::error!(provider = provider.kind.word(), server, route, "the provider has no such route");
    NetTrouble { server, kind: NetKind::NotTheContract }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::descriptor;
    use everkey_proto::ProviderKind;

    /// Nobody listens there: a request would end otherwise.
    const NOWHERE: &str = "http://127.0.0.1:1";

    #[tokio::test]
    async fn what_a_provider_lacks_is_never_sent() {
        let provider = descriptor(ProviderKind::DotAi);
        let at = || At { server: NOWHERE.into(), registration: None };
        let token = || Secret::new("t");
        let defect = || NetTrouble { server: NOWHERE.into(), kind: NetKind::NotTheContract };
        let revocation = Revocation {
            id: 1,
            at: at(),
            access: token(),
            access_expires_at: None,
            refresh: Some(token()),
            until: 2,
            user: None,
        };
        assert_eq!(park(provider, at()).await.err(), Some(defect()));
        assert_eq!(probe(provider, at(), token()).await, Done::Probed(Probe::NoRoute, None));
        assert_eq!(identify(provider, at(), token()).await, Done::Identified(Identity::Untold));
        assert_eq!(revoke(provider, revocation).await, Done::Revoked(RevokeAnswer::Refused));
        let call = LoginCall::RequestCode { email: "e@x".into() };
        let answer = login(provider, NOWHERE.into(), call).await;
        assert_eq!(answer, Done::LoginAnswered(Box::new(LoginAnswer::Net(defect()))));
    }
}
