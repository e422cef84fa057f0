//! What a server says about itself: RFC 8414, OpenID Connect Discovery, RFC 9207. It counts only if it calls itself
//! exactly what it was called, and sends credentials nowhere less safe than it is itself.

use crate::http::{self, HttpResponse};
use everkey_proto::SignInMethod;
use everkey_session::{AuthMethod, Endpoints, LoginAnswer, Rejected, WellKnown};
use reqwest::Url;
use serde::Deserialize;

/// The metadata's address; none if the issuer is not one that credentials may be sent to.
pub fn url(issuer: &str, place: WellKnown) -> Option<String> {
    http::base_url(issuer).ok()?;
    let issuer = issuer.trim_end_matches('/');
    let between = |name: &str| {
        let (scheme, rest) = issuer.split_once("://")?;
        let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        Some(format!("{scheme}://{host}/.well-known/{name}{path}"))
    };
    match place {
        WellKnown::OpenId => Some(format!("{issuer}/.well-known/openid-configuration")),
        WellKnown::OAuth => between("oauth-authorization-server"),
        WellKnown::OpenIdOfPath => between("openid-configuration"),
    }
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: Option<String>,
    authorization_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    registration_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
    /// Only an OpenID provider has it, and each must (Discovery, section 3).
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
    everkey_refresh_retry: Option<Retry>,
}

/// Where everkey-server tells how far a session has rotated.
#[derive(Deserialize)]
struct Retry {
    session_endpoint: Option<String>,
}

/// The endpoints, if the metadata is `issuer`'s own and good enough for a sign-in of this kind.
pub fn read(issuer: &str, place: WellKnown, scheme: SignInMethod, answer: &HttpResponse) -> LoginAnswer {
    match answer.status {
        200 => match answer.object::<Metadata>() {
            Ok(metadata) => understand(issuer, scheme, metadata)
                .map_or_else(LoginAnswer::Rejected, LoginAnswer::Discovered),
            Err(flaw) => LoginAnswer::Net(answer.unusable(flaw)),
        },
        404 if place.next(issuer).is_none() => {
            let why = "there is none (status 404 at the last well-known address)";
            LoginAnswer::Rejected(Rejected::Metadata(why.to_owned()))
        }
        _ => LoginAnswer::Net(answer.unexpected()),
    }
}

fn understand(issuer: &str, scheme: SignInMethod, metadata: Metadata) -> Result<Endpoints, Rejected> {
    if metadata.issuer != issuer {
        return Err(Rejected::Issuer(metadata.issuer));
    }
    let unusable = |why: &str| Rejected::Metadata(why.to_owned());
    let challenges = metadata.code_challenge_methods_supported.as_ref();
    if scheme == SignInMethod::Browser && challenges.is_some_and(|ways| !ways.iter().any(|way| way == "S256"))
    {
        return Err(unusable("it does not take PKCE by S256, without which a code could be stolen"));
    }
    let ways = metadata.token_endpoint_auth_methods_supported;
    let client_auth: Vec<_> = ways.iter().flatten().filter_map(|way| client_auth(way)).collect();
    if client_auth.is_empty() && ways.is_some_and(|ways| !ways.is_empty()) {
        return Err(unusable("it takes clients neither without a secret nor with a secret or a private key"));
    }
    // Every OpenID provider has this scope, though it needn't say so.
    let assumed = metadata.id_token_signing_alg_values_supported.map(|_| "openid".to_owned());
    let endpoint = |name: &str, url: Option<String>| url.map(|url| safe(issuer, name, &url)).transpose();
    let session = metadata.everkey_refresh_retry.and_then(|retry| retry.session_endpoint);
    Ok(Endpoints {
        issuer: metadata.issuer,
        token: endpoint("token_endpoint", metadata.token_endpoint)?
            .ok_or_else(|| unusable("it names no token_endpoint"))?,
        authorization: endpoint("authorization_endpoint", metadata.authorization_endpoint)?,
        device_authorization: endpoint(
            "device_authorization_endpoint",
            metadata.device_authorization_endpoint,
        )?,
        registration: endpoint("registration_endpoint", metadata.registration_endpoint)?,
        revocation: endpoint("revocation_endpoint", metadata.revocation_endpoint)?,
        userinfo: endpoint("userinfo_endpoint", metadata.userinfo_endpoint)?,
        session: endpoint("session_endpoint", session)?.filter(|url| same_origin(issuer, url)),
        names_itself: metadata.authorization_response_iss_parameter_supported.unwrap_or(false),
        client_auth,
        scopes: metadata.scopes_supported.unwrap_or_else(|| assumed.into_iter().collect()),
    })
}

/// An endpoint as requests will go to it.
fn safe(issuer: &str, name: &str, url: &str) -> Result<String, Rejected> {
    let endpoint = http::endpoint(url).map_err(|why| Rejected::Metadata(format!("{name}: {why}")))?;
    let secure = |url: &str| Url::parse(url).is_ok_and(|url| url.scheme() == "https");
    if secure(issuer) && !secure(&endpoint) {
        return Err(Rejected::Metadata(format!("{name}: {endpoint} is not https, though the issuer is")));
    }
    Ok(endpoint)
}

pub fn same_origin(a: &str, b: &str) -> bool {
    Url::parse(a).ok().zip(Url::parse(b).ok()).is_some_and(|(a, b)| a.origin() == b.origin())
}

/// One of the ways that this client knows, by its registered word (RFC 7591 section 2).
pub fn client_auth(word: &str) -> Option<AuthMethod> {
    match word {
        "none" => Some(AuthMethod::None),
        "client_secret_basic" => Some(AuthMethod::ClientSecretBasic),
        "client_secret_post" => Some(AuthMethod::ClientSecretPost),
        "private_key_jwt" => Some(AuthMethod::PrivateKeyJwt),
        _ => None,
    }
}
