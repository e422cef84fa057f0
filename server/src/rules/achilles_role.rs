//! What the achilles CLI may do in an organisation. Its contract has four roles.

use std::str::FromStr;

use crate::rules::role::Role;
use crate::rules::unknown_value::UnknownValue;

/// A role as the achilles CLI knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AchillesRole {
    Admin,
    Operator,
    Analyst,
    Explorer,
}

impl AchillesRole {
    /// The word for it on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Analyst => "analyst",
            Self::Explorer => "explorer",
        }
    }
}

impl From<Role> for AchillesRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner | Role::Admin => Self::Admin,
            Role::Member => Self::Analyst,
        }
    }
}

impl FromStr for AchillesRole {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        [Self::Admin, Self::Operator, Self::Analyst, Self::Explorer]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownValue)
    }
}
