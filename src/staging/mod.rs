//! Versions that wait for approval: published in every respect but that nobody sees them (`protocol.md` 4).
//!
//! Putting one up takes what publishing takes, but no second factor, so that a machine can do it; approving or rejecting
//! one always takes a second factor, so that a person does. Until then there is nothing of it but its row here, and its
//! file, which the sweeper leaves alone.

mod store;

use std::error::Error as StdError;

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::Stream;
use serde_json::json;

use crate::access::{Access, Locked};
use crate::audit::{self, By, Outcome};
use crate::blobs::{Blob, Blobs, Digest};
use crate::clock::{Clock, Time};
use crate::config;
use crate::db::{Db, Transaction};
use crate::error::{Error, OnConstraint as _, Result};
use crate::names::{AccountName, DistTag, PackageName, RandomId, VersionNumber};
use crate::packages::{Packages, Publication, Publisher, Sender};
use crate::policy::{Actor, Intent, Permit, Read, Visibility, Write};

/// Handle to what waits for approval.
#[derive(Debug, Clone)]
pub struct Staging {
    db: Db,
    clock: Clock,
    access: Access,
    packages: Packages,
    blobs: Blobs,
    kept_for: TimeDelta,
}

/// A version that waits for approval.
#[derive(Debug, Clone)]
pub struct StagedVersion {
    /// By which it is approved or rejected.
    pub id: RandomId,
    /// Its package, which need not exist yet.
    pub package: PackageName,
    /// Its number.
    pub version: VersionNumber,
    /// The dist-tag that it will move.
    pub tag: DistTag,
    /// How visible the package is, or will be made by this version.
    pub visibility: Visibility,
    /// Who put it up: a user, or the owner of the scope where a trusted publisher did.
    pub staged_by: AccountName,
    /// The trusted publisher in words.
    pub trusted_publisher: Option<String>,
    /// When.
    pub staged_at: Time,
    /// Where its file is.
    pub digest: Digest,
    /// The SHA-1 of its file.
    pub sha1: Vec<u8>,
    /// How large its file is.
    pub size_bytes: u64,
}

/// A page of what waits.
#[derive(Debug)]
pub struct Page {
    /// The newest first.
    pub items: Vec<StagedVersion>,
    /// How many there are on all pages.
    pub total: i64,
}

/// Which page.
#[derive(Debug, Clone, Copy)]
pub struct Paging {
    /// Counted from 0.
    pub page: u32,
    /// At most a hundred.
    pub per_page: u32,
}

/// What became of a version number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionStatus {
    /// Anyone who may read the package can have it.
    Published,
    /// It waits for approval.
    Staged,
    /// It was unpublished.
    Deleted,
}

impl VersionStatus {
    /// npm's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Staged => "staged",
            Self::Deleted => "deleted",
        }
    }
}

impl Staging {
    /// Sets the room up.
    pub fn new(
        db: Db,
        clock: Clock,
        access: Access,
        packages: Packages,
        blobs: Blobs,
        config: &config::Staging,
    ) -> Self {
        let kept_for = TimeDelta::days(config.keep_days.into());
        Self { db, clock, access, packages, blobs, kept_for }
    }

    /// Receives a version as a publish would, and puts it up for approval.
    ///
    /// # Errors
    /// As [`Packages::publish`]; `Conflict` where the same version waits already.
    pub async fn stage<S, E>(&self, permit: &Permit<Write>, body: S, sender: Sender) -> Result<RandomId>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (checked, _turn) = self.packages.receive(permit, body, sender).await?;
        let id = RandomId::generate().map_err(Error::internal)?;
        let mut transaction = self.db.begin().await?;
        // The upload may have outlived its permit.
        let Locked { actor, facts } = self.access.lock(&mut transaction, permit.actor(), permit.name()).await?;
        let permit = self.access.permit_on(&actor, &facts, Intent::STAGE)?;
        if store::find_status(&mut transaction, permit.name(), &checked.version).await?.is_some() {
            return Err(taken(permit.name(), &checked.version));
        }
        let owner = permit.owner().ok_or_else(|| Error::internal("a package without a scope"))?;
        let publisher = Publisher::load(&mut transaction, &actor).await?;
        let row = store::NewStaged { id: &id, name: permit.name(), owner, checked: &checked, publisher: &publisher };
        store::insert(&mut transaction, &row, self.clock.now())
            .await
            .on_constraint("staged_versions_package_name_version_key", || taken(permit.name(), &checked.version))?;
        let detail = json!({ "version": checked.version.as_str(), "tag": checked.tag, "id": id });
        self.record(&mut transaction, &permit, detail).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// A page of what the actor could approve, of one package or of all.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, actor: &Actor, package: Option<&PackageName>, paging: Paging) -> Result<Page> {
        let mut names = store::list_names(self.db.reads(), actor, package).await?;
        let mut visible = Vec::with_capacity(names.len());
        for name in names.drain(..) {
            let facts = self.access.load_facts_for(actor, &name).await?;
            if self.access.permit_on(actor, &facts, Intent::SEE_STAGED).is_ok() {
                visible.push(name.as_str().to_owned());
            }
        }
        store::list(self.db.reads(), &visible, paging).await
    }

    /// One version that waits.
    ///
    /// # Errors
    /// `NotFound` for an id that is unknown, and alike for who could not approve what it names.
    pub async fn find(&self, actor: &Actor, id: &RandomId) -> Result<(StagedVersion, Permit<Read>)> {
        let staged = store::find(self.db.reads(), id).await?.ok_or_else(|| unknown(id))?;
        let permit = self.access.permit(actor, &staged.package, Intent::SEE_STAGED).await;
        let permit = permit.map_err(|refusal| if hides(&refusal) { unknown(id) } else { refusal })?;
        Ok((staged, permit))
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// `Unavailable` where the storage fails.
    pub async fn tarball(&self, staged: &StagedVersion, _permit: &Permit<Read>) -> Result<Blob> {
        self.blobs.read(&staged.digest, staged.size_bytes).await
    }

    /// Publishes what waits, in the name of who put it up, by the right of who approves.
    ///
    /// # Errors
    /// As [`Staging::find`], then everything that a publish of it can meet now.
    pub async fn approve(&self, actor: &Actor, id: &RandomId) -> Result<Publication> {
        let permit = self.permit_review(actor, id).await?;
        let mut transaction = self.db.begin().await?;
        let permit = self.decide_again(&mut transaction, &permit).await?;
        let (mut checked, publisher) = store::take(&mut transaction, id).await?.ok_or_else(|| unknown(id))?;
        // A publish by somebody who does not administer the package never changes who sees it, and neither does it when
        // somebody who does has approved the code.
        checked.access = checked.access.filter(|_| permit.package().is_none());
        let detail = json!({ "version": checked.version.as_str(), "id": id, "verdict": "approved" });
        self.record(&mut transaction, &permit, detail).await?;
        let publication = self.packages.insert_as(&mut transaction, &permit, &checked, Some(publisher)).await?;
        transaction.commit().await?;
        Ok(publication)
    }

    /// Throws away what waits.
    ///
    /// # Errors
    /// As [`Staging::find`], and the refusals of the decision.
    pub async fn reject(&self, actor: &Actor, id: &RandomId) -> Result<()> {
        let permit = self.permit_review(actor, id).await?;
        let mut transaction = self.db.begin().await?;
        let permit = self.decide_again(&mut transaction, &permit).await?;
        let (checked, _) = store::take(&mut transaction, id).await?.ok_or_else(|| unknown(id))?;
        let detail = json!({ "version": checked.version.as_str(), "id": id, "verdict": "rejected" });
        self.record(&mut transaction, &permit, detail).await?;
        transaction.commit().await
    }

    /// Who may not even see it is told that there is no such thing, before anything else is said.
    async fn permit_review(&self, actor: &Actor, id: &RandomId) -> Result<Permit<Write>> {
        let (staged, _) = self.find(actor, id).await?;
        self.access.permit(actor, &staged.package, Intent::REVIEW_STAGED).await
    }

    async fn decide_again(&self, transaction: &mut Transaction, permit: &Permit<Write>) -> Result<Permit<Write>> {
        let Locked { actor, facts } = self.access.lock(transaction, permit.actor(), permit.name()).await?;
        self.access.permit_on(&actor, &facts, Intent::REVIEW_STAGED)
    }

    /// What became of a version number.
    ///
    /// # Errors
    /// `NotFound` for a number that was never used, and alike for who could not publish the package.
    pub async fn status(&self, actor: &Actor, name: &PackageName, version: &VersionNumber) -> Result<VersionStatus> {
        let missing = || Error::NotFound(format!("{name} has no version {version}. Check name and number.").into());
        let permit = self.access.permit(actor, name, Intent::SEE_STAGED).await;
        permit.map_err(|refusal| if hides(&refusal) { missing() } else { refusal })?;
        let mut connection = self.db.reads().acquire().await?;
        store::find_status(&mut connection, name, version).await?.ok_or_else(missing)
    }

    /// Throws away what nobody looked at for the configured time. A chore; returns how many went.
    ///
    /// # Errors
    /// The database's.
    pub async fn expire(&self) -> Result<usize> {
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let expired = store::delete_older(&mut transaction, now - self.kept_for).await?;
        for one in &expired {
            let event = audit::Event {
                action: "package.review",
                subject: one.package.as_str(),
                scope: Some(one.owner),
                outcome: Outcome::Done,
                detail: json!({ "version": one.version, "id": one.id, "verdict": "expired" }),
            };
            let by = By { name: "strongroom".into(), ..By::default() };
            audit::record(&mut transaction, &by, &event, now).await?;
        }
        transaction.commit().await?;
        Ok(expired.len())
    }

    /// When a version will be thrown away.
    pub fn expires_at(&self, staged: &StagedVersion) -> Time {
        staged.staged_at + self.kept_for
    }

    async fn record(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<Write>,
        detail: serde_json::Value,
    ) -> Result<()> {
        let event = audit::Event {
            action: permit.action().audit_name(),
            subject: permit.name().as_str(),
            scope: permit.owner(),
            outcome: Outcome::Done,
            detail,
        };
        audit::record(transaction, &By::from(permit.actor()), &event, self.clock.now()).await
    }
}

/// Whether a refusal would tell who could not approve that there is something.
fn hides(refusal: &Error) -> bool {
    matches!(refusal.status(), 403 | 404)
}

fn unknown(id: &RandomId) -> Error {
    Error::NotFound(format!("Not Found - no version is staged under {id}. npm stage list shows what is.").into())
}

fn taken(name: &PackageName, version: &VersionNumber) -> Error {
    Error::VersionExists(
        format!("{name}@{version} is staged or published already. Approve or reject it, or raise the version.").into(),
    )
}
