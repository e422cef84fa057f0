//! `everkey-server serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use lettre::message::Mailbox;

use crate::cli::values::{Unrepeated, ttl};
use crate::db::Place;
use crate::mail::route::Route;
use crate::rules::rotation::RetryMode;

pub(super) const LIMITS_HELP: &str = "\
The --limits file is TOML. Each key overrides one limit; these are the defaults:
  code_ttl              = \"10m\"                         how long a login code works
  code_cooldown         = \"30s\"                         pause between two codes for one email
  codes_per_email       = { max = 5, window = \"15m\" }   codes sent to one email
  codes_per_ip          = { max = 20, window = \"15m\" }  codes asked for from one address or /64
  guesses_per_code      = 5                             guesses after which a code is dead
  failures_per_email    = { max = 50, window = \"1d\" }   refused guesses for one email
  web_idle              = \"7d\"                          how long a browser stays signed in unused
  web_longest           = \"30d\"                         how long a browser stays signed in at all
  registrations_per_ip  = { max = 20, window = \"1h\" }   OAuth clients registered from one address
  client_failures_per_ip = { max = 30, window = \"15m\" } failed OAuth client authentications from one
  code_exchanges_per_ip = { max = 120, window = \"1m\" }  authorization codes brought from one address
  rotations_per_session = { max = 120, window = \"1m\" }  refreshes of one session
  refused_tokens_per_ip = { max = 30, window = \"15m\" }  refused personal access tokens from one address
  tokens_per_user       = { max = 30, window = \"1h\" }   personal access tokens made by one user
  creations_per_user    = { max = 200, window = \"1h\" }  workspaces, invitations, reports, links of one user
  share_opens_per_ip    = { max = 60, window = \"1m\" }   share links opened from one address or /64
  device_code_ttl           = \"10m\"                         how long the codes of a device sign-in work
  device_codes_per_ip       = { max = 10, window = \"15m\" }  device sign-ins asked for from one address
  wrong_user_codes_per_user = { max = 5, window = \"10m\" }   wrong device codes typed by one user
  wrong_user_codes_per_ip   = { max = 5, window = \"10m\" }   wrong device codes typed at one address
  achilles_polls_per_ip     = { max = 60, window = \"1m\" }   polls of the achilles CLI from one address
  achilles_refreshes_per_ip = { max = 10, window = \"15m\" }  refreshes of the achilles CLI from one address
  second_factor_failures = { max = 5, window = \"10m\" }  wrong answers to one user's second factor

Signals: SIGTERM and SIGINT finish the requests under way, then exit 0. SIGHUP reads the keys file again.
Logs go to stderr; EVERKEY_LOG sets what is logged (info, debug, everkey_server=trace, ...).";

/// How to run the server.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port to listen on; port 0 picks a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8787")]
    pub listen: String,

    /// The database, made if it is not there
    ///
    /// A SQLite file on a local disk, or PostgreSQL, whose address belongs into the environment if it has a
    /// password. Left out, it is $XDG_STATE_HOME/everkey-server/everkey.db, or
    /// that under ~/.local/state.
    #[arg(
        long,
        value_name = "sqlite:PATH|postgres://...",
        env = "EVERKEY_SERVER_DATABASE",
        value_parser = Unrepeated::<Place>::new(),
        hide_env_values = true
    )]
    pub database: Option<Place>,

    /// The server's own keys, made at first start; mode 0600
    ///
    /// Left out, it is the database's path with .keys added; PostgreSQL needs it named, and every server on that
    /// database needs the same file. Whoever has it can forge access tokens, so
    /// back it up with care and apart from the database.
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,

    /// Don't bring the database's schema up to date; refuse to start if it is behind
    #[arg(long)]
    pub no_migrate: bool,

    /// Make new keys although the database already has users and the keys file is gone
    ///
    /// Refresh tokens go on working; access tokens, login codes and refresh answers under way do not.
    #[arg(long)]
    pub new_keys: bool,

    /// Where mail goes: dir:PATH, terminal, smtp://USER:PASSWORD@HOST:PORT or smtps://...
    ///
    /// dir:PATH writes one .eml file a message. smtp:// is unencrypted unless ?tls=required is added;
    /// smtps:// is encrypted from the start. Set it in the environment rather than here if it has a
    /// password: other users can see a command line.
    #[arg(
        long,
        value_name = "WHERE",
        default_value = "terminal",
        env = "EVERKEY_SERVER_MAIL",
        value_parser = Unrepeated::<Route>::new(),
        hide_env_values = true
    )]
    pub mail: Route,

    /// The sender of mail
    #[arg(long, value_name = "ADDRESS", default_value = "everkey <no-reply@localhost>")]
    pub mail_from: Mailbox,

    /// How long an access token works
    #[arg(long, value_name = "SPAN", default_value = "3600s", value_parser = ttl)]
    pub access_ttl: Duration,

    /// How long an unused refresh token works
    #[arg(long, value_name = "SPAN", default_value = "30d", value_parser = ttl)]
    pub refresh_ttl: Duration,

    /// Whether a lost refresh answer can be asked for again
    #[arg(long, value_name = "MODE", value_enum, default_value_t = Retry::Rr1)]
    pub retry: Retry,

    /// Where Prometheus may fetch metrics, at /metrics; without it nowhere
    ///
    /// They hold no user data, but say how busy the server is: choose an address that only your monitoring reaches.
    #[arg(long, value_name = "HOST:PORT")]
    pub metrics: Option<String>,

    /// A TOML file that overrides rate limits (its keys: see the end of --help)
    #[arg(long, value_name = "FILE")]
    pub limits: Option<PathBuf>,

    /// The name in the `iss` of access tokens, which only this server reads; not its address (that is --public-url)
    ///
    /// Any text; leave it as it is unless something reads your access tokens itself. After a change the access tokens
    /// issued before it are refused, and clients refresh. Two servers on one database need the same.
    #[arg(long, value_name = "NAME", default_value = "everkey-server")]
    pub issuer: String,

    /// Where people and tools reach this server: https://HOST, or http:// on loopback
    ///
    /// It is in every link, and it is the issuer that OAuth and OpenID Connect clients see (metadata, `iss`,
    /// id_tokens). Clients pin it, so choose it once. Left out, it is the address that is listened on.
    #[arg(long, value_name = "URL", env = "EVERKEY_SERVER_PUBLIC_URL", value_parser = public_url)]
    pub public_url: Option<String>,

    /// A proxy whose X-Forwarded-For is believed; may be repeated
    ///
    /// Without it the header is ignored.
    #[arg(long, value_name = "CIDR")]
    pub trusted_proxy: Vec<IpNet>,

    /// How log lines look
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// `--retry`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Retry {
    /// The same request with the same Idempotency-Key gets the same answer until that was used
    Rr1,
    /// Every second use of a refresh token is a replay and revokes every session of the user
    Strict,
}

impl From<Retry> for RetryMode {
    fn from(retry: Retry) -> Self {
        match retry {
            Retry::Rr1 => Self::Rr1,
            Retry::Strict => Self::Strict,
        }
    }
}

/// `--log-format`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// An origin without a path: RFC 8414 issuers may have one, but cookies and redirects are easier to get right
/// without.
fn public_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|error| error.to_string())?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let bare =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    match url.scheme() {
        _ if !bare => Err("write only scheme, host and port, such as https://auth.example.com".to_owned()),
        "https" => Ok(url.origin().ascii_serialization()),
        "http" if loopback => Ok(url.origin().ascii_serialization()),
        _ => Err("write https://HOST; http:// is only for loopback".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;
    use crate::limits::Limits;

    #[test]
    fn the_limits_shown_in_the_help_are_the_defaults() {
        let toml: String = LIMITS_HELP
            .lines()
            .filter(|line| line.starts_with("  ") && line.contains('='))
            .map(|line| {
                let end = line.rfind("  ").unwrap();
                format!("{}\n", line[..end].trim())
            })
            .collect();
        assert_eq!(toml::from_str::<Limits>(&toml).unwrap(), Limits::default());
        let every = format!("{:#?}", Limits::default());
        let fields = every.lines().filter(|line| {
            line.starts_with("    ") && line.as_bytes().get(4).is_some_and(u8::is_ascii_lowercase)
        });
        assert_eq!(toml.lines().count(), fields.count(), "every limit is shown");
    }

    #[test]
    fn a_password_in_the_mail_address_is_not_shown_by_debug() {
        let cli = Cli::parse_from(["everkey-server", "serve", "--mail", "smtp://me:hunter2@h:25"]);
        assert!(!format!("{cli:?}").contains("hunter2"));
    }
}
