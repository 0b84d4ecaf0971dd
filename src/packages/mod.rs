//! Packages: how versions come in, and how packuments and tarballs go out.
//!
//! What goes out is bytes from memory: an install costs no SQL and no JSON (`style.md` 5). The decision is asked before
//! any answer, also before a 304.

pub mod archive;
mod entry;
mod json;
pub mod manifest;
mod packument;
pub mod publish;
mod store;
mod variants;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::access::Access;
use crate::blobs::{Blob, Blobs};
use crate::clock::Clock;
use crate::config;
use crate::db::{Change, ChangeAwareCache, Db};
use crate::error::{Error, Result};
use crate::names::{DistTag, PackageName, VersionNumber};
use crate::policy::{Actor, Decision, Intent, PackageFacts, Permit, Read, Visibility};
use crate::users::Users;

pub use entry::{Entry, TarballFacts};
pub use packument::{Document, Form, parse_rev, rev_text};
pub use publish::{Publication, PublishLimits, Sender};
pub use variants::Encoding;

/// Handle to the packages.
#[derive(Debug, Clone)]
pub struct Packages {
    db: Db,
    clock: Clock,
    users: Users,
    access: Access,
    blobs: Blobs,
    cache: Arc<ChangeAwareCache<PackageName, Arc<Entry>>>,
    recheck: Duration,
    uploads: Arc<Semaphore>,
    limits: PublishLimits,
    public_url: Arc<str>,
}

/// A package that the actor may read, with the proof.
#[derive(Debug)]
pub struct Opened {
    /// The proof.
    pub permit: Permit<Read>,
    /// What is in memory of it.
    pub entry: Arc<Entry>,
}

impl Opened {
    /// How visible the package is.
    pub fn visibility(&self) -> Visibility {
        self.entry.facts.package.as_ref().map_or(Visibility::Restricted, |package| package.visibility)
    }
}

/// What the room is made of.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Accounts.
    pub users: Users,
    /// Decisions.
    pub access: Access,
    /// Files.
    pub blobs: Blobs,
    /// What tarball URLs begin with; no slash at the end.
    pub public_url: Arc<str>,
}

impl Packages {
    /// Sets the room up.
    pub fn new(parts: Parts, limits: &config::Limits, memory: &config::Cache) -> Self {
        let Parts { db, clock, users, access, blobs, public_url } = parts;
        let cache = Arc::new(ChangeAwareCache::new(20_000, memory.packument_bytes, db.changes().clone()));
        let heard: Arc<ChangeAwareCache<PackageName, Arc<Entry>>> = cache.clone();
        db.changes().subscribe(move |change| match change {
            Some(Change::Package(name)) => heard.forget(name),
            Some(Change::Account(_) | Change::Token(_)) => {}
            None => heard.clear(),
        });
        Self {
            db,
            clock,
            users,
            access,
            blobs,
            cache,
            recheck: Duration::from_secs(memory.recheck_seconds),
            uploads: Arc::new(Semaphore::new(limits.max_uploads)),
            limits: PublishLimits::from(limits),
            public_url,
        }
    }

    /// Opens a package for reading: the decision first, from memory where possible.
    ///
    /// Whoever is told "not found" was looked up in the database by one and the same query, whether the package exists
    /// or not and whether it was in memory or not, so that the time of the answer tells nothing (`security.md` 2.2).
    ///
    /// # Errors
    /// The refusal, with the status that its decision has.
    pub async fn open(&self, actor: &Actor, name: &PackageName, intent: Intent<Read>) -> Result<Opened> {
        let warm = self.cache.get(name);
        if let Some(entry) = warm.as_ref().filter(|entry| entry.unchecked_for() < self.recheck) {
            let facts = self.with_present_owner(&entry.facts).await?;
            match crate::policy::permit(actor, intent, &facts, self.clock.now()) {
                Ok(permit) => return Ok(Opened { permit, entry: entry.clone() }),
                Err(Decision::NotFound) => {}
                Err(refusal) => return Err(self.access.refusal(&refusal, actor, name)),
            }
        }
        // On the heap, as in `ChangeAwareCache::get_or_load`: what a hit does not need shall not weigh on it.
        Box::pin(self.open_from_database(actor, name, intent, warm)).await
    }

    async fn open_from_database(
        &self,
        actor: &Actor,
        name: &PackageName,
        intent: Intent<Read>,
        warm: Option<Arc<Entry>>,
    ) -> Result<Opened> {
        let facts = self.access.load_facts(name).await?;
        let permit = self.access.permit_on(actor, &facts, intent)?;
        let entry = match warm.filter(|entry| entry.confirm(&facts)) {
            Some(entry) => entry,
            None => self.load_entry(name, facts).await?,
        };
        Ok(Opened { permit, entry })
    }

    /// What a node that has lost its database may still serve: a package that was public when it last heard.
    pub fn open_public_from_memory(&self, name: &PackageName) -> Option<Opened> {
        let entry = self.cache.last_known(name)?;
        let permit = crate::policy::permit(&Actor::Anonymous, Intent::READ, &entry.facts, self.clock.now()).ok()?;
        Some(Opened { permit, entry })
    }

    async fn load_entry(&self, name: &PackageName, facts: PackageFacts) -> Result<Arc<Entry>> {
        self.cache.forget(name);
        let load = async || {
            let facts = self.access.load_facts(name).await?;
            Ok(facts.package.is_some().then(|| Arc::new(Entry::new(facts))))
        };
        Ok(self.cache.get_or_load(name, load).await?.unwrap_or_else(|| Arc::new(Entry::new(facts))))
    }

    /// The facts with the scope's owner as they are now: their billing flag changes without the package changing.
    async fn with_present_owner(&self, facts: &PackageFacts) -> Result<PackageFacts> {
        let mut facts = facts.clone();
        if let Some(owner) = &facts.owner {
            facts.owner = self.users.facts(owner.id).await?;
        }
        Ok(facts)
    }

    /// The packument in one of its two forms, as bytes ready to send.
    ///
    /// # Errors
    /// The database's, when it was not in memory.
    pub async fn document(&self, opened: &Opened, form: Form) -> Result<Arc<Document>> {
        match opened.entry.document(form).get() {
            Some(document) => Ok(document.clone()),
            None => Box::pin(self.load_document(opened, form)).await,
        }
    }

    async fn load_document(&self, opened: &Opened, form: Form) -> Result<Arc<Document>> {
        let (entry, name) = (&opened.entry, opened.permit.name());
        let load = async || packument::load(self.db.reads(), name, form, &self.public_url).await.map(Arc::new);
        let document = entry.document(form).get_or_try_init(load).await?.clone();
        self.account_for(name, entry, document.memory_bytes());
        Ok(document)
    }

    /// The bytes of a packument in an encoding that the client takes; compressed once for each revision.
    ///
    /// # Errors
    /// `Internal`, if compressing fails.
    pub async fn encoded(&self, opened: &Opened, document: &Arc<Document>, encoding: Encoding) -> Result<bytes::Bytes> {
        match document.encoded(encoding) {
            Some(bytes) => Ok(bytes),
            None => Box::pin(self.encode(opened, document, encoding)).await,
        }
    }

    async fn encode(&self, opened: &Opened, document: &Arc<Document>, encoding: Encoding) -> Result<bytes::Bytes> {
        let bytes = document.encode(encoding).await?;
        self.account_for(opened.permit.name(), &opened.entry, bytes.len() as u64);
        Ok(bytes)
    }

    fn account_for(&self, name: &PackageName, entry: &Arc<Entry>, bytes: u64) {
        self.cache.reweigh(name, |kept| Arc::ptr_eq(kept, entry), || entry.grow(bytes));
    }

    /// One version's manifest, by number or by dist-tag (`protocol.md` 2.3).
    ///
    /// # Errors
    /// `NotFound` for a version or tag that the package does not have.
    pub async fn version(&self, opened: &Opened, wanted: &str) -> Result<String> {
        let number = wanted.parse::<VersionNumber>().map(|number| number.as_str().to_owned());
        let tag = wanted.parse::<DistTag>().map(|tag| tag.as_str().to_owned());
        let row = store::find_version(self.db.reads(), opened.permit.name(), number.ok(), tag.ok()).await?;
        let row = row.ok_or_else(|| no_version(wanted))?;
        Ok(packument::version_text(opened.permit.name(), &row, &self.public_url))
    }

    /// Where the bytes of a version's tarball are.
    ///
    /// # Errors
    /// `NotFound` for a version that the package does not have.
    pub async fn tarball<'a>(&self, opened: &'a Opened, version: &VersionNumber) -> Result<&'a TarballFacts> {
        let load = async || store::list_tarballs(self.db.reads(), opened.permit.name()).await;
        let tarballs = opened.entry.tarballs(load).await?;
        tarballs.get(version.as_str()).ok_or_else(|| no_version(version.as_str()))
    }

    /// The bytes of a tarball.
    ///
    /// # Errors
    /// `Unavailable` where the storage fails.
    pub async fn tarball_bytes(&self, _opened: &Opened, tarball: &TarballFacts) -> Result<Blob> {
        self.blobs.read(&tarball.digest, tarball.size_bytes).await
    }
}

/// Whether a small body is strict JSON: no member twice, valid UTF-8, at most 64 levels deep.
///
/// # Errors
/// `Malformed`, saying where.
pub fn check_json(text: &[u8]) -> Result<()> {
    json::check(text).map_err(|cause| Error::Malformed(format!("The body is not valid JSON: {cause}.").into()))
}

fn no_version(wanted: &str) -> Error {
    let shown: String = wanted.chars().filter(|one| !one.is_control()).take(64).collect();
    Error::NotFound(format!("version not found: {shown}. npm view lists the versions there are.").into())
}
