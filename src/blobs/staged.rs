use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

/// An upload on its way: written here first, and removed when dropped.
///
/// The file is locked while its upload lives, on whichever node, and the kernel ends the lock with the process: so a
/// file that is not locked is what a crash left ([`sweep`]).
#[derive(Debug)]
pub struct Staged(NamedTempFile);

impl Staged {
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        loop {
            let staged = tempfile::Builder::new().prefix("upload-").tempfile_in(folder)?;
            // Where the file system knows no locks, age alone tells what is abandoned.
            let _ = staged.as_file().lock();
            // A sweeper may have come between the two steps; then the name is gone.
            if staged.as_file().metadata()?.nlink() > 0 {
                return Ok(Self(staged));
            }
        }
    }

    /// Syncs the bytes, renames them to `target`, and syncs the folder, whose own name [`super::Blobs::open`] synced.
    ///
    /// An older file of the same name has the same bytes; it is replaced all the same, which keeps this one rule.
    pub(super) fn persist(self, target: &Path) -> io::Result<()> {
        self.0.as_file().sync_all()?;
        let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
        self.0.persist(target).map_err(|failure| failure.error)?;
        File::open(folder)?.sync_all()
    }

    /// Syncs the bytes, and reads them again by the file's name.
    pub(super) fn read_back(&self) -> io::Result<()> {
        self.0.as_file().sync_all()?;
        std::fs::read(self.0.path()).map(drop)
    }
}

/// Removes the uploads that nobody goes on with: those without a lock, and where there are no locks those of `age`.
/// Returns how many went.
pub(super) fn sweep(folder: &Path, age: Duration) -> io::Result<usize> {
    let mut swept = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(file) = found(File::options().write(true).open(&path))? else { continue };
        let abandoned = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(_)) => file.metadata()?.modified()?.elapsed().is_ok_and(|elapsed| elapsed > age),
        };
        // Removed under the lock, so that an upload that is just beginning sees that its name is gone.
        if abandoned && found(std::fs::remove_file(&path))?.is_some() {
            swept += 1;
        }
    }
    Ok(swept)
}

/// `None` for a file that went away meanwhile, as uploads do.
pub(super) fn found<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    }
}

impl io::Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_file_mut().flush()
    }
}
