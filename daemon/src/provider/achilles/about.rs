//! What achilles tells of a user, in answers and in its session file.

use everkey_proto::reply::User;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is known about a user beside the id; the original leaves out, or writes null, what it does not know.
#[derive(Default, Deserialize)]
pub struct UserDetails {
    email: Option<String>,
    org_id: Option<String>,
    role: Option<String>,
    display_name: Option<String>,
}

impl UserDetails {
    /// In the core's words.
    pub fn split(self, user_id: Option<String>) -> (Option<User>, BTreeMap<String, String>) {
        let user = user_id.map(|id| User { id, email: self.email.unwrap_or_default() });
        let named = [("name", self.display_name), ("org", self.org_id), ("role", self.role)];
        let told = named.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
        (user, told.filter(|(_, text)| !text.is_empty()).collect())
    }
}
