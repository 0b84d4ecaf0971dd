//! How many refused exchanges are written down: anybody with a job at a public CI can cause them, and the log keeps lines
//! for ever.

use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;

use crate::clock::Time;

/// Lines a minute, on each node. The server's own log has all of them.
const MOST: u32 = 60;
const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// The lines of this minute.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Option<(Time, u32)>>);

impl Refusals {
    /// Counts a line; tells whether it may still be written.
    pub(super) fn may_write(&self, now: Time) -> bool {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, count) = window.filter(|(began, _)| now - *began < MINUTE).unwrap_or((now, 0));
        *window = Some((began, count.saturating_add(1)));
        count < MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_minute_has_its_lines() {
        let now: Time = "2026-05-01T12:00:00Z".parse().unwrap();
        let refusals = Refusals::default();
        assert_eq!((0..100).filter(|_| refusals.may_write(now)).count(), 60);
        assert!(!refusals.may_write(now + TimeDelta::seconds(59)));
        assert!(refusals.may_write(now + MINUTE));
    }
}
