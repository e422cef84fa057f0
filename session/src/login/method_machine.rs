//! The ways to sign in behind one face. A new one is a file in `schemes/`, a variant here, and what the compiler then
//! asks for.

use crate::kept_clients::ClientNews;
use crate::login::next_step::{NextStep, Prompt};
use crate::login::schemes::{browser, client_credentials, device, otp, token};
use crate::login_call::LoginAnswer;
use crate::policy::OauthClient;
use crate::registration::Registration;
use crate::time::Moment;
use crate::token_response::TokenResponse;
use everkey_proto::{Entry, Secret, SignInMethod};

/// Where a sign-in stands within its scheme.
#[derive(Debug)]
pub(crate) enum MethodMachine {
    Otp(otp::Otp),
    Device(Box<device::Device>),
    Browser(Box<browser::Browser>),
    Token(token::PastedToken),
    Client(Box<client_credentials::ClientCredentials>),
}

impl MethodMachine {
    /// Begins a sign-in at `server`.
    pub fn begin(
        now: &Moment,
        scheme: SignInMethod,
        server: &str,
        oauth: Option<&OauthClient>,
    ) -> (Self, NextStep) {
        match scheme {
            SignInMethod::Otp => {
                let (otp, next) = otp::Otp::begin();
                (Self::Otp(otp), next)
            }
            SignInMethod::Device => {
                let (device, next) = device::Device::begin(server, oauth);
                (Self::Device(Box::new(device)), next)
            }
            SignInMethod::Browser => {
                let (browser, next) = browser::Browser::begin(now, server, oauth);
                (Self::Browser(Box::new(browser)), next)
            }
            SignInMethod::Token => {
                let (token, next) = token::PastedToken::begin(server);
                (Self::Token(token), next)
            }
            SignInMethod::Client => {
                let (client, next) = client_credentials::ClientCredentials::begin(server, oauth);
                (Self::Client(Box::new(client)), next)
            }
        }
    }

    /// Which one it is.
    pub fn scheme(&self) -> SignInMethod {
        match self {
            Self::Otp(_) => SignInMethod::Otp,
            Self::Device(_) => SignInMethod::Device,
            Self::Browser(_) => SignInMethod::Browser,
            Self::Token(_) => SignInMethod::Token,
            Self::Client(_) => SignInMethod::Client,
        }
    }

    /// The address that a code was sent to, if one was.
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::Otp(otp) => otp.email(),
            Self::Device(_) | Self::Browser(_) | Self::Token(_) | Self::Client(_) => None,
        }
    }

    /// How long it may take, in seconds.
    pub fn patience_secs(&self) -> u64 {
        match self {
            Self::Otp(_) | Self::Token(_) => 600,
            Self::Device(device) => device.patience_secs(),
            Self::Browser(_) => 300,
            Self::Client(_) => client_credentials::PATIENCE_SECS,
        }
    }

    /// The person answered; none means that nothing was asked, and the caller waits with the others.
    pub fn answer(&mut self, entry: Entry) -> Option<NextStep> {
        match (self, entry) {
            (Self::Otp(otp), entry) => otp.answer(entry),
            (Self::Device(_) | Self::Client(_), _) => None,
            (Self::Browser(browser), Entry::Text(text)) => browser.pasted(&text),
            (Self::Token(token), Entry::Text(text)) => token.answer(&text),
            (Self::Browser(_) | Self::Token(_), Entry::Email(_) | Entry::Code { .. }) => {
                Some(NextStep::Stray)
            }
        }
    }

    /// The server answered.
    pub fn resume(&mut self, now: &Moment, answer: LoginAnswer) -> NextStep {
        match self {
            Self::Otp(otp) => otp.resume(answer),
            Self::Device(device) => device.resume(now, answer),
            Self::Browser(browser) => browser.resume(answer),
            Self::Token(token) => token.resume(answer),
            Self::Client(client) => client.resume(answer),
        }
    }

    /// The time that it asked to sleep is over.
    pub fn wake(&mut self, now: &Moment) -> Option<NextStep> {
        match self {
            Self::Device(device) => device.wake(now),
            Self::Otp(_) | Self::Browser(_) | Self::Token(_) | Self::Client(_) => None,
        }
    }

    /// Browsers can come back to this port.
    pub fn listening(&mut self, port: u16) -> Option<NextStep> {
        match self {
            Self::Browser(browser) => browser.listening(port),
            Self::Otp(_) | Self::Device(_) | Self::Token(_) | Self::Client(_) => None,
        }
    }

    /// A browser came back with this query.
    pub fn came_back(&mut self, query: &Secret) -> NextStep {
        match self {
            Self::Browser(browser) => browser.came_back(query),
            Self::Otp(_) | Self::Device(_) | Self::Token(_) | Self::Client(_) => NextStep::Stray,
        }
    }

    /// What an OAuth server knows this client as, as far as that is known.
    pub fn registration(&self) -> Option<&Registration> {
        match self {
            Self::Device(device) => device.registration(),
            Self::Browser(browser) => browser.registration(),
            Self::Client(client) => client.registration(),
            Self::Otp(_) | Self::Token(_) => None,
        }
    }

    /// Tokens that have arrived and are not finished with.
    pub fn tokens(&self) -> Option<&TokenResponse> {
        match self {
            Self::Device(device) => device.tokens(),
            Self::Browser(browser) => browser.tokens(),
            Self::Otp(_) | Self::Token(_) | Self::Client(_) => None,
        }
    }

    /// What the next sign-in is to know of this one's OAuth client; once.
    pub fn take_news(&mut self) -> Option<ClientNews> {
        match self {
            Self::Device(device) => device.take_news(),
            Self::Browser(browser) => browser.take_news(),
            Self::Otp(_) | Self::Token(_) | Self::Client(_) => None,
        }
    }

    /// The same of a sign-in that is given up.
    pub fn given_up(&self) -> Option<ClientNews> {
        match self {
            Self::Browser(browser) => browser.given_up(),
            Self::Otp(_) | Self::Device(_) | Self::Token(_) | Self::Client(_) => None,
        }
    }

    /// What the person is being asked right now, for somebody who joins.
    pub fn question(&self) -> Option<Prompt> {
        match self {
            Self::Otp(otp) => otp.question(),
            Self::Device(device) => device.question(),
            Self::Browser(browser) => browser.question(),
            Self::Token(token) => token.question(),
            Self::Client(_) => None,
        }
    }
}
