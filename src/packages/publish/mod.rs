//! Publishing: from the request's body to a committed version.
//!
//! The body is read as a stream ([`body`]), everything is checked before anything is visible ([`check`]), and one short
//! transaction makes it so ([`commit`]). The promises are `domain.md`'s, "What a publish promises". Other changes come
//! through the same door, and are told apart by what is in the body ([`Incoming`]).

mod batch;
pub mod body;
mod check;
mod commit;
mod edited;
#[cfg(test)]
mod tests;
mod turns;

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;

use crate::blobs::Staged;
use crate::config;
use crate::error::{Error, Result};
use crate::names::{AccountId, PackageName};
use crate::policy::{Permit, Visibility, Write};

pub use batch::intent_to_publish;
pub use check::Checked;
pub use commit::Publisher;
pub use turns::{Turn, Turns};

use super::Packages;
use super::archive::ArchiveLimits;
use body::{BodyError, Document, Limits, OutlinedVersion, Received};

/// How long making a received publish durable and visible may take.
const COMMIT: Duration = Duration::from_secs(30);

/// The largest body of who may read a package and not change it: the stars of a popular one.
const WORD_BYTES: u64 = 1 << 20;

/// How much a publish may hold.
#[derive(Debug, Clone, Copy)]
pub struct PublishLimits {
    body: Limits,
    packument_bytes: u64,
    batch_bytes: u64,
    batch_packages: usize,
}

impl From<&config::Limits> for PublishLimits {
    fn from(limits: &config::Limits) -> Self {
        let archive = ArchiveLimits {
            unpacked_bytes: limits.max_unpacked_bytes,
            entries: limits.max_files,
            ..ArchiveLimits::default()
        };
        let body = Limits {
            document_bytes: limits.max_document_bytes,
            // Beside the manifests a packument has hashes, times and people.
            packument_bytes: 2 * limits.max_packument_bytes + limits.max_document_bytes,
            tarball_bytes: limits.max_tarball_bytes,
            archive,
            ..Limits::default()
        };
        Self {
            body,
            packument_bytes: limits.max_packument_bytes,
            batch_bytes: limits.max_batch_bytes,
            batch_packages: limits.max_batch_packages,
        }
    }
}

impl PublishLimits {
    /// The largest body that could be accepted: a publish has a tarball as base64, a document and provenance. A request
    /// that announces more is refused before it is read.
    pub fn body_bytes(&self, reach: Reach) -> u64 {
        let publish = self.body.tarball_bytes / 3 * 4 + self.body.document_bytes + self.body.provenance_bytes + 1024;
        match reach {
            Reach::Publish => publish.max(self.body.packument_bytes),
            Reach::Packument => self.body.packument_bytes,
            Reach::Word => WORD_BYTES,
        }
    }

    /// The largest batch.
    pub fn batch_bytes(&self) -> u64 {
        self.batch_bytes
    }

    /// What may be inside a tarball.
    pub(super) fn archive(&self) -> ArchiveLimits {
        self.body.archive
    }

    fn of_body(&self, reach: Reach) -> Limits {
        let most = if reach == Reach::Word { WORD_BYTES } else { u64::MAX };
        Limits {
            document_bytes: self.body.document_bytes.min(most),
            packument_bytes: self.body.packument_bytes.min(most),
            takes_attachments: reach == Reach::Publish,
            ..self.body
        }
    }
}

/// A publish that was done.
#[derive(Debug)]
pub struct Publication {
    /// The new `_rev` of the package.
    pub rev: String,
    /// What the publisher should be told beside the success.
    pub notice: Option<String>,
}

/// What of a publish is not in its body.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sender {
    /// The client is yarn 2 or later, which says `restricted` with every scoped publish that says nothing.
    pub says_restricted_by_default: bool,
}

/// How much of a body is read, by what its sender may do to the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Publish: everything.
    Publish,
    /// Change what is published: a packument that comes back, and no tarball.
    Packument,
    /// Say a word on it, as a star is.
    Word,
}

/// What a `PUT` on a package brought.
#[derive(Debug)]
pub enum Incoming {
    /// A publish document: its attachments tell (`protocol.md` 3.9).
    Publish(Box<Parcel>),
    /// A packument, or a piece of one, that comes back with a change in it.
    Edited(EditedPackument),
}

/// A publish document that has been received, and not yet looked into.
#[derive(Debug)]
pub struct Parcel {
    received: Received<Staged>,
    turn: Turn,
}

/// What of a packument that came back may mean something.
#[derive(Debug)]
pub struct EditedPackument {
    /// The versions in it.
    pub versions: Option<Vec<OutlinedVersion>>,
    document: Document,
}

impl Packages {
    /// Takes in the body of a `PUT` on a package.
    ///
    /// # Errors
    /// `Malformed`, `TooLarge`, `BodyTimeout`, what the storage says; `Unprocessable` for an attachment where the sender
    /// may not publish.
    pub async fn take_in<S, E>(&self, account: Option<AccountId>, body: S, reach: Reach) -> Result<Incoming>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let turn = self.uploads.turn(account).await?;
        let blobs = self.blobs.clone();
        let limits = self.limits.of_body(reach);
        let received = body::receive(body, limits, move || blobs.stage()).await.map_err(refuse_body)?;
        Ok(if received.has_attachments {
            Incoming::Publish(Box::new(Parcel { received, turn }))
        } else {
            Incoming::Edited(EditedPackument { versions: received.versions, document: received.document })
        })
    }

    /// Publishes one version. What is not acknowledged has changed nothing.
    ///
    /// # Errors
    /// Those of `domain.md`: `Malformed`, `Unprocessable`, `TooLarge`, `VersionExists`, and the refusals of the decision,
    /// which is asked again when the body is in.
    pub async fn publish(&self, permit: &Permit<Write>, parcel: Parcel, sender: Sender) -> Result<Publication> {
        let (checked, _turn) = self.open_parcel(permit, parcel, sender).await?;
        in_time(self.commit(permit, &checked)).await
    }

    /// Receives and checks one version, and makes its file durable. Nothing is visible yet: see
    /// [`Packages::insert_as`].
    ///
    /// # Errors
    /// As [`Packages::publish`], but for the refusals of the decision.
    pub async fn receive<S, E>(&self, permit: &Permit<Write>, body: S, sender: Sender) -> Result<(Checked, Turn)>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        match self.take_in(permit.actor().account_id(), body, Reach::Publish).await? {
            Incoming::Publish(parcel) => self.open_parcel(permit, *parcel, sender).await,
            Incoming::Edited(_) => Err(check::no_tarball()),
        }
    }

    async fn open_parcel(&self, permit: &Permit<Write>, parcel: Parcel, sender: Sender) -> Result<(Checked, Turn)> {
        let checked = self.look_into(permit, parcel.received, sender).await?;
        Ok((checked, parcel.turn))
    }

    /// Looks into what was received, and makes its file durable.
    async fn look_into(&self, permit: &Permit<Write>, received: Received<Staged>, sender: Sender) -> Result<Checked> {
        let name = permit.name().clone();
        let roots = self.trusted_roots.clone();
        let (mut checked, staged) = run_blocking(move || check::check(&name, received, &roots)).await??;
        if sender.says_restricted_by_default && checked.access == Some(Visibility::Restricted) {
            checked.access = None;
        }
        in_time(self.keep(&checked, staged)).await?;
        Ok(checked)
    }

    /// Refuses what would make a packument larger than packuments may be.
    pub(super) fn check_packument_size(&self, name: &PackageName, bytes: u64) -> Result<()> {
        let most = self.limits.packument_bytes;
        if bytes <= most {
            return Ok(());
        }
        let reason = format!("The manifests of all versions of {name} would be more than {most} bytes.");
        Err(Error::TooLarge(format!("{reason} Publish less metadata, or unpublish old versions.").into()))
    }

    /// How much a publish may hold.
    pub fn publish_limits(&self) -> PublishLimits {
        self.limits
    }
}

/// A database that fell silent would otherwise hold an upload, and its client, for a quarter of an hour.
async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let outcome = tokio::time::timeout(COMMIT, work).await;
    outcome.unwrap_or_else(|_| Err(Error::Unavailable("the database does not answer".into())))
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

fn refuse_body(cause: BodyError) -> Error {
    match cause {
        BodyError::Malformed(malformed) => {
            Error::Malformed(format!("This is not a publish document: {malformed}. Nothing was changed.").into())
        }
        BodyError::TooLarge { limit, limit_bytes } => Error::TooLarge(
            format!("The {limit} is larger than the {limit_bytes} bytes that this registry takes. Make it smaller.")
                .into(),
        ),
        BodyError::Length { .. } | BodyError::Archive(_) => {
            Error::Unprocessable(format!("The publish was refused: {cause}. Pack the package again.").into())
        }
        BodyError::Attachment => Error::Unprocessable("Nothing but a publish carries a tarball.".into()),
        BodyError::Sink(cause) => cause.into(),
        BodyError::Transport(_) => Error::BodyTimeout,
    }
}
