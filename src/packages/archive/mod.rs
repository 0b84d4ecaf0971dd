//! Looks into a package's tarball while it streams by.
//!
//! Clients unpack a `.tgz` with different readers: node-tar (npm), a reader of its own (pnpm), tar-stream (yarn 1),
//! a WebAssembly build of libzip (yarn 4), libarchive (bun). Where one of them could see another `package.json` than
//! we do, a scanner or a reviewer would look at one package and install another. So this is our own walk and not a
//! library's: it accepts the narrow form that all packers write, and refuses whatever two readers may take
//! differently, even if it is legal tar. Data is never kept, but for `package.json` and the README.

mod error;
mod extension;
mod gunzip;
mod header;
mod path;
mod readme;
mod sniff;
#[cfg(test)]
pub(crate) mod tests;
mod walk;

use std::io::BufRead;

pub use self::error::ArchiveError;
pub use self::readme::Readme;
use self::walk::Walk;

/// How much a tarball may unpack to.
#[derive(Debug, Clone, Copy)]
pub struct ArchiveLimits {
    /// Unpacked bytes, headers and padding included.
    pub unpacked_bytes: u64,
    /// Headers of any kind.
    pub entries: u64,
    /// Bytes of one path.
    pub path_bytes: u64,
    /// Bytes of all files' paths together; bounds what [`ArchiveSummary::files`] holds in memory.
    pub all_paths_bytes: u64,
    /// Unpacked bytes for each packed one, behind the first MiB. Deflate reaches 1032.
    pub expansion_ratio: u64,
    /// Bytes of `package.json`.
    pub package_json_bytes: u64,
    /// Bytes of the README that are kept; a longer one is cut, not refused.
    pub readme_bytes: u64,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            unpacked_bytes: 512 << 20,
            entries: 100_000,
            path_bytes: 1024,
            all_paths_bytes: 16 << 20,
            expansion_ratio: 200,
            package_json_bytes: 1 << 20,
            readme_bytes: 512 << 10,
        }
    }
}

/// What is in a tarball.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchiveSummary {
    /// The folder everything stands in, usually `package`; clients strip it.
    pub top: String,
    /// The bytes of `package.json`. Their content is not checked here.
    pub package_json: Vec<u8>,
    /// Bytes of all files together: `dist.unpackedSize`.
    pub unpacked_size: u64,
    /// Whether `npm-shrinkwrap.json` is in the top folder: `_hasShrinkwrap`.
    pub has_shrinkwrap: bool,
    /// Whether `binding.gyp` is there, for which npm runs `node-gyp rebuild` on install.
    pub has_root_binding_gyp: bool,
    /// The best README of the top folder.
    pub readme: Option<Readme>,
    /// Every file, in the order of the archive.
    pub files: Vec<FileEntry>,
}

impl ArchiveSummary {
    /// Number of files: `dist.fileCount`.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }
}

/// One file in a tarball.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its path below the top folder, `lib/index.js`. Relative and plain, but still the publisher's text.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// Where its data begins in the unpacked archive.
    pub offset: u64,
    /// Whether it looks like text: its beginning is UTF-8 without a NUL.
    pub is_text: bool,
    /// The SHA-256 of its bytes: files of two versions with the same are the same.
    pub sha256: [u8; 32],
}

/// Reads a tarball from its first byte to its last.
///
/// Reads nothing further once something is wrong. Blocks; call it where that is allowed.
///
/// # Errors
/// See [`ArchiveError`].
pub fn inspect(source: impl BufRead, limits: &ArchiveLimits) -> Result<ArchiveSummary, ArchiveError> {
    Walk::new(source, limits).run()
}
