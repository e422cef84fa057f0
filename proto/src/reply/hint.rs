//! What to do about a failure, as data: each face words it for the people before it.

use crate::request::SignInMethod;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// What helps. In JSON lines a word, or an object with the word as its one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hint {
    /// None of everkey's commands: a sentence, to be shown as it is. It may be empty.
    Advice(String),
    /// A sign-in.
    Login,
    /// A sign-in, if the server refuses the token that there is.
    LoginIfRefused,
    /// A look at who is signed in now.
    Whoami,
    /// Another try; the status shows what the agent is doing.
    Status,
    /// A refresh with `force`, though a token that is refused so soon is refused for another reason.
    ForceRefresh,
    /// To name no server, or to sign in at the one that was named.
    OmitServer,
    /// To name no session file, or to stop the agent and start it with this one.
    OmitSessionFile,
    /// To name no scheme: this profile has one only.
    OmitScheme,
    /// To sign in by this scheme.
    UseScheme(SignInMethod),
    /// A profile with a client id, which whoever runs the server gives.
    AddClientId,
    /// Another profile, or a new one.
    AddProfile {
        /// Those that there are.
        known: Vec<String>,
    },
    /// To name a profile of failproofai's.
    NameReminderProfile,
    /// To check the server's address, or to sign in to the network that answers in its place.
    CheckServer,
    /// To check the network, or to name another server.
    CheckNetwork,
    /// To move the session file away, or to sign out, which removes it; then to sign in.
    ReplaceSessionFile,
    /// To have the file's owner remove it; then to sign in.
    HaveSessionFileRemoved,
    /// To stop the other agent, which holds the session file.
    StopOtherAgent,
    /// Something that only a newer build knows; code and sentence of the failure are whole all the same.
    Unknown,
    /// To join the sign-in that is under way, or to begin anew in its place.
    JoinOrReplace,
}

/// Reads a hint; one that this build does not know is [`Hint::Unknown`], so that the failure is not lost with it.
pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Hint, D::Error> {
    if !from.is_human_readable() {
        return Hint::deserialize(from);
    }
    match serde_json::Value::deserialize(from)? {
        word @ (serde_json::Value::String(_) | serde_json::Value::Object(_)) => {
            Ok(Hint::deserialize(word).unwrap_or(Hint::Unknown))
        }
        _ => Err(D::Error::custom("a hint is a word or an object")),
    }
}

impl From<String> for Hint {
    fn from(sentence: String) -> Self {
        Self::Advice(sentence)
    }
}

impl From<&str> for Hint {
    fn from(sentence: &str) -> Self {
        Self::Advice(sentence.to_owned())
    }
}
