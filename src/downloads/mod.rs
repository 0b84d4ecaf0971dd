//! Downloads: counted in memory, written down together from time to time, and read by the day.
//!
//! A download is one whole tarball that was asked for: not a 304, not a part, not a HEAD. Whether somebody may know of a
//! package is decided before this room is asked.

mod period;
mod store;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;

use crate::clock::Clock;
use crate::db::Db;
use crate::error::Result;
use crate::names::PackageId;
use crate::policy::{Permit, Read};

pub use period::{InvalidPeriod, Period};

/// Handle to the counts.
#[derive(Debug, Clone)]
pub struct Downloads {
    db: Db,
    clock: Clock,
    pending: Arc<Mutex<Counts>>,
}

/// Downloads that are not written down yet, by package, version and day.
type Counts = HashMap<(PackageId, Box<str>, NaiveDate), i64>;

/// What is counted together.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    /// One package that may be read.
    Package(&'a Permit<Read>),
    /// All packages that anyone may read.
    Public,
}

impl Downloads {
    /// Sets the room up.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, pending: Arc::default() }
    }

    /// Notes a download.
    pub fn count(&self, permit: &Permit<Read>, version: &str) {
        let Some(package) = permit.package() else { return };
        let key = (package, version.into(), self.clock.now().date_naive());
        *self.pending.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
    }

    /// Writes down what was counted since the last time. What cannot be written is kept for the next.
    ///
    /// # Errors
    /// The database's.
    pub async fn flush(&self) -> Result<()> {
        let counts = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return Ok(());
        }
        let outcome = self.write(&counts).await;
        // Where nobody can tell whether it was written, too few is better than twice as many.
        if let Err(cause) = &outcome
            && !matches!(cause, crate::error::Error::OutcomeUnknown)
        {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, count) in counts {
                *pending.entry(key).or_default() += count;
            }
        }
        outcome
    }

    async fn write(&self, counts: &Counts) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        store::add(&mut transaction, counts).await?;
        transaction.commit().await
    }

    /// The period that a text names, seen from today.
    ///
    /// # Errors
    /// [`InvalidPeriod`].
    pub fn period(&self, text: &str) -> Result<Period, InvalidPeriod> {
        Period::parse(text, self.clock.now().date_naive())
    }

    /// Downloads on each day of a period, days without any included.
    ///
    /// # Errors
    /// The database's.
    pub async fn by_day(&self, of: Of<'_>, period: Period) -> Result<Vec<(NaiveDate, i64)>> {
        let counted = match of {
            Of::Package(permit) => match permit.package() {
                Some(package) => store::by_day(self.db.reads(), package, period).await?,
                None => HashMap::new(),
            },
            Of::Public => store::public_by_day(self.db.reads(), period).await?,
        };
        Ok(period.days().map(|day| (day, counted.get(&day).copied().unwrap_or_default())).collect())
    }

    /// Downloads of each version in a period.
    ///
    /// # Errors
    /// The database's.
    pub async fn by_version(&self, permit: &Permit<Read>, period: Period) -> Result<Vec<(String, i64)>> {
        match permit.package() {
            Some(package) => store::by_version(self.db.reads(), package, period).await,
            None => Ok(Vec::new()),
        }
    }
}
