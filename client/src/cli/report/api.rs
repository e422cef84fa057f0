//! The account's own server, asked through curl with the account's token. Its errors are its own sentences.

use crate::cli::curl_program::{Transfer, Way, transfer};
use everkey_client::{Failure, Hint, Secret};
use everkey_config::network::NetworkSettings;
use everkey_proto::Code;
use serde_json::Value;
use std::path::Path;

/// How long a request may take, in seconds, with the file that it sends.
const PATIENCE: &str = "60";

/// A server and a token for it.
pub struct Api {
    pub server: String,
    pub token: Secret,
    /// What lies between here and the server.
    pub network: NetworkSettings,
}

impl Api {
    pub fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(path, &[])
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let body = body.to_string();
        self.ask(path, &["--header", "Content-Type: application/json", "--data-raw", &body])
    }

    /// Sends a file, byte for byte, without asking first whether it may: it is small, and not every proxy answers that.
    pub fn put(&self, path: &str, file: &Path) -> Result<Value, Failure> {
        let file = file.to_string_lossy();
        self.ask(
            path,
            &[
                "--header",
                "Content-Type: application/octet-stream",
                "--header",
                "Expect:",
                "--upload-file",
                &file,
            ],
        )
    }

    pub fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.ask(path, &["--request", "DELETE"])
    }

    fn ask(&self, path: &str, options: &[&str]) -> Result<Value, Failure> {
        let all: Vec<_> =
            ["--max-time", PATIENCE].iter().chain(options).map(|one| (*one).to_owned()).collect();
        let url = format!("{}{path}", self.server);
        let Transfer { status, body, complaint } =
            transfer(&url, &all, &Way::to(&url, &self.network)?, &self.token)?;
        let said = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        match status {
            200..=299 => Ok(said),
            0 => Err(self.unreachable(&complaint)),
            status => Err(self.refused(status, &said)),
        }
    }

    fn unreachable(&self, complaint: &str) -> Failure {
        let why = complaint.trim().trim_start_matches("curl: ").trim_end_matches('.');
        let what = format!("Could not reach {} ({}).", self.server, everkey_redact::quote(why));
        Failure::new(Code::Offline, what, "`everkey doctor` says how far one gets; then try again.")
    }

    fn refused(&self, status: u16, said: &Value) -> Failure {
        let words = said["message"].as_str().map(everkey_redact::quote);
        let words = words.unwrap_or_else(|| format!("it answers {status}"));
        let what = format!("{} says: {}", self.server, words);
        let retry_after_secs = said["retry_after_secs"].as_u64().and_then(|secs| u32::try_from(secs).ok());
        let (code, hint) = match status {
            401 => (Code::Refused, Hint::Login),
            403 => (Code::Refused, "An owner or an admin of the workspace may do it.".into()),
            404 => (
                Code::Refused,
                "Is it this server? It must be an everkey-server with workspaces (`--profile`).".into(),
            ),
            429 => (Code::RateLimited, "Then try again.".into()),
            500..=599 => (Code::Offline, "Try again later.".into()),
            _ => (Code::Refused, "Nothing was kept there.".into()),
        };
        Failure { retry_after_secs, ..Failure::new(code, what, hint) }
    }
}
