//! What packages there are, for who administers the instance: names and numbers, never what is in them.

use crate::clock::Time;
use crate::error::Result;
use crate::names::PackageName;
use crate::policy::{InstancePermit, Visibility};

use super::{Packages, store};

/// A line of the inventory.
#[derive(Debug, Clone)]
pub struct InventoryLine {
    /// Its name.
    pub name: PackageName,
    /// Public or restricted.
    pub visibility: Visibility,
    /// Versions that can be installed.
    pub versions: i64,
    /// What their files are together; a file that several versions share counts for each.
    pub bytes: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it was deleted.
    pub deleted_at: Option<Time>,
}

/// Everything together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Packages that are not deleted, and those of them that anyone may read.
    pub packages: i64,
    /// See `packages`.
    pub public: i64,
    /// Versions that can be installed.
    pub versions: i64,
    /// Files in the storage, and their bytes; one that several versions share counts once.
    pub files: i64,
    /// See `files`.
    pub bytes: i64,
}

/// How many packages say that they stand under a licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceLine {
    /// As the newest version has it; `None` where it has none.
    pub licence: Option<String>,
    /// How many packages.
    pub packages: i64,
}

impl Packages {
    /// A page of the inventory with `sought` in the names, numbered from 1, and how many lines there are.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_inventory(
        &self,
        _permit: &InstancePermit,
        sought: &str,
        page: u32,
        size: u32,
    ) -> Result<(Vec<InventoryLine>, i64)> {
        let skip = i64::from(page.max(1) - 1) * i64::from(size);
        let lines = store::list_inventory(self.db.reads(), sought, size.into(), skip).await?;
        Ok((lines, store::count_inventory(self.db.reads(), sought).await?))
    }

    /// Everything counted.
    ///
    /// # Errors
    /// The database's.
    pub async fn totals(&self, _permit: &InstancePermit) -> Result<Totals> {
        store::count_everything(self.db.reads()).await
    }

    /// The licences in use, the most frequent first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_licences(&self, _permit: &InstancePermit, sought: &str) -> Result<Vec<LicenceLine>> {
        store::list_licences(self.db.reads(), sought).await
    }
}
