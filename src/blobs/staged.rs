use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// An upload on its way: written here first, and removed when dropped.
#[derive(Debug)]
pub struct Staged(NamedTempFile);

impl Staged {
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        tempfile::Builder::new().prefix("upload-").tempfile_in(folder).map(Self)
    }

    /// Where it is written to.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Syncs the bytes, renames them to `target`, and syncs the folders that a crash could otherwise lose.
    ///
    /// An older file of the same name has the same bytes; it is replaced all the same, which keeps this one rule.
    pub(super) fn persist(self, target: &Path) -> io::Result<()> {
        self.0.as_file().sync_all()?;
        let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let folder_is_new = !folder.exists();
        std::fs::create_dir_all(folder)?;
        self.0.persist(target).map_err(|failure| failure.error)?;
        File::open(folder)?.sync_all()?;
        if folder_is_new && let Some(parent) = folder.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(())
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
