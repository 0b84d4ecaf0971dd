//! Feeds: what changed, and what there is, for those who keep a copy. Public packages only, whoever asks.
//!
//! The table `feed` holds a line for each package that is or was public, kept by triggers; nothing about a restricted
//! package is ever in it, but that it is there no more. Numbers are given out when somebody reads (`store.rs`).

mod store;

use crate::db::Db;
use crate::error::Result;
use crate::names::PackageName;

/// Handle to the feeds.
#[derive(Debug, Clone)]
pub struct Feeds {
    db: Db,
}

/// The newest change of a package.
#[derive(Debug)]
pub struct Entry {
    /// Where it stands; later changes have higher numbers.
    pub sequence: i64,
    /// The package.
    pub name: PackageName,
    /// Its revision then.
    pub revision: i64,
    /// Whether it cannot be seen any more.
    pub deleted: bool,
}

/// A public package in the list of all.
#[derive(Debug)]
pub struct Listed {
    /// The package.
    pub name: PackageName,
    /// Its revision.
    pub revision: i64,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Public packages.
    pub packages: i64,
    /// The number of the newest change, 0 where there is none.
    pub sequence: i64,
}

impl Feeds {
    /// Sets the room up.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Changes after `since`, oldest first; of each package its newest only.
    ///
    /// # Errors
    /// The database's.
    pub async fn changes(&self, since: i64, limit: u32) -> Result<Vec<Entry>> {
        self.number().await?;
        store::list_changes(self.db.reads(), since, limit).await
    }

    /// Public packages by name, from `start` on, and how many come before it.
    ///
    /// # Errors
    /// The database's.
    pub async fn packages(&self, start: &str, limit: u32) -> Result<(i64, Vec<Listed>)> {
        store::list_packages(self.db.reads(), start, limit).await
    }

    /// How much there is.
    ///
    /// # Errors
    /// The database's.
    pub async fn summary(&self) -> Result<Summary> {
        self.number().await?;
        store::summarise(self.db.reads()).await
    }

    /// Gives numbers to the changes that have none yet.
    async fn number(&self) -> Result<()> {
        if store::has_unnumbered(self.db.reads()).await? {
            let mut transaction = self.db.begin().await?;
            store::number(&mut transaction).await?;
            transaction.commit().await?;
        }
        Ok(())
    }
}
