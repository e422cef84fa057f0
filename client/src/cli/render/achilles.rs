//! achilles' own words, as its document shows them.

use super::login::DeviceCodeText;
use crate::cli::terminal::output;
use everkey_client::{Code, Failure, Inspection, State, Status, Verdict};

/// A device code.
pub fn device_code(code: &DeviceCodeText) -> String {
    let qr = code.qr.as_ref().map(|qr| format!("{qr}\n")).unwrap_or_default();
    format!(
        "Open this URL in your browser:\n{}\n{qr}Enter code: {}\nExpires: {}\nWaiting for authorization...",
        code.url, code.user_code, code.expires
    )
}

/// `achilles status`; `backend` is what the server said of the token, none if there is no token to ask about.
pub fn status(status: &Status, backend: Option<&Result<Inspection, Failure>>, login: &str) -> String {
    let mut lines = vec![
        concat!("ProjectAchilles CLI v", env!("CARGO_PKG_VERSION")).to_owned(),
        format!("Server: {}", output::plain(&status.server)),
    ];
    let Some(backend) = backend else {
        lines.push(format!("Auth: Not logged in — run {login}"));
        if let Some(reason) = status.reason.as_ref().filter(|_| status.state == State::NeedsLogin) {
            lines.push(format!("      ({})", output::plain(reason)));
        }
        return lines.join("\n");
    };
    let inspection = backend.as_ref().ok();
    let told = |key: &str| inspection.and_then(|inspection| inspection.about.get(key));
    let about = |key: &str| {
        let text = status.about.get(key).filter(|text| !text.is_empty()).or_else(|| told(key));
        text.filter(|text| !text.is_empty()).map(|text| output::plain(text))
    };
    let user = status.user.as_ref().or_else(|| inspection?.user.as_ref());
    let user = about("name").or_else(|| user.map(output::user));
    lines.extend(user.map(|user| format!("User: {user}")));
    lines.extend(about("org").map(|org| format!("Org: {org}")));
    lines.extend(about("role").map(|role| format!("Role: {role}")));
    lines.push(self::backend(backend, login));
    lines.extend(inspection.and_then(fleet));
    lines.extend(inspection.and_then(score));
    lines.join("\n")
}

/// What the backend says of the fleet, if it does.
fn fleet(inspection: &Inspection) -> Option<String> {
    let count = |name: &str| Some(output::plain(inspection.about.get(name)?));
    let (total, online, offline) = (count("fleet.total")?, count("fleet.online")?, count("fleet.offline")?);
    Some(format!("Fleet: {total} agents ({online} online, {offline} offline)"))
}

fn score(inspection: &Inspection) -> Option<String> {
    /// How many characters the bar has.
    const BAR: usize = 28;
    let text = |name: &str| Some(output::plain(inspection.about.get(name)?));
    let percent = text("score.percent")?;
    let share = percent.parse::<f64>().ok().filter(|share| (0.0..=100.0).contains(share))? / 100.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // 0..=28
    let full = (share * BAR as f64).round() as usize;
    let bar = "█".repeat(full) + &"░".repeat(BAR - full);
    let (yes, no, all) = (text("score.protected")?, text("score.unprotected")?, text("score.total")?);
    Some(format!("Defense Score: {percent}% {bar}\n{yes} protected / {no} unprotected / {all} total"))
}

fn backend(backend: &Result<Inspection, Failure>, login: &str) -> String {
    match backend {
        Ok(Inspection { verdict: Verdict::Accepted, .. }) => "● Backend connected".to_owned(),
        Ok(Inspection { verdict: Verdict::Untold, .. }) => "● Backend answers".to_owned(),
        Ok(Inspection { verdict: Verdict::Refused, .. }) => {
            format!("○ Backend refuses the token — run {login}")
        }
        Err(failure) => match failure.code {
            Code::Offline => "○ Backend can't be reached".to_owned(),
            Code::Timeout => "○ Backend does not answer".to_owned(),
            Code::Refused | Code::NeedsLogin => format!("○ Backend refuses the token — run {login}"),
            Code::RateLimited => "○ Backend asks to wait before it is asked again".to_owned(),
            _ => format!("○ Backend not asked: {}", output::plain(&failure.message)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use everkey_client::{SignInMethod, User};
    use std::collections::BTreeMap;

    fn john() -> Status {
        let about = [("name", "John Doe"), ("org", "org_default"), ("role", "admin")];
        Status {
            profile: "achilles/default".to_owned(),
            server: "http://localhost:3000".to_owned(),
            session_file: "/h/.achilles/auth.json".to_owned(),
            state: State::Valid,
            reason: None,
            user: Some(User { id: "user_1".to_owned(), email: "j@example.com".to_owned() }),
            scheme: SignInMethod::Device,
            masked_token: None,
            access_expires_at: None,
            refresh_expires_at: None,
            next_refresh_at: None,
            last_error: None,
            pending_revocations: 0,
            provider: "achilles".to_owned(),
            about: about.map(|(key, text)| (key.to_owned(), text.to_owned())).into(),
            masked_static_token: None,
            reminder: None,
            next_wake: None,
            replay: None,
            sign_in_by: None,
            token_served: false,
            token_refused: false,
            proxy: None,
            certificates: Vec::new(),
        }
    }

    fn said(verdict: Verdict) -> Result<Inspection, Failure> {
        Ok(Inspection { verdict, user: None, about: BTreeMap::new() })
    }

    #[test]
    fn the_document_is_followed() {
        let version = concat!("ProjectAchilles CLI v", env!("CARGO_PKG_VERSION"));
        let user = "Server: http://localhost:3000\nUser: John Doe\nOrg: org_default\nRole: admin\n● Backend connected";
        let bare = said(Verdict::Accepted);
        assert_eq!(status(&john(), Some(&bare), "achilles login"), format!("{version}\n{user}"));
        let about = [
            ("fleet.total", "12"),
            ("fleet.online", "10"),
            ("fleet.offline", "2"),
            ("score.percent", "73.2"),
            ("score.protected", "42"),
            ("score.unprotected", "16"),
            ("score.total", "58"),
        ];
        let about = about.map(|(key, text)| (key.to_owned(), text.to_owned())).into();
        let whole = Ok(Inspection { verdict: Verdict::Accepted, user: None, about });
        let fleet = "Fleet: 12 agents (10 online, 2 offline)\nDefense Score: 73.2% ████████████████████░░░░░░░░\n\
                     42 protected / 16 unprotected / 58 total";
        assert_eq!(status(&john(), Some(&whole), "achilles login"), format!("{version}\n{user}\n{fleet}"));
        assert_eq!(
            status(&john(), None, "achilles login"),
            format!("{version}\nServer: http://localhost:3000\nAuth: Not logged in — run achilles login")
        );
        let code = DeviceCodeText {
            url: "https://your-deployment.example.com/cli/verify".to_owned(),
            user_code: "ABCD-1234".to_owned(),
            expires: "10:35:00 PM".to_owned(),
            qr: None,
        };
        assert_eq!(
            device_code(&code),
            "Open this URL in your browser:\nhttps://your-deployment.example.com/cli/verify\n\
             Enter code: ABCD-1234\nExpires: 10:35:00 PM\nWaiting for authorization..."
        );
    }

    #[test]
    fn the_backend_knows_a_name_that_the_file_lacks() {
        let mut nameless = john();
        nameless.about.remove("name");
        let about = [("name".to_owned(), "John Doe".to_owned())].into();
        let backend = Ok(Inspection { verdict: Verdict::Accepted, user: None, about });
        assert!(status(&nameless, Some(&backend), "achilles login").contains("User: John Doe\n"));
    }

    #[test]
    fn a_backend_is_spoken_of_honestly() {
        let offline = Err(Failure::new(Code::Offline, "x", "y"));
        let silent = Err(Failure::new(Code::Timeout, "x", "y"));
        for (backend, words) in [
            (said(Verdict::Refused), "○ Backend refuses the token — run achilles login"),
            (said(Verdict::Untold), "● Backend answers"),
            (offline, "○ Backend can't be reached"),
            (silent, "○ Backend does not answer"),
        ] {
            let shown = status(&john(), Some(&backend), "achilles login");
            assert_eq!(shown.lines().last(), Some(words));
        }
    }
}
