//! Deeds on an account of either kind, by whoever it is whose.

use std::sync::Arc;

use super::account::{AccountAction, AccountPermit, OrganizationAction, OrganizationPermit};
use super::actor::Actor;
use super::facts::AccountFacts;

/// The proof that somebody may do something to an account of their own: to themselves, or to an organization.
#[derive(Debug, Clone, Copy)]
pub enum HolderPermit<'a> {
    /// A user, for themselves.
    User(&'a AccountPermit),
    /// Somebody with a role, for an organization.
    Organization(&'a OrganizationPermit),
}

impl HolderPermit<'_> {
    /// The account that it is about.
    pub fn account(&self) -> &Arc<AccountFacts> {
        match self {
            Self::User(permit) => permit.account(),
            Self::Organization(permit) => permit.organization(),
        }
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        match self {
            Self::User(permit) => Actor::User(permit.principal().clone()),
            Self::Organization(permit) => permit.actor().clone(),
        }
    }

    /// Whether it was given for this, and not for something else: each kind of account has a word of its own for it.
    pub fn is_for(&self, own: AccountAction, organizations: OrganizationAction) -> bool {
        match self {
            Self::User(permit) => permit.action() == own,
            Self::Organization(permit) => permit.action() == organizations,
        }
    }
}
