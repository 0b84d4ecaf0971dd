//! Reads the body of a `PUT` on a package as it arrives, in constant memory.
//!
//! A publish document is one JSON object whose `_attachments` hold the tarball as base64, a third larger than its
//! bytes, and no client is bound to send that member last (yarn 4 sends it second). So the body is scanned as a
//! stream by a pushdown machine of our own: small members are kept as text, a tarball's `data` is decoded straight
//! into a sink, hashed and unpacked on the way. Bodies without attachments (deprecate, owner, star, unpublish) come
//! through the same door and meet the same strictness.
//!
//! Layers, each ignorant of the ones above: `json` (tokens, grammar, duplicate names, depth), `reader` (the document's
//! shape), `attachments` and `base64` (their content), `pipe` (the blocking task).
//! The module decides nothing about names, versions or rights.

mod attachments;
mod base64;
mod batch;
mod document;
mod error;
mod outline;
mod pipe;
mod reader;
#[cfg(test)]
mod tests;

use std::error::Error as StdError;
use std::io;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use self::attachments::Facts;
pub use self::batch::Documents;
pub use self::document::Document;
pub use self::error::{BodyError, Limit};
pub use self::outline::OutlinedVersion;
use self::pipe::{Pipe, Stored};
use self::reader::{Parts, Reader};
use crate::packages::archive::{ArchiveLimits, ArchiveSummary};

/// Body bytes scanned at once, however large the pieces are that the transport hands over.
const WINDOW_BYTES: usize = 64 * 1024;

/// Decoded bytes worth a message to the blocking task; with the last window's they stay below 80 KiB.
const PIECE_BYTES: usize = 32 * 1024;

/// How much a body may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// What is remembered of everything outside the attachments' `data`. A document with attachments may have no more.
    pub document_bytes: u64,
    /// Everything outside the attachments' `data`, of a document without attachments. Must exceed the largest full
    /// packument, because `npm deprecate` sends it back whole.
    pub packument_bytes: u64,
    /// Whether attachments are taken at all.
    pub takes_attachments: bool,
    /// The tarball, decoded.
    pub tarball_bytes: u64,
    /// The provenance bundle's text.
    pub provenance_bytes: u64,
    /// What may be inside the tarball.
    pub archive: ArchiveLimits,
}

impl Default for Limits {
    /// 8 MiB of document, 256 MiB of packument, 100 MiB of tarball, 1 MiB of provenance.
    fn default() -> Self {
        Self {
            document_bytes: 8 << 20,
            packument_bytes: 256 << 20,
            takes_attachments: true,
            tarball_bytes: 100 << 20,
            provenance_bytes: 1 << 20,
            archive: ArchiveLimits::default(),
        }
    }
}

/// A body, read to its end.
#[derive(Debug)]
pub struct Received<W> {
    /// The members beside `_attachments`.
    pub document: Document,
    /// What the member `versions` says, where it is an object; also where it was too long to be kept in `document`.
    pub versions: Option<Vec<OutlinedVersion>>,
    /// Whether `_attachments` had any entry: the mark of a publish.
    pub has_attachments: bool,
    /// The attachment whose name ends in `.tgz`.
    pub tarball: Option<Tarball<W>>,
    /// The attachment whose name ends in `.sigstore`.
    pub provenance: Option<Provenance>,
}

/// A tarball that is stored in its sink and sound as an archive.
#[derive(Debug)]
pub struct Tarball<W> {
    /// The attachment's key, `@scope/name-1.0.0.tgz` from every client. Not checked.
    pub file_name: String,
    /// Its `content_type`. Not checked.
    pub content_type: Option<String>,
    /// Its `length`, which is [`size_bytes`](Self::size_bytes) if it was given.
    pub declared_length: Option<u64>,
    /// Decoded bytes, as written to the sink.
    pub size_bytes: u64,
    /// Computed here, not the client's.
    pub sha512: [u8; 64],
    /// Computed here, not the client's.
    pub sha1: [u8; 20],
    /// What is inside.
    pub archive: ArchiveSummary,
    /// The sink, flushed.
    pub sink: W,
}

/// A Sigstore bundle as npm attaches it: JSON text, not base64. Its content is not checked here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The attachment's key, `@scope/name-1.0.0.sigstore`.
    pub name: String,
    /// Its `content_type`, the bundle's media type.
    pub content_type: Option<String>,
    /// Its `length`, in UTF-16 units; it was right if it was given.
    pub declared_length: Option<u64>,
    /// The bundle.
    pub text: String,
}

/// Reads a package document from `body`.
///
/// `open_sink` is called on a blocking thread when a tarball begins, and not at all without one. While the tarball
/// arrives one blocking thread belongs to this upload, also when the client is slow: callers bound how many uploads
/// run at once and end a stalled `body` with an error. Dropping the future, like every error, ends that thread at
/// its next read and drops the sink.
///
/// # Errors
/// See [`BodyError`]; nothing is left behind.
pub async fn receive<S, E, W>(
    mut body: S,
    limits: Limits,
    open_sink: impl FnOnce() -> io::Result<W> + Send + 'static,
) -> Result<Received<W>, BodyError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<Box<dyn StdError + Send + Sync>>,
    W: io::Write + Send + 'static,
{
    let mut upload = Upload::new(limits, open_sink);
    match upload.read(&mut body).await {
        Ok(()) => upload.finish().await,
        Err(error) => Err(upload.fail(error).await),
    }
}

/// One body on its way.
struct Upload<W, F> {
    reader: Reader,
    limits: Limits,
    open_sink: Option<F>,
    pipe: Option<Pipe<W>>,
}

impl<W, F> Upload<W, F>
where
    W: io::Write + Send + 'static,
    F: FnOnce() -> io::Result<W> + Send + 'static,
{
    fn new(limits: Limits, open_sink: F) -> Self {
        Self { reader: Reader::new(limits), limits, open_sink: Some(open_sink), pipe: None }
    }

    async fn read<S, E>(&mut self, body: &mut S) -> Result<(), BodyError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| BodyError::Transport(error.into()))?;
            for window in chunk.chunks(WINDOW_BYTES) {
                self.push(window).await?;
            }
        }
        Ok(())
    }

    /// Reads on by one window.
    async fn push(&mut self, window: &[u8]) -> Result<(), BodyError> {
        self.reader.push(window)?;
        self.pass_on(PIECE_BYTES).await
    }

    /// Sends decoded bytes to the blocking task, once there are more than `enough`.
    async fn pass_on(&mut self, enough: usize) -> Result<(), BodyError> {
        let attachments = self.reader.attachments();
        if attachments.tarball_begun()
            && let Some(open_sink) = self.open_sink.take()
        {
            self.pipe = Some(Pipe::open(open_sink, self.limits.archive));
        }
        if attachments.decoded().len() <= enough {
            return Ok(());
        }
        let piece = std::mem::take(attachments.decoded());
        let Some(pipe) = &self.pipe else {
            return Ok(());
        };
        if pipe.send(piece).await {
            return Ok(());
        }
        // The task ended by itself, so it knows better than we what is wrong.
        match self.pipe.take() {
            Some(pipe) => pipe.finish().await.map(drop),
            None => Ok(()),
        }
    }

    async fn finish(mut self) -> Result<Received<W>, BodyError> {
        if let Err(error) = self.pass_on(0).await {
            return Err(self.fail(error).await);
        }
        let Parts { document, versions, attachments, has_attachments } = match self.reader.finish() {
            Ok(parts) => parts,
            Err(error) => {
                abandon(self.pipe).await;
                return Err(error.into());
            }
        };
        let (facts, provenance) = attachments.into_parts();
        let stored = match self.pipe {
            Some(pipe) => Some(pipe.finish().await?),
            None => None,
        };
        Ok(Received { document, versions, has_attachments, tarball: facts.zip(stored).map(Tarball::from), provenance })
    }

    async fn fail(self, error: BodyError) -> BodyError {
        abandon(self.pipe).await;
        error
    }
}

async fn abandon<W: io::Write + Send + 'static>(pipe: Option<Pipe<W>>) {
    if let Some(pipe) = pipe {
        pipe.abandon().await;
    }
}

impl<W> From<(Facts, Stored<W>)> for Tarball<W> {
    fn from((facts, stored): (Facts, Stored<W>)) -> Self {
        Self {
            file_name: facts.name,
            content_type: facts.content_type,
            declared_length: facts.declared_length,
            size_bytes: stored.size_bytes,
            sha512: stored.sha512,
            sha1: stored.sha1,
            archive: stored.archive,
            sink: stored.sink,
        }
    }
}
