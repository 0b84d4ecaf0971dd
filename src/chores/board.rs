//! How the chores of this node went.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// After so many failures in a row a chore is told about in `/-/readyz`: one or two pass with a lost connection.
const AILING: u32 = 3;

/// Failures in a row, by chore.
#[derive(Debug, Default)]
pub struct Board(Mutex<BTreeMap<&'static str, u32>>);

impl Board {
    /// Notes how a run went; tells how many have failed in a row.
    pub(super) fn note(&self, chore: &'static str, succeeded: bool) -> u32 {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(chore).or_default();
        *count = if succeeded { 0 } else { count.saturating_add(1) };
        *count
    }

    /// How many runs of a chore have failed in a row.
    pub(super) fn failures_of(&self, chore: &str) -> u32 {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(chore).copied().unwrap_or_default()
    }

    /// The chores that keep failing.
    pub fn ailing(&self) -> Vec<&'static str> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.iter().filter(|(_, count)| **count >= AILING).map(|(chore, _)| *chore).collect()
    }
}
