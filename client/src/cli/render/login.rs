//! The words of a sign-in that happens elsewhere.

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

/// A sign-in outlives the command that waits for it.
const AGAIN: &str = "Ctrl-C stops waiting; the same command goes on with it.";

/// A device code.
pub fn device_code(code: &DeviceCodeText) -> String {
    let qr = code.qr.as_ref().map(|qr| format!("\n{qr}")).unwrap_or_default();
    format!(
        "Open this address in a browser, on any device:\n\n  {}\n\nand enter the code:  {}\n{qr}\n\
         The code expires at {}. {AGAIN}\n\
         Waiting for you to approve it there...",
        code.url, code.user_code, code.expires
    )
}

/// A page that is open in a browser.
pub fn opened(url: &str, port: u16, until: &str) -> String {
    format!(
        "Your browser opens to sign in. If it does not, open this address on this machine:\n\n  {url}\n\n\
         {AGAIN}\nWaiting until {until} for it to come back to http://127.0.0.1:{port} ..."
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
         {AGAIN}\nWaiting until {until} ..."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
             The code expires at 10:35:00 PM. Ctrl-C stops waiting; the same command goes on with it.\n\
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
