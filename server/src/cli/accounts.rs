//! `everkey-server users` and `clients`.

use clap::{Args, Subcommand, ValueEnum};

use crate::actions::accounts::profile::display_name;
use crate::cli::listing::ListOptions;
use crate::db::users::Platform;
use crate::rules::achilles_role::AchillesRole;
use crate::rules::email::Email;

/// `everkey-server users`: what to do with an account. Every change is written into the audit.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// List every account
    List(ListOptions),
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
    /// Set what an account's user is called
    SetName {
        /// Whose
        #[command(flatten)]
        user: OneUser,
        /// The name; an empty one takes theirs away
        #[arg(value_name = "NAME", value_parser = name)]
        name: String,
    },
    /// Grant an account a role at the achilles CLI while it is in no workspace
    ///
    /// In a workspace its role there counts: owners and admins are `admin`, members are `analyst`.
    SetAchillesRole {
        /// Whose
        #[command(flatten)]
        user: OneUser,
        /// The role, or `default`: `admin` for platform admins, `explorer` for all others
        #[arg(value_name = "ROLE", value_parser = achilles_role)]
        role: GrantedRole,
    },
    /// End every session of an account; it may sign in again
    ///
    /// Its personal access tokens, share links and open invitations go on unless --tokens is given.
    SignOut {
        /// Whose
        #[command(flatten)]
        user: OneUser,
        /// End its personal access tokens, share links and open invitations, too, for good
        #[arg(long)]
        tokens: bool,
    },
    /// List whose reports' files take up the store, the largest first
    Files(ListOptions),
    /// Delete every report an account has written, with its files and links
    ///
    /// Running servers free the room within a minute. The account stays; see `users disable`.
    DeleteReports(OneUser),
    /// Take an account's second factor away, for someone who lost phone and recovery codes
    ///
    /// From then on a code by mail is enough to sign in, so be sure first who asks. Their sessions stay. No mail tells
    /// them: do it yourself, and ask them to set the second factor up anew.
    ResetSecondFactor(OneUser),
}

/// An account, and how to say what became of it.
#[derive(Debug, Args)]
pub struct OneUser {
    /// The email address that the account signs in with
    #[arg(value_name = "EMAIL", value_parser = email)]
    pub email: Email,

    /// Where to look, and how to answer
    #[command(flatten)]
    pub listing: ListOptions,
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

/// A role at the achilles CLI, or none of the host's.
#[derive(Clone, Copy, Debug)]
pub struct GrantedRole(pub Option<AchillesRole>);

fn achilles_role(text: &str) -> Result<GrantedRole, String> {
    if text == "default" {
        return Ok(GrantedRole(None));
    }
    let role = text.parse().map_err(|_| "it is admin, operator, analyst, explorer or default")?;
    Ok(GrantedRole(Some(role)))
}

fn name(text: &str) -> Result<String, String> {
    display_name(text).map_err(|error| error.to_string())
}

fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|error| error.to_string())
}

fn plan(text: &str) -> Result<String, String> {
    let fits = (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits { Ok(text.to_owned()) } else { Err("write up to 32 of a-z, 0-9 and -".to_owned()) }
}

/// `everkey-server clients`.
#[derive(Debug, Subcommand)]
pub enum ClientsCommand {
    /// List every client
    List(ListOptions),
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
    pub listing: ListOptions,
}
