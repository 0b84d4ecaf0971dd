//! The trash: what was unpublished can be brought back for some days, by those who administer the package.

use std::collections::HashMap;

use serde_json::json;

use crate::access::Locked;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, PackageName, VersionNumber};
use crate::policy::{Actor, Administer, Intent, PackageFacts, Permit};

use super::super::Packages;
use super::store;

/// Versions that are purged in one transaction.
const BATCH: i64 = 200;

/// Lines of a list.
const LISTED: i64 = 1000;

/// Something that can be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// Whose it was.
    pub package: PackageName,
    /// The version; `None` where the whole package was removed.
    pub version: Option<String>,
    /// When it was removed.
    pub removed_at: Time,
    /// By whom, where that is known.
    pub removed_by: Option<AccountName>,
    /// The first moment at which it can no longer be restored.
    pub ends_at: Time,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// How many versions.
    pub versions: usize,
}

impl Packages {
    /// Brings a whole package back as it was removed: versions, tags, grants, stars and visibility.
    ///
    /// # Errors
    /// `NotFound` where nothing can be restored under this name, else the refusal.
    pub async fn restore_package(&self, permit: &Permit<Administer>) -> Result<Restored> {
        let mut transaction = self.db.begin().await?;
        let name = permit.name();
        let Locked { actor, facts } = self.access.lock(&mut transaction, permit.actor(), name).await?;
        let permit = self.access.permit_on(&actor, &facts, Intent::RESTORE)?;
        if facts.package.is_some() {
            return Err(Error::Conflict(
                format!("{name} is there. To bring one version back, name it: {name}@VERSION.").into(),
            ));
        }
        let deleted = store::find_deleted(&mut transaction, name).await?;
        let deleted = deleted.filter(|one| one.deleted_at > self.trash_since()).ok_or_else(|| gone(name, None))?;
        let versions = store::list_deleted_with(&mut transaction, deleted.id, deleted.deleted_at).await?;
        store::undelete(&mut transaction, deleted.id).await?;
        store::restore_versions(&mut transaction, deleted.id, &versions).await?;
        let restored = Restored { versions: versions.len() };
        self.record(&mut transaction, &permit, deleted.id, json!({ "versions": restored.versions })).await?;
        transaction.commit().await?;
        Ok(restored)
    }

    /// Brings one version back. No tag comes with it, but `latest` where there is none.
    ///
    /// # Errors
    /// `NotFound` for a version that cannot be restored, `Conflict` for one that is there, else the refusal.
    pub async fn restore_version(&self, permit: &Permit<Administer>, version: &VersionNumber) -> Result<Restored> {
        let mut transaction = self.db.begin().await?;
        let name = permit.name();
        let Locked { actor, facts } = self.access.lock(&mut transaction, permit.actor(), name).await?;
        let permit = self.access.permit_on(&actor, &facts, Intent::RESTORE)?;
        let Some(package) = facts.package.as_ref().map(|package| package.id) else {
            return Err(match store::find_deleted(&mut transaction, name).await? {
                Some(_) => Error::Conflict(format!("All of {name} was removed. Restore the package first.").into()),
                None => gone(name, Some(version)),
            });
        };
        let known = store::find_version(&mut transaction, package, version).await?;
        let known = known.ok_or_else(|| gone(name, Some(version)))?;
        match known.unpublished_at {
            None => return Err(Error::Conflict(format!("{name} {version} is there. Nothing to restore.").into())),
            Some(at) if known.has_file && at > self.trash_since() => {}
            Some(_) => return Err(gone(name, Some(version))),
        }
        let total = store::restore_versions(&mut transaction, package, &[known.id.0]).await?;
        self.check_packument_size(name, u64::try_from(total).map_err(Error::internal)?)?;
        super::super::store::set_latest_if_missing(&mut transaction, package, known.id).await?;
        self.record(&mut transaction, &permit, package, json!({ "version": version.as_str() })).await?;
        transaction.commit().await?;
        Ok(Restored { versions: 1 })
    }

    /// What can be restored by `actor`, the latest first: of one package, or of all that they administer.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_trash(&self, actor: &Actor, package: Option<&PackageName>) -> Result<Vec<Trashed>> {
        let of = match actor {
            Actor::Operator => None,
            // Nobody's: there is no account with this number.
            _ => Some(actor.account_id().unwrap_or(AccountId::from(0))),
        };
        let rows = store::list_trash(self.db.reads(), of, package, self.trash_since(), LISTED).await?;
        let mut may_restore: HashMap<PackageName, bool> = HashMap::new();
        let mut listed = Vec::new();
        for row in rows {
            if !may_restore.contains_key(&row.package) {
                let owner = self.users.facts(row.owner).await?;
                // Who administers the scope restores in it, whether the package is there or not.
                let facts = PackageFacts { name: row.package.clone(), owner, package: None };
                let may = self.access.permit_on(actor, &facts, Intent::RESTORE);
                // To look at it takes no second factor; to restore will.
                let may = matches!(may, Ok(_) | Err(Error::SecondFactorRequired { .. }));
                may_restore.insert(row.package.clone(), may);
            }
            if may_restore.get(&row.package) == Some(&true) {
                listed.push(Trashed {
                    ends_at: row.removed_at + self.rules.trash,
                    package: row.package,
                    version: row.version,
                    removed_at: row.removed_at,
                    removed_by: row.removed_by,
                });
            }
        }
        Ok(listed)
    }

    /// Lets go of what has been in the trash for too long: its manifests, and its files, which are swept a day later.
    /// Returns how many versions that were.
    ///
    /// # Errors
    /// The database's; what is left is taken the next time.
    pub async fn empty_trash(&self) -> Result<u64> {
        let before = self.trash_since();
        let mut total = 0;
        loop {
            let mut transaction = self.db.begin().await?;
            store::purge_packages(&mut transaction, before).await?;
            let purged = store::purge_versions(&mut transaction, before, BATCH).await?;
            transaction.commit().await?;
            total += purged;
            if purged == 0 {
                return Ok(total);
            }
        }
    }

    /// What was removed later than this can be restored.
    fn trash_since(&self) -> Time {
        self.clock.now() - self.rules.trash
    }
}

fn gone(name: &PackageName, version: Option<&VersionNumber>) -> Error {
    let what = version.map_or_else(|| name.to_string(), |version| format!("{name} {version}"));
    Error::NotFound(format!("The trash holds no {what}. It was never removed, or too long ago.").into())
}
