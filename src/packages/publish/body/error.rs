//! What can be wrong with a publish body.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use thiserror::Error;

use crate::packages::archive::ArchiveError;
use crate::packages::json::Malformed;

/// Names the limit a body went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::document_bytes`](super::Limits::document_bytes).
    Document,
    /// [`Limits::tarball_bytes`](super::Limits::tarball_bytes).
    Tarball,
    /// [`Limits::provenance_bytes`](super::Limits::provenance_bytes).
    Provenance,
    /// What a batch may be in all.
    Batch,
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Document => "document without its attachments",
            Self::Tarball => "tarball",
            Self::Provenance => "provenance bundle",
            Self::Batch => "batch of packages",
        })
    }
}

/// Why a body was not received. Every variant leaves nothing behind: the sink has been dropped.
#[derive(Debug, Error)]
pub enum BodyError {
    /// 400: not JSON, or not the shape of a package document.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// 413: one of the three limits.
    #[error("the {limit} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// Which one.
        limit: Limit,
        /// Its value.
        limit_bytes: u64,
    },
    /// An attachment, though [`Limits::takes_attachments`](super::Limits::takes_attachments) says that none is taken:
    /// a publish by somebody who may not.
    #[error("the document carries an attachment")]
    Attachment,
    /// 422: an attachment has another length than it says.
    #[error("attachment \"{name}\" declares a length of {declared}, but {actual} arrived")]
    Length {
        /// The attachment's key.
        name: String,
        /// Its `length` member.
        declared: u64,
        /// Decoded bytes of a tarball, UTF-16 units of a provenance bundle (as npm counts).
        actual: u64,
    },
    /// 422: the tarball is no archive that every client unpacks alike.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// 503, or 507 by its kind: the sink could not be opened or written.
    #[error("the tarball could not be stored")]
    Sink(#[source] io::Error),
    /// No answer reaches anyone, or 408: the client hung up or stalled.
    #[error("the body ended early")]
    Transport(#[source] Box<dyn StdError + Send + Sync>),
}
