//! What changes of a package have in common.

use serde_json::Value;

use crate::audit::{self, By, Outcome};
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::names::PackageId;
use crate::policy::{AccountFacts, Actor, PackageFacts, Permit, Right};

use super::Packages;

impl Packages {
    /// What every change ends with: the next revision, the announcement, the audit line. Returns the revision.
    pub(super) async fn record<R: Right>(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<R>,
        package: PackageId,
        detail: Value,
    ) -> Result<i64> {
        let revision = self.access.bump_revision(transaction, permit.name(), package).await?;
        let event = audit::Event {
            action: permit.action().audit_name(),
            subject: permit.name().as_str(),
            scope: permit.owner(),
            outcome: Outcome::Done,
            detail,
        };
        audit::record(transaction, &By::from(permit.actor()), &event, self.clock.now()).await?;
        Ok(revision)
    }
}

/// The row of a package that a permit was just given for.
pub(super) fn existing(facts: &PackageFacts) -> Result<PackageId> {
    let package = facts.package.as_ref().ok_or_else(|| Error::internal("a permit without its package"))?;
    Ok(package.id)
}

/// Its revision.
pub(super) fn revision_of(facts: &PackageFacts) -> Result<i64> {
    let package = facts.package.as_ref().ok_or_else(|| Error::internal("a permit without its package"))?;
    Ok(package.revision)
}

/// Whose star, whose version: the operator has no account.
pub(super) fn account_of(actor: &Actor) -> Result<&AccountFacts> {
    actor.account().ok_or_else(|| Error::Forbidden("This needs an account. Run npm login first.".into()))
}

/// Refuses what was read before the latest change.
pub(super) fn same_revision(facts: &PackageFacts, read: i64) -> Result<()> {
    if revision_of(facts)? == read {
        return Ok(());
    }
    Err(Error::Conflict(format!("{} changed meanwhile. Run the command again.", facts.name).into()))
}
