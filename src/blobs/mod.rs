//! Package files, each under the SHA-512 of its bytes, and the staging area where uploads arrive.
//!
//! A file is durable before anything points at it (`security.md` 6.1): temporary file, fsync, rename to the content
//! address, fsync of the folder. This room knows bytes and digests; it knows nothing of packages or who may read them.

mod body;
mod digest;
mod staged;
mod store;
mod stream;

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sqlx::PgConnection;

use crate::clock::Time;
use crate::error::Result;

pub use body::{Blob, BlobStream, ByteRange};
pub use digest::{Digest, integrity};
pub use staged::Staged;
pub use stream::{Buffers, FileStream};

/// Files up to this size are kept in memory once read; larger ones are streamed from the disk.
const SMALL_BYTES: u64 = 1 << 20;

/// How long a file that nothing points at is left alone; also an upload, where nobody can tell whether it goes on.
const GRACE: Duration = Duration::from_hours(24);

/// Handle to the files.
#[derive(Clone)]
pub struct Blobs {
    root: Arc<Path>,
    small: Arc<quick_cache::sync::Cache<Digest, Bytes, BytesWeight>>,
    buffers: Buffers,
}

#[derive(Clone)]
struct BytesWeight;

impl quick_cache::Weighter<Digest, Bytes> for BytesWeight {
    fn weight(&self, _: &Digest, bytes: &Bytes) -> u64 {
        bytes.len() as u64 + 200
    }
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Blobs").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Blobs {
    /// Opens the folder, making it where it is missing; `cache_bytes` bounds the memory for small files.
    ///
    /// # Errors
    /// The file system's, where the folder cannot be made or written.
    pub fn open(root: &Path, cache_bytes: u64) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        make_folders(&root)?;
        let expected = usize::try_from(cache_bytes / 16_384).unwrap_or(usize::MAX).max(16);
        let small = quick_cache::sync::Cache::with_weighter(expected, cache_bytes, BytesWeight);
        Ok(Self { root: root.into(), small: Arc::new(small), buffers: Buffers::default() })
    }

    /// Opens a temporary file for an upload. Dropped without [`Blobs::promote`], it is gone.
    ///
    /// # Errors
    /// The file system's.
    pub fn stage(&self) -> io::Result<Staged> {
        Staged::new(&self.root.join("staging"))
    }

    /// Notes that a publish is about to point at these bytes, so that the sweeper leaves them alone. Comes before
    /// [`Blobs::promote`] and before the transaction that inserts the version.
    ///
    /// # Errors
    /// The database's.
    pub async fn reserve(&self, connection: &mut PgConnection, digest: &Digest, size: u64, now: Time) -> Result<()> {
        store::touch(connection, digest, size, now).await
    }

    /// Makes staged bytes durable under their digest. Returns only when a power cut could no longer lose them.
    ///
    /// # Errors
    /// `StorageFull` or `Unavailable`; nothing but an unreferenced file may then remain.
    pub async fn promote(&self, staged: Staged, digest: Digest) -> Result<()> {
        let target = self.path_of(&digest);
        Ok(in_blocking_pool(move || staged.persist(&target)).await?)
    }

    /// Opens the bytes under a digest.
    ///
    /// # Errors
    /// `Unavailable` where the file is missing or unreadable: a version never points at nothing, so this is an outage.
    pub async fn read(&self, digest: &Digest, size: u64) -> Result<Blob> {
        if let Some(bytes) = self.small.get(digest) {
            return Ok(Blob::Memory(bytes));
        }
        let path = self.path_of(digest);
        if size > SMALL_BYTES {
            let file = in_blocking_pool(move || std::fs::File::open(path)).await?;
            return Ok(Blob::File { file, size, buffers: self.buffers.clone() });
        }
        let bytes = Bytes::from(in_blocking_pool(move || std::fs::read(path)).await?);
        if bytes.len() as u64 != size {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a package file has the wrong length").into());
        }
        self.small.insert(digest.clone(), bytes.clone());
        Ok(Blob::Memory(bytes))
    }

    /// Removes uploads that a crash cut short, and after a day files that nothing points at: at most a hundred of the
    /// latter in one call, so that the transaction is short. Returns how many files went.
    ///
    /// # Errors
    /// The database's or the file system's; what is left is taken the next time.
    pub async fn sweep(&self, transaction: &mut PgConnection, now: Time) -> Result<usize> {
        let staging = self.root.join("staging");
        let uploads = in_blocking_pool(move || staged::sweep(&staging, GRACE)).await?;
        let abandoned = store::take_abandoned(transaction, now - GRACE).await?;
        let paths: Vec<PathBuf> = abandoned.iter().map(|digest| self.path_of(digest)).collect();
        in_blocking_pool(move || paths.iter().try_for_each(|path| remove_if_older_than(path, GRACE))).await?;
        for digest in &abandoned {
            self.small.remove(digest);
        }
        Ok(uploads + abandoned.len())
    }

    /// Writes, syncs, reads and removes a small file: what `strongroom doctor` asks.
    ///
    /// # Errors
    /// The file system's, from the step that failed.
    pub async fn probe(&self) -> Result<()> {
        let blobs = self.clone();
        Ok(in_blocking_pool(move || {
            let mut staged = blobs.stage()?;
            io::Write::write_all(&mut staged, b"strongroom")?;
            staged.read_back()
        })
        .await?)
    }

    fn path_of(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_hex();
        self.root.join("sha512").join(&hex[..2]).join(hex)
    }
}

async fn in_blocking_pool<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Makes the staging folder and all that package files are spread over, and syncs their names once, so that a publish
/// has only its own file to sync and two that share a new folder need not wait for each other.
fn make_folders(root: &Path) -> io::Result<()> {
    let files = root.join("sha512");
    // Nobody else on the machine has business here, not even with the names.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(root)?;
    std::fs::create_dir_all(root.join("staging"))?;
    std::fs::create_dir_all(&files)?;
    let missing: Vec<PathBuf> =
        (0..=u8::MAX).map(|first| files.join(format!("{first:02x}"))).filter(|folder| !folder.exists()).collect();
    for folder in &missing {
        std::fs::create_dir_all(folder)?;
    }
    if !missing.is_empty() {
        for folder in [&files, root] {
            std::fs::File::open(folder)?.sync_all()?;
        }
    }
    Ok(())
}

/// A publish always renames a fresh file into place. So a young file is one that a publish wants, even if the sweeper's
/// transaction, which would have held that publish off, was lost on the way.
fn remove_if_older_than(path: &Path, age: Duration) -> io::Result<()> {
    let Some(metadata) = staged::found(std::fs::metadata(path))? else { return Ok(()) };
    if metadata.modified()?.elapsed().is_ok_and(|past| past > age) {
        staged::found(std::fs::remove_file(path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use sha2::{Digest as _, Sha512};

    use super::*;

    fn digest_of(bytes: &[u8]) -> Digest {
        Digest::from_bytes(Sha512::digest(bytes).as_slice().try_into().unwrap())
    }

    #[tokio::test]
    async fn promoted_bytes_can_be_read_and_dropped_ones_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path(), 1 << 20).unwrap();
        let mut kept = blobs.stage().unwrap();
        kept.write_all(b"kept").unwrap();
        blobs.promote(kept, digest_of(b"kept")).await.unwrap();
        drop(blobs.stage().unwrap());

        assert_eq!(std::fs::read_dir(folder.path().join("staging")).unwrap().count(), 0);
        let Blob::Memory(bytes) = blobs.read(&digest_of(b"kept"), 4).await.unwrap() else {
            panic!("small is in memory")
        };
        assert_eq!(&bytes[..], b"kept");
    }

    #[test]
    fn an_upload_is_swept_once_nobody_goes_on_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path(), 1 << 20).unwrap();
        let staging = folder.path().join("staging");
        std::fs::write(staging.join("upload-left"), b"by a crash").unwrap();
        let going_on = blobs.stage().unwrap();
        assert_eq!(staged::sweep(&staging, GRACE).unwrap(), 1);
        assert_eq!(std::fs::read_dir(&staging).unwrap().count(), 1);
        drop(going_on);
        assert_eq!(std::fs::read_dir(&staging).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_missing_file_is_an_outage_and_not_a_missing_package() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path(), 1 << 20).unwrap();
        let error = blobs.read(&digest_of(b"gone"), 4).await.unwrap_err();
        assert_eq!(error.status(), 503);
    }
}
