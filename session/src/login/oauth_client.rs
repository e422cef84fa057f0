//! What the OAuth schemes have in common: how a client comes to know its server, and how it learns who signed in.

use crate::answer_flaw::AnswerFlaw;
use crate::error::{Error, NetError, NetErrorKind, Rejected};
use crate::identity::Identity;
use crate::kept_clients::{ClientNews, KeptClient};
use crate::login::next_step::NextStep;
use crate::login_call::{LoginAnswer, LoginCall, WellKnown};
use crate::policy::{CallbackAddress, CallbackPort, Discovery, OauthClient};
use crate::registration::{AuthMethod, Endpoints, Registration};
use crate::token_response::TokenResponse;
use everkey_proto::SignInMethod;
use everkey_proto::server_url::normal_server;

/// How a sign-in asks its server where the endpoints are.
#[derive(Debug)]
pub struct Discovering {
    issuer: String,
    scheme: SignInMethod,
    place: WellKnown,
    /// What was wrong with metadata that was there.
    odd: Option<NetError>,
}

impl Discovering {
    /// The first place is OpenID Connect's, since most servers have it.
    pub fn begin(oauth: &OauthClient, server: &str, scheme: SignInMethod) -> Self {
        let exact = Some(&oauth.issuer).filter(|issuer| normal_server(issuer) == server);
        let issuer = exact.map_or(server, String::as_str).to_owned();
        Self { issuer, scheme, place: WellKnown::OpenId, odd: None }
    }

    /// The question.
    pub fn ask(&self) -> NextStep {
        let (issuer, place, scheme) = (self.issuer.clone(), self.place, self.scheme);
        NextStep::Call(LoginCall::Discover { issuer, place, scheme })
    }

    /// Where to ask next if this says that nothing is here, or why nobody need be asked any more.
    pub fn elsewhere(self, net: NetError) -> Result<Self, Error> {
        let next = self.place.next(&self.issuer).filter(|_| is_absent(&net.kind));
        let is_object =
            matches!(&net.kind, NetErrorKind::NotTheContract(answer) if !answer.flaw.is_of_no_object());
        match next {
            Some(place) => Ok(Self { place, odd: self.odd.or(is_object.then_some(net)), ..self }),
            None => Err(Error::Net(self.odd.unwrap_or(net))),
        }
    }

    /// Why metadata that can't be used ends it: what was wrong with any that was there says more than that it is nowhere.
    pub fn refused(self, rejected: Rejected) -> Error {
        match (rejected, self.odd) {
            (Rejected::Metadata(_), Some(odd)) => Error::Net(odd),
            (rejected, _) => Error::Rejected(rejected),
        }
    }
}

/// Whether a server may have nothing where it answers so.
fn is_absent(error: &NetErrorKind) -> bool {
    match error {
        NetErrorKind::Status(status, _) => (400..500).contains(status),
        // Many a server shows a page of its own, or sends to one, where it has nothing.
        NetErrorKind::NotTheContract(_) | NetErrorKind::Redirect => true,
        NetErrorKind::Connect(_)
        | NetErrorKind::Timeout
        | NetErrorKind::Broken
        | NetErrorKind::Cut
        | NetErrorKind::ClientRefused(_)
        | NetErrorKind::OtherSession
        | NetErrorKind::Rotating
        | NetErrorKind::Late
        | NetErrorKind::Limited(_)
        | NetErrorKind::ClientUnusable(_) => false,
    }
}

/// What is asked for where the server offers it.
const USUAL_SCOPES: [&str; 4] = ["openid", "email", "profile", "offline_access"];

/// The endpoints, if they are known without asking.
pub fn endpoints(oauth: &OauthClient, server: &str) -> Option<Endpoints> {
    let at = |path: &str| format!("{server}{path}");
    match &oauth.discovery {
        Discovery::Metadata => None,
        Discovery::Given(endpoints) => Some(endpoints.clone()),
        Discovery::UsualPaths => Some(Endpoints {
            issuer: server.to_owned(),
            token: at("/token"),
            authorization: Some(at("/authorize")),
            registration: Some(at("/register")),
            ..Endpoints::default()
        }),
    }
}

/// The registration, if the server gave an id beforehand.
pub fn known(oauth: &OauthClient, endpoints: &Endpoints) -> Option<Registration> {
    Some(for_grant(oauth, Registration::configured(oauth.client_id.as_deref()?, endpoints)))
}

/// The registration with what the grant that is asked for now is to be good for.
pub fn for_grant(oauth: &OauthClient, registration: Registration) -> Registration {
    Registration { resources: oauth.resources.clone(), ..registration }
}

/// The client that this server registered for an earlier sign-in like this one.
pub fn kept(oauth: &OauthClient, endpoints: &Endpoints, redirect: Option<&str>) -> Option<Registration> {
    let scope = scope(oauth, endpoints);
    let kept = oauth.kept.iter().find(|kept| kept.fits(endpoints, redirect, scope.as_deref()))?;
    Some(for_grant(oauth, Registration { endpoints: endpoints.clone(), ..kept.registration.clone() }))
}

/// Where to listen: where an earlier client is known to, if there is one, since many servers compare ports, too.
pub fn callback(oauth: &OauthClient, endpoints: &Endpoints) -> CallbackAddress {
    let usual = &oauth.callback;
    let port = |kept: &KeptClient| {
        let redirect = kept.redirect.as_deref()?;
        self::kept(oauth, endpoints, Some(redirect)).and_then(|_| usual.port_of(redirect))
    };
    let before = oauth.kept.iter().find_map(port);
    match (usual.port, before) {
        (CallbackPort::Free, Some(port)) if oauth.client_id.is_none() => {
            CallbackAddress { port: CallbackPort::Rather(port), ..usual.clone() }
        }
        _ => usual.clone(),
    }
}

/// What to keep of a new registration; none where each sign-in has its own.
pub fn registered(
    oauth: &OauthClient,
    registration: &Registration,
    redirect: Option<String>,
) -> Option<ClientNews> {
    let scope = scope(oauth, &registration.endpoints);
    let kept = KeptClient { registration: registration.clone(), redirect, scope };
    (!oauth.registers_anew).then(|| ClientNews::Registered(Box::new(kept)))
}

/// Whether a server says that it does not know the client, or not for this any more (RFC 6749 sections 4.1.2.1, 5.2).
pub fn is_unknown(rejected: &Rejected) -> bool {
    matches!(rejected, Rejected::Other(code) if code == "invalid_client" || code == "unauthorized_client")
}

/// Asks to be registered; a server without a route for that wants to know its clients beforehand.
pub fn register(oauth: &OauthClient, endpoints: &Endpoints, redirect: Option<String>) -> NextStep {
    if endpoints.registration.is_none() {
        return NextStep::Fail(Error::Rejected(Rejected::NoClient));
    }
    let ways = &endpoints.client_auth;
    if !ways.is_empty() && ways.iter().all(|way| *way == AuthMethod::PrivateKeyJwt) {
        let why = "it takes only clients with a private key, and this profile has none";
        return NextStep::Fail(Error::Rejected(Rejected::Metadata(why.to_owned())));
    }
    let scope = scope(oauth, endpoints);
    NextStep::Call(LoginCall::Register { endpoints: endpoints.clone(), redirect, scope })
}

/// The server would not register this client, or made no sense.
pub fn not_registered(server: &str, answer: LoginAnswer) -> NextStep {
    match answer {
        LoginAnswer::Rejected(Rejected::Other(code)) => refused(code),
        LoginAnswer::Rejected(Rejected::Denied) => refused("access_denied".to_owned()),
        LoginAnswer::Rejected(rejected) => NextStep::Fail(Error::Rejected(rejected)),
        LoginAnswer::Limited(secs) => NextStep::Fail(Error::RateLimited { secs }),
        LoginAnswer::Net(NetError { kind: NetErrorKind::Status(status, words), .. }) => {
            let words = words.map(|words| format!(": {words}")).unwrap_or_default();
            refused(format!("status {status}{words}"))
        }
        LoginAnswer::Net(net) => NextStep::Fail(Error::Net(net)),
        LoginAnswer::CodeSent { .. }
        | LoginAnswer::SecondFactorAsked
        | LoginAnswer::Granted(_)
        | LoginAnswer::Discovered(_)
        | LoginAnswer::Registered(_)
        | LoginAnswer::DeviceStarted { .. }
        | LoginAnswer::Pending
        | LoginAnswer::SlowDown
        | LoginAnswer::Identified(_) => no_answer(server),
    }
}

fn refused(why: String) -> NextStep {
    NextStep::Fail(Error::Rejected(Rejected::Registration(why)))
}

/// What to ask for: what was configured, else those of the usual scopes that the server says it has.
pub fn scope(oauth: &OauthClient, endpoints: &Endpoints) -> Option<String> {
    let offered = |scope: &&str| endpoints.scopes.iter().any(|one| one == scope);
    let usual: Vec<_> = USUAL_SCOPES.into_iter().filter(offered).collect();
    oauth.scope.clone().or_else(|| (!usual.is_empty()).then(|| usual.join(" ")))
}

/// The question whose the tokens are, if they don't say enough and the server has a route for it.
pub fn identify(registration: Option<&Registration>, tokens: &TokenResponse) -> Option<LoginCall> {
    let registration = registration?;
    let known = tokens.user.as_ref().is_some_and(|user| !user.email.is_empty());
    let ask = !known && registration.endpoints.userinfo.is_some();
    ask.then(|| LoginCall::Identify {
        registration: Some(registration.clone()),
        access: tokens.access.clone(),
    })
}

/// The tokens with what the server says of their user; another user than the tokens' own is an attack or a defect
/// (OpenID Connect Core, 5.3.2). A server that says nothing is no reason to give the tokens back.
pub fn identified(server: &str, tokens: &TokenResponse, answer: LoginAnswer) -> Result<TokenResponse, Error> {
    let mut tokens = tokens.clone();
    if let LoginAnswer::Identified(Identity::Accepted { user: Some(user), about }) = answer {
        if tokens.user.as_ref().is_some_and(|before| before.id != user.id) {
            let server = server.to_owned();
            return Err(Error::Net(NetError { server, kind: NetErrorKind::OtherSession }));
        }
        tokens.user = Some(user);
        tokens.about.extend(about);
    }
    Ok(tokens)
}

/// An answer to another question, or none that helps.
pub fn no_answer(server: &str) -> NextStep {
    let server = server.to_owned();
    NextStep::Fail(Error::Net(NetError { server, kind: AnswerFlaw::OffTopic.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(issuer: &str, server: &str) -> Discovering {
        let oauth = OauthClient { issuer: issuer.to_owned(), ..OauthClient::default() };
        Discovering::begin(&oauth, server, SignInMethod::Device)
    }

    #[test]
    fn the_issuer_is_asked_for_as_it_was_configured() {
        for (issuer, server, exact) in [
            ("https://a/", "https://a", "https://a/"),
            ("https://a", "https://a", "https://a"),
            ("", "https://a", "https://a"),
            ("https://a/", "https://b", "https://b"),
        ] {
            let NextStep::Call(LoginCall::Discover { issuer: asked, .. }) = asked(issuer, server).ask()
            else {
                panic!("it asks")
            };
            assert_eq!(asked, exact, "{issuer} {server}");
        }
    }

    fn after(asked: Discovering, kind: NetErrorKind) -> Result<Discovering, Error> {
        asked.elsewhere(NetError { server: "https://a".to_owned(), kind })
    }

    #[test]
    fn metadata_is_sought_elsewhere_only_if_it_is_absent() {
        for absent in [
            NetErrorKind::Status(404, None),
            NetErrorKind::Status(403, None),
            AnswerFlaw::NotJson.into(),
            NetErrorKind::Redirect,
        ] {
            let second = after(asked("", "https://a"), absent.clone()).unwrap();
            assert_eq!(second.place, WellKnown::OAuth, "{absent:?}");
            assert!(after(second, absent.clone()).is_err(), "{absent:?}");
            let second = after(asked("", "https://a/tenant"), absent.clone()).unwrap();
            let third = after(second, absent.clone()).unwrap();
            assert_eq!(third.place, WellKnown::OpenIdOfPath, "{absent:?}");
            assert!(after(third, absent.clone()).is_err(), "{absent:?}");
        }
        for error in [
            NetErrorKind::Status(500, None),
            NetErrorKind::Timeout,
            NetErrorKind::Broken,
            NetErrorKind::Limited(1),
        ] {
            assert!(after(asked("", "https://a"), error.clone()).is_err(), "{error:?}");
        }
    }

    #[test]
    fn what_was_wrong_with_metadata_outlives_its_absence_elsewhere() {
        let odd: NetErrorKind = AnswerFlaw::Missing("issuer".to_owned()).into();
        let told = Error::Net(NetError { server: "https://a".to_owned(), kind: odd.clone() });
        let second = || after(asked("", "https://a"), odd.clone()).unwrap();
        assert_eq!(after(second(), NetErrorKind::Status(403, None)).unwrap_err(), told);
        assert_eq!(second().refused(Rejected::Metadata("it has none".to_owned())), told);
        let first = asked("", "https://a").refused(Rejected::Metadata("odd".to_owned()));
        assert_eq!(first, Error::Rejected(Rejected::Metadata("odd".to_owned())));
    }
}
