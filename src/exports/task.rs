//! What is exported, for whom, and the proof that they may.

use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName};
use crate::policy::{AccountAction, AccountKind, Actor, HolderPermit, OrganizationAction};

/// A permit to look is no permit to take.
pub(super) fn require_export(holder: &HolderPermit<'_>) -> Result<()> {
    if holder.is_for(AccountAction::Export, OrganizationAction::Export) {
        return Ok(());
    }
    Err(Error::internal("everything was to be taken with a permit to look at it"))
}

/// What is exported and for whom, as long as it takes.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) account: AccountId,
    pub(super) name: AccountName,
    pub(super) kind: AccountKind,
    pub(super) actor: Actor,
}

impl From<&HolderPermit<'_>> for Task {
    fn from(holder: &HolderPermit<'_>) -> Self {
        let account = holder.account();
        Self { account: account.id, name: account.name.clone(), kind: account.kind, actor: holder.actor() }
    }
}
