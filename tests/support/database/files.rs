//! Lock files and private files of the shared cluster.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a lock file, made if it is absent.
pub(super) fn open(path: &Path) -> File {
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(path);
    file.expect("a lock file can be opened")
}

/// Opens a lock file and waits until it is ours alone.
pub(super) fn locked(path: &Path) -> File {
    let file = open(path);
    file.lock().expect("a lock file can be locked");
    file
}

/// Writes a file that only its owner may read.
pub(super) fn write_private(path: &Path, text: &str) {
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(true).write(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("the addresses can be kept");
}
