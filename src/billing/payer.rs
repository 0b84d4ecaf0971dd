//! Who has to do with the plan of an account: the account's user, or owners of the organization.

use std::sync::Arc;

use crate::audit::By;
use crate::error::{Error, Result};
use crate::policy::{
    AccountAction, AccountFacts, AccountKind, AccountPermit, Debtor, OrganizationAction, OrganizationPermit,
};

/// The proof that somebody may see or change the plan of an account.
#[derive(Debug, Clone, Copy)]
pub enum Payer<'a> {
    /// A user, for themselves.
    User(&'a AccountPermit),
    /// An owner, for an organization.
    Organization(&'a OrganizationPermit),
}

impl Payer<'_> {
    /// The account whose plan it is.
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

    /// A permit for something else is no permit for this.
    pub(super) fn require_change(&self) -> Result<()> {
        let is_change = match self {
            Self::User(permit) => permit.action() == AccountAction::ChangeBilling,
            Self::Organization(permit) => permit.action() == OrganizationAction::ChangeBilling,
        };
        if is_change { Ok(()) } else { Err(Error::internal("a plan was to be changed with a permit to look at it")) }
    }

    /// The page of the plan, below the address of the registry.
    pub fn page(&self) -> String {
        page_of(&Debtor::from(&**self.account()))
    }
}

/// The page where an account picks a plan, below the address of the registry.
pub fn page_of(debtor: &Debtor) -> String {
    match debtor.kind {
        AccountKind::User => "/settings/billing".into(),
        AccountKind::Organization => format!("/org/{}/billing", debtor.name),
    }
}

/// The whole address of that page.
pub fn address(debtor: &Debtor, public_url: &str) -> String {
    format!("{}{}", public_url.trim_end_matches('/'), page_of(debtor))
}
