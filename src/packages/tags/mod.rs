//! Dist-tags: `npm dist-tag` (`protocol.md` 3.8).

mod store;

use std::collections::BTreeMap;

use serde_json::json;

use crate::error::{Error, Result};
use crate::names::{DistTag, PackageName, VersionNumber};
use crate::policy::{Intent, PackageFacts, Permit, Read, Write};

use super::{Packages, no_version};

/// The dist-tags of a package as they are, or as they shall be.
pub type Tags = BTreeMap<DistTag, VersionNumber>;

/// What to make of the tags that a list does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They stay.
    Keep,
    /// They go.
    Remove,
}

/// What moving a tag is: an install without a version follows `latest`, and nothing else.
pub fn intent_to_move(tag: &str) -> Intent<Write> {
    if tag == DistTag::LATEST { Intent::MOVE_LATEST } else { Intent::MOVE_TAG }
}

impl Packages {
    /// The tags, each with its version.
    ///
    /// # Errors
    /// The database's.
    pub async fn tags(&self, permit: &Permit<Read>) -> Result<BTreeMap<String, String>> {
        let Some(package) = permit.package() else { return Ok(BTreeMap::new()) };
        let rows = store::list(self.db.reads(), package).await?;
        Ok(rows.into_iter().map(|row| (row.tag, row.version)).collect())
    }

    /// Points a tag at a version.
    ///
    /// # Errors
    /// `NotFound` for a version that there is not, else the refusal.
    pub async fn set_tag(&self, permit: &Permit<Write>, tag: DistTag, version: VersionNumber) -> Result<()> {
        self.change_tags(permit, BTreeMap::from([(tag, Some(version))]), Others::Keep).await
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// `NotFound` for a tag that there is not, `Forbidden` for `latest`, else the refusal.
    pub async fn remove_tag(&self, permit: &Permit<Write>, tag: DistTag) -> Result<()> {
        self.change_tags(permit, BTreeMap::from([(tag, None)]), Others::Keep).await
    }

    /// Points many tags at versions, all of it or nothing.
    ///
    /// # Errors
    /// As [`Packages::set_tag`].
    pub async fn set_tags(&self, permit: &Permit<Write>, wanted: Tags, others: Others) -> Result<()> {
        let wanted = wanted.into_iter().map(|(tag, version)| (tag, Some(version))).collect();
        self.change_tags(permit, wanted, others).await
    }

    async fn change_tags(
        &self,
        permit: &Permit<Write>,
        mut wanted: BTreeMap<DistTag, Option<VersionNumber>>,
        others: Others,
    ) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let locked = self.access.lock(&mut transaction, permit.actor(), permit.name()).await?;
        let may = |tag: &DistTag| self.access.permit_on(&locked.actor, &locked.facts, intent_to_move(tag.as_str()));
        // The least that is needed, so that who may not know of the package is not told about its tags.
        let permit = self.access.permit_on(&locked.actor, &locked.facts, Intent::MOVE_TAG)?;
        let package = super::existing(&locked.facts)?;
        let present: BTreeMap<_, _> = present(&store::list(&mut *transaction, package).await?);
        if others == Others::Remove {
            for tag in present.keys().filter(|tag| tag.as_str() != DistTag::LATEST) {
                wanted.entry(tag.clone()).or_insert(None);
            }
        }
        let mut done = serde_json::Map::new();
        for (tag, version) in wanted {
            let is = present.get(&tag);
            if is.is_some() && is == version.as_ref() {
                continue;
            }
            may(&tag)?;
            match &version {
                Some(version) => {
                    let id = store::find_version(&mut transaction, package, version).await?;
                    let id = id.ok_or_else(|| no_version(version.as_str()))?;
                    super::store::set_tag(&mut transaction, package, &tag, id).await?;
                }
                None if is.is_none() => return Err(no_tag(&locked.facts, &tag)),
                None if tag.as_str() == DistTag::LATEST => return Err(latest_stays(permit.name())),
                None => store::delete(&mut transaction, package, &tag).await?,
            }
            done.insert(tag.to_string(), version.as_ref().map(VersionNumber::as_str).into());
        }
        if !done.is_empty() {
            self.record(&mut transaction, &permit, package, json!({ "tags": done })).await?;
        }
        transaction.commit().await
    }
}

/// What cannot be read is no tag of ours, and stays where it is.
fn present(rows: &[store::TagRow]) -> BTreeMap<DistTag, VersionNumber> {
    rows.iter().filter_map(|row| Some((row.tag.parse().ok()?, row.version.parse().ok()?))).collect()
}

fn no_tag(facts: &PackageFacts, tag: &DistTag) -> Error {
    Error::NotFound(format!("{} has no dist-tag {tag}. npm dist-tag ls shows those it has.", facts.name).into())
}

fn latest_stays(name: &PackageName) -> Error {
    Error::Forbidden(
        format!("The dist-tag latest of {name} cannot be removed: installs follow it. Point it at another version.")
            .into(),
    )
}
