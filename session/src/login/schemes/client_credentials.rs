//! A client that signs in as itself, for machines and CI (RFC 6749 section 4.4): nobody is asked anything, and there is no
//! refresh token, since the client can ask again.

use crate::error::{Error, Rejected};
use crate::journal::Capability;
use crate::login::next_step::NextStep;
use crate::login::oauth_client as client;
use crate::login_call::{LoginAnswer, LoginCall};
use crate::policy::OauthClient;
use crate::registration::{Endpoints, Registration};
use crate::token_response::TokenResponse;
use everkey_proto::SignInMethod;

/// How long it may take, in seconds.
pub const PATIENCE_SECS: u64 = 60;

/// Where it stands.
#[derive(Debug)]
pub(crate) struct ClientCredentials {
    server: String,
    oauth: OauthClient,
    registration: Option<Registration>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Discovering(client::Discovering),
    Asking,
    Over,
}

impl ClientCredentials {
    pub fn begin(server: &str, oauth: Option<&OauthClient>) -> (Self, NextStep) {
        let oauth = oauth.cloned().unwrap_or_default();
        let mut this =
            Self { server: server.to_owned(), oauth: oauth.clone(), registration: None, stage: Stage::Over };
        let first = match client::endpoints(&oauth, server) {
            Some(endpoints) => this.discovered(&endpoints),
            None => this.discover(client::Discovering::begin(&oauth, server, SignInMethod::Client)),
        };
        (this, first)
    }

    pub fn resume(&mut self, answer: LoginAnswer) -> NextStep {
        match (std::mem::replace(&mut self.stage, Stage::Over), answer) {
            (Stage::Discovering(_), LoginAnswer::Discovered(endpoints)) => self.discovered(&endpoints),
            (Stage::Discovering(asked), LoginAnswer::Net(net)) => match asked.elsewhere(net) {
                Ok(next) => self.discover(next),
                Err(error) => NextStep::Fail(error),
            },
            (Stage::Discovering(asked), LoginAnswer::Rejected(rejected)) => {
                NextStep::Fail(asked.refused(rejected))
            }
            (Stage::Asking, LoginAnswer::Granted(tokens)) => self.granted(tokens),
            (Stage::Asking, LoginAnswer::Rejected(Rejected::Other(code) | Rejected::Answered(_, code))) => {
                NextStep::Fail(Error::Rejected(Rejected::Client(code)))
            }
            (_, LoginAnswer::Rejected(rejected)) => NextStep::Fail(Error::Rejected(rejected)),
            (_, LoginAnswer::Limited(secs)) => NextStep::Fail(Error::RateLimited { secs }),
            (_, LoginAnswer::Net(net)) => NextStep::Fail(Error::Net(net)),
            _ => client::no_answer(&self.server),
        }
    }

    pub fn registration(&self) -> Option<&Registration> {
        self.registration.as_ref()
    }

    fn discover(&mut self, discovering: client::Discovering) -> NextStep {
        let call = discovering.ask();
        self.stage = Stage::Discovering(discovering);
        call
    }

    fn discovered(&mut self, endpoints: &Endpoints) -> NextStep {
        // Nobody but a client that the server knows has credentials.
        let Some(registration) = client::known(&self.oauth, endpoints) else {
            return NextStep::Fail(Error::Rejected(Rejected::NoClient));
        };
        self.registration = Some(registration.clone());
        self.stage = Stage::Asking;
        // What the usual scopes are about is people.
        NextStep::Call(LoginCall::ClientCredentials { registration, scope: self.oauth.scope.clone() })
    }

    /// A refresh token that comes all the same is not needed (section 4.4.3).
    fn granted(&mut self, tokens: TokenResponse) -> NextStep {
        let tokens =
            TokenResponse { refresh: None, refresh_expires_in: None, capability: Capability::None, ..tokens };
        NextStep::Finish(Box::new(tokens), self.registration.take().map(Box::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::schemes::fixtures::grant;
    use everkey_proto::Secret;

    fn oauth(client_id: Option<&str>) -> OauthClient {
        OauthClient { client_id: client_id.map(str::to_owned), ..OauthClient::default() }
    }

    fn endpoints() -> Endpoints {
        Endpoints {
            issuer: "https://id.example".into(),
            token: "https://id.example/token".into(),
            ..Endpoints::default()
        }
    }

    #[test]
    fn a_known_client_asks_as_itself() {
        let (mut machine, first) = ClientCredentials::begin("https://id.example", Some(&oauth(Some("ci"))));
        assert!(matches!(first, NextStep::Call(LoginCall::Discover { .. })), "{first:?}");
        let next = machine.resume(LoginAnswer::Discovered(endpoints()));
        let NextStep::Call(LoginCall::ClientCredentials { registration, scope: None }) = next else {
            panic!("{next:?}")
        };
        assert!(registration.configured && registration.client_id == "ci");
        let tokens = TokenResponse { refresh: Some(Secret::new("not needed")), ..grant(None) };
        let NextStep::Finish(tokens, Some(known)) = machine.resume(LoginAnswer::Granted(tokens)) else {
            panic!("it has tokens")
        };
        assert_eq!((tokens.refresh, known.client_id.as_str()), (None, "ci"));
    }

    #[test]
    fn a_client_that_nobody_knows_has_no_credentials() {
        let (mut machine, _) = ClientCredentials::begin("https://id.example", Some(&oauth(None)));
        let next = machine.resume(LoginAnswer::Discovered(endpoints()));
        assert_eq!(next, NextStep::Fail(Error::Rejected(Rejected::NoClient)));
    }

    #[test]
    fn a_refusal_is_about_the_client() {
        let (mut machine, _) = ClientCredentials::begin("https://id.example", Some(&oauth(Some("ci"))));
        machine.resume(LoginAnswer::Discovered(endpoints()));
        let no = LoginAnswer::Rejected(Rejected::Other("invalid_client".to_owned()));
        let why = Error::Rejected(Rejected::Client("invalid_client".to_owned()));
        assert_eq!(machine.resume(no), NextStep::Fail(why));
    }
}
