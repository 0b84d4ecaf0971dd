//! What files a version has, and where in its tarball each begins: noted at publish, so that a page can show one file
//! without looking at all.

pub(super) mod store;

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

use crate::blobs::{Blob, Digest};
use crate::error::{Error, Result};
use crate::names::{VersionId, VersionNumber};

use super::archive::{self, ArchiveError, ArchiveLimits, FileEntry};
use super::{Opened, Packages, TarballFacts, no_version};

/// How much memory the indexes of the versions that are looked at may take.
const KEPT_BYTES: u64 = 16 << 20;

/// Tarballs that are walked through at once for want of an index.
const WALKED_AT_ONCE: usize = 1;

/// Versions that a chore asks for at once.
const BATCH: i64 = 50;

/// The files of one version, in the order of their paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FileIndex {
    files: Vec<FileEntry>,
}

impl FileIndex {
    /// An index of files in any order.
    pub fn new(mut files: Vec<FileEntry>) -> Self {
        files.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        Self { files }
    }

    /// Every file, in the order of their paths.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// The file at a path.
    pub fn find(&self, path: &str) -> Option<&FileEntry> {
        let at = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(at)
    }

    /// The files whose paths begin like this.
    pub fn below(&self, prefix: &str) -> &[FileEntry] {
        let rest = self.files.get(self.files.partition_point(|file| file.path.as_str() < prefix)..).unwrap_or_default();
        rest.get(..rest.partition_point(|file| file.path.starts_with(prefix))).unwrap_or_default()
    }

    fn memory_bytes(&self) -> u64 {
        self.files.iter().map(|file| (file.path.len() + size_of::<FileEntry>()) as u64).sum()
    }
}

/// A version with its files.
#[derive(Debug, Clone)]
pub struct VersionFiles {
    /// Where the tarball is.
    pub tarball: TarballFacts,
    /// What is in it.
    pub index: Arc<FileIndex>,
}

#[derive(Debug, Clone)]
struct IndexWeight;

impl Weighter<VersionId, Arc<FileIndex>> for IndexWeight {
    fn weight(&self, _: &VersionId, index: &Arc<FileIndex>) -> u64 {
        index.memory_bytes() + 128
    }
}

/// The indexes that were last looked at. What a version holds never changes, so nothing in here grows old; who may look
/// is decided before.
#[derive(Clone)]
pub(super) struct Memory {
    kept: Arc<Cache<VersionId, Arc<FileIndex>, IndexWeight>>,
    walking: Arc<Semaphore>,
}

impl Default for Memory {
    fn default() -> Self {
        let kept = Arc::new(Cache::with_weighter(1000, KEPT_BYTES, IndexWeight));
        Self { kept, walking: Arc::new(Semaphore::new(WALKED_AT_ONCE)) }
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Memory").finish_non_exhaustive()
    }
}

/// A version whose files are not known yet.
pub(super) struct Unindexed {
    id: VersionId,
    tarball: TarballFacts,
}

impl Packages {
    /// The files of a version. One that a release without indexes published is walked through now.
    ///
    /// # Errors
    /// `NotFound` for a version that the package does not have; `Unavailable` where the storage fails.
    pub async fn files(&self, opened: &Opened, version: &VersionNumber) -> Result<VersionFiles> {
        let found = store::find_version(self.db.reads(), opened.permit.name(), version).await?;
        let Unindexed { id, tarball } = found.ok_or_else(|| no_version(version.as_str()))?;
        if let Some(index) = self.files.kept.get(&id) {
            return Ok(VersionFiles { tarball, index });
        }
        let index = match store::load(self.db.reads(), id).await? {
            Some(files) => files,
            None => self.index(&Unindexed { id, tarball: tarball.clone() }).await?,
        };
        let index = Arc::new(FileIndex::new(index));
        self.files.kept.insert(id, index.clone());
        Ok(VersionFiles { tarball, index })
    }

    /// Notes the files of versions that were published without: by the release before, or from the queue of those that
    /// wait for approval. A chore; returns how many versions that were.
    ///
    /// # Errors
    /// The database's and the storage's; what was noted before stays.
    pub async fn index_missing(&self) -> Result<usize> {
        let mut indexed = 0;
        let mut after = VersionId::from(0);
        loop {
            let batch = store::list_missing(self.db.reads(), after, BATCH).await?;
            let Some(last) = batch.last() else { return Ok(indexed) };
            after = last.id;
            for version in &batch {
                self.index(version).await?;
                indexed += 1;
            }
        }
    }

    async fn index(&self, version: &Unindexed) -> Result<Vec<FileEntry>> {
        let _turn = self.files.walking.acquire().await.map_err(Error::internal)?;
        let files = self.walk(&version.tarball.digest, version.tarball.size_bytes).await?;
        let mut transaction = self.db.begin().await?;
        store::fill(&mut transaction, version.id, &files).await?;
        transaction.commit().await?;
        Ok(files)
    }

    /// Walks through a tarball, of a version or of one that waits for approval. One that is no archive by today's measure
    /// has no files to show; it can be installed as before.
    ///
    /// # Errors
    /// `Unavailable` where the storage fails.
    pub async fn walk(&self, digest: &Digest, size_bytes: u64) -> Result<Vec<FileEntry>> {
        let blob: Blob = self.blobs.read(digest, size_bytes).await?;
        // What was taken in once has been counted; limits that an operator has lowered since are for publishes.
        let limits = ArchiveLimits { unpacked_bytes: u64::MAX, entries: 1_000_000, ..self.limits.archive() };
        let walked = tokio::task::spawn_blocking(move || archive::inspect(blob.into_reader(), &limits)).await;
        match walked.map_err(Error::internal)? {
            Ok(summary) => Ok(summary.files),
            Err(ArchiveError::Io(cause)) => Err(cause.into()),
            Err(cause) => {
                tracing::warn!(%cause, digest = digest.to_hex(), "the files of a tarball cannot be listed");
                Ok(Vec::new())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_path_and_by_folder() {
        let file = |path: &str| FileEntry { path: path.into(), size: 1, offset: 0, is_text: true, sha256: [0; 32] };
        let index = FileIndex::new(["b/two", "a", "b/one", "b.js", "c"].map(file).to_vec());
        let paths = |files: &[FileEntry]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(index.files()), ["a", "b.js", "b/one", "b/two", "c"]);
        assert_eq!(paths(index.below("b/")), ["b/one", "b/two"]);
        assert_eq!(paths(index.below("")).len(), 5);
        assert!(index.below("d/").is_empty());
        assert!(index.find("b/one").is_some() && index.find("b").is_none());
    }
}
