//! Where the plan of an account is picked, and the proof that somebody may change it.

use crate::error::{Error, Result};
use crate::policy::{AccountAction, AccountKind, Debtor, HolderPermit, OrganizationAction};

/// A permit to look is no permit to change.
pub(super) fn require_change(payer: &HolderPermit<'_>) -> Result<()> {
    if payer.is_for(AccountAction::ChangeBilling, OrganizationAction::ChangeBilling) {
        return Ok(());
    }
    Err(Error::internal("a plan was to be changed with a permit to look at it"))
}

/// The page of the plan that a permit is about, below the address of the registry.
pub fn page_for(payer: &HolderPermit<'_>) -> String {
    page_of(&Debtor::from(&**payer.account()))
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
