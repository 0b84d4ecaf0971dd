//! A cache that never keeps what it could not be told to forget.

use std::hash::Hash;

use quick_cache::Weighter;
use quick_cache::sync::{Cache, EntryAction};

use crate::error::Result;

use super::changes::Changes;

/// What a cached value weighs in bytes. Must not change on its own; see [`ChangeAwareCache::reweigh`].
pub trait Weigh {
    /// Bytes of memory, roughly.
    fn weight(&self) -> u64;
}

/// Answers from memory while the node hears all changes, and asks the loader otherwise.
///
/// Concurrent misses of one key share one load. A change that is heard while a load is under way removes the load's
/// place, so that its result is given to those who wait and is then forgotten: it may be older than the change.
/// Absent values are not kept.
#[derive(Debug)]
pub struct ChangeAwareCache<K, V> {
    entries: Cache<K, V, ByWeight>,
    changes: Changes,
}

#[derive(Debug, Clone)]
struct ByWeight;

impl<K, V: Weigh> Weighter<K, V> for ByWeight {
    fn weight(&self, _: &K, value: &V) -> u64 {
        value.weight()
    }
}

impl<K: Hash + Eq + Clone, V: Clone + Weigh> ChangeAwareCache<K, V> {
    /// A cache for about `expected` values of `capacity` bytes in all.
    pub fn new(expected: usize, capacity: u64, changes: Changes) -> Self {
        Self { entries: Cache::with_weighter(expected, capacity, ByWeight), changes }
    }

    /// The value in memory, if the node hears and has it.
    pub fn get(&self, key: &K) -> Option<V> {
        self.changes.hearing()?;
        self.entries.get(key)
    }

    /// The value in memory even if the node is deaf: what was true when it last heard, perhaps no longer.
    pub fn last_known(&self, key: &K) -> Option<V> {
        self.entries.peek(key)
    }

    /// The value, loaded where it is not in memory.
    ///
    /// A load is kept on the heap: with all its queries it is large, and inside the caller's future it would be moved
    /// about with every hit.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn get_or_load<L>(&self, key: &K, load: impl FnOnce() -> L) -> Result<Option<V>>
    where
        L: Future<Output = Result<Option<V>>>,
    {
        match self.get(key) {
            Some(value) => Ok(Some(value)),
            None => Box::pin(self.load(key, load)).await,
        }
    }

    async fn load<L>(&self, key: &K, load: impl FnOnce() -> L) -> Result<Option<V>>
    where
        L: Future<Output = Result<Option<V>>>,
    {
        let Some(hearing) = self.changes.hearing() else { return load().await };
        match self.entries.get_value_or_guard_async(key).await {
            Ok(value) => Ok(Some(value)),
            Err(place) => {
                let loaded = load().await?;
                if let Some(value) = &loaded
                    && self.changes.still(hearing)
                {
                    let _ = place.insert(value.clone());
                }
                Ok(loaded)
            }
        }
    }

    /// Forgets a value, and the result of any load of it that is under way.
    pub fn forget(&self, key: &K) {
        self.entries.remove(key);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.entries.clear();
    }

    /// Lets `grow` change the weight of the value under `key`, if it is the one that `is_same` recognises.
    pub fn reweigh(&self, key: &K, is_same: impl FnOnce(&V) -> bool, grow: impl FnOnce()) {
        if self.entries.peek(key).is_none() {
            return;
        }
        let _ = self.entries.entry(key, Some(std::time::Duration::ZERO), |_, value| {
            if is_same(value) {
                grow();
            }
            EntryAction::Retain(())
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::oneshot;

    use super::*;

    impl Weigh for u32 {
        fn weight(&self) -> u64 {
            1
        }
    }

    fn hearing_cache() -> (Changes, Arc<ChangeAwareCache<&'static str, u32>>) {
        let changes = Changes::default();
        changes.begin_hearing();
        (changes.clone(), Arc::new(ChangeAwareCache::new(10, 100, changes)))
    }

    #[tokio::test]
    async fn a_load_that_a_change_overtook_is_not_kept() {
        let (_, cache) = hearing_cache();
        let (release, released) = oneshot::channel::<()>();
        let (start, started) = oneshot::channel::<()>();
        let loading = tokio::spawn({
            let cache = cache.clone();
            async move {
                cache
                    .get_or_load(&"x", async || {
                        start.send(()).unwrap();
                        released.await.unwrap();
                        Ok(Some(1))
                    })
                    .await
            }
        });
        started.await.unwrap();
        cache.forget(&"x");
        release.send(()).unwrap();
        assert_eq!(loading.await.unwrap().unwrap(), Some(1));
        assert_eq!(cache.get(&"x"), None);
    }

    #[tokio::test]
    async fn a_deaf_node_asks_every_time_and_keeps_nothing() {
        let (changes, cache) = hearing_cache();
        cache.get_or_load(&"x", async || Ok(Some(1))).await.unwrap();
        assert_eq!(cache.get(&"x"), Some(1));
        changes.cease_hearing();
        assert_eq!(cache.get(&"x"), None);
        assert_eq!(cache.get_or_load(&"x", async || Ok(Some(2))).await.unwrap(), Some(2));
        assert_eq!(cache.get_or_load(&"x", async || Ok(Some(3))).await.unwrap(), Some(3));
    }

    #[tokio::test]
    async fn a_load_across_a_deaf_time_is_not_kept() {
        let (changes, cache) = hearing_cache();
        let loaded = cache
            .get_or_load(&"x", async || {
                changes.cease_hearing();
                changes.begin_hearing();
                Ok(Some(1))
            })
            .await;
        assert_eq!(loaded.unwrap(), Some(1));
        assert_eq!(cache.get(&"x"), None);
    }
}
