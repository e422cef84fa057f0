//! What a role in a workspace allows. An admin manages members, but neither owners nor admins, and there is
//! always an owner.

/// A role in one workspace. It says nothing about any other workspace, nor about the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Member,
    /// Also writes and shares reports, and manages members.
    Admin,
    /// Everything.
    Owner,
}

impl Role {
    /// The word for it on the wire and in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The one with this word.
    pub fn read(word: &str) -> Option<Self> {
        [Self::Member, Self::Admin, Self::Owner].into_iter().find(|role| role.word() == word)
    }
}

/// Whom a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Their present role.
    pub role: Role,
    /// Whether it is the actor themself.
    pub own: bool,
    /// How many owners besides them have an account that may be used.
    pub other_owners: u32,
}

/// What someone wants to do in a workspace, beyond reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Give the workspace another name.
    Rename,
    /// Delete it with everything in it.
    Erase,
    /// Create or delete a report.
    Write,
    /// Make or revoke a link to a report.
    Share,
    /// Invite an email address as this, or withdraw such an invitation.
    Invite(Role),
    /// Give a member another role.
    Change(Target, Role),
    /// Remove a member, or leave.
    Remove(Target),
}

/// Whether it may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allowed,
    /// The actor's role is not enough.
    Forbidden,
    /// The workspace would be left without an owner.
    LastOwner,
}

/// Decides whether a member with the role `actor` may have what they wish.
pub fn decide(actor: Role, wish: Wish) -> Decision {
    let allowed = match wish {
        Wish::Rename | Wish::Write | Wish::Share => actor != Role::Member,
        Wish::Erase => actor == Role::Owner,
        Wish::Invite(role) => role != Role::Owner && outranks(actor, role),
        Wish::Change(target, to) => may_change(actor, target, to),
        Wish::Remove(target) => target.own || outranks(actor, target.role),
    };
    match wish {
        _ if !allowed => Decision::Forbidden,
        Wish::Change(target, to) if to != Role::Owner => keeping_an_owner(target),
        Wish::Remove(target) => keeping_an_owner(target),
        Wish::Rename | Wish::Erase | Wish::Write | Wish::Share | Wish::Invite(_) | Wish::Change(_, _) => {
            Decision::Allowed
        }
    }
}

/// Whether `actor` stands above `role`. Owners stand above each other too: that is why one can step down.
fn outranks(actor: Role, role: Role) -> bool {
    match actor {
        Role::Owner => true,
        Role::Admin => role == Role::Member,
        Role::Member => false,
    }
}

/// Anyone may step down; nobody may lift anyone to where they could not reach them.
fn may_change(actor: Role, target: Target, to: Role) -> bool {
    let steps_down = target.own && (to == target.role || to == Role::Member);
    steps_down || (outranks(actor, target.role) && outranks(actor, to))
}

fn keeping_an_owner(target: Target) -> Decision {
    match target.role {
        Role::Owner if target.other_owners == 0 => Decision::LastOwner,
        Role::Owner | Role::Admin | Role::Member => Decision::Allowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Decision::{Allowed, Forbidden, LastOwner};
    use Role::{Admin, Member, Owner};

    fn other(role: Role) -> Target {
        Target { role, own: false, other_owners: 1 }
    }

    fn own(role: Role, other_owners: u32) -> Target {
        Target { role, own: true, other_owners }
    }

    #[test]
    fn a_member_only_reads_and_leaves() {
        for wish in [
            Wish::Rename,
            Wish::Erase,
            Wish::Write,
            Wish::Share,
            Wish::Invite(Member),
            Wish::Invite(Admin),
            Wish::Change(other(Member), Member),
            Wish::Change(own(Member, 1), Admin),
            Wish::Change(own(Member, 1), Owner),
            Wish::Remove(other(Member)),
        ] {
            assert_eq!(decide(Member, wish), Forbidden, "{wish:?}");
        }
        assert_eq!(decide(Member, Wish::Remove(own(Member, 1))), Allowed);
    }

    #[test]
    fn an_admin_manages_members_but_not_owners_or_admins() {
        for wish in [
            Wish::Rename,
            Wish::Write,
            Wish::Share,
            Wish::Invite(Member),
            Wish::Remove(other(Member)),
            Wish::Remove(own(Admin, 1)),
            Wish::Change(own(Admin, 1), Member),
        ] {
            assert_eq!(decide(Admin, wish), Allowed, "{wish:?}");
        }
        for wish in [
            Wish::Erase,
            Wish::Invite(Admin),
            Wish::Invite(Owner),
            Wish::Remove(other(Admin)),
            Wish::Remove(other(Owner)),
            Wish::Change(other(Member), Admin),
            Wish::Change(other(Member), Owner),
            Wish::Change(other(Admin), Member),
            Wish::Change(other(Owner), Member),
            Wish::Change(own(Admin, 1), Owner),
        ] {
            assert_eq!(decide(Admin, wish), Forbidden, "{wish:?}");
        }
    }

    #[test]
    fn an_owner_may_do_everything_but_leave_nobody_in_charge() {
        for wish in [
            Wish::Erase,
            Wish::Invite(Admin),
            Wish::Remove(other(Owner)),
            Wish::Change(other(Owner), Member),
            Wish::Change(other(Member), Owner),
            Wish::Change(own(Owner, 1), Member),
            Wish::Change(own(Owner, 0), Owner),
            Wish::Remove(own(Owner, 1)),
        ] {
            assert_eq!(decide(Owner, wish), Allowed, "{wish:?}");
        }
        assert_eq!(decide(Owner, Wish::Invite(Owner)), Forbidden, "ownership is given, not mailed");
        for wish in [
            Wish::Remove(own(Owner, 0)),
            Wish::Change(own(Owner, 0), Admin),
            Wish::Change(own(Owner, 0), Member),
        ] {
            assert_eq!(decide(Owner, wish), LastOwner, "{wish:?}");
        }
    }
}
