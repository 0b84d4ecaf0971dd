//! The time of day, as a value that tests can set.

use std::sync::Arc;

use arc_swap::ArcSwap;
use chrono::{DateTime, SecondsFormat, Utc};

/// A moment in UTC; the only kind of time the product knows.
pub type Time = DateTime<Utc>;

/// Tells the time: the system's, or one that a test holds in its hand.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    held: Option<Arc<ArcSwap<Time>>>,
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still at `time` until [`Clock::set`] moves it; clones move together.
    pub fn held_at(time: Time) -> Self {
        Self { held: Some(Arc::new(ArcSwap::from_pointee(time))) }
    }

    /// Moves a held clock; a system clock is left alone.
    pub fn set(&self, time: Time) {
        if let Some(held) = &self.held {
            held.store(Arc::new(time));
        }
    }

    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    pub fn now(&self) -> Time {
        self.held.as_ref().map_or_else(Utc::now, |held| **held.load())
    }
}

/// Writes a moment the way npm's documents do: `2026-01-31T12:00:00.000Z`.
pub fn to_npm_time(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
