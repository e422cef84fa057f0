//! `everkey-server serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use lettre::message::Mailbox;

use crate::artifacts::location::ArtifactLocation;
use crate::cli::values::{Unrepeated, ttl};
use crate::db::DatabaseLocation;
use crate::limits::Limits;
use crate::mail::route::MailRoute;
use crate::rules::rotation::RetryMode;

/// What stands below the options in `serve --help`.
pub(super) fn after_help() -> String {
    format!(
        "The --limits file is TOML. Each key overrides one limit; these are the defaults:\n{}\n\
         Signals: SIGTERM and SIGINT finish the requests under way, then exit 0. SIGHUP reads the keys file again.\n\
         Logs go to stderr; EVERKEY_LOG sets what is logged (info, debug, everkey_server=trace, ...).",
        Limits::listing()
    )
}

/// How to run the server.
#[derive(Debug, Args)]
pub struct ServeCommand {
    /// Address and port to listen on; port 0 picks a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8787")]
    pub listen: String,

    /// The database, made if it is not there
    ///
    /// A SQLite file on a local disk, or PostgreSQL, whose address belongs into the environment, or as @FILE into
    /// a file, if it has a password. Left out, it is $XDG_STATE_HOME/everkey-server/everkey.db, or
    /// that under ~/.local/state.
    #[arg(
        long,
        value_name = "sqlite:PATH|postgres://...",
        env = "EVERKEY_SERVER_DATABASE",
        value_parser = Unrepeated::<DatabaseLocation>::new(),
        hide_env_values = true
    )]
    pub database: Option<DatabaseLocation>,

    /// The server's own keys, made at first start; mode 0600
    ///
    /// Left out, it is the database's path with .keys added; PostgreSQL needs it named, and every server on that
    /// database needs the same file. Whoever has it can forge access tokens, so
    /// back it up with care and apart from the database.
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,

    /// Where the files of reports are kept: dir:PATH, or s3://BUCKET[/PREFIX]
    ///
    /// Left out, it is a folder beside a SQLite database, its path with .files added; with PostgreSQL there are no files
    /// then. Every server on the database needs the same place. Keys, region and endpoint of an S3 stand in the
    /// environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, and AWS_ALLOW_HTTP=true
    /// for one without TLS.
    #[arg(long, value_name = "WHERE", env = "EVERKEY_SERVER_FILES", value_parser = Unrepeated::<ArtifactLocation>::new())]
    pub files: Option<ArtifactLocation>,

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
    /// smtps:// is encrypted from the start. Set it in the environment, or as @FILE in a file, rather than here if
    /// it has a password: other users can see a command line.
    #[arg(
        long,
        value_name = "WHERE",
        default_value = "terminal",
        env = "EVERKEY_SERVER_MAIL",
        value_parser = Unrepeated::<MailRoute>::new(),
        hide_env_values = true
    )]
    pub mail: MailRoute,

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

    /// Where to report a hole in this server, for /.well-known/security.txt (RFC 9116); may be repeated, the best first
    ///
    /// An address such as mailto:security@example.com or https://example.com/report. Left out, there is no security.txt.
    #[arg(long, value_name = "ADDRESS", env = "EVERKEY_SERVER_SECURITY_CONTACT", value_delimiter = ' ', value_parser = contact)]
    pub security_contact: Vec<String>,

    /// A page that says how reports are dealt with, for security.txt
    #[arg(long, value_name = "URL", env = "EVERKEY_SERVER_SECURITY_POLICY", value_parser = policy, requires = "security_contact")]
    pub security_policy: Option<String>,

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

/// RFC 9116 section 2.5.3: an address that says how to use it; pages only over TLS.
fn contact(text: &str) -> Result<String, String> {
    one_line(text)?;
    let scheme = url::Url::parse(text).map(|url| url.scheme().to_owned()).unwrap_or_default();
    match scheme.as_str() {
        "mailto" | "tel" | "https" => Ok(text.to_owned()),
        _ if text.contains('@') && scheme.is_empty() => Err(format!("write mailto:{text}")),
        _ => Err("write mailto:ADDRESS, tel:NUMBER or https://PAGE".to_owned()),
    }
}

fn policy(text: &str) -> Result<String, String> {
    one_line(text)?;
    let is_page = url::Url::parse(text).is_ok_and(|url| url.scheme() == "https");
    if is_page { Ok(text.to_owned()) } else { Err("write https://PAGE".to_owned()) }
}

fn one_line(text: &str) -> Result<(), String> {
    let plain = text.chars().all(|letter| letter.is_ascii_graphic());
    if plain { Ok(()) } else { Err("it must be one line without blanks".to_owned()) }
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

    use crate::cli::ServerCli;

    #[test]
    fn debug_hides_a_password_in_the_mail_address() {
        let cli = ServerCli::parse_from(["everkey-server", "serve", "--mail", "smtp://me:hunter2@h:25"]);
        assert!(!format!("{cli:?}").contains("hunter2"));
    }
}
