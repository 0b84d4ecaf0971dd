//! Packages: how versions come in, and how packuments and tarballs go out.
//!
//! What goes out is bytes from memory: an install costs no SQL and no JSON (`architecture.md` 3). The decision is
//! asked before any answer, also before a 304.

pub mod archive;
mod change;
mod deprecation;
mod entry;
mod exposure;
pub mod files;
mod inventory;
mod json;
pub mod manifest;
mod overview;
mod packument;
mod provenance;
pub mod publish;
mod removal;
mod stars;
mod store;
mod tags;
mod variants;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use crate::access::Access;
use crate::blobs::{Blob, Blobs};
use crate::clock::Clock;
use crate::config;
use crate::db::{Change, ChangeAwareCache, Db};
use crate::error::{Error, Result};
use crate::names::{DistTag, PackageName, VersionNumber};
use crate::policy::{Actor, Decision, Intent, PackageFacts, Permit, Read, Visibility};
use crate::signatures::Signatures;
use crate::users::Users;

use change::{account_of, existing, revision_of, same_revision};
pub use deprecation::{Deprecations, moved_to};
pub use entry::{Entry, TarballFacts};
pub use exposure::{Exposure, NewestVersion};
pub use files::{FileIndex, VersionFiles};
pub use inventory::{InventoryLine, LicenceLine, Totals};
pub use overview::{About, Dependency, Described, Link, ListedVersion};
pub use packument::{Document, Form, parse_rev, rev_text};
pub use provenance::{Provenance, TrustedRoots};
pub use publish::{
    Checked, EditedPackument, Incoming, Parcel, Publication, PublishLimits, Publisher, Reach, Sender, Turn, Turns,
    intent_to_publish,
};
pub use removal::{Restored, Trashed};
pub use tags::{Others, Tags, intent_to_move};
pub use variants::{Encoding, q_value};

/// How many packuments are loaded and stitched at once.
const STITCHING_AT_ONCE: usize = 8;

/// Handle to the packages.
#[derive(Debug, Clone)]
pub struct Packages {
    db: Db,
    clock: Clock,
    users: Users,
    access: Access,
    signatures: Signatures,
    blobs: Blobs,
    cache: Arc<ChangeAwareCache<PackageName, Arc<Entry>>>,
    /// When the node last began to hear: what was in memory before is held against the database once more.
    hearing_since: Arc<ArcSwap<Instant>>,
    recheck: Duration,
    uploads: Arc<Turns>,
    /// Packuments loaded and stitched at once: each may take a multiple of its size in memory.
    stitching: Arc<Semaphore>,
    files: files::Memory,
    limits: PublishLimits,
    trusted_roots: TrustedRoots,
    rules: removal::Rules,
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
    /// What signs versions.
    pub signatures: Signatures,
    /// Files.
    pub blobs: Blobs,
    /// Who may stand behind the signers of provenance.
    pub trusted_roots: TrustedRoots,
    /// What tarball URLs begin with; no slash at the end.
    pub public_url: Arc<str>,
}

impl Packages {
    /// Sets the room up.
    pub fn new(parts: Parts, limits: &config::Limits, rules: &config::Packages, memory: &config::Cache) -> Self {
        let Parts { db, clock, users, access, signatures, blobs, trusted_roots, public_url } = parts;
        let cache = Arc::new(ChangeAwareCache::new(20_000, memory.packument_bytes, db.changes().clone()));
        let heard: Arc<ChangeAwareCache<PackageName, Arc<Entry>>> = cache.clone();
        let hearing_since = Arc::new(ArcSwap::from_pointee(Instant::now()));
        let heard_again = hearing_since.clone();
        db.changes().subscribe(move |change| match change {
            Some(Change::Package(name)) => heard.forget(name),
            Some(Change::Account(_) | Change::Token(_) | Change::Advisories | Change::Instance) => {}
            // Stitching everything again would be much work at a bad time: what is still so after one question is kept.
            None => heard_again.store(Arc::new(Instant::now())),
        });
        Self {
            db,
            clock,
            users,
            access,
            signatures,
            blobs,
            cache,
            hearing_since,
            recheck: Duration::from_secs(memory.recheck_seconds),
            uploads: Arc::new(Turns::new(limits.max_uploads)),
            stitching: Arc::new(Semaphore::new(STITCHING_AT_ONCE)),
            files: files::Memory::default(),
            limits: PublishLimits::from(limits),
            trusted_roots,
            rules: removal::Rules::from(rules),
            public_url,
        }
    }

    /// Opens a package for reading: the decision first, from memory where possible.
    ///
    /// Whoever is told "not found", or that their token is dead, was looked up in the database by one and the same query,
    /// whether the package exists or not and whether it was in memory or not, so that the time of the answer tells
    /// nothing (`security.md` 2.2).
    ///
    /// # Errors
    /// The refusal, with the status that its decision has.
    pub async fn open(&self, actor: &Actor, name: &PackageName, intent: Intent<Read>) -> Result<Opened> {
        let warm = self.cache.get(name);
        if let Some(entry) = warm.as_ref().filter(|entry| self.is_trusted(entry)) {
            let facts = self.with_present_owner(&entry.facts).await?;
            match crate::policy::permit(actor, intent, &facts, self.clock.now()) {
                Ok(permit) => return Ok(Opened { permit, entry: entry.clone() }),
                Err(Decision::NotFound | Decision::DeadCredential) => {}
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
        let facts = self.access.load_facts_for(actor, name).await?;
        let permit = self.access.permit_on(actor, &facts, intent)?;
        let entry = match warm {
            Some(entry) if entry.confirm(&facts) => entry,
            Some(_) => {
                self.cache.forget(name);
                self.load_entry(name).await?
            }
            None => self.load_entry(name).await?,
        };
        Ok(Opened { permit, entry })
    }

    fn is_trusted(&self, entry: &Entry) -> bool {
        let checked_at = entry.checked_at();
        checked_at > **self.hearing_since.load() && checked_at.elapsed() < self.recheck
    }

    /// What a node that has lost its database may still serve: a package that was public when it last heard.
    pub fn open_public_from_memory(&self, name: &PackageName) -> Option<Opened> {
        let entry = self.cache.last_known(name)?;
        let permit = crate::policy::permit(&Actor::Anonymous, Intent::READ, &entry.facts, self.clock.now()).ok()?;
        Some(Opened { permit, entry })
    }

    /// Puts an entry in place of none; those who come at the same time share it, and with it every later load.
    async fn load_entry(&self, name: &PackageName) -> Result<Arc<Entry>> {
        let load = async || {
            let facts = self.access.load_facts(name).await?;
            Ok(facts.package.is_some().then(|| Arc::new(Entry::new(facts))))
        };
        let entry = self.cache.get_or_load(name, load).await?;
        entry.ok_or_else(|| Error::Conflict(format!("{name} was just removed. Run the command again.").into()))
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
        let load = async || {
            let _turn = self.stitching.acquire().await.map_err(Error::internal)?;
            let document = packument::load(self.db.reads(), name, form, &self.public_url, self.clock.now()).await?;
            self.account_for(name, entry, document.memory_bytes());
            Ok(Arc::new(document))
        };
        entry.document(form).get_or_try_init(load).await.cloned()
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
        let account = |bytes| self.account_for(opened.permit.name(), &opened.entry, bytes);
        document.encode(encoding, account).await
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

    /// What others signed about a version, as npm's clients fetch it (`protocol.md` 7.4).
    ///
    /// # Errors
    /// `NotFound` for a version that the package does not have, and for one that came without provenance.
    pub async fn attestations(&self, opened: &Opened, version: &VersionNumber) -> Result<String> {
        let found = store::find_provenance(self.db.reads(), opened.permit.name(), version).await?;
        let found = found.ok_or_else(|| no_attestation(opened.permit.name(), version))?;
        Ok(packument::attestations_text(&found))
    }

    /// Where the bytes of a version's tarball are.
    ///
    /// # Errors
    /// `NotFound` for a version that the package does not have.
    pub async fn tarball<'a>(&self, opened: &'a Opened, version: &VersionNumber) -> Result<Cow<'a, TarballFacts>> {
        let load = async || store::list_tarballs(self.db.reads(), opened.permit.name()).await;
        let tarballs = opened.entry.tarballs(load).await?;
        if let Some(tarball) = tarballs.get(version.as_str()) {
            return Ok(Cow::Borrowed(tarball));
        }
        // The list and the packument are loaded when they are first wanted: a publish that was not heard of yet may lie
        // between the two, and who saw the version in one must find it in the other.
        let found = store::find_tarball(self.db.reads(), opened.permit.name(), version).await?;
        found.map(Cow::Owned).ok_or_else(|| no_version(version.as_str()))
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

fn no_attestation(name: &PackageName, version: &VersionNumber) -> Error {
    let sentence = format!("{name}@{version} has no attestations. Publish with provenance to give it one.");
    Error::NotFound(sentence.into())
}

/// The refusal of a version that there is not.
pub fn no_version(wanted: &str) -> Error {
    let shown: String = wanted.chars().filter(|one| !one.is_control()).take(64).collect();
    Error::NotFound(format!("version not found: {shown}. npm view lists the versions there are.").into())
}
