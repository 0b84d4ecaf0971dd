//! Publishing: from the request's body to a committed version.
//!
//! The body is read as a stream ([`body`]), everything is checked before anything is visible ([`check`]), and one short
//! transaction makes it so ([`commit`]). The promises are `domain.md`'s, "What a publish promises".

pub mod body;
mod check;
mod commit;
#[cfg(test)]
mod tests;
mod turns;

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;

use crate::config;
use crate::error::{Error, Result};
use crate::policy::{Permit, Visibility, Write};

pub use check::Checked;
pub use commit::Publisher;
pub use turns::{Turn, Turns};

use super::Packages;
use super::archive::ArchiveLimits;
use body::{BodyError, Limits};

/// How long making a received publish durable and visible may take.
const COMMIT: Duration = Duration::from_secs(30);

/// How much a publish may hold.
#[derive(Debug, Clone, Copy)]
pub struct PublishLimits {
    body: Limits,
    packument_bytes: u64,
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
            tarball_bytes: limits.max_tarball_bytes,
            archive,
            ..Limits::default()
        };
        Self { body, packument_bytes: limits.max_packument_bytes }
    }
}

impl PublishLimits {
    /// The largest body that could be accepted: the tarball as base64, the document, the provenance. A request that
    /// announces more is refused before it is read.
    pub fn body_bytes(&self) -> u64 {
        self.body.tarball_bytes / 3 * 4 + self.body.document_bytes + self.body.provenance_bytes + 1024
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

impl Packages {
    /// Receives and publishes one version. What is not acknowledged has changed nothing.
    ///
    /// # Errors
    /// Those of `domain.md`: `Malformed`, `Unprocessable`, `TooLarge`, `VersionExists`, and the refusals of the decision,
    /// which is asked again when the body is in.
    pub async fn publish<S, E>(&self, permit: &Permit<Write>, body: S, sender: Sender) -> Result<Publication>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (checked, _turn) = self.receive(permit, body, sender).await?;
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
        let turn = self.uploads.turn(permit.actor().account_id()).await?;
        let blobs = self.blobs.clone();
        let received = body::receive(body, self.limits.body, move || blobs.stage()).await.map_err(refuse_body)?;
        let name = permit.name().clone();
        let roots = self.trusted_roots.clone();
        let (mut checked, staged) = run_blocking(move || check::check(&name, received, &roots)).await??;
        if sender.says_restricted_by_default && checked.access == Some(Visibility::Restricted) {
            checked.access = None;
        }
        in_time(self.keep(&checked, staged)).await?;
        Ok((checked, turn))
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
