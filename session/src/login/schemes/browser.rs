//! A page in the browser that answers to this machine: authorization code with PKCE (RFC 6749, 7636, 8252, 9207).
//! Only what comes back with the right `state` counts; anything else changes nothing.

use crate::error::{Error, Rejected};
use crate::kept_clients::ClientNews;
use crate::login::next_step::{NextStep, Prompt};
use crate::login::oauth_client as client;
use crate::login_call::{LoginAnswer, LoginCall};
use crate::policy::OauthClient;
use crate::registration::{Endpoints, Registration};
use crate::reply::BrowserPage;
use crate::session::hex;
use crate::time::Moment;
use crate::token_response::TokenResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use everkey_proto::{Secret, SignInMethod, pasted};
use sha2::{Digest, Sha256};

/// Where it stands.
#[derive(Debug)]
pub(crate) struct Browser {
    server: String,
    oauth: OauthClient,
    /// RFC 7636.
    verifier: Secret,
    state: Secret,
    nonce: String,
    stage: Stage,
    /// Whether the client is one of an earlier sign-in.
    reuses: bool,
    news: Option<ClientNews>,
}

#[derive(Debug)]
enum Stage {
    Discovering(client::Discovering),
    /// The endpoints are known, and a port is being opened.
    Binding(Endpoints),
    Registering(u16),
    /// The person is at the page.
    Open {
        registration: Registration,
        page: BrowserPage,
    },
    Exchanging(Registration),
    Identifying(Registration, TokenResponse),
    Over,
}

impl Browser {
    pub fn begin(now: &Moment, server: &str, oauth: Option<&OauthClient>) -> (Self, NextStep) {
        let mut browser = Self {
            server: server.to_owned(),
            oauth: oauth.cloned().unwrap_or_default(),
            verifier: Secret::new(hex(&now.random("code verifier"))),
            state: Secret::new(hex(&now.random("state"))),
            nonce: hex(&now.random("nonce")[..16]),
            stage: Stage::Over,
            reuses: false,
            news: None,
        };
        let first = match client::endpoints(&browser.oauth, server) {
            Some(endpoints) => browser.discovered(endpoints),
            None => {
                let asked = client::Discovering::begin(&browser.oauth, server, SignInMethod::Browser);
                browser.discover(asked)
            }
        };
        (browser, first)
    }

    pub fn resume(&mut self, answer: LoginAnswer) -> NextStep {
        match (std::mem::replace(&mut self.stage, Stage::Over), answer) {
            (Stage::Discovering(_), LoginAnswer::Discovered(endpoints)) => self.discovered(endpoints),
            (Stage::Discovering(asked), LoginAnswer::Net(net)) => match asked.elsewhere(net) {
                Ok(next) => self.discover(next),
                Err(error) => NextStep::Fail(error),
            },
            (Stage::Discovering(asked), LoginAnswer::Rejected(rejected)) => {
                NextStep::Fail(asked.refused(rejected))
            }
            (Stage::Registering(port), LoginAnswer::Registered(registration)) => {
                let redirect = Some(self.oauth.callback.url(port));
                self.news = client::registered(&self.oauth, &registration, redirect);
                self.open(client::for_grant(&self.oauth, registration), port)
            }
            (Stage::Registering(_), answer) => client::not_registered(&self.server, answer),
            (Stage::Exchanging(registration), LoginAnswer::Granted(tokens)) => {
                match client::identify(Some(&registration), &tokens) {
                    Some(call) => {
                        self.stage = Stage::Identifying(registration, tokens);
                        NextStep::Call(call)
                    }
                    None => NextStep::Finish(Box::new(tokens), Some(Box::new(registration))),
                }
            }
            (Stage::Exchanging(registration), LoginAnswer::Rejected(rejected)) => {
                self.rejected(&registration, rejected)
            }
            (Stage::Identifying(registration, tokens), answer) => {
                match client::identified(&self.server, &tokens, answer) {
                    Ok(tokens) => NextStep::Finish(Box::new(tokens), Some(Box::new(registration))),
                    Err(error) => {
                        // To be taken back.
                        self.stage = Stage::Identifying(registration, tokens);
                        NextStep::Fail(error)
                    }
                }
            }
            (_, LoginAnswer::Rejected(rejected)) => NextStep::Fail(Error::Rejected(rejected)),
            (_, LoginAnswer::Limited(secs)) => NextStep::Fail(Error::RateLimited { secs }),
            (_, LoginAnswer::Net(net)) => NextStep::Fail(Error::Net(net)),
            _ => client::no_answer(&self.server),
        }
    }

    pub fn listening(&mut self, port: u16) -> Option<NextStep> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Binding(endpoints) => Some(self.choose_client(&endpoints, port)),
            other => {
                self.stage = other;
                None
            }
        }
    }

    /// The configured client, one of an earlier sign-in, or a new one.
    fn choose_client(&mut self, endpoints: &Endpoints, port: u16) -> NextStep {
        if let Some(registration) = client::known(&self.oauth, endpoints) {
            return self.open(registration, port);
        }
        let redirect = self.oauth.callback.url(port);
        if let Some(registration) = client::kept(&self.oauth, endpoints, Some(&redirect)) {
            self.reuses = true;
            return self.open(registration, port);
        }
        self.stage = Stage::Registering(port);
        client::register(&self.oauth, endpoints, Some(redirect))
    }

    /// The next sign-in registers anew where the server does not know the client of an earlier one.
    fn rejected(&mut self, registration: &Registration, rejected: Rejected) -> NextStep {
        if self.reuses && client::is_unknown(&rejected) {
            self.news = Some(ClientNews::Gone(registration.client_id.clone()));
        }
        NextStep::Fail(Error::Rejected(rejected))
    }

    /// What the next sign-in is to know of this one's client.
    pub fn take_news(&mut self) -> Option<ClientNews> {
        self.news.take()
    }

    /// The sign-in is given up. If nobody came back, the server may have shown that it does not know the client of an
    /// earlier sign-in, on a page that nobody here sees.
    pub fn given_up(&self) -> Option<ClientNews> {
        match &self.stage {
            Stage::Open { registration, .. } if self.reuses => {
                Some(ClientNews::Gone(registration.client_id.clone()))
            }
            _ => None,
        }
    }

    /// What a browser brought back.
    pub fn came_back(&mut self, query: &Secret) -> NextStep {
        let Some(back) = Back::read(query).filter(|back| back.state == self.state) else {
            return NextStep::Stray;
        };
        let (registration, page) = match &self.stage {
            Stage::Open { registration, page } => (registration, page),
            // The page was loaded again.
            Stage::Exchanging(_) | Stage::Identifying(..) => return NextStep::Wait,
            Stage::Discovering(_) | Stage::Binding(_) | Stage::Registering(_) | Stage::Over => {
                return NextStep::Stray;
            }
        };
        // RFC 9207: from here on it is this sign-in's own answer, or somebody mixed up two servers.
        let endpoints = &registration.endpoints;
        let named = match &back.iss {
            Some(iss) => endpoints.issuer.is_empty() || *iss == endpoints.issuer,
            None => !endpoints.names_itself,
        };
        if !named {
            let called = back.iss.unwrap_or_default();
            self.stage = Stage::Over;
            return NextStep::Fail(Error::Rejected(Rejected::Issuer(called)));
        }
        match back.outcome {
            Outcome::Code(code) => {
                let registration = registration.clone();
                let next = LoginCall::Exchange {
                    registration: registration.clone(),
                    code,
                    verifier: self.verifier.clone(),
                    redirect: self.oauth.callback.url(page.port),
                    nonce: self.nonce(&registration.endpoints),
                    lifetime_secs: self.oauth.lifetime_secs,
                };
                self.stage = Stage::Exchanging(registration);
                NextStep::Call(next)
            }
            Outcome::Error(error) => {
                let registration = registration.clone();
                self.stage = Stage::Over;
                let denied = error == "access_denied";
                let rejected = if denied { Rejected::Denied } else { Rejected::Other(error) };
                self.rejected(&registration, rejected)
            }
        }
    }

    /// The address that a browser elsewhere ended at, pasted here.
    pub fn pasted(&mut self, text: &Secret) -> Option<NextStep> {
        let Stage::Open { .. } = self.stage else { return None };
        let text = Secret::new(pasted::address(text.expose()));
        let text = text.expose();
        let query = text.split_once('?').map_or(text, |(_, query)| query);
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        Some(self.came_back(&Secret::new(query)))
    }

    pub fn question(&self) -> Option<Prompt> {
        match &self.stage {
            Stage::Open { page, .. } => Some(Prompt::Open(page.clone())),
            Stage::Discovering(_)
            | Stage::Binding(_)
            | Stage::Registering(_)
            | Stage::Exchanging(_)
            | Stage::Identifying(..)
            | Stage::Over => None,
        }
    }

    fn discover(&mut self, discovering: client::Discovering) -> NextStep {
        let next = discovering.ask();
        self.stage = Stage::Discovering(discovering);
        next
    }

    /// What an id_token must repeat; only OpenID Connect has them.
    fn nonce(&self, endpoints: &Endpoints) -> Option<String> {
        let scope = client::scope(&self.oauth, endpoints)?;
        scope.split(' ').any(|one| one == "openid").then(|| self.nonce.clone())
    }

    /// What the server knows this client as, as far as that is known.
    pub fn registration(&self) -> Option<&Registration> {
        match &self.stage {
            Stage::Open { registration, .. }
            | Stage::Exchanging(registration)
            | Stage::Identifying(registration, _) => Some(registration),
            Stage::Discovering(_) | Stage::Binding(_) | Stage::Registering(_) | Stage::Over => None,
        }
    }

    /// The tokens, if they have arrived.
    pub fn tokens(&self) -> Option<&TokenResponse> {
        match &self.stage {
            Stage::Identifying(_, tokens) => Some(tokens),
            Stage::Discovering(_)
            | Stage::Binding(_)
            | Stage::Registering(_)
            | Stage::Open { .. }
            | Stage::Exchanging(_)
            | Stage::Over => None,
        }
    }

    fn discovered(&mut self, endpoints: Endpoints) -> NextStep {
        if endpoints.authorization.is_none() {
            self.stage = Stage::Over;
            return NextStep::Fail(Error::Rejected(Rejected::SignInMethod(SignInMethod::Browser)));
        }
        let callback = client::callback(&self.oauth, &endpoints);
        self.stage = Stage::Binding(endpoints);
        NextStep::Listen(callback)
    }

    fn open(&mut self, registration: Registration, port: u16) -> NextStep {
        let endpoints = &registration.endpoints;
        let Some(page) = &endpoints.authorization else { return client::no_answer(&self.server) };
        let scope = client::scope(&self.oauth, endpoints);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.expose()));
        let nonce = self.nonce(endpoints);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &registration.client_id)
            .append_pair("redirect_uri", &self.oauth.callback.url(port))
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("state", self.state.expose());
        if let Some(scope) = &scope {
            query.append_pair("scope", scope);
        }
        if let Some(nonce) = &nonce {
            query.append_pair("nonce", nonce);
        }
        for resource in &registration.resources {
            query.append_pair("resource", resource);
        }
        // OpenID Connect Core, 11: without it, refresh tokens are not meant.
        if scope.is_some_and(|scope| scope.split(' ').any(|one| one == "offline_access")) {
            query.append_pair("prompt", "consent");
        }
        let between = if page.contains('?') { '&' } else { '?' };
        let page = BrowserPage { url: format!("{page}{between}{}", query.finish()), port };
        self.stage = Stage::Open { registration, page: page.clone() };
        NextStep::Ask(Prompt::Open(page))
    }
}

/// What came back: each parameter once, or nothing.
struct Back {
    state: Secret,
    iss: Option<String>,
    outcome: Outcome,
}

enum Outcome {
    Code(Secret),
    Error(String),
}

impl Back {
    fn read(query: &Secret) -> Option<Self> {
        let (mut state, mut iss, mut code, mut error) = (None, None, None, None);
        for (name, value) in form_urlencoded::parse(query.expose().as_bytes()) {
            let slot = match &*name {
                "state" => &mut state,
                "iss" => &mut iss,
                "code" => &mut code,
                "error" => &mut error,
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        let outcome = match (code, error) {
            (Some(code), None) => Outcome::Code(Secret::new(code)),
            (None, Some(error)) => Outcome::Error(error),
            (Some(_), Some(_)) | (None, None) => return None,
        };
        Some(Self { state: Secret::new(state?), iss, outcome })
    }
}

#[cfg(test)]
#[path = "browser_tests.rs"]
mod tests;
