//! Where advisories are read from: a file, every `.json` file below a folder, or those in a `.zip` archive.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::import::Item;

/// The largest file that is read as an advisory.
const FILE_BYTES: u64 = 8 << 20;

/// The files of one place, one after the other: there may be more than memory holds.
#[derive(Debug)]
pub struct Source(Place);

#[derive(Debug)]
enum Place {
    Files { paths: Vec<PathBuf>, next: usize },
    Archive { archive: Box<ZipArchive<File>>, next: usize },
}

/// Opens a place.
///
/// # Errors
/// The file system's; `InvalidData` for an archive that is none.
pub fn read(path: &Path) -> io::Result<Source> {
    if path.is_dir() {
        let mut paths = files_below(path)?;
        paths.sort();
        return Ok(Source(Place::Files { paths, next: 0 }));
    }
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
        let archive = Box::new(ZipArchive::new(File::open(path)?).map_err(io::Error::other)?);
        return Ok(Source(Place::Archive { archive, next: 0 }));
    }
    File::open(path)?;
    Ok(Source(Place::Files { paths: vec![path.to_owned()], next: 0 }))
}

impl Source {
    /// About how many files there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Place::Files { paths, .. } => paths.len(),
            Place::Archive { archive, .. } => archive.len(),
        }
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Iterator for Source {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        match &mut self.0 {
            Place::Files { paths, next } => {
                let path = paths.get(*next)?;
                *next += 1;
                let bytes = File::open(path).and_then(read_whole).map_err(|cause| cause.to_string());
                Some(Item::read(path.display().to_string(), bytes))
            }
            Place::Archive { archive, next } => next_in_archive(archive, next),
        }
    }
}

fn next_in_archive(archive: &mut ZipArchive<File>, next: &mut usize) -> Option<Item> {
    while *next < archive.len() {
        let at = *next;
        *next += 1;
        match archive.by_index(at) {
            Ok(entry) => {
                let name = entry.name().map_or_else(|_| format!("entry {at}"), Cow::into_owned);
                if !is_json(Path::new(&name)) {
                    continue;
                }
                return Some(Item::read(name, read_whole(entry).map_err(|cause| cause.to_string())));
            }
            Err(cause) => return Some(Item::read(format!("entry {at}"), Err(cause.to_string()))),
        }
    }
    None
}

fn read_whole(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 8 MiB"));
    }
    Ok(bytes)
}

fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            found.extend(files_below(&path)?);
        } else if is_json(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}
