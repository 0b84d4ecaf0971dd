//! What pages tell of a package: its versions and what the manifest of one says.

mod about;
mod store;

use sqlx::types::Json;

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{DistTag, VersionNumber};
use crate::tokens::TrustedPublisher;

use super::{Opened, Packages, no_version};

pub use about::{About, Dependency, Link};

/// A version as pages list it.
#[derive(Debug, Clone)]
pub struct ListedVersion {
    /// Its number.
    pub number: String,
    /// When it was published.
    pub published_at: Time,
    /// The account that it is by: who published it, or whose scope a CI published into.
    pub publisher: String,
    /// The CI that published it, where one did.
    pub trusted_publisher: Option<Json<TrustedPublisher>>,
    /// Whether it has provenance that was checked.
    pub has_provenance: bool,
    /// Bytes of its tarball.
    pub size_bytes: i64,
    /// Bytes of its files.
    pub unpacked_bytes: i64,
    /// How many files those are.
    pub file_count: i32,
    /// Why nobody should use it, where somebody says so.
    pub deprecated: Option<String>,
    /// Who says so, where that is known.
    pub deprecated_by: Option<String>,
    /// Since when, where that is known.
    pub deprecated_at: Option<Time>,
    /// The tags that point at it.
    pub tags: Vec<String>,
}

/// One version, and what it says of itself.
#[derive(Debug)]
pub struct Described {
    /// The version.
    pub version: ListedVersion,
    /// What its manifest says.
    pub about: About,
    /// How many versions there are.
    pub versions: i64,
    /// When the first of them was published.
    pub first_at: Time,
    /// The number of the latest.
    pub latest: Option<String>,
}

/// Manifests above this size are taken apart where that may take its time.
const LARGE_MANIFEST: usize = 64 << 10;

impl Packages {
    /// Versions that can be installed, the newest first: so many, behind the first so many.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_versions(&self, opened: &Opened, from: u32, most: u32) -> Result<Vec<ListedVersion>> {
        store::list_versions(self.db.reads(), opened.permit.name(), None, from, most).await
    }

    /// One version by number or tag; the latest where none is named.
    ///
    /// # Errors
    /// `NotFound` for a version or tag that the package does not have.
    pub async fn describe(&self, opened: &Opened, wanted: Option<&str>) -> Result<Described> {
        let wanted = wanted.unwrap_or("latest");
        let missing = || no_version(wanted);
        let number = wanted.parse::<VersionNumber>().map(|number| number.as_str().to_owned());
        let tag = wanted.parse::<DistTag>().map(|tag| tag.as_str().to_owned());
        let name = opened.permit.name();
        let row = store::describe(self.db.reads(), name, number.ok(), tag.ok()).await?.ok_or_else(missing)?;
        let version = store::list_versions(self.db.reads(), name, Some(&row.number), 0, 1).await?.pop();
        Ok(Described {
            version: version.ok_or_else(missing)?,
            about: read_manifest(row.manifest).await?,
            versions: row.versions,
            first_at: row.first_at,
            latest: row.latest,
        })
    }
}

async fn read_manifest(manifest: String) -> Result<About> {
    if manifest.len() < LARGE_MANIFEST {
        return Ok(About::of(&manifest));
    }
    tokio::task::spawn_blocking(move || About::of(&manifest)).await.map_err(Error::internal)
}
