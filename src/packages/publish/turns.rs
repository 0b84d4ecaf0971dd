//! Whose upload is received now. Each takes a thread and some memory while it lasts, so there are so many places in all,
//! and no account may take them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};
use crate::names::AccountId;

/// How long an upload waits for its turn before its client is told to come back.
const PATIENCE: Duration = Duration::from_mins(1);

/// The places, in all and for each account.
#[derive(Debug)]
pub struct Turns {
    all: Arc<Semaphore>,
    for_one: usize,
    by_account: Mutex<HashMap<AccountId, Arc<Semaphore>>>,
}

/// A place, until dropped.
#[derive(Debug)]
pub struct Turn {
    _own: Option<OwnedSemaphorePermit>,
    _any: OwnedSemaphorePermit,
}

impl Turns {
    /// `most` places; an account gets a quarter of them, and at least one.
    pub fn new(most: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(most)), for_one: (most / 4).max(1), by_account: Mutex::default() }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// `Unavailable` when none came free in a minute.
    pub(super) async fn turn(&self, account: Option<AccountId>) -> Result<Turn> {
        let places = async {
            // Its own place first: who waits for that must not sit on one that others could use.
            let own = match account.map(|account| self.places_of(account)) {
                Some(own) => Some(own.acquire_owned().await.map_err(Error::internal)?),
                None => None,
            };
            let any = self.all.clone().acquire_owned().await.map_err(Error::internal)?;
            Ok(Turn { _own: own, _any: any })
        };
        tokio::time::timeout(PATIENCE, places)
            .await
            .unwrap_or_else(|_| Err(Error::Unavailable("too many uploads are under way".into())))
    }

    fn places_of(&self, account: AccountId) -> Arc<Semaphore> {
        let mut by_account = self.by_account.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody else holds are of accounts that upload nothing.
        by_account.retain(|_, places| Arc::strong_count(places) > 1);
        by_account.entry(account).or_insert_with(|| Arc::new(Semaphore::new(self.for_one))).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_account_cannot_take_every_place() {
        let turns = Turns::new(8);
        let (greedy, other) = (Some(1.into()), Some(2.into()));
        let _held = [turns.turn(greedy).await.unwrap(), turns.turn(greedy).await.unwrap()];
        assert_eq!(turns.turn(greedy).await.unwrap_err().status(), 503);
        let place = turns.turn(other).await.unwrap();
        drop(place);
        assert_eq!(turns.by_account.lock().unwrap().len(), 2);
        turns.places_of(3.into());
        assert_eq!(turns.by_account.lock().unwrap().len(), 2, "who uploads nothing is forgotten");
    }
}
