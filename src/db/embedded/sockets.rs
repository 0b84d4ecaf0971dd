//! The private directory of the socket: inside the data directory, or a short one elsewhere.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::EmbeddedError;
use super::identity::Identity;

/// The port, which is only the end of the socket's name.
pub(super) const PORT: u16 = 5432;
/// The longest path of a socket on Linux; macOS allows 103.
const LONGEST_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
/// What Postgres appends to the directory.
const SOCKET_NAME: &str = "/.s.PGSQL.5432";

/// Finds the directory that a running server listens in.
pub(super) fn locate(data_dir: &Path) -> PathBuf {
    recorded(data_dir).unwrap_or_else(|| inside(data_dir))
}

/// Makes a directory that only the user of Postgres may enter. The short one is recorded in the data
/// directory; when a reboot has cleaned it away, or it is not ours any more, another is made.
///
/// # Errors
///
/// [`EmbeddedError::Io`].
pub(super) fn prepare(data_dir: &Path, identity: &Identity) -> Result<PathBuf, EmbeddedError> {
    let inside = inside(data_dir);
    if is_usable_name(&inside) {
        let _ = fs::remove_file(record(data_dir));
        make_private(&inside, identity)?;
        return Ok(inside);
    }
    if let Some(known) = recorded(data_dir).filter(|known| is_private(known, identity)) {
        return Ok(known);
    }
    let short = make_short(identity)?;
    let record = record(data_dir);
    fs::write(&record, short.as_os_str().as_encoded_bytes()).map_err(EmbeddedError::io("write", &record))?;
    Ok(short)
}

fn inside(data_dir: &Path) -> PathBuf {
    data_dir.join("socket")
}

fn record(data_dir: &Path) -> PathBuf {
    data_dir.join("socket-directory")
}

fn recorded(data_dir: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(record(data_dir)).ok()?;
    Some(PathBuf::from(text.trim_end()))
}

/// Whether the name is short enough, and free of what would have to be quoted in a list of directories.
fn is_usable_name(directory: &Path) -> bool {
    directory
        .to_str()
        .is_some_and(|name| name.len() + SOCKET_NAME.len() <= LONGEST_PATH && !name.contains([',', '"', '\\', '\n']))
}

fn make_private(directory: &Path, identity: &Identity) -> Result<(), EmbeddedError> {
    match fs::DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(EmbeddedError::io("create", directory)(error));
        }
        _ => {}
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
        .map_err(EmbeddedError::io("protect", directory))?;
    identity.own(directory)
}

/// Makes a directory with a random name: a fixed one in a directory open to all could be taken by others.
fn make_short(identity: &Identity) -> Result<PathBuf, EmbeddedError> {
    let temporary = std::env::temp_dir();
    let parent = if is_usable_name(&temporary.join("strongroom-XXXXXX")) { temporary } else { PathBuf::from("/tmp") };
    let directory = tempfile::Builder::new()
        .prefix("strongroom-")
        .tempdir_in(&parent)
        .map_err(EmbeddedError::io("create a directory in", &parent))?
        .keep();
    make_private(&directory, identity)?;
    Ok(directory)
}

fn is_private(directory: &Path, identity: &Identity) -> bool {
    fs::symlink_metadata(directory).is_ok_and(|metadata| {
        metadata.is_dir() && metadata.uid() == identity.owner() && metadata.mode() & 0o777 == 0o700
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_odd_names_are_not_usable() {
        assert!(is_usable_name(Path::new("/var/lib/strongroom/socket")));
        assert!(!is_usable_name(Path::new("/var/lib/a,b/socket")));
        assert!(is_usable_name(Path::new(&format!("/{}", "x".repeat(LONGEST_PATH - 15)))));
        assert!(!is_usable_name(Path::new(&format!("/{}", "x".repeat(LONGEST_PATH - 14)))));
    }
}
