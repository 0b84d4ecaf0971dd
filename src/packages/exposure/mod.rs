//! How much of a package others come to see when it is made public: said before it is done.

mod store;

use crate::blobs::Digest;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::PackageId;
use crate::policy::{Administer, Permit};

use super::Packages;

/// What is in all versions together.
#[derive(Debug, Clone)]
pub struct Exposure {
    /// How many versions there are.
    pub versions: u64,
    /// How many of them have a README.
    pub readmes: u64,
    /// Files of all versions.
    pub files: u64,
    /// Bytes of these files.
    pub unpacked_bytes: u64,
    /// When the first was published.
    pub since: Option<Time>,
}

/// A version among the newest, and where its tarball is.
#[derive(Debug, Clone)]
pub struct NewestVersion {
    /// Its number.
    pub version: String,
    /// The tarball's digest.
    pub digest: Digest,
    /// The tarball's length.
    pub size_bytes: u64,
}

impl Packages {
    /// What there is to be seen.
    ///
    /// # Errors
    /// The database's.
    pub async fn exposure(&self, permit: &Permit<Administer>) -> Result<Exposure> {
        store::sum(self.db.reads(), package(permit)?).await
    }

    /// The version that `latest` names, then the newest beside it.
    ///
    /// # Errors
    /// The database's.
    pub async fn newest_versions(&self, permit: &Permit<Administer>, most: u32) -> Result<Vec<NewestVersion>> {
        store::list_newest(self.db.reads(), package(permit)?, most).await
    }
}

fn package(permit: &Permit<Administer>) -> Result<PackageId> {
    permit.package().ok_or_else(|| Error::internal("a permit for a package that does not exist"))
}
