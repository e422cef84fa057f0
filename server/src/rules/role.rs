//! Roles in workspaces. What they allow is in `teams::rules`.

use std::str::FromStr;

use crate::rules::unknown_value::UnknownValue;

/// A role in one workspace. It says nothing about any other workspace, nor about the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Member,
    /// Also writes and shares reports, and manages members.
    Admin,
    /// Everything.
    Owner,
}

impl Role {
    /// Whether a member with this role may let somebody in as `role`. Nobody is invited as an owner.
    pub fn may_invite(self, role: Self) -> bool {
        match self {
            Self::Owner => role != Self::Owner,
            Self::Admin => role == Self::Member,
            Self::Member => false,
        }
    }

    /// The word for it on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        [Self::Member, Self::Admin, Self::Owner]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownValue)
    }
}
