//! Deprecations: `npm deprecate` and `undeprecate` (`protocol.md` 3.4), which send the whole packument back.
//!
//! Of that packument only the messages count. What else was changed in it is ignored, so that an old copy can neither
//! bring a version back nor take one away.

mod store;
mod transfer;

use std::collections::HashMap;

use node_semver::{Range, Version};
use serde_json::json;

use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::names::{PackageId, PackageName};
use crate::policy::{Intent, Permit, Write};

use super::publish::body::OutlinedVersion;
use super::{Packages, packument};

pub use transfer::moved_to;

/// The longest message.
const MESSAGE_BYTES: usize = 4096;

/// Versions that the audit log names.
const LOGGED: usize = 20;

/// What a packument that came back says of deprecations.
#[derive(Debug)]
pub struct Deprecations {
    /// The revision that the client had read, where it says so.
    pub read: Option<i64>,
    /// The versions in it; a message that is empty takes a deprecation back, none says nothing.
    pub versions: Vec<OutlinedVersion>,
}

/// What is to be written.
#[derive(Default)]
struct Change {
    ids: Vec<i64>,
    messages: Vec<Option<String>>,
    names: Vec<String>,
    /// How much longer the packument becomes.
    grows_by: i64,
}

impl Packages {
    /// Deprecates versions, or takes that back. Returns the `_rev` that the package then has.
    ///
    /// # Errors
    /// `Conflict` where somebody else changed one of the messages since the packument was read, `Unprocessable` for a
    /// version that never was and for a message that is too long, else the refusal.
    pub async fn deprecate(&self, permit: &Permit<Write>, wanted: Deprecations) -> Result<String> {
        let mut transaction = self.db.begin().await?;
        let name = permit.name();
        let (permit, facts) =
            self.access.lock_and_permit(&mut transaction, permit.actor(), name, Intent::DEPRECATE).await?;
        let package = super::existing(&facts)?;
        let change = compare(name, &store::list(&mut transaction, package).await?, wanted)?;
        let revision = if change.ids.is_empty() {
            super::revision_of(&facts)?
        } else {
            self.carry_out(&mut transaction, &permit, package, &change).await?
        };
        transaction.commit().await?;
        Ok(packument::rev_text(name, revision))
    }

    /// Writes what there is to be written. Returns the package's new revision.
    async fn carry_out(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<Write>,
        package: PackageId,
        change: &Change,
    ) -> Result<i64> {
        let total = super::store::add_manifest_bytes(transaction, package, change.grows_by).await?;
        self.check_packument_size(permit.name(), total)?;
        let detail = json!({
            "versions": change.names.iter().take(LOGGED).collect::<Vec<_>>(),
            "count": change.names.len(),
            "message": change.messages.first(),
        });
        let revision = self.record(transaction, permit, package, detail).await?;
        let said = store::Said { by: permit.actor().account_id(), at: self.clock.now() };
        store::update(transaction, revision, said, &change.ids, &change.messages).await?;
        Ok(revision)
    }

    /// Deprecates every version that fits a range, or takes that back where the message is empty. Returns how many fit.
    ///
    /// # Errors
    /// `Unprocessable` for what is no range, or one that no version fits; else as [`Packages::deprecate`].
    pub async fn deprecate_range(&self, permit: &Permit<Write>, range: &str, message: &str) -> Result<usize> {
        let live = super::store::list_tarballs(self.db.reads(), permit.name()).await?;
        let fits = fitting(range)?;
        let numbers = live.keys().filter(|number| fits(number));
        let outlined =
            numbers.map(|number| OutlinedVersion { number: number.to_string(), deprecated: Some(message.to_owned()) });
        let versions: Vec<OutlinedVersion> = outlined.collect();
        let count = versions.len();
        if count == 0 {
            let sentence = format!("No version of {} fits this range. Nothing was changed.", permit.name());
            return Err(Error::Unprocessable(sentence.into()));
        }
        self.deprecate(permit, Deprecations { read: None, versions }).await?;
        Ok(count)
    }
}

/// Whether a version is meant by a range; a star means prereleases, too, and a number means itself.
fn fitting(range: &str) -> Result<impl Fn(&str) -> bool> {
    let refused = || Error::Unprocessable("That is no version and no range. Give one like 1.2.0 or <2.0.0.".into());
    let parsed = Range::parse(range).map_err(|_| refused())?;
    let (is_everything, text) = (range == "*", range.to_owned());
    Ok(move |number: &str| {
        is_everything || number == text || Version::parse(number).is_ok_and(|version| parsed.satisfies(&version))
    })
}

fn compare(name: &PackageName, rows: &[store::VersionRow], wanted: Deprecations) -> Result<Change> {
    let rows: HashMap<&str, &store::VersionRow> = rows.iter().map(|row| (row.version.as_str(), row)).collect();
    let read = wanted.read.unwrap_or(i64::MAX);
    let mut change = Change::default();
    for OutlinedVersion { number, deprecated } in wanted.versions {
        let Some(row) = rows.get(number.as_str()) else { return Err(never_was(name, &number)) };
        let Some(message) = deprecated.filter(|_| !row.unpublished) else { continue };
        let message = Some(message).filter(|message| !message.is_empty());
        if message == row.deprecated {
            continue;
        }
        if row.deprecated_revision > read {
            return Err(Error::Conflict(
                format!("Somebody else deprecated {name} {number} meanwhile. Run the command again.").into(),
            ));
        }
        check_message(message.as_deref())?;
        let bytes = |text: Option<&String>| text.map_or(0, |text| i64::try_from(text.len()).unwrap_or(i64::MAX));
        change.grows_by += bytes(message.as_ref()) - bytes(row.deprecated.as_ref());
        change.ids.push(row.id.0);
        change.messages.push(message);
        change.names.push(number);
    }
    Ok(change)
}

/// A publish that lost its tarball must not read as done.
fn never_was(name: &PackageName, number: &str) -> Error {
    let number: String = number.chars().filter(|one| !one.is_control()).take(64).collect();
    let reason = "and the document carries no tarball. To publish, send one; to deprecate, read the package again";
    Error::Unprocessable(format!("{name} has no version {number}, {reason}.").into())
}

fn check_message(message: Option<&str>) -> Result<()> {
    let Some(message) = message else { return Ok(()) };
    if message.len() > MESSAGE_BYTES || message.contains('\0') {
        return Err(Error::Unprocessable(
            format!("A deprecation message has at most {MESSAGE_BYTES} bytes and no NUL. Shorten it.").into(),
        ));
    }
    Ok(())
}
