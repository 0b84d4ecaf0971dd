//! What is kept in memory of advisories: for each name that was asked about what there is, most often nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use quick_cache::Weighter;
use quick_cache::sync::Cache as Kept;
use tokio::sync::OnceCell;

use crate::db::Changes;
use crate::error::Result;

use super::Advisory;

/// Memory for advisories, in bytes.
const BYTES: u64 = 16 << 20;

/// The advisories about one package.
pub(super) type About = Arc<[Arc<Advisory>]>;

/// Remembers what was true since the advisories last changed. A load that a change overtook is kept under the age in
/// which it began, where nobody looks any more.
#[derive(Debug)]
pub(super) struct Cache {
    changes: Changes,
    age: ArcSwap<Age>,
    ages: AtomicU64,
    kept: Kept<(u64, Box<str>), About, ByWeight>,
}

#[derive(Debug, Default)]
struct Age {
    number: u64,
    /// Whether there are advisories at all.
    any: OnceCell<bool>,
}

#[derive(Debug, Clone)]
struct ByWeight;

impl Weighter<(u64, Box<str>), About> for ByWeight {
    fn weight(&self, (_, name): &(u64, Box<str>), about: &About) -> u64 {
        let texts = |one: &Advisory| (one.title.len() + one.details.len() + one.url.len() + 400) as u64;
        name.len() as u64 + 64 + about.iter().map(|one| texts(one)).sum::<u64>()
    }
}

impl Cache {
    pub(super) fn new(changes: Changes) -> Self {
        let kept = Kept::with_weighter(10_000, BYTES, ByWeight);
        Self { changes, age: ArcSwap::default(), ages: AtomicU64::new(1), kept }
    }

    /// Begins a new age, in which nothing is known.
    pub(super) fn forget(&self) {
        let number = self.ages.fetch_add(1, Ordering::Relaxed);
        self.age.store(Arc::new(Age { number, any: OnceCell::new() }));
    }

    /// The present age; none while the node could not hear that it ended.
    fn age(&self) -> Option<Arc<Age>> {
        self.changes.hearing().map(|_| self.age.load_full())
    }

    /// Whether there are advisories at all.
    pub(super) async fn has_any<L: Future<Output = Result<bool>>>(&self, load: impl FnOnce() -> L) -> Result<bool> {
        match self.age() {
            Some(age) => age.any.get_or_try_init(load).await.copied(),
            None => load().await,
        }
    }

    /// The advisories about these packages; what is not in memory is loaded, all at once.
    pub(super) async fn about<L: Future<Output = Result<Vec<Advisory>>>>(
        &self,
        names: impl Iterator<Item = &String>,
        load: impl FnOnce(Vec<String>) -> L,
    ) -> Result<Vec<About>> {
        let age = self.age();
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for name in names {
            let key = age.as_ref().map(|age| (age.number, name.as_str().into()));
            match key.and_then(|key| self.kept.get(&key)) {
                Some(about) => found.push(about),
                None => missing.push(name.clone()),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let loaded = load(missing.clone()).await?;
        let mut by_name: HashMap<String, Vec<Arc<Advisory>>> = HashMap::new();
        for advisory in loaded {
            by_name.entry(advisory.package.clone()).or_default().push(Arc::new(advisory));
        }
        for name in missing {
            let about: About = by_name.remove(&name).unwrap_or_default().into();
            if let Some(age) = &age {
                self.kept.insert((age.number, name.into()), about.clone());
            }
            found.push(about);
        }
        Ok(found)
    }
}
