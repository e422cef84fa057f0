//! The command line.

use std::ffi::OsStr;
use std::fmt::Display;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use lettre::message::Mailbox;

use crate::db::Place;
use crate::db::users::Platform;
use crate::duration;
use crate::mail::route::Route;
use crate::rules::email::Email;
use crate::rules::rotation::RetryMode;

/// The self-hosted api-server: signs people in by email code and keeps their sessions.
#[derive(Debug, Parser)]
#[command(name = "everkey-server", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server until it is told to stop (SIGTERM, Ctrl-C)
    #[command(after_long_help = LIMITS_HELP)]
    Serve(Box<Serve>),
    /// Bring the database's schema up to date, and say what was done
    ///
    /// `serve` does so by itself unless it is given --no-migrate.
    Migrate(Listing),
    /// Look after the accounts of users
    #[command(subcommand)]
    Users(Users),
    /// Look after the OAuth clients that registered
    #[command(subcommand)]
    Clients(Clients),
    /// List every session: whose, how often rotated, how ended; or end one
    Sessions(Sessions),
    /// List what happened: sign-ins, rotations, replays, refusals
    Events(Listing),
    /// Change or list the server's own keys
    #[command(subcommand)]
    Keys(Keys),
    /// Copy the database to a new file while the server runs
    Backup(Backup),
}

const LIMITS_HELP: &str = "\
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

/// How to list.
#[derive(Debug, Args)]
pub struct Listing {
    /// The database to read
    #[arg(
        long,
        value_name = "sqlite:PATH|postgres://...",
        env = "EVERKEY_SERVER_DATABASE",
        value_parser = Unrepeated::<Place>::new(),
        hide_env_values = true
    )]
    pub database: Option<Place>,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `everkey-server users`: what to do with an account. Every change is written into the audit.
#[derive(Debug, Subcommand)]
pub enum Users {
    /// List every account
    List(Listing),
    /// Show one account and its open sessions
    Show(OneUser),
    /// End every session of an account and let it sign in no more
    ///
    /// Its personal access tokens rest: they work again when it is enabled.
    Disable(OneUser),
    /// Let an account sign in again
    ///
    /// What was ended stays ended; its personal access tokens work again.
    Enable(OneUser),
    /// Put an account on a plan
    SetPlan {
        /// Whose
        #[command(flatten)]
        user: OneUser,
        /// The plan's name
        #[arg(value_name = "PLAN", value_parser = plan)]
        plan: String,
    },
    /// Give an account a role in this installation, or take it away
    SetPlatformRole {
        /// Whose
        #[command(flatten)]
        user: OneUser,
        /// The role
        #[arg(value_name = "ROLE", value_enum)]
        role: PlatformRole,
    },
    /// End every session of an account; it may sign in again
    ///
    /// Its personal access tokens go on working unless --tokens is given.
    SignOut {
        /// Whose
        #[command(flatten)]
        user: OneUser,
        /// Revoke its personal access tokens, too, for good
        #[arg(long)]
        tokens: bool,
    },
    /// Take an account's second factor away, for someone who lost phone and recovery codes
    ///
    /// From then on a code by mail is enough to sign in, so be sure first who asks. Their sessions stay. No mail tells
    /// them: do it yourself, and ask them to set the second factor up anew.
    ResetSecondFactor(OneUser),
}

/// `everkey-server clients`.
#[derive(Debug, Subcommand)]
pub enum Clients {
    /// List every client
    List(Listing),
    /// Let a client introspect the access tokens of every client, as a resource server must
    AllowIntrospection(OneClient),
    /// Let a client introspect its own tokens only
    ForbidIntrospection(OneClient),
}

/// A client, and how to say what became of it.
#[derive(Debug, Args)]
pub struct OneClient {
    /// The client's id
    #[arg(value_name = "CLIENT_ID")]
    pub id: String,

    /// Where to look, and how to answer
    #[command(flatten)]
    pub listing: Listing,
}

/// An account, and how to say what became of it.
#[derive(Debug, Args)]
pub struct OneUser {
    /// The email address that the account signs in with
    #[arg(value_name = "EMAIL", value_parser = email)]
    pub email: Email,

    /// Where to look, and how to answer
    #[command(flatten)]
    pub listing: Listing,
}

/// `everkey-server sessions`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Sessions {
    /// How to list
    #[command(flatten)]
    pub listing: Listing,

    /// What else to do
    #[command(subcommand)]
    pub command: Option<OneSession>,
}

/// What to do with one session.
#[derive(Debug, Subcommand)]
pub enum OneSession {
    /// End one session: its tokens work no more
    End {
        /// The session's id, as `sessions` lists it
        #[arg(value_name = "ID")]
        id: String,
        /// Where to look
        #[command(flatten)]
        listing: Listing,
    },
}

/// `everkey-server keys`.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make new keys; running servers use them within seconds, and what the old ones made goes on working
    Rotate {
        /// Which keys
        #[command(flatten)]
        file: KeysFile,
        /// How long replaced keys are kept: the longest --refresh-ttl of the servers that use them
        #[arg(long, value_name = "SPAN", default_value = "30d", value_parser = ttl)]
        refresh_ttl: Duration,
    },
    /// List the keys, without their secrets
    List {
        /// Which keys
        #[command(flatten)]
        file: KeysFile,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
}

/// Which keys file.
#[derive(Debug, Args)]
pub struct KeysFile {
    /// The keys file; left out, the one beside the SQLite database
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,

    /// The database that the keys stand beside
    #[arg(
        long,
        value_name = "sqlite:PATH|postgres://...",
        env = "EVERKEY_SERVER_DATABASE",
        value_parser = Unrepeated::<Place>::new(),
        hide_env_values = true
    )]
    pub database: Option<Place>,
}

/// `everkey-server backup`.
#[derive(Debug, Args)]
#[command(after_help = "The keys are not in it: back their file up as well, and apart from the database.")]
pub struct Backup {
    /// The new file, mode 0600. A SQLite database is copied whole; of PostgreSQL it is pg_dump's custom format, to be
    /// restored with pg_restore
    #[arg(value_name = "TO")]
    pub to: PathBuf,

    /// The database to copy
    #[arg(
        long,
        value_name = "sqlite:PATH|postgres://...",
        env = "EVERKEY_SERVER_DATABASE",
        value_parser = Unrepeated::<Place>::new(),
        hide_env_values = true
    )]
    pub database: Option<Place>,
}

/// A role in the installation.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PlatformRole {
    /// A user like any other
    None,
    /// May look after users and sessions
    Admin,
}

impl From<PlatformRole> for Platform {
    fn from(role: PlatformRole) -> Self {
        match role {
            PlatformRole::None => Self::None,
            PlatformRole::Admin => Self::Admin,
        }
    }
}

fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|error| error.to_string())
}

fn plan(text: &str) -> Result<String, String> {
    let fits = (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits { Ok(text.to_owned()) } else { Err("write up to 32 of a-z, 0-9 and -".to_owned()) }
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

/// Reads a value that may hold a password, and so is not repeated when it is wrong.
#[derive(Clone)]
struct Unrepeated<T>(PhantomData<fn() -> T>);

impl<T> Unrepeated<T> {
    fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> TypedValueParser for Unrepeated<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let why = match value.to_str().map(str::parse) {
            Some(Ok(value)) => return Ok(value),
            Some(Err(error)) => T::Err::to_string(&error),
            None => "it is not text".to_owned(),
        };
        let arg = arg.map(ToString::to_string).unwrap_or_default();
        Err(clap::Error::raw(ErrorKind::ValueValidation, format!("{arg}: {why}\n")).with_cmd(command))
    }
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

fn ttl(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Ok(span) if span.is_zero() => Err("it must be at least 1s".to_owned()),
        Ok(span) => Ok(span),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::limits::Limits;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

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
