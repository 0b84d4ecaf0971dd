//! Dependencies: what a version needs, as far as it is hosted here, and who needs a package.
//!
//! Triggers keep what latest versions need in a table of its own. Nobody is told of a package that they may not read, and
//! no number counts one: candidates come from the database, and `policy` decides about each.

mod store;

use std::collections::HashMap;

use node_semver::{Range, Version};

use crate::access::Access;
use crate::db::Db;
use crate::error::Result;
use crate::names::PackageName;
use crate::policy::{Actor, Intent, PackageFacts};

pub use store::Dependent;

/// Dependents that are listed and counted; whoever has more is told so.
pub const MOST_DEPENDENTS: usize = 500;

/// Dependencies that are looked up.
const MOST_DEPENDENCIES: usize = 500;

/// Handle to the dependencies.
#[derive(Debug, Clone)]
pub struct Dependencies {
    db: Db,
    access: Access,
}

/// Who needs a package, of those that the viewer may see.
#[derive(Debug, Default)]
pub struct Dependents {
    /// They, in the order of their names.
    pub list: Vec<Dependent>,
    /// Whether there are more.
    pub has_more: bool,
}

impl Dependencies {
    /// Sets the room up.
    pub fn new(db: Db, access: Access) -> Self {
        Self { db, access }
    }

    /// The packages whose latest version needs this one, of those that `viewer` may see.
    ///
    /// # Errors
    /// The database's.
    pub async fn dependents(&self, name: &PackageName, viewer: &Actor) -> Result<Dependents> {
        let most = MOST_DEPENDENTS + 1;
        let candidates = store::list_dependents(self.db.reads(), name, viewer.account_id(), most).await?;
        let names: Vec<PackageName> = candidates.iter().map(|one| one.name.clone()).collect();
        let visible = self.visible(&names, viewer).await?;
        let mut list = candidates;
        list.retain(|one| visible.contains_key(&one.name));
        let has_more = list.len() > MOST_DEPENDENTS;
        list.truncate(MOST_DEPENDENTS);
        Ok(Dependents { list, has_more })
    }

    /// The newest version that satisfies each range, of what is hosted here and `viewer` may see: in the order of what is
    /// wanted, names with ranges.
    ///
    /// # Errors
    /// The database's.
    pub async fn resolve(&self, wanted: &[(&str, &str)], viewer: &Actor) -> Result<Vec<Option<String>>> {
        let named = wanted.iter().take(MOST_DEPENDENCIES).filter_map(|(name, _)| name.parse::<PackageName>().ok());
        let names: Vec<PackageName> = named.collect();
        let visible = self.visible(&names, viewer).await?;
        let packages: Vec<i64> =
            visible.values().filter_map(|facts| facts.package.as_ref().map(|package| package.id.0)).collect();
        if packages.is_empty() {
            return Ok(vec![None; wanted.len()]);
        }
        let mut versions: HashMap<String, Vec<Version>> = HashMap::new();
        for (name, version) in store::list_versions(self.db.reads(), &packages).await? {
            if let Ok(version) = Version::parse(&version) {
                versions.entry(name).or_default().push(version);
            }
        }
        let newest = wanted.iter().map(|(name, range)| {
            let range = Range::parse(range).ok()?;
            let fitting = versions.get(*name)?.iter().filter(|version| range.satisfies(version));
            fitting.max().map(ToString::to_string)
        });
        Ok(newest.collect())
    }

    /// Of these names those that there are for `viewer`.
    async fn visible(&self, names: &[PackageName], viewer: &Actor) -> Result<HashMap<PackageName, PackageFacts>> {
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        let facts = self.access.list_facts_for(viewer, names).await?;
        let visible = facts
            .into_iter()
            .filter(|facts| facts.package.is_some() && self.access.permit_on(viewer, facts, Intent::INSPECT).is_ok());
        Ok(visible.map(|facts| (facts.name.clone(), facts)).collect())
    }
}
