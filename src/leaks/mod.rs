//! Leaks: what should not go out with a package that is about to become public.
//!
//! The newest versions are looked through as they lie in the storage, nothing is unpacked to a disk, and everything is
//! bounded: bytes, time, and how many look at once. What was found is named by file, line and kind, never by itself; and
//! what was not looked at is named too, so that an empty list does not promise more than it can.

mod files;
mod material;
mod rules;
mod tarball;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

use crate::blobs::{Blobs, Digest};
use crate::error::{Error, Result};
use crate::packages::{NewestVersion, Packages};
use crate::policy::{Administer, Permit};

pub use tarball::{Finding, Unread};
use tarball::{Limits, TarballScan};

/// How many versions are looked through: the one that `latest` names, and the newest beside it.
const VERSIONS: u32 = 5;

/// How long all of them together may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// Scans at once; a page waits for its turn as long as for the scan.
const AT_ONCE: usize = 1;

/// Tarballs whose scans are remembered: what lies under a digest never changes.
const REMEMBERED: usize = 500;

/// Handle to the scanner.
#[derive(Clone)]
pub struct Leaks {
    packages: Packages,
    blobs: Blobs,
    known: Arc<Cache<Digest, Arc<TarballScan>>>,
    turns: Arc<Semaphore>,
}

impl std::fmt::Debug for Leaks {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Leaks").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

/// What a scan came to.
#[derive(Debug, Default)]
pub struct Report {
    /// The versions that were looked through, the newest first.
    pub versions: Vec<String>,
    /// How many files of them were read.
    pub files: usize,
    /// How many bytes those have.
    pub bytes: u64,
    /// What was found, in the order of the paths.
    pub findings: Vec<FoundIn>,
    /// What was not read, and why: the first of it.
    pub unread: Vec<Unread>,
    /// How many files were not read in all.
    pub unread_files: usize,
    /// Versions that there was no time for, or whose files could not be read.
    pub left_out: Vec<String>,
}

/// Something that was found, and the versions that have it.
#[derive(Debug)]
pub struct FoundIn {
    /// Where, and what kind of thing it is.
    pub finding: Finding,
    /// In which versions.
    pub versions: Vec<String>,
}

impl Leaks {
    /// Sets the room up.
    pub fn new(packages: Packages, blobs: Blobs) -> Self {
        let known = Arc::new(Cache::new(REMEMBERED));
        Self { packages, blobs, known, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Looks through the newest versions of a package.
    ///
    /// # Errors
    /// `Unavailable` where too many look at once; the database's and the storage's.
    pub async fn scan(&self, permit: &Permit<Administer>) -> Result<Report> {
        let newest = self.packages.newest_versions(permit, VERSIONS).await?;
        let deadline = Instant::now() + PATIENCE;
        let mut report = Report::default();
        let mut found: BTreeMap<Finding, Vec<String>> = BTreeMap::new();
        for version in newest {
            let Some(scan) = self.scan_version(&version, deadline).await? else {
                report.left_out.push(version.version);
                continue;
            };
            report.files += scan.files;
            report.bytes += scan.bytes;
            report.unread_files += scan.unread_files;
            let unread = scan.unread.iter().filter(|one| !report.unread.contains(one)).cloned().collect::<Vec<_>>();
            report.unread.extend(unread);
            for finding in &scan.findings {
                found.entry(finding.clone()).or_default().push(version.version.clone());
            }
            report.versions.push(version.version);
        }
        report.findings = found.into_iter().map(|(finding, versions)| FoundIn { finding, versions }).collect();
        Ok(report)
    }

    /// `None` where there was no time, or the tarball cannot be read.
    async fn scan_version(&self, version: &NewestVersion, deadline: Instant) -> Result<Option<Arc<TarballScan>>> {
        if let Some(scan) = self.known.get(&version.digest) {
            return Ok(Some(scan));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let turn = match tokio::time::timeout(left, self.turns.clone().acquire_owned()).await {
            Ok(turn) => turn.map_err(Error::internal)?,
            Err(_) => return Ok(None),
        };
        let blob = self.blobs.read(&version.digest, version.size_bytes).await?;
        let limits = Limits::until(deadline);
        let scan = tokio::task::spawn_blocking(move || {
            // The turn goes along: whoever asked may be gone before the work is done.
            let _turn = turn;
            tarball::scan(blob.into_reader(), &limits)
        });
        let Ok(scan) = scan.await.map_err(Error::internal)? else { return Ok(None) };
        let scan = Arc::new(scan);
        self.known.insert(version.digest.clone(), scan.clone());
        Ok(Some(scan))
    }
}
