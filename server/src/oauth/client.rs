//! Finds out which client makes a request: HTTP Basic, the form, or the mere id of a public client.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::actions::oauth::authenticate::{ClientProof, Credentials};
use crate::http::body::FormBody;
use crate::oauth::error::OAuthErrorResponse;
use crate::secret::SecretText;

/// A form whose errors are OAuth's.
pub(super) struct OAuthForm<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for OAuthForm<T> {
    type Rejection = OAuthErrorResponse;

    async fn from_request(request: Request, state: &S) -> Result<Self, OAuthErrorResponse> {
        let FormBody(form) = FormBody::from_request(request, state).await?;
        Ok(Self(form))
    }
}

/// The id and secret of an `Authorization: Basic` header, if there is one.
pub(super) struct Basic(Option<(String, SecretText)>);

impl<S: Sync> FromRequestParts<S> for Basic {
    type Rejection = OAuthErrorResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, OAuthErrorResponse> {
        let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(Self(None)),
            (Some(_), Some(_)) => Err(OAuthErrorResponse::request("Authorization was given twice.")),
            (Some(value), None) => {
                let read = value.to_str().ok().and_then(read_basic);
                read.map(|pair| Self(Some(pair))).ok_or_else(OAuthErrorResponse::client)
            }
        }
    }
}

/// Both parts are form-encoded before they are joined (RFC 6749 section 2.3.1).
fn read_basic(value: &str) -> Option<(String, SecretText)> {
    let (scheme, rest) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let joined = Zeroizing::new(String::from_utf8(STANDARD.decode(rest.trim_matches(' ')).ok()?).ok()?);
    let (id, secret) = joined.split_once(':')?;
    let decode = |text: &str| {
        // `=` and `&` would end the value that the parser reads here.
        let whole = format!("x={}", text.replace('=', "%3D").replace('&', "%26"));
        url::form_urlencoded::parse(whole.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((decode(id)?, SecretText::new(decode(secret)?)))
}

impl Basic {
    /// Joins the header with what the form says. Errors if the request proves itself in two ways, names two clients,
    /// or none.
    pub(super) fn or_form(
        self,
        id: Option<String>,
        secret: Option<SecretText>,
    ) -> Result<Credentials, OAuthErrorResponse> {
        let id = id.filter(|id| !id.is_empty());
        let secret = secret.filter(|secret| !secret.expose().is_empty());
        match (self.0, id, secret) {
            (Some(_), _, Some(_)) => {
                Err(OAuthErrorResponse::request("Use one way of client authentication, not two."))
            }
            (Some((named, _)), Some(id), None) if named != id => {
                Err(OAuthErrorResponse::request("The header and the form name different clients."))
            }
            (Some((id, secret)), _, None) => Ok(Credentials { id, proof: ClientProof::Basic(secret) }),
            (None, Some(id), Some(secret)) => Ok(Credentials { id, proof: ClientProof::Post(secret) }),
            (None, Some(id), None) => Ok(Credentials { id, proof: ClientProof::None }),
            (None, None, _) => Err(OAuthErrorResponse::client()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(joined: &str) -> Option<(String, String)> {
        let (id, secret) = read_basic(&format!("basic {}", STANDARD.encode(joined)))?;
        Some((id, secret.expose().to_owned()))
    }

    #[test]
    fn both_parts_of_basic_are_form_decoded() {
        for (joined, id, secret) in [
            ("a:b", "a", "b"),
            ("a%3Ab:c%25d", "a:b", "c%d"),
            ("a+b:c+d", "a b", "c d"),
            ("a:b:c", "a", "b:c"),
            ("a:b=&c", "a", "b=&c"),
            (":", "", ""),
        ] {
            assert_eq!(read(joined), Some((id.to_owned(), secret.to_owned())), "{joined}");
        }
        assert_eq!(read("no colon"), None);
        for bad in [
            "Basic",
            "Basic ",
            "Basic ?",
            "Bearer YTpi",
            "YTpi",
            &format!("Basic {}", STANDARD.encode(b"\xff:\xff")),
        ] {
            assert!(read_basic(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_request_proves_itself_in_one_way() {
        let basic = || Basic(Some(("a".to_owned(), SecretText::new("s".to_owned()))));
        let secret = || Some(SecretText::new("s".to_owned()));
        let id = |text: &str| Some(text.to_owned());
        assert!(matches!(basic().or_form(id("a"), None).unwrap().proof, ClientProof::Basic(_)));
        assert!(matches!(Basic(None).or_form(id("a"), secret()).unwrap().proof, ClientProof::Post(_)));
        assert!(matches!(Basic(None).or_form(id("a"), None).unwrap().proof, ClientProof::None));
        for bad in [
            basic().or_form(None, secret()),
            basic().or_form(id("a"), secret()),
            basic().or_form(id("b"), None),
            Basic(None).or_form(None, secret()),
            Basic(None).or_form(id(""), None),
        ] {
            assert!(bad.is_err());
        }
    }
}
