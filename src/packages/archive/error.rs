//! Why a tarball is refused.

use std::borrow::Cow;
use std::io;

use thiserror::Error;

/// A tarball that is not an archive every client unpacks alike. All of it is the publisher's to mend (422), but for
/// [`Io`](Self::Io). Each displays as a sentence without a full stop.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// Not one whole gzip stream.
    #[error("the tarball is not valid gzip: {0}")]
    Gzip(Cow<'static, str>),
    /// Not a tar archive, or one that readers take apart differently.
    #[error("the tarball is not a valid tar archive at byte {offset}: {reason}")]
    Tar {
        /// Unpacked bytes before the fault.
        offset: u64,
        /// What is wrong.
        reason: Cow<'static, str>,
    },
    /// An entry that no package may have.
    #[error("the tarball's entry \"{path}\" is refused: {reason}")]
    Entry {
        /// Its path, made printable.
        path: String,
        /// What is wrong.
        reason: Cow<'static, str>,
    },
    /// There is no `package.json` directly in the first folder.
    #[error("the tarball has no package.json in its top folder")]
    NoPackageJson,
    /// One of [`ArchiveLimits`](super::ArchiveLimits).
    #[error("the tarball goes over a limit: {what} (at most {limit})")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: u64,
    },
    /// The source could not be read; says nothing about the tarball.
    #[error("the tarball could not be read")]
    Io(#[source] io::Error),
}

impl ArchiveError {
    pub(super) fn tar(offset: u64, reason: impl Into<Cow<'static, str>>) -> Self {
        let reason = reason.into();
        Self::Tar { offset, reason }
    }

    pub(super) fn entry(path: &[u8], reason: impl Into<Cow<'static, str>>) -> Self {
        let path = String::from_utf8_lossy(path).escape_debug().to_string();
        let reason = reason.into();
        Self::Entry { path, reason }
    }
}
