//! What a client may register about itself (RFC 7591 section 2), and what it then may do.

use std::str::FromStr;

use crate::rules::oauth::redirect::Redirect;
use crate::rules::oauth::scope::Scopes;
use crate::rules::text::{hidden, inked, kept};
use crate::rules::unknown_value::UnknownValue;

/// How a client proves who it is at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthMethod {
    /// It can't: it has no secret.
    None,
    /// By HTTP Basic.
    Basic,
    /// In the form.
    Post,
}

impl ClientAuthMethod {
    const ALL: [Self; 3] = [Self::None, Self::Basic, Self::Post];

    /// The word for it on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }
}

impl FromStr for ClientAuthMethod {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        Self::ALL.into_iter().find(|method| method.as_str() == text).ok_or(UnknownValue)
    }
}

/// A way in which a client gets tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    /// Through the user's browser.
    Code,
    /// With a refresh token.
    Refresh,
    /// By a code that the user types in elsewhere.
    Device,
}

impl GrantType {
    const ALL: [Self; 3] = [Self::Code, Self::Refresh, Self::Device];

    /// The word for it on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "authorization_code",
            Self::Refresh => "refresh_token",
            Self::Device => "urn:ietf:params:oauth:grant-type:device_code",
        }
    }
}

impl FromStr for GrantType {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text).ok_or(UnknownValue)
    }
}

/// A client as it may be registered.
#[derive(Clone, Debug)]
pub struct ClientRegistration {
    /// What it calls itself; may be empty.
    pub name: String,
    /// How it proves who it is.
    pub auth: ClientAuthMethod,
    /// Where answers may go.
    pub redirects: Vec<Redirect>,
    /// How it gets tokens.
    pub grants: Vec<GrantType>,
    /// The most it may ask for.
    pub scopes: Scopes,
}

/// What a client wrote about itself. What it left out is `None`.
#[derive(Clone, Debug, Default)]
pub struct RequestedRegistration {
    /// `client_name`.
    pub name: Option<String>,
    /// `token_endpoint_auth_method`.
    pub auth: Option<String>,
    /// `redirect_uris`.
    pub redirects: Option<Vec<String>>,
    /// `grant_types`.
    pub grants: Option<Vec<String>>,
    /// `response_types`.
    pub responses: Option<Vec<String>>,
    /// `scope`.
    pub scope: Option<String>,
}

/// Why a client is not registered; the texts repeat nothing it sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// `invalid_redirect_uri`.
    #[error("{0}")]
    Redirect(String),
    /// `invalid_client_metadata`.
    #[error("{0}")]
    Metadata(&'static str),
}

const LONGEST_NAME: usize = 80;
const MOST_REDIRECTS: usize = 10;

impl ClientRegistration {
    /// Checks what a client wrote, and fills in what it left out as RFC 7591 section 2 says.
    pub fn decide(asked: &RequestedRegistration) -> Result<Self, RegistrationError> {
        let auth = match asked.auth.as_deref() {
            None => ClientAuthMethod::Basic,
            Some(word) => word.parse().map_err(|_| {
                RegistrationError::Metadata(
                    "token_endpoint_auth_method is none, client_secret_basic or client_secret_post.",
                )
            })?,
        };
        let grants = grants(asked.grants.as_deref())?;
        responses(asked.responses.as_deref(), &grants)?;
        let redirects = redirects(asked.redirects.as_deref().unwrap_or_default())?;
        if grants.contains(&GrantType::Code) && redirects.is_empty() {
            let why = "A client of the grant authorization_code names its redirect_uris.";
            return Err(RegistrationError::Redirect(why.to_owned()));
        }
        let scopes = match asked.scope.as_deref() {
            None | Some("") => Scopes::all(),
            Some(text) => Scopes::parse(text)
                .map_err(|_| RegistrationError::Metadata("scope holds no scope that this server knows."))?,
        };
        let name = name(asked.name.as_deref().unwrap_or_default())?;
        Ok(Self { name, auth, redirects, grants, scopes })
    }
}

fn grants(asked: Option<&[String]>) -> Result<Vec<GrantType>, RegistrationError> {
    let Some(asked) = asked else { return Ok(vec![GrantType::Code]) };
    let read: Result<Vec<GrantType>, _> = asked.iter().map(|word| word.parse()).collect();
    let read = read.map_err(|_| RegistrationError::Metadata(
        "grant_types may hold authorization_code, refresh_token and urn:ietf:params:oauth:grant-type:device_code.",
    ))?;
    let kept: Vec<_> = GrantType::ALL.into_iter().filter(|grant| read.contains(grant)).collect();
    if kept.iter().all(|grant| *grant == GrantType::Refresh) {
        return Err(RegistrationError::Metadata("grant_types needs a grant that begins a sign-in."));
    }
    Ok(kept)
}

fn responses(asked: Option<&[String]>, grants: &[GrantType]) -> Result<(), RegistrationError> {
    let Some(asked) = asked else { return Ok(()) };
    let wants_code = grants.contains(&GrantType::Code);
    if asked.iter().any(|word| word != "code") || (wants_code == asked.is_empty()) {
        return Err(RegistrationError::Metadata(
            "response_types is [\"code\"] with the grant authorization_code, and empty without it.",
        ));
    }
    Ok(())
}

fn redirects(asked: &[String]) -> Result<Vec<Redirect>, RegistrationError> {
    if asked.len() > MOST_REDIRECTS {
        return Err(RegistrationError::Redirect("A client has at most 10 redirect_uris.".to_owned()));
    }
    asked
        .iter()
        .map(|text| Redirect::parse(text).map_err(|why| RegistrationError::Redirect(format!("{why}."))))
        .collect()
}

/// A name is shown to people, so nothing in it may hide or turn around what stands beside it.
fn name(asked: &str) -> Result<String, RegistrationError> {
    let name = asked.trim();
    let shows_nothing = !name.is_empty() && !name.chars().any(inked);
    if name.chars().count() > LONGEST_NAME || name.chars().any(hidden) || shows_nothing {
        return Err(RegistrationError::Metadata(
            "client_name has at most 80 characters, all of them visible.",
        ));
    }
    Ok(kept(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> RequestedRegistration {
        RequestedRegistration {
            redirects: Some(vec!["https://a.example/cb".into()]),
            ..RequestedRegistration::default()
        }
    }

    fn words(words: &[&str]) -> Option<Vec<String>> {
        Some(words.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_left_out_is_as_the_rfc_says() {
        let made = ClientRegistration::decide(&asked()).unwrap();
        assert_eq!(
            (made.auth, made.grants.as_slice()),
            (ClientAuthMethod::Basic, [GrantType::Code].as_slice())
        );
        assert_eq!((made.name.as_str(), made.scopes), ("", Scopes::all()));
    }

    #[test]
    fn grants_responses_and_redirects_fit_together() {
        let device = GrantType::Device.as_str();
        let good = RequestedRegistration {
            grants: words(&[device, "refresh_token"]),
            responses: words(&[]),
            ..RequestedRegistration::default()
        };
        assert_eq!(
            ClientRegistration::decide(&good).unwrap().grants,
            [GrantType::Refresh, GrantType::Device]
        );
        for bad in [
            RequestedRegistration { redirects: None, ..asked() },
            RequestedRegistration { redirects: words(&[]), ..asked() },
            RequestedRegistration { grants: words(&[]), ..asked() },
            RequestedRegistration { grants: words(&["refresh_token"]), ..asked() },
            RequestedRegistration { grants: words(&["implicit"]), ..asked() },
            RequestedRegistration { grants: words(&["authorization_code", "password"]), ..asked() },
            RequestedRegistration { responses: words(&[]), ..asked() },
            RequestedRegistration { responses: words(&["token"]), ..asked() },
            RequestedRegistration { responses: words(&["code", "code id_token"]), ..asked() },
            RequestedRegistration {
                grants: words(&[device]),
                responses: words(&["code"]),
                ..RequestedRegistration::default()
            },
            RequestedRegistration { auth: Some("private_key_jwt".into()), ..asked() },
            RequestedRegistration { auth: Some(String::new()), ..asked() },
            RequestedRegistration { scope: Some("admin".into()), ..asked() },
            RequestedRegistration { redirects: words(&["https://a.example/cb"; 11]), ..asked() },
        ] {
            assert!(ClientRegistration::decide(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_hides_nothing() {
        let named = |name: &str| {
            ClientRegistration::decide(&RequestedRegistration { name: Some(name.into()), ..asked() })
        };
        assert_eq!(named("  Zoë's <b>tool</b> ").unwrap().name, "Zoë's <b>tool</b>");
        for bad in [
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{0}b",
            "a\u{2066}b",
            "\u{2800}",
            "\u{ffa0}",
            &"x".repeat(81),
        ] {
            assert!(named(bad).is_err(), "{bad:?}");
        }
    }
}
