//! What a role in a workspace allows. An admin manages members, but neither owners nor admins, and there is
//! always an owner.

use crate::rules::role::Role;

/// Whom a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetMember {
    pub role: Role,
    /// Whether it is the actor themself.
    pub own: bool,
    /// How many owners besides them have an account that may be used.
    pub other_owners: u32,
}

/// What someone wants to do in a workspace, beyond reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamAction {
    Rename,
    /// Delete it with everything in it.
    Erase,
    /// Create or delete a report.
    Write,
    /// Make or revoke a link to a report.
    Share,
    /// Invite an email address as this, or withdraw such an invitation.
    Invite(Role),
    Change(TargetMember, Role),
    /// Remove a member, or leave.
    Remove(TargetMember),
}

/// Whether it may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    Allowed,
    /// The actor's role is not enough.
    Forbidden,
    /// The workspace would be left without an owner.
    LastOwner,
}

/// Decides whether a member with the role `actor` may do this.
pub fn decide(actor: Role, action: TeamAction) -> Permission {
    let allowed = match action {
        TeamAction::Rename | TeamAction::Write | TeamAction::Share => actor != Role::Member,
        TeamAction::Erase => actor == Role::Owner,
        TeamAction::Invite(role) => actor.may_invite(role),
        TeamAction::Change(target, to) => may_change(actor, target, to),
        TeamAction::Remove(target) => target.own || outranks(actor, target.role),
    };
    match action {
        _ if !allowed => Permission::Forbidden,
        TeamAction::Change(target, to) if to != Role::Owner => keeping_an_owner(target),
        TeamAction::Remove(target) => keeping_an_owner(target),
        TeamAction::Rename
        | TeamAction::Erase
        | TeamAction::Write
        | TeamAction::Share
        | TeamAction::Invite(_)
        | TeamAction::Change(_, _) => Permission::Allowed,
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
fn may_change(actor: Role, target: TargetMember, to: Role) -> bool {
    let steps_down = target.own && (to == target.role || to == Role::Member);
    steps_down || (outranks(actor, target.role) && outranks(actor, to))
}

fn keeping_an_owner(target: TargetMember) -> Permission {
    match target.role {
        Role::Owner if target.other_owners == 0 => Permission::LastOwner,
        Role::Owner | Role::Admin | Role::Member => Permission::Allowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Permission::{Allowed, Forbidden, LastOwner};
    use Role::{Admin, Member, Owner};

    fn other(role: Role) -> TargetMember {
        TargetMember { role, own: false, other_owners: 1 }
    }

    fn own(role: Role, other_owners: u32) -> TargetMember {
        TargetMember { role, own: true, other_owners }
    }

    #[test]
    fn a_member_only_reads_and_leaves() {
        for action in [
            TeamAction::Rename,
            TeamAction::Erase,
            TeamAction::Write,
            TeamAction::Share,
            TeamAction::Invite(Member),
            TeamAction::Invite(Admin),
            TeamAction::Change(other(Member), Member),
            TeamAction::Change(own(Member, 1), Admin),
            TeamAction::Change(own(Member, 1), Owner),
            TeamAction::Remove(other(Member)),
        ] {
            assert_eq!(decide(Member, action), Forbidden, "{action:?}");
        }
        assert_eq!(decide(Member, TeamAction::Remove(own(Member, 1))), Allowed);
    }

    #[test]
    fn an_admin_manages_members_but_not_owners_or_admins() {
        for action in [
            TeamAction::Rename,
            TeamAction::Write,
            TeamAction::Share,
            TeamAction::Invite(Member),
            TeamAction::Remove(other(Member)),
            TeamAction::Remove(own(Admin, 1)),
            TeamAction::Change(own(Admin, 1), Member),
        ] {
            assert_eq!(decide(Admin, action), Allowed, "{action:?}");
        }
        for action in [
            TeamAction::Erase,
            TeamAction::Invite(Admin),
            TeamAction::Invite(Owner),
            TeamAction::Remove(other(Admin)),
            TeamAction::Remove(other(Owner)),
            TeamAction::Change(other(Member), Admin),
            TeamAction::Change(other(Member), Owner),
            TeamAction::Change(other(Admin), Member),
            TeamAction::Change(other(Owner), Member),
            TeamAction::Change(own(Admin, 1), Owner),
        ] {
            assert_eq!(decide(Admin, action), Forbidden, "{action:?}");
        }
    }

    #[test]
    fn an_owner_may_do_everything_but_leave_nobody_in_charge() {
        for action in [
            TeamAction::Erase,
            TeamAction::Invite(Admin),
            TeamAction::Remove(other(Owner)),
            TeamAction::Change(other(Owner), Member),
            TeamAction::Change(other(Member), Owner),
            TeamAction::Change(own(Owner, 1), Member),
            TeamAction::Change(own(Owner, 0), Owner),
            TeamAction::Remove(own(Owner, 1)),
        ] {
            assert_eq!(decide(Owner, action), Allowed, "{action:?}");
        }
        assert_eq!(decide(Owner, TeamAction::Invite(Owner)), Forbidden, "ownership is given, not mailed");
        for action in [
            TeamAction::Remove(own(Owner, 0)),
            TeamAction::Change(own(Owner, 0), Admin),
            TeamAction::Change(own(Owner, 0), Member),
        ] {
            assert_eq!(decide(Owner, action), LastOwner, "{action:?}");
        }
    }
}
