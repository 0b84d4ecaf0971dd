//! What is kept in memory of one package.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::OnceCell;

use crate::blobs::Digest;
use crate::db::Weigh;
use crate::error::Result;
use crate::policy::{Grant, PackageFacts};

use super::packument::{Document, Form};

/// The facts of a package at one revision, and what was made from it: each part when it is first wanted.
#[derive(Debug)]
pub struct Entry {
    /// What decisions need to know; the owner in it is as old as the entry.
    pub facts: PackageFacts,
    full: OnceCell<Arc<Document>>,
    abbreviated: OnceCell<Arc<Document>>,
    tarballs: OnceCell<HashMap<Box<str>, TarballFacts>>,
    checked_at: ArcSwap<Instant>,
    bytes: AtomicU64,
}

/// Where the bytes of a tarball are.
#[derive(Debug, Clone)]
pub struct TarballFacts {
    /// Their address, and the strong validator of the response.
    pub digest: Digest,
    /// Their length.
    pub size_bytes: u64,
}

impl Weigh for Arc<Entry> {
    fn weight(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Entry {
    pub(super) fn new(facts: PackageFacts) -> Self {
        let grants = facts.package.as_ref().map_or(0, |package| package.grants.len() as u64);
        Self {
            facts,
            full: OnceCell::new(),
            abbreviated: OnceCell::new(),
            tarballs: OnceCell::new(),
            checked_at: ArcSwap::from_pointee(Instant::now()),
            bytes: AtomicU64::new(1024 + size_of::<Grant>() as u64 * grants),
        }
    }

    pub(super) fn document(&self, form: Form) -> &OnceCell<Arc<Document>> {
        match form {
            Form::Full => &self.full,
            Form::Abbreviated => &self.abbreviated,
        }
    }

    /// The tarballs by version; small, so that it does not count into the weight.
    pub(super) async fn tarballs<L>(&self, load: impl FnOnce() -> L) -> Result<&HashMap<Box<str>, TarballFacts>>
    where
        L: Future<Output = Result<HashMap<Box<str>, TarballFacts>>>,
    {
        match self.tarballs.get() {
            Some(tarballs) => Ok(tarballs),
            None => Box::pin(self.tarballs.get_or_try_init(load)).await,
        }
    }

    /// When the entry was last held against the database.
    pub(super) fn checked_at(&self) -> Instant {
        **self.checked_at.load()
    }

    /// Holds the entry against facts that were just loaded: whether it is still what the database has.
    pub(super) fn confirm(&self, facts: &PackageFacts) -> bool {
        let revision = |facts: &PackageFacts| facts.package.as_ref().map(|package| (package.id, package.revision));
        let same = revision(&self.facts) == revision(facts);
        if same {
            self.checked_at.store(Arc::new(Instant::now()));
        }
        same
    }

    /// Counts more bytes into the weight; only inside [`crate::db::ChangeAwareCache::reweigh`].
    pub(super) fn grow(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}
