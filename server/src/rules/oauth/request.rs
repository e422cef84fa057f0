//! An authorization request: what must hold before its redirect address may be trusted, and what must hold after
//! (RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID Connect Core section 3.1.2.1).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::rules::oauth::client::{ClientRegistration, GrantType};
use crate::rules::oauth::pkce::Challenge;
use crate::rules::oauth::redirect::Redirect;
use crate::rules::oauth::scope::Scopes;
use crate::time::Timestamp;

/// The longest query that is looked at, in bytes. It must fit into the address that a sign-in leads back to.
const LONGEST: usize = 3800;

/// The longest `state` and `nonce`, in bytes.
const LONGEST_VALUE: usize = 2000;

/// Says since when the user was to prove again who they are. Only this server adds it.
const AFTER: &str = "everkey_after";

/// The parameters of a request. Those without a value count as left out (RFC 6749 section 3.1).
#[derive(Clone, Debug)]
pub struct Parameters {
    values: BTreeMap<String, String>,
    repeated: BTreeSet<String>,
}

/// Why a request is answered with a page: nothing it says can be trusted to lead back to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UntrustedRequest {
    /// Longer than any request needs to be.
    TooLong,
    /// It names no client, or several.
    Client,
    /// It names no redirect address, several, or one that the client did not register.
    Redirect,
}

/// Why a request is answered with a redirect that carries an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorizationDenied {
    pub error: &'static str,
    /// A sentence for the client's makers.
    pub description: &'static str,
}

/// `prompt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptParameter {
    /// Whatever is needed. Consent always is.
    Needed,
    /// The user is to prove again who they are.
    Login,
    /// No page may be shown.
    None,
}

/// What a client wishes for.
#[derive(Clone, Debug)]
pub struct RequestedAuthorization {
    /// What it must later prove to know.
    pub challenge: Challenge,
    pub scopes: Scopes,
    /// What it wants to find in the id_token.
    pub nonce: Option<String>,
    /// What the user is to see.
    pub prompt: PromptParameter,
    /// How long ago the user may have proved who they are.
    pub max_age: Option<Duration>,
    /// Since when the user was to prove it again, if they were sent to do so.
    after: Option<Timestamp>,
}

impl Parameters {
    pub fn parse(query: &str) -> Result<Self, UntrustedRequest> {
        if query.len() > LONGEST {
            return Err(UntrustedRequest::TooLong);
        }
        let (mut values, mut names, mut repeated) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if !names.insert(name.clone().into_owned()) {
                repeated.insert(name.into_owned());
            } else if !value.is_empty() {
                values.insert(name.into_owned(), value.into_owned());
            }
        }
        Ok(Self { values, repeated })
    }

    /// The value of a parameter that was given once.
    fn once(&self, name: &str) -> Option<&str> {
        self.values.get(name).filter(|_| !self.repeated.contains(name)).map(String::as_str)
    }

    pub fn client(&self) -> Result<&str, UntrustedRequest> {
        self.once("client_id").ok_or(UntrustedRequest::Client)
    }

    /// Where the answer goes: an address that the client registered. It must always be named.
    pub fn redirect(&self, registered: &ClientRegistration) -> Result<Redirect, UntrustedRequest> {
        let asked = self.once("redirect_uri").and_then(|text| Redirect::parse(text).ok());
        asked
            .filter(|asked| registered.redirects.iter().any(|known| known.admits(asked)))
            .ok_or(UntrustedRequest::Redirect)
    }

    /// What the client wants back unchanged.
    pub fn state(&self) -> Option<&str> {
        self.once("state").filter(|state| state.len() <= LONGEST_VALUE)
    }

    /// Everything else.
    pub fn requested(
        &self,
        registered: &ClientRegistration,
    ) -> Result<RequestedAuthorization, AuthorizationDenied> {
        if !self.repeated.is_empty() {
            return Err(invalid("A parameter was given twice."));
        }
        if ["state", "nonce"].iter().any(|name| self.once(name).is_some_and(|v| v.len() > LONGEST_VALUE)) {
            return Err(invalid("state and nonce have at most 2000 bytes."));
        }
        if self.once("nonce").is_some_and(|nonce| nonce.chars().any(char::is_control)) {
            return Err(invalid("nonce has no control characters."));
        }
        if self.once("request").is_some() {
            return Err(denied("request_not_supported", "This server takes no request objects."));
        }
        if self.once("request_uri").is_some() {
            return Err(denied("request_uri_not_supported", "This server takes no request objects."));
        }
        if !registered.grants.contains(&GrantType::Code) {
            return Err(denied(
                "unauthorized_client",
                "The client did not register the grant authorization_code.",
            ));
        }
        match self.once("response_type") {
            Some("code") => {}
            Some(_) => return Err(denied("unsupported_response_type", "response_type must be code.")),
            None => return Err(invalid("response_type is missing.")),
        }
        if self.once("response_mode").is_some_and(|mode| mode != "query") {
            return Err(invalid("response_mode must be query."));
        }
        Ok(RequestedAuthorization {
            challenge: self.challenge()?,
            scopes: self.scopes(registered)?,
            nonce: self.once("nonce").map(str::to_owned),
            prompt: self.prompt()?,
            max_age: self.max_age()?,
            after: self.once(AFTER).and_then(|text| text.parse().ok()).map(Timestamp::from_millis),
        })
    }

    /// A missing method means `plain` (RFC 7636 section 4.3), which is not taken either.
    fn challenge(&self) -> Result<Challenge, AuthorizationDenied> {
        let text =
            self.once("code_challenge").ok_or(invalid("PKCE is required: code_challenge is missing."))?;
        if self.once("code_challenge_method") != Some("S256") {
            return Err(invalid("code_challenge_method must be S256."));
        }
        Challenge::parse(text).ok_or(invalid("code_challenge must be 43 characters of base64url."))
    }

    fn scopes(&self, registered: &ClientRegistration) -> Result<Scopes, AuthorizationDenied> {
        let nothing =
            denied("invalid_scope", "The scope is malformed, or holds nothing that the client may ask for.");
        let asked = match self.once("scope") {
            None => Scopes::unasked(),
            Some(text) => Scopes::parse(text).map_err(|_| nothing)?,
        };
        let granted = asked.and(&registered.scopes);
        if granted.is_empty() { Err(nothing) } else { Ok(granted) }
    }

    fn prompt(&self) -> Result<PromptParameter, AuthorizationDenied> {
        let words: BTreeSet<&str> =
            self.once("prompt").unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
        if words.contains("none") {
            let alone = words.len() == 1;
            return if alone { Ok(PromptParameter::None) } else { Err(invalid("prompt=none stands alone.")) };
        }
        if words.iter().any(|word| !["login", "consent", "select_account"].contains(word)) {
            return Err(invalid("prompt may hold none, login, consent and select_account."));
        }
        let again = words.contains("login") || words.contains("select_account");
        Ok(if again { PromptParameter::Login } else { PromptParameter::Needed })
    }

    fn max_age(&self) -> Result<Option<Duration>, AuthorizationDenied> {
        let Some(text) = self.once("max_age") else { return Ok(None) };
        let digits = text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
        let secs = text.parse().ok().filter(|_| digits);
        secs.map(|secs| Some(Duration::from_secs(secs)))
            .ok_or(invalid("max_age must be a number of seconds."))
    }

    /// The query again, in one form: each parameter once, in order, encoded.
    pub fn query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.values).finish()
    }

    /// The same, noting that the user is to prove from `now` on who they are.
    pub fn query_after(&self, now: Timestamp) -> String {
        let mut with = self.clone();
        with.values.insert(AFTER.to_owned(), now.millis().to_string());
        with.query()
    }
}

impl RequestedAuthorization {
    /// Whether it is good enough that the user proved at `proved_at` who they are. Someone at the browser could write
    /// into the address that they were sent to do so; `auth_time` in the id_token tells the truth all the same.
    pub fn accepts(&self, proved_at: Timestamp, now: Timestamp) -> bool {
        let again = self.after.is_some_and(|after| after <= now && proved_at >= after);
        let young = self.max_age.is_none_or(|age| now.since(proved_at) <= age);
        again || (young && self.prompt != PromptParameter::Login)
    }
}

fn denied(error: &'static str, description: &'static str) -> AuthorizationDenied {
    AuthorizationDenied { error, description }
}

fn invalid(description: &'static str) -> AuthorizationDenied {
    denied("invalid_request", description)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::oauth::client::RequestedRegistration;

    fn requested(query: &str) -> Result<RequestedAuthorization, AuthorizationDenied> {
        let asked = RequestedRegistration {
            redirects: Some(vec!["https://a.example/cb".into()]),
            ..RequestedRegistration::default()
        };
        let base = "response_type=code&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        Parameters::parse(&format!("{base}&{query}"))
            .unwrap()
            .requested(&ClientRegistration::decide(&asked).unwrap())
    }

    #[test]
    fn a_fresh_proof_is_asked_for_once() {
        let at = Timestamp::from_secs;
        assert!(requested("").unwrap().accepts(at(0), at(1_000_000)));
        assert!(!requested("prompt=login").unwrap().accepts(at(100), at(100)));
        assert!(!requested("prompt=login&everkey_after=100001").unwrap().accepts(at(100), at(101)));
        assert!(requested("prompt=login&everkey_after=100000").unwrap().accepts(at(100), at(500)));
        assert!(!requested("prompt=login&everkey_after=900000").unwrap().accepts(at(900), at(899)));
        assert!(requested("max_age=10").unwrap().accepts(at(90), at(100)));
        assert!(!requested("max_age=10").unwrap().accepts(at(89), at(100)));
        assert!(requested("max_age=0&everkey_after=89000").unwrap().accepts(at(89), at(100)));
    }

    #[test]
    fn prompts_are_read_as_openid_connect_says() {
        assert_eq!(requested("prompt=none").unwrap().prompt, PromptParameter::None);
        assert_eq!(requested("prompt=consent+login").unwrap().prompt, PromptParameter::Login);
        assert_eq!(requested("prompt=consent").unwrap().prompt, PromptParameter::Needed);
        for bad in
            ["prompt=none+login", "prompt=create", "prompt=LOGIN", "max_age=-1", "max_age=1.5", "max_age=x"]
        {
            assert_eq!(requested(bad).unwrap_err().error, "invalid_request", "{bad}");
        }
    }
}
