//! The network jobs: each is a future that ends in an input of the core.

use crate::client_source::ClientSource;
use crate::http::{self, HttpRequest, HttpResponse, Parked, without};
use crate::provider::proof::with_known_statuses;
use crate::provider::{BearerRequest, Descriptor, ProviderRoute};
use crate::refused_answers::{noted, noted_broken};
use everkey_config::network::NetworkSettings;
use everkey_proto::Secret;
use everkey_reminder::{ReminderAnswer, ReminderCall, ReminderDone};
use everkey_session::{
    AnswerFlaw, CallTarget, Identity, JobResult, LoginAnswer, LoginCall, NetError, NetErrorKind,
    PendingRevocation, ProbeAnswer, RefreshAnswer, RevokeAnswer, SendTerms,
};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// S1: makes the connection that a refresh token will be sent on.
pub async fn park(
    provider: &'static Descriptor,
    network: &NetworkSettings,
    client: &ClientSource,
    mut at: CallTarget,
) -> Result<Parked, NetError> {
    // Who can't prove who they are need not connect.
    client.update(&at.server, at.registration.as_mut()).await?;
    match provider.refresh().and_then(|route| (route.target)(&at)) {
        Some(target) => http::park(network, &at.server, &target).await,
        None => Err(no_route(provider, at.server, "refresh")),
    }
}

/// A refresh token on its way, with what holds for it.
pub struct RefreshSend {
    pub at: CallTarget,
    pub refresh: Secret,
    pub key: Secret,
    pub deadline: u64,
    pub terms: SendTerms,
}

/// S3 and S4: sends on the parked connection. Whatever goes wrong from here on leaves the outcome in doubt.
pub async fn send(
    provider: &'static Descriptor,
    client: &ClientSource,
    parked: Parked,
    send: RefreshSend,
) -> JobResult {
    let RefreshSend { mut at, refresh, key, deadline, terms } = send;
    let unclear = |error| JobResult::Answered(Box::new(RefreshAnswer::Unclear(error)), None);
    let Some(route) = provider.refresh() else { return unclear(no_route(provider, at.server, "refresh")) };
    if let Err(unsent) = client.update(&at.server, at.registration.as_mut()).await {
        return JobResult::Answered(Box::new(RefreshAnswer::Declined(unsent)), None);
    }
    let Some(request) = route.request(&at, &refresh, &key, deadline) else {
        return unclear(no_route(provider, at.server, "refresh"));
    };
    match parked.send(request, Duration::from_millis(terms.patience_ms)).await {
        Ok(answer) => {
            let read = with_known_statuses((route.read)(&at, &answer), answer.status, &terms.not_processed);
            let client_secret = at.registration.as_ref().and_then(|known| known.client_secret.as_ref());
            let read = noted("refresh", &answer, read);
            let read = unrepeated(read, [Some(&refresh), Some(&key), client_secret].into_iter().flatten());
            JobResult::Answered(Box::new(read), answer.date)
        }
        Err(error) => unclear(noted_broken("refresh", error)),
    }
}

/// The answer with none of these secrets in the server's words, should it repeat what it was sent.
fn unrepeated<'a>(read: RefreshAnswer, secrets: impl IntoIterator<Item = &'a Secret>) -> RefreshAnswer {
    let clean = |error: NetError| {
        let kind = match error.kind {
            NetErrorKind::Status(status, Some(words)) => {
                NetErrorKind::Status(status, Some(without(&words, secrets)))
            }
            NetErrorKind::ClientRefused(words) => NetErrorKind::ClientRefused(without(&words, secrets)),
            wordless => wordless,
        };
        NetError { kind, ..error }
    };
    match read {
        RefreshAnswer::RefusedInWords(error) => RefreshAnswer::RefusedInWords(clean(error)),
        RefreshAnswer::Declined(error) => RefreshAnswer::Declined(clean(error)),
        RefreshAnswer::Unclear(error) => RefreshAnswer::Unclear(clean(error)),
        wordless @ (RefreshAnswer::Granted(_)
        | RefreshAnswer::Foreign
        | RefreshAnswer::Refused
        | RefreshAnswer::Rotating
        | RefreshAnswer::Late) => wordless,
    }
}

/// Asks how far a session has rotated.
pub async fn probe(
    provider: &'static Descriptor,
    network: &NetworkSettings,
    at: CallTarget,
    access: Secret,
) -> JobResult {
    let Some((route, request)) = bearer(provider.probe.as_ref(), &at, &access) else {
        return JobResult::Probed(ProbeAnswer::NoRoute, None);
    };
    match http::call(network, &at.server, request).await {
        Ok(answer) => JobResult::Probed(noted("probe", &answer, (route.read)(&answer)), answer.date),
        Err(error) => JobResult::Probed(ProbeAnswer::Unclear(noted_broken("probe", error)), None),
    }
}

pub async fn login(
    provider: &'static Descriptor,
    network: &NetworkSettings,
    client: ClientSource,
    server: String,
    mut call: LoginCall,
) -> JobResult {
    if let Err(unsent) = client.update(&server, call.registration_mut()).await {
        return JobResult::LoginAnswered(Box::new(LoginAnswer::Net(unsent)));
    }
    let answer = match (provider.login.request)(&call) {
        Some(request) => match http::call(network, &server, request).await {
            Ok(answer) => noted(call.as_str(), &answer, (provider.login.read)(&call, &answer)),
            Err(error) => LoginAnswer::Net(noted_broken(call.as_str(), error)),
        },
        None => LoginAnswer::Net(no_route(provider, server, "login")),
    };
    JobResult::LoginAnswered(Box::new(answer))
}

/// Asks whose a token is, and what its tool shows beside that, as far as it comes in time.
pub async fn identify(
    provider: &'static Descriptor,
    network: &NetworkSettings,
    at: CallTarget,
    access: Secret,
) -> JobResult {
    let Some(tool) = provider.tool_status else {
        return JobResult::Identified(whose(provider, network, &at, &access).await);
    };
    let until = Instant::now() + tool.patience;
    let late = || NetError { server: at.server.clone(), kind: NetErrorKind::Timeout };
    let identity = timeout_at(until, whose(provider, network, &at, &access)).await;
    let (user, mut about) = match identity.unwrap_or_else(|_| Identity::Net(late())) {
        Identity::Accepted { user, about } => (user, about),
        // It may accept the token all the same.
        Identity::Untold => (None, BTreeMap::new()),
        other => return JobResult::Identified(other),
    };
    let known = about.len();
    let mut asked: JoinSet<_> = tool
        .routes
        .iter()
        .filter_map(|route| {
            Some(detail(network.clone(), at.server.clone(), (route.request)(&at, &access)?, route.read))
        })
        .collect();
    while let Ok(Some(told)) = timeout_at(until, asked.join_next()).await {
        about.extend(told.unwrap_or_default());
    }
    let accepted = user.is_some() || about.len() > known;
    JobResult::Identified(if accepted { Identity::Accepted { user, about } } else { Identity::Untold })
}

async fn detail(
    network: NetworkSettings,
    server: String,
    request: HttpRequest,
    read: fn(&HttpResponse) -> BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    http::call(&network, &server, request).await.map(|answer| read(&answer)).unwrap_or_default()
}

async fn whose(
    provider: &'static Descriptor,
    network: &NetworkSettings,
    at: &CallTarget,
    access: &Secret,
) -> Identity {
    let Some((route, request)) = bearer(provider.identify.as_ref(), at, access) else {
        return Identity::Untold;
    };
    match http::call(network, &at.server, request).await {
        Ok(answer) => noted("identify", &answer, (route.read)(&answer)),
        Err(error) => Identity::Net(noted_broken("identify", error)),
    }
}

/// Informs the server of a reminder.
pub async fn inform(
    provider: &'static Descriptor,
    network: &NetworkSettings,
    call: ReminderCall,
) -> ReminderDone {
    let ReminderCall { at, access, due_at } = call;
    let Some(route) = &provider.remind else { return ReminderDone::Informed(ReminderAnswer::Refused) };
    ReminderDone::Informed(match http::call(network, &at.server, (route.request)(&access, due_at)).await {
        Ok(answer) => (route.read)(&answer),
        Err(error) => ReminderAnswer::Net(error),
    })
}

pub async fn revoke(
    provider: &'static Descriptor,
    network: &NetworkSettings,
    client: ClientSource,
    mut revocation: PendingRevocation,
) -> JobResult {
    let at = &mut revocation.at;
    if let Err(unsent) = client.update(&at.server, at.registration.as_mut()).await {
        return JobResult::Revoked(RevokeAnswer::Net(unsent));
    }
    if let Err(answer) = find_revocation(provider, network, at).await {
        return JobResult::Revoked(answer);
    }
    let route = provider.revoke.as_ref();
    let Some((request, read)) = route.and_then(|route| Some(((route.request)(&revocation)?, route.read)))
    else {
        return JobResult::Revoked(RevokeAnswer::NoRoute);
    };
    JobResult::Revoked(match http::call(network, &revocation.at.server, request).await {
        Ok(answer) => without_secrets(noted("revoke", &answer, read(&answer)), &revocation),
        Err(error) => RevokeAnswer::Net(noted_broken("revoke", error)),
    })
}

/// Asks the server where it revokes, if it has to be asked.
async fn find_revocation(
    provider: &'static Descriptor,
    network: &NetworkSettings,
    at: &mut CallTarget,
) -> Result<(), RevokeAnswer> {
    let Some(find) = &provider.find_revocation else { return Ok(()) };
    let request = (find.request)(at).ok_or(RevokeAnswer::NoRoute)?;
    let answer = http::call(network, &at.server, request).await;
    let answer = answer.map_err(|error| RevokeAnswer::Net(noted_broken("find_revocation", error)))?;
    let endpoint = (find.read)(&answer).map_err(|why| noted("find_revocation", &answer, why))?;
    if let Some(known) = &mut at.registration {
        known.endpoints.revocation = Some(endpoint);
    }
    Ok(())
}

/// A server's own word is shown to people, so one that repeats what it was sent is left out.
fn without_secrets(answer: RevokeAnswer, revocation: &PendingRevocation) -> RevokeAnswer {
    let client = revocation.at.registration.as_ref().and_then(|known| known.client_secret.as_ref());
    let mut sent = [Some(&revocation.access), revocation.refresh.as_ref(), client].into_iter().flatten();
    match answer {
        RevokeAnswer::Declined(code) if sent.any(|secret| code.contains(secret.expose())) => {
            RevokeAnswer::Declined("it repeats a secret".to_owned())
        }
        other => other,
    }
}

/// A route and the request to it; none if provider or server lack the route, which is an answer too.
fn bearer<'a, Read>(
    route: Option<&'a ProviderRoute<BearerRequest, Read>>,
    at: &CallTarget,
    access: &Secret,
) -> Option<(&'a ProviderRoute<BearerRequest, Read>, HttpRequest)> {
    let route = route?;
    Some((route, (route.request)(at, access)?))
}

/// The core asks only for what a provider's policy offers, so this is a defect of everkey's own.
fn no_route(provider: &Descriptor, server: String, route: &str) -> NetError {
    tracing::error!(provider = provider.kind.as_str(), server, route, "the provider has no such route");
    NetError { server, kind: AnswerFlaw::NeverAsked.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Configuration;
    use crate::provider::descriptor;
    use everkey_config::ProviderKind;

    /// Nobody listens there: a request would end otherwise.
    const NOWHERE: &str = "http://127.0.0.1:1";

    fn revocation(at: CallTarget) -> PendingRevocation {
        PendingRevocation {
            id: 1,
            at,
            access: Secret::new("t"),
            access_expires_at: None,
            refresh: Some(Secret::new("t")),
            until: 2,
            user: None,
        }
    }

    #[test]
    fn an_error_code_that_repeats_a_token_is_not_shown() {
        let at = CallTarget { server: NOWHERE.into(), registration: None };
        let (access, refresh) = (Secret::new("a-1"), Some(Secret::new("r-1")));
        let revocation = PendingRevocation { access, refresh, ..revocation(at) };
        let shown = |code: &str| match without_secrets(RevokeAnswer::Declined(code.into()), &revocation) {
            RevokeAnswer::Declined(code) => code,
            other => panic!("{other:?}"),
        };
        assert_eq!(shown("invalid_client"), "invalid_client");
        for hostile in ["a-1", "unknown:r-1"] {
            assert!(!shown(hostile).contains("-1"), "{hostile}");
        }
    }

    #[tokio::test]
    async fn what_a_provider_lacks_is_never_sent() {
        let provider = descriptor(ProviderKind::DotAi);
        let network = &NetworkSettings::default();
        let at = || CallTarget { server: NOWHERE.into(), registration: None };
        let token = || Secret::new("t");
        let defect = || NetError { server: NOWHERE.into(), kind: AnswerFlaw::NeverAsked.into() };
        let revocation = revocation(at());
        let dir = tempfile::tempdir().unwrap();
        let configuration = Configuration::in_folder(dir.path());
        let client = ClientSource { configuration, profile: "dot-ai".into(), known: None };
        assert_eq!(park(provider, network, &client, at()).await.err(), Some(defect()));
        assert_eq!(
            probe(provider, network, at(), token()).await,
            JobResult::Probed(ProbeAnswer::NoRoute, None)
        );
        assert_eq!(identify(provider, network, at(), token()).await, JobResult::Identified(Identity::Untold));
        assert_eq!(
            revoke(provider, network, client.clone(), revocation).await,
            JobResult::Revoked(RevokeAnswer::NoRoute)
        );
        let call = LoginCall::RequestCode { email: "e@x".into() };
        let answer = login(provider, network, client, NOWHERE.into(), call).await;
        assert_eq!(answer, JobResult::LoginAnswered(Box::new(LoginAnswer::Net(defect()))));
    }
}
