//! When tokens were last used, and from where: noted in memory, and written by a chore; never a write for a request.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::DateTime;

use crate::clock::Time;
use crate::names::TokenId;

use super::TokenFacts;

/// When one token was last used and nobody has written it yet, in microseconds since 1970; zero for not at all.
#[derive(Debug, Default)]
pub(super) struct LastUse(AtomicI64);

/// The tokens that were used since the last time that their uses were written, each with the address that it was first
/// used from since then: to keep the very last one would take a lock with every request.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<Vec<(Arc<TokenFacts>, IpAddr)>>);

/// The last use of a token, as far as one node saw it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    pub(super) token: TokenId,
    pub(super) moment: Time,
    pub(super) address: IpAddr,
}

impl Uses {
    /// Notes a use. Only the first one since the last [`Uses::take`] takes the lock.
    pub(super) fn note(&self, token: &Arc<TokenFacts>, address: IpAddr, now: Time) {
        if token.last_use.0.swap(now.timestamp_micros().max(1), Ordering::Relaxed) == 0 {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push((token.clone(), address));
        }
    }

    /// Takes what was noted. A token that was loaded anew in between stands there twice: the later use counts.
    pub(super) fn take(&self) -> Vec<Use> {
        let used = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut uses: Vec<_> = used
            .into_iter()
            .filter_map(|(token, address)| {
                let moment = DateTime::from_timestamp_micros(token.last_use.0.swap(0, Ordering::Relaxed))?;
                Some(Use { token: token.id, moment, address })
            })
            .collect();
        uses.sort_unstable_by(|one, other| other.cmp(one));
        uses.dedup_by_key(|used| used.token);
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
        let (here, there) = (IpAddr::from([10, 0, 0, 4]), IpAddr::from([10, 0, 0, 5]));
        uses.note(&one, here, now);
        uses.note(&one, here, now + TimeDelta::seconds(1));
        uses.note(&other, here, now);
        // The same token, loaded anew.
        uses.note(&again, there, now + TimeDelta::seconds(2));
        let seconds = |used: &Use| (used.token.0, (used.moment - now).num_seconds(), used.address);
        assert_eq!(uses.take().iter().map(seconds).collect::<Vec<_>>(), [(2, 0, here), (1, 2, there)]);
        assert!(uses.take().is_empty());
        uses.note(&one, here, now);
        assert_eq!(uses.take().len(), 1);
    }
}
