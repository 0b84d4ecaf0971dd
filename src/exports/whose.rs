//! Whose everything is taken away, and by whom.

use std::sync::Arc;

use crate::audit::By;
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName};
use crate::policy::{
    AccountAction, AccountFacts, AccountKind, AccountPermit, Actor, OrganizationAction, OrganizationPermit,
};

/// The proof that somebody may take everything of an account away, or see how much that is.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// A user, for themselves.
    User(&'a AccountPermit),
    /// An owner, for an organization.
    Organization(&'a OrganizationPermit),
}

impl Whose<'_> {
    /// The account.
    pub fn account(&self) -> &Arc<AccountFacts> {
        match self {
            Self::User(permit) => permit.account(),
            Self::Organization(permit) => permit.organization(),
        }
    }

    pub(super) fn by(&self) -> By {
        match self {
            Self::User(permit) => By::from(*permit),
            Self::Organization(permit) => By::from(permit.actor()),
        }
    }

    /// A permit to look is no permit to take.
    pub(super) fn require_export(&self) -> Result<()> {
        let is_export = match self {
            Self::User(permit) => permit.action() == AccountAction::Export,
            Self::Organization(permit) => permit.action() == OrganizationAction::Export,
        };
        if is_export { Ok(()) } else { Err(Error::internal("everything was to be taken with a permit to look at it")) }
    }

    pub(super) fn task(&self) -> Task {
        let account = self.account();
        let actor = match self {
            Self::User(permit) => Actor::User(permit.principal().clone()),
            Self::Organization(permit) => permit.actor().clone(),
        };
        Task { account: account.id, name: account.name.clone(), kind: account.kind, actor }
    }
}

/// What is exported and for whom, as long as it takes.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) account: AccountId,
    pub(super) name: AccountName,
    pub(super) kind: AccountKind,
    pub(super) actor: Actor,
}
