//! Search: packages by words, of those that the actor may read.
//!
//! What is searched is the table `search_documents`, which triggers keep in the transaction of every change. Who may
//! read what is asked of the database in the same query (`store.rs`), since a page of results cannot be decided about one
//! by one; `tests/it/searching.rs` holds that filter against `policy::decide` over the whole matrix.

mod query;
mod store;

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::clock::{Clock, Time};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::names::{AccountId, PackageId};
use crate::policy::{Actor, Principal, TokenRight};

pub use query::Query;

/// Searches at once: fewer than there are connections for reads, so that installs always find one.
const AT_ONCE: usize = 3;

/// Handle to the search.
#[derive(Debug, Clone)]
pub struct Search {
    db: Db,
    clock: Clock,
    places: Arc<Semaphore>,
}

/// Which part of the results is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// How many to leave out at the start.
    pub from: u32,
    /// How many to give.
    pub size: u32,
    /// In which order.
    pub sort: Sort,
}

/// In which order results come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// What fits best.
    #[default]
    Relevance,
    /// What was downloaded most in the last thirty days.
    Downloads,
    /// What was published last.
    Newest,
}

impl Sort {
    /// The word for addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relevance => "relevance",
            Self::Downloads => "downloads",
            Self::Newest => "newest",
        }
    }

    /// Reads [`Sort::as_str`]; what is none is by relevance.
    pub fn read(word: &str) -> Self {
        [Self::Downloads, Self::Newest].into_iter().find(|sort| sort.as_str() == word).unwrap_or_default()
    }
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// How many there are in all.
    pub total: i64,
    /// Those of the page, best first.
    pub hits: Vec<Hit>,
}

/// A package that was found, at its latest version.
#[derive(Debug, serde::Deserialize)]
pub struct Hit {
    /// Its name.
    pub name: String,
    /// Whether anyone may read it.
    pub is_public: bool,
    /// The version.
    pub version: String,
    /// What it says of itself.
    pub description: Option<String>,
    /// Its keywords.
    pub keywords: Vec<String>,
    /// Its licence.
    pub license: Option<String>,
    /// Its home page, as the publisher wrote it.
    pub homepage: Option<String>,
    /// Its repository, as the publisher wrote it.
    pub repository: Option<String>,
    /// Where its bugs are told, as the publisher wrote it.
    pub bugs: Option<String>,
    /// Who published the version.
    pub publisher: String,
    /// When.
    pub published_at: Time,
    /// Who may write.
    pub maintainers: Vec<String>,
    /// Downloads of the last seven days, and of the last thirty.
    pub weekly: i64,
    /// See `weekly`.
    pub monthly: i64,
    /// How well it fits.
    pub score: f64,
}

/// The latest version of a package, for lists of packages.
#[derive(Debug)]
pub struct Latest {
    /// Which package.
    pub package: PackageId,
    /// The version.
    pub version: String,
    /// Who published it.
    pub publisher: String,
    /// When.
    pub published_at: Time,
    /// Whether every version is deprecated.
    pub deprecated: bool,
}

/// Whose eyes the search sees with.
struct Viewer {
    account: Option<AccountId>,
    /// What their token was narrowed to; empty means everything.
    patterns: Vec<String>,
}

impl Viewer {
    /// Who has no account, or no token that works from here, sees what everybody sees.
    fn of(actor: &Actor) -> Self {
        match actor {
            Actor::User(principal) if sees_packages(principal) => Self {
                account: Some(principal.account.id),
                patterns: principal.narrowing.packages.iter().map(ToString::to_string).collect(),
            },
            Actor::Anonymous | Actor::Dead | Actor::User(_) | Actor::Operator => {
                Self { account: None, patterns: Vec::new() }
            }
        }
    }
}

fn sees_packages(principal: &Principal) -> bool {
    principal.narrowing.allows_address(principal.address) && principal.narrowing.right != TokenRight::Nothing
}

impl Search {
    /// Sets the room up.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Finds what fits, best first. Where no word fits, names that are alike.
    ///
    /// # Errors
    /// The database's.
    pub async fn find(&self, actor: &Actor, query: &Query, page: Page) -> Result<Found> {
        if query.says_nothing_searchable() {
            return Ok(Found { total: 0, hits: Vec::new() });
        }
        let viewer = Viewer::of(actor);
        let _place = self.places.acquire().await.map_err(Error::internal)?;
        let found = self.run(&viewer, query, page, store::Fit::Words).await?;
        if found.total == 0 && !query.sought().is_empty() {
            return self.run(&viewer, query, page, store::Fit::Likeness).await;
        }
        Ok(found)
    }

    /// The latest versions of packages that were found to be the viewer's to see, the newest first; a package without a
    /// version is left out.
    ///
    /// # Errors
    /// The database's.
    pub async fn latest_of(&self, packages: &[PackageId]) -> Result<Vec<Latest>> {
        store::list_latest(self.db.reads(), packages).await
    }

    async fn run(&self, viewer: &Viewer, query: &Query, page: Page, fit: store::Fit) -> Result<Found> {
        store::find(self.db.reads(), viewer, query, page, fit, self.clock.now()).await
    }
}
