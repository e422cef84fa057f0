//! Why a verb did not do what it was asked for.

use everkey_client::Failure;

/// What a verb ends with instead of an exit code.
#[derive(Debug)]
pub enum VerbError {
    /// The command line is wrong; nothing was done.
    Usage(UsageError),
    /// The agent refused, or something on this machine failed.
    Failure(Failure),
}

/// What is wrong with a command line.
#[derive(Debug, PartialEq, Eq)]
pub enum UsageError {
    /// There is no verb of that name.
    UnknownVerb(String),
    /// The verb does something only with another word behind it.
    MissingVerb,
    /// The verb has no such option. Without dashes, unless it is a single letter.
    UnknownOption(String),
    /// A word is missing, which help calls by this name.
    MissingWord(&'static str),
    /// A word that means nothing here.
    ExtraWord(String),
    /// Anything else, as the sentence for the user.
    Sentence(String),
}

impl From<UsageError> for VerbError {
    fn from(error: UsageError) -> Self {
        Self::Usage(error)
    }
}

impl From<Failure> for VerbError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}
