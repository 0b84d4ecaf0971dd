//! Advisories: which versions of which packages are known to be vulnerable (`protocol.md` 7.1, 7.2).
//!
//! Owns what an administrator imported from OSV files; nothing is ever fetched. Answers `npm audit`, also for the
//! instance's own packages, and then to those only who may read them: an advisory is no way to learn of a package.

mod affected;
mod cache;
mod cvss;
mod import;
mod osv;
mod source;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::json;

use crate::access::Access;
use crate::audit::{self, By, Outcome};
use crate::clock::{Clock, Time};
use crate::db::{Change, Db};
use crate::error::{Error, Result};
use crate::names::{PackageName, VersionNumber};
use crate::policy::{Actor, Intent};

use cache::Cache;

pub use affected::Affected;
pub use import::{Fate, Item};
pub use osv::Document;
pub use source::{Source, read};

/// How bad it is, in npm's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Below 4.
    Low,
    /// Below 7.
    Moderate,
    /// Below 9.
    High,
    /// From 9 on.
    Critical,
}

impl Severity {
    /// Every one, from the mildest.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Moderate, Self::High, Self::Critical];

    /// npm's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Reads the words of npm, GitHub and CVSS, whatever their case.
    fn from_word(word: &str) -> Option<Self> {
        match &*word.to_ascii_lowercase() {
            "info" | "none" => Some(Self::Info),
            "low" => Some(Self::Low),
            "moderate" | "medium" => Some(Self::Moderate),
            "high" => Some(Self::High),
            "critical" => Some(Self::Critical),
            _ => None,
        }
    }

    /// The word for a base score.
    fn from_score(score: f64) -> Self {
        match score {
            score if score >= 9.0 => Self::Critical,
            score if score >= 7.0 => Self::High,
            score if score >= 4.0 => Self::Moderate,
            score if score > 0.0 => Self::Low,
            _ => Self::Info,
        }
    }
}

/// What one advisory says of one package.
#[derive(Debug, Clone)]
pub struct Advisory {
    /// The number that clients know it by: of this advisory and this package.
    pub id: i64,
    /// What it is called where it came from.
    pub osv_id: String,
    /// The package.
    pub package: String,
    /// One line.
    pub title: String,
    /// More lines.
    pub details: String,
    /// How bad it is.
    pub severity: Severity,
    /// The kinds of fault, as `CWE-79`.
    pub cwes: Vec<String>,
    /// Its names in the list of CVEs.
    pub cves: Vec<String>,
    /// The base score, zero where it is not known.
    pub cvss_score: f64,
    /// What the score is made of.
    pub cvss_vector: Option<String>,
    /// A page about it; may be empty.
    pub url: String,
    /// When it was first published.
    pub published_at: Time,
    /// When it last changed.
    pub modified_at: Time,
    /// The versions it speaks of.
    pub affected: Affected,
}

/// Packages that somebody has installed, each with its versions.
pub type Installed = BTreeMap<String, Vec<String>>;

/// Handle to the advisories.
#[derive(Debug, Clone)]
pub struct Advisories {
    db: Db,
    clock: Clock,
    access: Access,
    cache: Arc<Cache>,
}

impl Advisories {
    /// Sets the room up.
    pub fn new(db: Db, clock: Clock, access: Access) -> Self {
        let cache = Arc::new(Cache::new(db.changes().clone()));
        let heard = cache.clone();
        db.changes().subscribe(move |change| {
            if matches!(change, Some(Change::Advisories) | None) {
                heard.forget();
            }
        });
        Self { db, clock, access, cache }
    }

    /// The advisories about any of these versions, as far as `actor` may know of the packages.
    ///
    /// Packages in a scope of this instance are answered to their readers. Whoever asks about such a name has the same
    /// looked up, whether there is an advisory about it or not, and whether there is such a package or not.
    ///
    /// # Errors
    /// The database's.
    pub async fn find(&self, actor: &Actor, installed: &Installed) -> Result<Vec<Arc<Advisory>>> {
        if installed.keys().any(|name| name.contains('\0')) {
            return Err(Error::Malformed("No package has a NUL character in its name. Leave it out.".into()));
        }
        let load_any = async || store::has_any(self.db.reads()).await;
        if !self.cache.has_any(load_any).await? {
            return Ok(Vec::new());
        }
        let hidden = self.hidden_from(actor, installed.keys()).await?;
        let load = async |names: Vec<String>| store::list_about(self.db.reads(), &names).await;
        let about = self.cache.about(installed.keys(), load).await?;
        let mut found = Vec::new();
        for advisory in about.iter().flat_map(|list| list.iter()).filter(|one| !hidden.contains(&one.package)) {
            let versions = installed.get(&advisory.package).into_iter().flatten();
            let mut versions = versions.filter_map(|version| version.parse::<VersionNumber>().ok());
            if versions.any(|version| advisory.affected.contains(&version)) {
                found.push(advisory.clone());
            }
        }
        Ok(found)
    }

    /// Those of the names that lie in a scope of this instance, and that `actor` may not read.
    async fn hidden_from(&self, actor: &Actor, names: impl Iterator<Item = &String>) -> Result<HashSet<String>> {
        let scoped: Vec<PackageName> = names.filter_map(|name| name.parse().ok()).collect();
        if scoped.is_empty() {
            return Ok(HashSet::new());
        }
        let facts = self.access.list_facts_for(actor, &scoped).await?;
        let hidden = facts.iter().filter(|facts| self.access.permit_on(actor, facts, Intent::READ).is_err());
        Ok(hidden.map(|facts| facts.name.to_string()).collect())
    }

    /// Every advisory, or those about one package.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, package: Option<&str>) -> Result<Vec<Advisory>> {
        store::list(self.db.reads(), package).await
    }

    /// Removes an advisory.
    ///
    /// # Errors
    /// `NotFound` where there is none of this name.
    pub async fn remove(&self, osv_id: &str, by: &By) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        if !store::delete(&mut transaction, osv_id).await? {
            let shown: String = osv_id.chars().filter(|one| !one.is_control()).take(80).collect();
            let sentence = format!("There is no advisory {shown}. strongroom advisory list shows those there are.");
            return Err(Error::NotFound(sentence.into()));
        }
        let event = audit::Event {
            action: "advisory.remove",
            subject: osv_id,
            scope: None,
            outcome: Outcome::Done,
            detail: json!({}),
        };
        audit::record(&mut transaction, by, &event, self.clock.now()).await?;
        transaction.announce(Change::Advisories);
        transaction.commit().await
    }
}
