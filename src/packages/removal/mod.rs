//! Unpublishing: one version, several, or the whole package (`protocol.md` 3.5).
//!
//! What is removed goes to the trash ([`trash`]) and answers as if it never was. Its number stays taken for good.

pub(super) mod store;
mod trash;

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;

use crate::access::Locked;
use crate::clock::Time;
use crate::config;
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::names::{PackageId, PackageName, VersionNumber};
use crate::policy::{Actor, Administer, Intent, PackageFacts, Permit, Write};

use super::publish::body::OutlinedVersion;
use super::{Packages, packument};
use store::LiveVersion;

pub use trash::{Restored, Trashed};

/// How long the name of a package that was removed as a whole is kept from being used anew, as on npm.
const NAME_REST: Duration = Duration::from_hours(24);

/// Versions that the audit log names.
const LOGGED: usize = 20;

/// The rules of removing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    window: Option<Duration>,
    trash: Duration,
}

impl From<&config::Packages> for Rules {
    fn from(config: &config::Packages) -> Self {
        let hours = config.unpublish_window_hours;
        Self {
            window: (hours > 0).then(|| Duration::from_hours(hours.into())),
            trash: Duration::from_hours(24 * u64::from(config.trash_days)),
        }
    }
}

impl Packages {
    /// The versions there are that a packument which came back no longer has. For telling an unpublish from other
    /// reasons to send one.
    ///
    /// # Errors
    /// The database's.
    pub async fn are_left_out(&self, name: &PackageName, kept: &[OutlinedVersion]) -> Result<bool> {
        let kept: HashSet<&str> = kept.iter().map(|one| one.number.as_str()).collect();
        let live = super::store::list_tarballs(self.db.reads(), name).await?;
        Ok(live.keys().any(|version| !kept.contains(&**version)))
    }

    /// Removes the versions that a packument, read at a revision, no longer has. Returns the `_rev` there then is.
    ///
    /// # Errors
    /// `Conflict` for a stale revision, `Unprocessable` where versions were added, `TooLateToUnpublish`, else the
    /// refusal: removing the last version is removing the package.
    pub async fn unpublish(&self, permit: &Permit<Write>, read: i64, kept: &[OutlinedVersion]) -> Result<String> {
        let mut transaction = self.db.begin().await?;
        let Locked { actor, facts } = self.access.lock(&mut transaction, permit.actor(), permit.name()).await?;
        let permit = self.access.permit_on(&actor, &facts, Intent::UNPUBLISH)?;
        super::same_revision(&facts, read)?;
        let live = store::list_live(&mut transaction, super::existing(&facts)?).await?;
        let kept: HashSet<&str> = kept.iter().map(|one| one.number.as_str()).collect();
        let (left, removed): (Vec<_>, Vec<_>) = live.iter().partition(|one| kept.contains(one.version.as_str()));
        if left.len() < kept.len() {
            return Err(only_removes(permit.name()));
        }
        if removed.is_empty() {
            return Ok(packument::rev_text(permit.name(), read));
        }
        let revision = self.remove(&mut transaction, &permit, &facts, &left, &removed).await?;
        transaction.commit().await?;
        Ok(packument::rev_text(permit.name(), revision))
    }

    /// Removes the one version whose file is named: what npm sends after [`Packages::unpublish`], when there is nothing
    /// left to do.
    ///
    /// # Errors
    /// `NotFound` for a version that never was, else as [`Packages::unpublish`].
    pub async fn unpublish_one(
        &self,
        permit: &Permit<Write>,
        read: Option<i64>,
        version: &VersionNumber,
    ) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let Locked { actor, facts } = self.access.lock(&mut transaction, permit.actor(), permit.name()).await?;
        let permit = self.access.permit_on(&actor, &facts, Intent::UNPUBLISH)?;
        let package = super::existing(&facts)?;
        let live = store::list_live(&mut transaction, package).await?;
        let (removed, left): (Vec<_>, Vec<_>) = live.iter().partition(|one| one.version == version.as_str());
        if removed.is_empty() {
            let known = store::find_version(&mut transaction, package, version).await?;
            return known.map(drop).ok_or_else(|| super::no_version(version.as_str()));
        }
        super::same_revision(&facts, read.unwrap_or_default())?;
        self.remove(&mut transaction, &permit, &facts, &left, &removed).await?;
        transaction.commit().await
    }

    /// Removes the whole package.
    ///
    /// # Errors
    /// `Conflict` for a stale revision, else the refusal.
    pub async fn delete(&self, permit: &Permit<Administer>, read: i64) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let (permit, facts) =
            self.access.lock_and_permit(&mut transaction, permit.actor(), permit.name(), Intent::DELETE).await?;
        super::same_revision(&facts, read)?;
        self.remove_package(&mut transaction, &permit, super::existing(&facts)?).await?;
        transaction.commit().await
    }

    async fn remove(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<Write>,
        facts: &PackageFacts,
        left: &[&LiveVersion],
        removed: &[&LiveVersion],
    ) -> Result<i64> {
        let package = super::existing(facts)?;
        if left.is_empty() {
            let permit = self.access.permit_on(permit.actor(), facts, Intent::DELETE)?;
            return self.remove_package(transaction, &permit, package).await;
        }
        self.check_window(permit.actor(), facts, removed)?;
        let ids: Vec<i64> = removed.iter().map(|one| one.id.0).collect();
        store::unpublish(transaction, package, &ids, permit.actor().account_id(), self.clock.now()).await?;
        if let Some(latest) = highest(left) {
            super::store::set_latest_if_missing(transaction, package, latest.id).await?;
        }
        let names: Vec<&str> = removed.iter().map(|one| one.version.as_str()).take(LOGGED).collect();
        let detail = json!({ "versions": names, "count": removed.len() });
        self.record(transaction, permit, package, detail).await
    }

    async fn remove_package(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<Administer>,
        package: PackageId,
    ) -> Result<i64> {
        store::delete(transaction, package, permit.actor().account_id(), self.clock.now()).await?;
        self.record(transaction, permit, package, json!({})).await
    }

    /// The window binds who may write. Who administers the package could remove all of it, so it does not bind them.
    fn check_window(&self, actor: &Actor, facts: &PackageFacts, removed: &[&LiveVersion]) -> Result<()> {
        let Some(window) = self.rules.window else { return Ok(()) };
        let now = self.clock.now();
        let Some(late) = removed.iter().find(|one| now >= one.published_at + window) else { return Ok(()) };
        match self.access.permit_on(actor, facts, Intent::DELETE) {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.status() == 403 => Err(too_late(&facts.name, &late.version, window)),
            Err(refusal) => Err(refusal),
        }
    }

    /// Refuses to create a package under the name of one that was removed a moment ago.
    pub(super) fn check_rest(&self, name: &PackageName, deleted_at: Time) -> Result<()> {
        let until = deleted_at + NAME_REST;
        if self.clock.now() >= until {
            return Ok(());
        }
        let until = until.format("%Y-%m-%d %H:%M UTC");
        Err(Error::Forbidden(
            format!("{name} was unpublished, so its name rests until {until}. Restore it, or publish then.").into(),
        ))
    }
}

/// What `latest` becomes: the highest release, or where there is none the highest prerelease.
fn highest<'a>(left: &[&'a LiveVersion]) -> Option<&'a LiveVersion> {
    let parsed = left.iter().filter_map(|one| Some((one.version.parse::<VersionNumber>().ok()?, *one)));
    let best = parsed
        .max_by(|(one, _), (other, _)| other.is_prerelease().cmp(&one.is_prerelease()).then_with(|| one.cmp(other)));
    best.map(|(_, version)| version)
}

fn only_removes(name: &PackageName) -> Error {
    Error::Unprocessable(
        format!("This request may only remove versions of {name}, and it adds some. Use npm publish for that.").into(),
    )
}

fn too_late(name: &PackageName, version: &str, window: Duration) -> Error {
    let hours = window.as_secs() / 3600;
    Error::TooLateToUnpublish(
        format!(
            "{name} {version} was published more than {hours} hours ago, so only who administers it may unpublish it. \
             Deprecate it, or ask @{} to remove it.",
            name.scope()
        )
        .into(),
    )
}
