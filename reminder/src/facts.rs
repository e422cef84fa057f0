//! What the reminder needs to know of the session, at one moment.

use crate::effect::ReminderError;
use everkey_proto::Secret;
use everkey_session::{CallTarget, Error, Moment, NotOwner, Profile};

/// The session as it stands. The reminder reads it and never changes it.
#[derive(Debug)]
pub struct SessionFacts<'a> {
    /// The email address of whoever has an active session, or why nobody has one. None where the server does not say.
    pub user: Result<Option<&'a str>, Error>,
    /// The access token of the session, while it works.
    pub access: Option<&'a Secret>,
    /// Whether this agent owns the files.
    pub owner: &'a Result<(), NotOwner>,
    /// The pinned server.
    pub at: CallTarget,
}

impl<'a> SessionFacts<'a> {
    /// Those of a profile whose files were read.
    pub fn of(profile: &'a Profile, now: &Moment) -> Self {
        let user = match profile.why_not_signed_in(now) {
            Some(why) => Err(why),
            None => Ok(profile.user().map(|user| user.email.as_str())),
        };
        Self { user, access: profile.working_access_token(now), owner: profile.owner(), at: profile.at() }
    }

    /// Whose reminders count.
    pub fn email(&self) -> Result<&'a str, ReminderError> {
        match &self.user {
            Ok(email) => email.ok_or(ReminderError::NoReminders),
            Err(why) => Err(ReminderError::Session(why.clone())),
        }
    }

    /// Whose reminders count, if this agent may write for them.
    pub fn writer(&self) -> Result<&'a str, ReminderError> {
        let email = self.email()?;
        self.owner.clone().map_err(Error::NotOwner)?;
        Ok(email)
    }
}
