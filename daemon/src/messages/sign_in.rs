//! Why a sign-in does not go on, in words.

use super::network::{SHOWN, quoted};
use everkey_proto::SignInMethod;
use everkey_proto::reply::{Hint, SignInUnderWay};
use everkey_proto::text::harmless;
use everkey_session::Rejected;

pub(super) fn refused(rejected: &Rejected) -> String {
    match rejected {
        Rejected::Email => "That email address was not accepted.".to_owned(),
        Rejected::Code => "That code was not accepted: it is wrong, expired or used up.".to_owned(),
        Rejected::NoCode => {
            "That can't be the code, which has six digits, or sixteen; nothing was sent.".to_owned()
        }
        Rejected::NoToken(why) => format!("That can't be a token: {why}. Nothing was sent."),
        Rejected::SecondFactor => {
            "That second factor was not accepted: it is wrong, or was used before.".to_owned()
        }
        Rejected::NoSecondFactor => {
            "That is neither the six digits of an authenticator app nor a recovery code.".to_owned()
        }
        Rejected::Token => "That token was not accepted: it is wrong, or revoked.".to_owned(),
        Rejected::Denied => "The sign-in was denied.".to_owned(),
        Rejected::Expired => "The code has expired: nobody approved it in time.".to_owned(),
        Rejected::Unfinished { secs } => {
            format!("The sign-in timed out: nobody finished it within {}.", span(*secs))
        }
        Rejected::Stray => "That does not belong to the sign-in that is under way.".to_owned(),
        Rejected::Issuer(called) if called.is_empty() => {
            "The answer does not say which server it is from, though the server promised to.".to_owned()
        }
        Rejected::Issuer(called) => {
            format!("The server calls itself {}, which is not the issuer that was asked.", quoted(called))
        }
        Rejected::Metadata(what) => {
            format!("The server's metadata can't be used: {}.", quoted(what))
        }
        Rejected::Registration(why) => {
            format!("The client registration failed: the server refused it ({}).", quoted(why))
        }
        Rejected::NoClient => {
            "The server does not register clients by itself, and this profile has no client id.".to_owned()
        }
        Rejected::Client(code) => {
            format!("The api-server gave this client no token ({}).", quoted(code))
        }
        Rejected::SignInMethod(scheme) => format!("The server offers no sign-in {}.", way(*scheme)),
        Rejected::Other(code) | Rejected::Answered(_, code) => {
            format!("The api-server refused ({}).", quoted(code))
        }
    }
}

pub(super) fn refused_hint(rejected: &Rejected) -> Hint {
    match rejected {
        Rejected::Token => {
            "Nothing was changed. Make a new token in the dashboard, and paste all of it.".into()
        }
        Rejected::NoCode => "Type its digits; the email address in their place has another code sent.".into(),
        Rejected::NoToken(_) => {
            "Nothing was changed. Copy the token from where it was made, and nothing else.".into()
        }
        Rejected::Stray => "It goes on; open the address that was shown, or paste where it ended.".into(),
        Rejected::Issuer(_) => {
            "Nothing was sent to it. Check the issuer, character by character (a trailing slash counts)."
                .into()
        }
        Rejected::Metadata(_) => {
            "Nothing was sent to it. Ask whoever runs the server, or name the endpoints in config.toml."
                .into()
        }
        Rejected::Registration(_) | Rejected::NoClient => Hint::AddClientId,
        Rejected::Client(_) => {
            "Check the profile's client_id, its secret or key, and its scope; the next try reads them anew."
                .into()
        }
        Rejected::SignInMethod(SignInMethod::Device) => Hint::UseScheme(SignInMethod::Browser),
        Rejected::SignInMethod(_) => Hint::UseScheme(SignInMethod::Device),
        Rejected::Email
        | Rejected::Code
        | Rejected::SecondFactor
        | Rejected::NoSecondFactor
        | Rejected::Denied
        | Rejected::Expired
        | Rejected::Unfinished { .. }
        | Rejected::Other(_)
        | Rejected::Answered(..) => Hint::Login,
    }
}

/// A time that was waited.
fn span(secs: u64) -> String {
    match secs {
        60 => "a minute".to_owned(),
        secs if secs % 60 == 0 => format!("{} minutes", secs / 60),
        secs => format!("{secs} seconds"),
    }
}

/// How a person signs in by a scheme.
fn way(scheme: SignInMethod) -> &'static str {
    match scheme {
        SignInMethod::Otp => "with a code by email",
        SignInMethod::Device => "by device code",
        SignInMethod::Browser => "in the browser",
        SignInMethod::Token => "with a pasted token",
        SignInMethod::Client => "with the client's own credentials",
    }
}

pub(super) fn listed(schemes: &[SignInMethod]) -> String {
    schemes.iter().map(|scheme| way(*scheme)).collect::<Vec<_>>().join(" or ")
}

pub(super) fn in_progress(other: &SignInUnderWay) -> String {
    let server = harmless(&other.server, SHOWN);
    match &other.email {
        Some(email) => format!("A sign-in for {} at {server} is under way.", harmless(email, SHOWN)),
        None => format!("A sign-in at {server} is under way."),
    }
}
