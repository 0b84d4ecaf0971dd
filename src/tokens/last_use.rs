//! When tokens were last used: noted in memory, and written by a chore; never a write for a request.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::DateTime;

use crate::clock::Time;
use crate::names::TokenId;

use super::TokenFacts;

/// When one token was last used and nobody has written it yet, in microseconds since 1970; zero for not at all.
#[derive(Debug, Default)]
pub(super) struct LastUse(AtomicI64);

/// The tokens that were used since the last time that their uses were written.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<Vec<Arc<TokenFacts>>>);

impl Uses {
    /// Notes a use. Only the first one since the last [`Uses::take`] takes the lock.
    pub(super) fn note(&self, token: &Arc<TokenFacts>, now: Time) {
        if token.last_use.0.swap(now.timestamp_micros().max(1), Ordering::Relaxed) == 0 {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(token.clone());
        }
    }

    /// Takes what was noted. A token that was loaded anew in between stands there twice: the later use counts.
    pub(super) fn take(&self) -> Vec<(TokenId, Time)> {
        let used = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut uses: Vec<_> = used
            .iter()
            .filter_map(|token| {
                let moment = DateTime::from_timestamp_micros(token.last_use.0.swap(0, Ordering::Relaxed))?;
                Some((token.id, moment))
            })
            .collect();
        uses.sort_unstable_by_key(|used| std::cmp::Reverse(*used));
        uses.dedup_by_key(|(id, _)| *id);
        uses
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use crate::policy::Narrowing;

    use super::*;

    #[test]
    fn of_many_uses_the_last_one_is_written_once() {
        let token = |id| Arc::new(TokenFacts::new(TokenId::from(id), 1.into(), Narrowing::default().into(), None));
        let (uses, now) = (Uses::default(), DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let (one, again, other) = (token(1), token(1), token(2));
        uses.note(&one, now);
        uses.note(&one, now + TimeDelta::seconds(1));
        uses.note(&other, now);
        // The same token, loaded anew.
        uses.note(&again, now + TimeDelta::seconds(2));
        let written: Vec<_> = uses.take().into_iter().map(|(id, at)| (id.0, (at - now).num_seconds())).collect();
        assert_eq!(written, [(2, 0), (1, 2)]);
        assert!(uses.take().is_empty());
        uses.note(&one, now);
        assert_eq!(uses.take().len(), 1);
    }
}
