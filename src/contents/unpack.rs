//! Single files out of a tarball.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use crate::packages::archive::FileEntry;

/// Where a file stands in the unpacked archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    offset: u64,
    size: u64,
}

impl Place {
    pub(super) fn of(file: &FileEntry) -> Self {
        Self { offset: file.offset, size: file.size }
    }
}

/// Reads the files at these places, in the order of the places given. Runs through the archive once, and no further than
/// to the end of the last. Holds all of them in memory: the caller has looked at their sizes.
///
/// # Errors
/// The reader's, and `UnexpectedEof` for a place that is not there.
pub(super) fn pick(source: impl BufRead, places: &[Place]) -> io::Result<Vec<Vec<u8>>> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_unstable_by_key(|at| places[*at].offset);
    let mut files = vec![Vec::new(); places.len()];
    let mut unpacked = GzDecoder::new(source);
    let mut position = 0;
    for at in order {
        let Place { offset, size } = places[at];
        let gap = offset.checked_sub(position).ok_or_else(too_early)?;
        if io::copy(&mut unpacked.by_ref().take(gap), &mut io::sink())? != gap {
            return Err(too_early());
        }
        let file = &mut files[at];
        if unpacked.by_ref().take(size).read_to_end(file)? as u64 != size {
            return Err(too_early());
        }
        position = offset + size;
    }
    Ok(files)
}

fn too_early() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "a tarball does not hold what its index says")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::archive::tests::Tar;
    use crate::packages::archive::{ArchiveLimits, inspect};

    #[test]
    fn what_the_index_names_is_what_comes_out() {
        let long = vec![b'x'; 70_000];
        let tarball = Tar::package().file("package/long", &long).file("package/b", b"").file("package/c", b"see").gz();
        let summary = inspect(tarball.as_slice(), &ArchiveLimits::default()).unwrap();
        let places: Vec<Place> = summary.files.iter().rev().map(Place::of).collect();
        let files = pick(tarball.as_slice(), &places).unwrap();
        assert_eq!(files[0], b"see");
        assert_eq!(files[1], b"");
        assert!(files[2] == long);
        assert!(files[3].starts_with(b"{"));
        assert!(pick(tarball.as_slice(), &[Place { offset: 1 << 20, size: 1 }]).is_err());
        assert!(pick(tarball.as_slice(), &[Place { offset: 512, size: 1 << 20 }]).is_err());
        assert!(pick(&b"no gzip"[..], &[Place { offset: 0, size: 1 }]).is_err());
    }
}
