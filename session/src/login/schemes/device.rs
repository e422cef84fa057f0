//! A code is shown here and approved on another device (RFC 8628); achilles has no client ids and no discovery.

use crate::error::{Error, NetError, NetErrorKind, Rejected};
use crate::kept_clients::ClientNews;
use crate::kept_sign_in::KeptSignIn;
use crate::login::next_step::{NextStep, Prompt};
use crate::login::oauth_client as client;
use crate::login_call::{LoginAnswer, LoginCall};
use crate::policy::OauthClient;
use crate::registration::{Endpoints, Registration};
use crate::reply::DeviceInstructions;
use crate::time::{Boot, Moment};
use crate::token_response::TokenResponse;
use everkey_proto::{FlowId, Secret, SignInMethod};

/// How much slower `slow_down` makes it, in seconds (RFC 8628 section 3.5).
const SLOWER: u64 = 5;

/// The longest pause between two polls, in seconds.
const LONGEST_PAUSE: u64 = 60;

/// The longest that a code is believed to work, in seconds.
const LONGEST: u64 = 3600;

/// Where it stands.
#[derive(Debug)]
pub(crate) struct Device {
    server: String,
    /// None for a server without client ids.
    oauth: Option<OauthClient>,
    registration: Option<Registration>,
    stage: Stage,
    /// Whether the client is one of an earlier sign-in.
    reuses: bool,
    news: Option<ClientNews>,
}

#[derive(Debug)]
enum Stage {
    Discovering(client::Discovering),
    Registering,
    Starting,
    /// A code is shown, and polled for.
    Shown(Code),
    Identifying(TokenResponse),
    Over,
}

#[derive(Debug)]
struct Code {
    device_code: Secret,
    shown: DeviceInstructions,
    interval: u64,
    until: Boot,
    /// What went wrong at the last poll, if something did.
    last: Option<NetError>,
}

impl Device {
    pub fn begin(server: &str, oauth: Option<&OauthClient>) -> (Self, NextStep) {
        let mut device = Self {
            server: server.to_owned(),
            oauth: oauth.cloned(),
            registration: None,
            stage: Stage::Over,
            reuses: false,
            news: None,
        };
        let first = match oauth {
            None => device.start(),
            Some(oauth) => match client::endpoints(oauth, server) {
                Some(endpoints) => device.discovered(endpoints),
                None => device.discover(client::Discovering::begin(oauth, server, SignInMethod::Device)),
            },
        };
        (device, first)
    }

    /// Goes on with a code that an earlier life of the agent has shown.
    pub fn resume_kept(now: &Moment, kept: KeptSignIn, oauth: Option<&OauthClient>) -> Self {
        let left = kept.shown.expires_at.saturating_sub(now.wall);
        let code = Code {
            device_code: kept.device_code,
            shown: kept.shown,
            interval: kept.interval,
            until: now.boot.plus_secs(left.min(LONGEST)),
            last: None,
        };
        Self {
            server: kept.server,
            oauth: oauth.cloned(),
            registration: kept.registration,
            stage: Stage::Shown(code),
            reuses: false,
            news: None,
        }
    }

    /// What the agent's next life needs to go on with the code that is shown; none where none is.
    pub fn kept(&self, flow: FlowId, started_at: u64) -> Option<KeptSignIn> {
        let Stage::Shown(code) = &self.stage else { return None };
        Some(KeptSignIn {
            flow,
            server: self.server.clone(),
            started_at,
            registration: self.registration.clone(),
            device_code: code.device_code.clone(),
            shown: code.shown.clone(),
            interval: code.interval,
        })
    }

    /// As long as the codes work; before they are there, as long as asking for them may take.
    pub fn patience_secs(&self) -> u64 {
        LONGEST + 60
    }

    pub fn resume(&mut self, now: &Moment, answer: LoginAnswer) -> NextStep {
        match (std::mem::replace(&mut self.stage, Stage::Over), answer) {
            (Stage::Discovering(_), LoginAnswer::Discovered(endpoints)) => self.discovered(endpoints),
            (Stage::Discovering(asked), LoginAnswer::Net(net)) => match asked.elsewhere(net) {
                Ok(next) => self.discover(next),
                Err(error) => NextStep::Fail(error),
            },
            (Stage::Discovering(asked), LoginAnswer::Rejected(rejected)) => {
                NextStep::Fail(asked.refused(rejected))
            }
            (Stage::Registering, LoginAnswer::Registered(registration)) => {
                let oauth = self.oauth.as_ref();
                self.news = oauth.and_then(|oauth| client::registered(oauth, &registration, None));
                self.registration = oauth.map(|oauth| client::for_grant(oauth, registration));
                self.start()
            }
            (Stage::Registering, answer) => client::not_registered(&self.server, answer),
            (
                Stage::Starting,
                LoginAnswer::DeviceStarted {
                    device_code,
                    user_code,
                    url,
                    complete_url,
                    expires_in,
                    interval,
                },
            ) => {
                let expires_in = expires_in.min(LONGEST);
                let shown = DeviceInstructions {
                    url,
                    complete_url,
                    user_code,
                    expires_at: now.wall.saturating_add(expires_in),
                };
                let interval = interval.clamp(1, LONGEST_PAUSE);
                let until = now.boot.plus_secs(expires_in);
                let code = Code { device_code, shown: shown.clone(), interval, until, last: None };
                self.stage = Stage::Shown(code);
                NextStep::Sleep { secs: interval, show: Some(Prompt::Show(shown)) }
            }
            (Stage::Starting, LoginAnswer::Rejected(rejected)) => self.not_started(rejected),
            (Stage::Shown(code), answer) => self.polled(now, code, answer),
            (Stage::Identifying(tokens), answer) => match client::identified(&self.server, &tokens, answer) {
                Ok(tokens) => NextStep::Finish(Box::new(tokens), self.registration.take().map(Box::new)),
                Err(error) => {
                    // To be taken back.
                    self.stage = Stage::Identifying(tokens);
                    NextStep::Fail(error)
                }
            },
            (_, LoginAnswer::Rejected(rejected)) => NextStep::Fail(Error::Rejected(rejected)),
            (_, LoginAnswer::Limited(secs)) => NextStep::Fail(Error::RateLimited { secs }),
            (_, LoginAnswer::Net(net)) => NextStep::Fail(Error::Net(net)),
            _ => client::no_answer(&self.server),
        }
    }

    pub fn wake(&mut self, now: &Moment) -> Option<NextStep> {
        let Stage::Shown(code) = &self.stage else { return None };
        if code.until <= now.boot {
            // Whether somebody approved it, a server that does not answer has not said.
            let why = code.last.clone().map_or(Error::Rejected(Rejected::Expired), Error::Net);
            self.stage = Stage::Over;
            return Some(NextStep::Fail(why));
        }
        let device_code = code.device_code.clone();
        Some(NextStep::Call(LoginCall::PollDevice { registration: self.registration.clone(), device_code }))
    }

    pub fn question(&self) -> Option<Prompt> {
        match &self.stage {
            Stage::Shown(code) => Some(Prompt::Show(code.shown.clone())),
            Stage::Discovering(_)
            | Stage::Registering
            | Stage::Starting
            | Stage::Identifying(_)
            | Stage::Over => None,
        }
    }

    fn discover(&mut self, discovering: client::Discovering) -> NextStep {
        let next = discovering.ask();
        self.stage = Stage::Discovering(discovering);
        next
    }

    /// What an OAuth server knows this client as, as far as that is known.
    pub fn registration(&self) -> Option<&Registration> {
        self.registration.as_ref()
    }

    /// The tokens, if they have arrived.
    pub fn tokens(&self) -> Option<&TokenResponse> {
        match &self.stage {
            Stage::Identifying(tokens) => Some(tokens),
            Stage::Discovering(_) | Stage::Registering | Stage::Starting | Stage::Shown(_) | Stage::Over => {
                None
            }
        }
    }

    fn discovered(&mut self, endpoints: Endpoints) -> NextStep {
        let Some(oauth) = self.oauth.as_ref().filter(|_| endpoints.device_authorization.is_some()) else {
            return NextStep::Fail(Error::Rejected(Rejected::SignInMethod(SignInMethod::Device)));
        };
        match client::known(oauth, &endpoints) {
            Some(registration) => {
                self.registration = Some(registration);
                self.start()
            }
            None => match client::kept(oauth, &endpoints, None) {
                Some(registration) => {
                    self.reuses = true;
                    self.registration = Some(registration);
                    self.start()
                }
                None => {
                    self.stage = Stage::Registering;
                    client::register(oauth, &endpoints, None)
                }
            },
        }
    }

    /// A server that does not know the client of an earlier sign-in is asked for another.
    fn not_started(&mut self, rejected: Rejected) -> NextStep {
        match self.oauth.as_ref().zip(self.registration.take()) {
            Some((oauth, registration)) if self.reuses && client::is_unknown(&rejected) => {
                self.reuses = false;
                self.stage = Stage::Registering;
                self.news = Some(ClientNews::Gone(registration.client_id));
                client::register(oauth, &registration.endpoints, None)
            }
            _ => NextStep::Fail(Error::Rejected(rejected)),
        }
    }

    fn forget_unknown(&mut self, rejected: &Rejected) {
        if let Some(known) =
            self.registration.as_ref().filter(|_| self.reuses && client::is_unknown(rejected))
        {
            self.news = Some(ClientNews::Gone(known.client_id.clone()));
        }
    }

    /// What the next sign-in is to know of this one's client.
    pub fn take_news(&mut self) -> Option<ClientNews> {
        self.news.take()
    }

    fn start(&mut self) -> NextStep {
        self.stage = Stage::Starting;
        let known = self.oauth.as_ref().zip(self.registration.as_ref());
        let scope = known.and_then(|(oauth, known)| client::scope(oauth, &known.endpoints));
        NextStep::Call(LoginCall::StartDevice { registration: self.registration.clone(), scope })
    }

    fn polled(&mut self, now: &Moment, mut code: Code, answer: LoginAnswer) -> NextStep {
        code.last = None;
        let pause = match answer {
            LoginAnswer::Granted(tokens) => return self.granted(tokens),
            LoginAnswer::Rejected(rejected) => {
                self.forget_unknown(&rejected);
                return NextStep::Fail(Error::Rejected(rejected));
            }
            LoginAnswer::Pending => code.interval,
            LoginAnswer::SlowDown => {
                code.interval = (code.interval + SLOWER).min(LONGEST_PAUSE);
                code.interval
            }
            LoginAnswer::Limited(secs) => secs.max(code.interval),
            // RFC 8628 section 3.5: who is not answered asks less often.
            LoginAnswer::Net(net) if is_passing(&net.kind) => {
                code.interval = (code.interval * 2).min(LONGEST_PAUSE);
                code.last = Some(net);
                code.interval
            }
            LoginAnswer::Net(net) => return NextStep::Fail(Error::Net(net)),
            LoginAnswer::CodeSent { .. }
            | LoginAnswer::SecondFactorAsked
            | LoginAnswer::Discovered(_)
            | LoginAnswer::Registered(_)
            | LoginAnswer::DeviceStarted { .. }
            | LoginAnswer::Identified(_) => return client::no_answer(&self.server),
        };
        // Not past the end: that is told at once.
        let left = now.boot.ms_until(code.until).div_ceil(1000);
        self.stage = Stage::Shown(code);
        NextStep::Sleep { secs: pause.min(left), show: None }
    }

    fn granted(&mut self, tokens: TokenResponse) -> NextStep {
        match client::identify(self.registration.as_ref(), &tokens) {
            Some(call) => {
                self.stage = Stage::Identifying(tokens);
                NextStep::Call(call)
            }
            None => NextStep::Finish(Box::new(tokens), self.registration.take().map(Box::new)),
        }
    }
}

/// Whether the next poll may fare better.
fn is_passing(kind: &NetErrorKind) -> bool {
    match kind {
        NetErrorKind::Connect(_)
        | NetErrorKind::Timeout
        | NetErrorKind::Broken
        | NetErrorKind::Cut
        | NetErrorKind::Limited(_)
        | NetErrorKind::ClientUnusable(_)
        // Only the server's own error ends it (RFC 8628 section 3.5); a page may be anybody's.
        | NetErrorKind::Status(..)
        | NetErrorKind::Redirect => true,
        NetErrorKind::NotTheContract(answer) => answer.flaw.is_of_no_object(),
        NetErrorKind::ClientRefused(_)
        | NetErrorKind::OtherSession
        | NetErrorKind::Rotating
        | NetErrorKind::Late => false,
    }
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
