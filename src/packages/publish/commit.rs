//! Making a checked publish durable and visible: the blob first, then one short transaction.

use serde_json::json;
use sqlx::PgConnection;

use crate::access::Locked;
use crate::blobs::Staged;
use crate::db::Transaction;
use crate::error::{Error, Result, Sentence};
use crate::names::{AccountId, PackageId, PackageName};
use crate::packages::packument::{person, rev_text, with_members};
use crate::packages::store::{self, NewVersion};
use crate::packages::{Packages, files, removal};
use crate::policy::{Actor, Intent, PackageFacts, Permit, TokenRight, Visibility, Write};
use crate::tokens::TrustedPublisher;

use super::Publication;
use super::check::Checked;

impl Packages {
    /// Makes the file durable under its digest. Nothing points at it yet; if nothing ever does, it is swept.
    pub(super) async fn keep(&self, checked: &Checked, staged: Staged) -> Result<()> {
        let mut reservation = self.db.begin().await?;
        let now = self.clock.now();
        self.blobs.reserve(&mut reservation, &checked.digest, checked.size_bytes, now).await?;
        reservation.commit().await?;
        self.blobs.promote(staged, checked.digest.clone()).await
    }

    /// Publishes one version.
    pub(super) async fn commit(&self, permit: &Permit<Write>, checked: &Checked) -> Result<Publication> {
        let mut transaction = self.db.begin().await?;
        let publication = self.insert_as(&mut transaction, permit, checked, None).await?;
        transaction.commit().await?;
        Ok(publication)
    }

    /// Publishes many versions, or none of them.
    pub(super) async fn commit_all(
        &self,
        mut batch: Vec<(Permit<Write>, Checked)>,
    ) -> Result<Vec<(PackageName, Publication)>> {
        // Every batch takes its locks in this order, so that two of them never wait for each other.
        batch.sort_by(|(one, _), (other, _)| one.name().as_str().cmp(other.name().as_str()));
        let mut transaction = self.db.begin().await?;
        let mut publications = Vec::with_capacity(batch.len());
        for (permit, checked) in &batch {
            let inserted = self.insert_as(&mut transaction, permit, checked, None).await;
            let publication = inserted.map_err(|cause| about(permit.name(), cause))?;
            publications.push((permit.name().clone(), publication));
        }
        transaction.commit().await?;
        Ok(publications)
    }

    /// Publishes inside a caller's transaction. The decision is asked again under the row lock: the upload may have
    /// outlived it. `publisher` is who the version is by, where that is not who asks.
    ///
    /// # Errors
    /// As [`Packages::publish`].
    pub async fn insert_as(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<Write>,
        checked: &Checked,
        publisher: Option<Publisher>,
    ) -> Result<Publication> {
        let name = permit.name();
        let (permit, facts) = self.lock_for_publish(transaction, permit.actor(), name, checked).await?;
        let publisher = match publisher {
            Some(publisher) => publisher,
            None => Publisher::load(transaction, permit.actor()).await?,
        };
        let Some(package) = &facts.package else {
            let visibility = checked.access.unwrap_or(Visibility::Restricted);
            let id = self.create(transaction, &permit, publisher.account, visibility).await?;
            self.access.welcome_developers(transaction, &facts, id, permit.actor()).await?;
            if store::find_used_version(transaction, id, &checked.version).await?.is_some() {
                return Err(version_exists(name, checked));
            }
            return self.insert_version(transaction, &permit, &publisher, id, checked, None).await;
        };
        if let Some(used) = store::find_used_version(transaction, package.id, &checked.version).await? {
            // npm resends a publish whose answer was lost. One that wants another tag or access is no repeat: success
            // would tell its user that this was done.
            let is_repeat = used.sha512.as_deref() == Some(checked.digest.as_bytes())
                && used.published_by == publisher.account
                && used.tags.iter().any(|tag| tag == checked.tag.as_str())
                && checked.access.is_none_or(|access| access == package.visibility)
                && !used.unpublished;
            return if is_repeat {
                Ok(Publication { rev: rev_text(name, package.revision), notice: None })
            } else {
                Err(version_exists(name, checked))
            };
        }
        let notice = self.apply_access(transaction, permit.actor(), &facts, checked.access).await?;
        self.insert_version(transaction, &permit, &publisher, package.id, checked, notice).await
    }

    async fn lock_for_publish(
        &self,
        transaction: &mut Transaction,
        actor: &Actor,
        name: &PackageName,
        checked: &Checked,
    ) -> Result<(Permit<Write>, PackageFacts)> {
        let Locked { actor, facts } = self.access.lock(transaction, actor, name).await?;
        let intent = match &facts.package {
            Some(_) => Intent::PUBLISH,
            None => Intent::create_as(checked.access.unwrap_or(Visibility::Restricted)),
        };
        let permit = self.access.permit_on(&actor, &facts, intent)?;
        Ok((permit, facts))
    }

    /// A new row, or the old one of a package that was removed as a whole, which remembers its numbers and nothing else.
    async fn create(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<Write>,
        creator: AccountId,
        visibility: Visibility,
    ) -> Result<PackageId> {
        let owner = permit.owner().ok_or_else(|| Error::internal("a package without a scope"))?;
        let (name, now) = (permit.name(), self.clock.now());
        match removal::store::find_deleted(transaction, name).await? {
            Some(deleted) => {
                self.check_rest(name, deleted.deleted_at)?;
                removal::store::create_anew(transaction, deleted.id, owner, creator, visibility, now).await?;
                Ok(deleted.id)
            }
            None => store::insert_package(transaction, name, owner, creator, visibility, now).await,
        }
    }

    /// A publish that says `access`: an administrator's word counts, anyone else's is ignored, and they are told.
    async fn apply_access(
        &self,
        transaction: &mut Transaction,
        actor: &Actor,
        facts: &PackageFacts,
        access: Option<Visibility>,
    ) -> Result<Option<String>> {
        let present = facts.package.as_ref().map(|package| package.visibility);
        let Some(wanted) = access.filter(|wanted| Some(*wanted) != present) else { return Ok(None) };
        match self.access.permit_on(actor, facts, Intent::set_visibility(wanted)) {
            Ok(permit) => {
                self.access.change_visibility(transaction, &permit, facts, wanted).await?;
                Ok(None)
            }
            Err(Error::Lacking { .. }) => Ok(Some(format!(
                "{} stays {}: only the owner of its scope can change that.",
                facts.name,
                present.map_or("restricted", Visibility::as_str),
            ))),
            Err(refusal) => Err(refusal),
        }
    }

    async fn insert_version(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<Write>,
        publisher: &Publisher,
        package: PackageId,
        checked: &Checked,
        notice: Option<String>,
    ) -> Result<Publication> {
        let now = self.clock.now();
        let manifest = with_members(&checked.manifest.full, &[("_npmUser", &publisher.as_npm_user())]);
        let row = NewVersion {
            package,
            version: &checked.version,
            publisher: publisher.account,
            trusted_publisher: publisher.trusted.as_ref(),
            manifest: &manifest,
            abbreviated: &checked.manifest.abbreviated,
            digest: &checked.digest,
            sha1: &checked.sha1,
            size_bytes: checked.size_bytes,
            unpacked_bytes: checked.unpacked_bytes,
            file_count: checked.file_count,
            readme: checked.readme.as_ref().map(|readme| readme.text.as_str()),
            readme_file: checked.readme.as_ref().map(|readme| readme.file_name.as_str()),
            provenance: checked.provenance.as_ref(),
            now,
        };
        let grows_by = i64::try_from(manifest.len()).map_err(Error::internal)?;
        let packument_bytes = store::add_manifest_bytes(transaction, package, grows_by).await?;
        self.check_packument_size(permit.name(), packument_bytes)?;
        let version = store::insert_version(transaction, &row).await?;
        if let Some(files) = &checked.files {
            files::store::fill(transaction, version, files).await?;
        }
        let digest = checked.digest.as_bytes();
        self.signatures.sign(transaction, permit.name(), version, checked.version.as_str(), digest).await?;
        store::set_tag(transaction, package, &checked.tag, version).await?;
        store::set_latest_if_missing(transaction, package, version).await?;
        let detail = json!({ "version": checked.version.as_str(), "tag": checked.tag, "bytes": checked.size_bytes });
        let revision = self.record(transaction, permit, package, detail).await?;
        Ok(Publication { rev: rev_text(permit.name(), revision), notice })
    }
}

/// Who a version is by.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// The account: a user, or the owner of the scope where a trusted publisher published.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// The trusted publisher.
    pub trusted: Option<TrustedPublisher>,
}

impl Publisher {
    /// Who acts. Versions have an author: the operator publishes nothing.
    ///
    /// # Errors
    /// `Forbidden` for who has no account, and the database's.
    pub async fn load(connection: &mut PgConnection, actor: &Actor) -> Result<Self> {
        let Actor::User(principal) = actor else {
            return Err(Error::Forbidden("Publishing needs an account. Run npm login first.".into()));
        };
        let trusted = match principal.narrowing.right {
            TokenRight::Trusted(_) => store::find_trusted_publisher(connection, principal.token).await?,
            _ => None,
        };
        Ok(Self { account: principal.account.id, name: principal.account.name.to_string(), trusted })
    }

    /// `_npmUser` of the version.
    fn as_npm_user(&self) -> String {
        match &self.trusted {
            None => person(&self.name),
            Some(trusted) => trusted.as_npm_user().to_string(),
        }
    }
}

/// Says which package of a batch an error is about, where its sentence does not.
pub(super) fn about(name: &PackageName, cause: Error) -> Error {
    let named = |sentence: Sentence| -> Sentence {
        if sentence.contains(name.as_str()) { sentence } else { format!("{name}: {sentence}").into() }
    };
    match cause {
        Error::Malformed(sentence) => Error::Malformed(named(sentence)),
        Error::Unprocessable(sentence) => Error::Unprocessable(named(sentence)),
        Error::TooLarge(sentence) => Error::TooLarge(named(sentence)),
        Error::Forbidden(sentence) => Error::Forbidden(named(sentence)),
        Error::Lacking { lack, sentence, ask } => Error::Lacking { lack, sentence: named(sentence), ask },
        Error::Conflict(sentence) => Error::Conflict(named(sentence)),
        other => other,
    }
}

fn version_exists(name: &PackageName, checked: &Checked) -> Error {
    let version = &checked.version;
    Error::VersionExists(
        format!(
            "You cannot publish over the previously published versions: {version}. A version of {name} never changes \
             and is never used twice; raise the version and publish again."
        )
        .into(),
    )
}
