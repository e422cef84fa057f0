//! How the accounts of the configuration stand, as a list shows it.

use crate::cli::terminal::{dates, output, progress};
use crate::cli::verbs::status;
use everkey_client::{Agent, Failure, ResolvedProfile, State, Status, UserConfiguration};
use serde_json::{Value, json};

/// One account.
pub enum Standing {
    /// It is built in, and nobody has signed in to it.
    Unused,
    Known(Box<Status>),
    /// The agent, or none, can't say.
    Untold(Failure),
}

/// Asks the agent about the accounts that somebody uses; in the order of the configuration.
pub fn of_all(configuration: &UserConfiguration) -> Vec<Standing> {
    // It is started only if there is something to ask.
    let mut agent = None;
    let mut ask = |profile: &ResolvedProfile| {
        let connect = || progress::during(progress::AGENT, Agent::connect);
        let agent = agent.get_or_insert_with(connect).as_mut().map_err(|failure| failure.clone())?;
        agent.for_profile(profile).status()
    };
    let standing = |profile| match configuration.is_used(profile).then(|| ask(profile)) {
        None => Standing::Unused,
        Some(Ok(status)) => Standing::Known(Box::new(status)),
        Some(Err(failure)) => Standing::Untold(failure),
    };
    configuration.profiles.iter().map(standing).collect()
}

impl Standing {
    /// User, state and expiry.
    pub fn text(&self) -> String {
        let status = match self {
            Self::Unused => return "not used".to_owned(),
            Self::Untold(failure) => return output::plain(&failure.message),
            Self::Known(status) => status,
        };
        let user = status.user.as_ref().map(|user| format!("{}, ", output::user(user)));
        let expiry = status.access_expires_at.filter(|_| status.state != State::NeedsLogin);
        let expiry = expiry.map(|at| format!(", expires {}", dates::local(at)));
        let (state, _) = status::state(status.state);
        format!("{}{state}{}", user.unwrap_or_default(), expiry.unwrap_or_default())
    }

    /// The same as fields of `line`.
    pub fn add_to(&self, line: &mut Value) {
        match self {
            Self::Unused => line["used"] = json!(false),
            Self::Untold(failure) => {
                line["used"] = json!(true);
                line["error"] = output::failure_json(failure);
            }
            Self::Known(status) => {
                line["used"] = json!(true);
                line["user"] = json!(status.user);
                line["state"] = json!(status.state);
                line["access_expires_at"] = json!(status.access_expires_at);
            }
        }
    }
}
