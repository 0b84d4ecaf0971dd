//! On what grounds an account stands where it stands: the same facts that [`super::decide`] judges by, told one by one.

use crate::clock::Time;
use crate::names::{AccountName, TeamName};

use super::facts::{AccountFacts, OrganizationRole, PackageFacts, Permission, Visibility};

/// One reason why an account can reach a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// Anyone may read it.
    Public,
    /// The scope is the account's own.
    OwnsScope,
    /// The account has a role in the organization that owns the scope.
    Member {
        /// Which organization.
        organization: AccountName,
        /// In which role.
        role: OrganizationRole,
    },
    /// The account was given access, by name or through a team.
    Granted {
        /// What was given.
        permission: Permission,
        /// The team it comes through.
        team: Option<TeamName>,
        /// The first moment at which it no longer holds.
        until: Option<Time>,
        /// Whether that moment has come.
        ended: bool,
    },
}

/// Every ground that `account` has on the package, also such as have ended.
pub fn grounds(account: &AccountFacts, facts: &PackageFacts, now: Time) -> Vec<Ground> {
    let mut grounds = Vec::new();
    if facts.package.as_ref().is_some_and(|package| package.visibility == Visibility::Public) {
        grounds.push(Ground::Public);
    }
    if let Some(owner) = &facts.owner {
        if owner.id == account.id {
            grounds.push(Ground::OwnsScope);
        }
        let role = owner.role_of(account.id);
        grounds.extend(role.map(|role| Ground::Member { organization: owner.name.clone(), role }));
    }
    let given = facts.package.iter().flat_map(|package| &package.grants).filter(|grant| grant.user == account.id);
    grounds.extend(given.map(|grant| Ground::Granted {
        permission: grant.permission,
        team: grant.team.clone(),
        until: grant.expires_at,
        ended: !grant.is_alive(now),
    }));
    grounds
}
