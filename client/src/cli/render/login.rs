//! The words of a sign-in: around its questions, and where it happens elsewhere.

use crate::cli::terminal::{dates, output};
use everkey_client::{Failure, Field};
use everkey_proto::reply::{CodeSent, SignInUnderWay};

/// A code to be typed on another device, ready to be shown.
pub struct DeviceCodeText {
    /// The address.
    pub url: String,
    /// The code.
    pub user_code: String,
    /// The time of day when it expires.
    pub expires: String,
    /// The address as a QR code.
    pub qr: Option<String>,
}

/// How to end it.
const GIVE_UP: &str = "Ctrl-C gives the sign-in up.";

/// A device code.
pub fn device_code(code: &DeviceCodeText) -> String {
    let qr = code.qr.as_ref().map(|qr| format!("\n{qr}")).unwrap_or_default();
    format!(
        "Open this address in a browser, on any device:\n\n  {}\n\nand enter the code:  {}\n{qr}\n\
         The code expires at {}. {GIVE_UP}\n\
         Waiting for you to approve it there...",
        code.url, code.user_code, code.expires
    )
}

/// A page that is open in a browser.
pub fn opened(url: &str, port: u16, until: &str) -> String {
    format!(
        "Your browser opens to sign in. If it does not, open this address on this machine:\n\n  {url}\n\n\
         {GIVE_UP}\nWaiting until {until} for it to come back to http://127.0.0.1:{port} ..."
    )
}

/// A page that a person is to open.
pub fn to_open(url: &str, port: u16, until: &str, failed: bool) -> String {
    let failed = if failed { "No browser could be opened here.\n" } else { "" };
    format!(
        "{failed}Open this address in a browser:\n\n  {url}\n\n\
         If the browser is on another machine, forward the port first, from there:\n\n  \
         ssh -L {port}:127.0.0.1:{port} user@remote-host\n\n\
         or paste here the address that the browser ends at.\n\
         {GIVE_UP}\nWaiting until {until} ..."
    )
}

/// What a person should know before a question.
pub fn before_question(field: Field, sent: Option<&CodeSent>) -> Option<String> {
    match field {
        Field::Email => None,
        Field::Code => {
            let to = sent.map_or_else(|| "you".to_owned(), |sent| output::plain(&sent.to));
            let wait = sent.and_then(|sent| sent.resend_available_in).filter(|secs| *secs > 0);
            let wait = wait.map(|secs| format!(" (after {})", dates::span(secs))).unwrap_or_default();
            Some(format!("A code is on its way to {to}. {ANOTHER}{wait}."))
        }
        Field::SecondFactor => Some("This account has a second factor.".to_owned()),
        Field::Token => Some(
            "Paste an access token of that server; its page /dashboard/access-tokens makes one.".to_owned(),
        ),
    }
}

/// Somebody else's sign-in, and how long ago it began.
pub fn under_way(other: &SignInUnderWay, now: u64) -> String {
    let server = output::plain(&other.server);
    let whose =
        other.email.as_ref().map_or_else(String::new, |email| format!(" for {}", output::plain(email)));
    let (clock, ago) = (dates::clock(other.started_at), dates::span(now.saturating_sub(other.started_at)));
    format!("A sign-in{whose} at {server} is under way. It began at {clock}, {ago} ago.")
}

/// How another code is had.
const ANOTHER: &str = "For another one, type the email address in its place";

/// Why a question is asked again, and how often it still may be.
pub fn again(field: Field, why: &Failure, tries: u8) -> String {
    let left = if tries == 1 { "One try is left".to_owned() } else { format!("{tries} tries are left") };
    let why = output::message(why);
    match field {
        Field::Code => format!("{why} {left}. {ANOTHER}."),
        Field::Email | Field::SecondFactor | Field::Token => format!("{why} {left}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_client::Code;

    #[test]
    fn a_question_says_how_many_tries_are_left() {
        let why = Failure::new(Code::Refused, "No.", "");
        let another = "For another one, type the email address in its place.";
        assert_eq!(again(Field::Code, &why, 4), format!("No. 4 tries are left. {another}"));
        assert_eq!(again(Field::Code, &why, 1), format!("No. One try is left. {another}"));
        assert_eq!(again(Field::Email, &why, 2), "No. 2 tries are left.");
    }

    #[test]
    fn where_a_code_went_is_said_and_how_another_comes() {
        let sent = CodeSent { to: "a\u{1b}@b.c".to_owned(), expires_in: None, resend_available_in: Some(30) };
        assert_eq!(
            before_question(Field::Code, Some(&sent)).unwrap(),
            "A code is on its way to a@b.c. \
             For another one, type the email address in its place (after 30 s)."
        );
    }

    #[test]
    fn a_code_is_shown_with_where_it_goes() {
        let code = DeviceCodeText {
            url: "https://a/device".to_owned(),
            user_code: "ABCD-1234".to_owned(),
            expires: "10:35:00 PM".to_owned(),
            qr: None,
        };
        assert_eq!(
            device_code(&code),
            "Open this address in a browser, on any device:\n\n  https://a/device\n\nand enter the code:  ABCD-1234\n\n\
             The code expires at 10:35:00 PM. Ctrl-C gives the sign-in up.\n\
             Waiting for you to approve it there..."
        );
    }

    #[test]
    fn without_a_browser_the_port_can_be_forwarded() {
        let said = to_open("https://a/authorize?x=1", 4711, "10:35:00", false);
        assert!(said.contains("\n  https://a/authorize?x=1\n"), "{said}");
        assert!(said.contains("\n  ssh -L 4711:127.0.0.1:4711 user@remote-host\n"), "{said}");
        assert!(!said.contains("No browser"), "{said}");
        assert!(to_open("https://a/", 1, "", true).starts_with("No browser could be opened here.\n"));
    }
}
