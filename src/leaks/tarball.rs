//! Through one tarball, file by file, within bounds.

use std::io::{self, BufRead, Read};
use std::time::Instant;

use flate2::bufread::GzDecoder;
use tar::Archive;

use super::{files, rules};

/// How much of one file is read.
const FILE_BYTES: u64 = 4 << 20;

/// How much of one archive is unpacked.
const ARCHIVE_BYTES: u64 = 128 << 20;

/// What is found in one archive beyond this is not listed: it is bad enough.
const FINDINGS: usize = 100;

/// Files that are named as not read.
const NAMED_UNREAD: usize = 20;

/// How far into a file a NUL is looked for, to tell that it is no text.
const SNIFFED: usize = 8 << 10;

/// Where something was found, and what kind of thing it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file's path below the top folder.
    pub path: String,
    /// The line, counted from 1; `None` where the whole file is meant.
    pub line: Option<usize>,
    /// What it is, in words.
    pub kind: &'static str,
}

/// A file that was not read, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The file's path below the top folder.
    pub path: String,
    /// Why.
    pub reason: &'static str,
}

/// What one archive came to.
#[derive(Debug, Default)]
pub(super) struct TarballScan {
    pub(super) findings: Vec<Finding>,
    pub(super) files: usize,
    pub(super) bytes: u64,
    pub(super) unread: Vec<Unread>,
    pub(super) unread_files: usize,
}

/// What a scan may take.
pub(super) struct Limits {
    deadline: Instant,
    archive_bytes: u64,
    file_bytes: u64,
}

impl Limits {
    pub(super) fn until(deadline: Instant) -> Self {
        Self { deadline, archive_bytes: ARCHIVE_BYTES, file_bytes: FILE_BYTES }
    }
}

/// Reads until the time is up or enough was read; then it fails, so that nobody takes a part for the whole.
struct Bounded<R> {
    source: R,
    left: u64,
    deadline: Instant,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || Instant::now() >= self.deadline {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "enough was read"));
        }
        let read = self.source.read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

/// # Errors
/// The reader's, and `TimedOut` for an archive that is too much.
pub(super) fn scan(source: impl BufRead, limits: &Limits) -> io::Result<TarballScan> {
    let unpacked = GzDecoder::new(source);
    let bounded = Bounded { source: unpacked, left: limits.archive_bytes, deadline: limits.deadline };
    let mut archive = Archive::new(bounded);
    let mut scan = TarballScan::default();
    let mut bytes = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = below_top(&String::from_utf8_lossy(&entry.path_bytes()));
        bytes.clear();
        let size = entry.size();
        entry.by_ref().take(limits.file_bytes).read_to_end(&mut bytes)?;
        scan.look(path, size, &bytes);
    }
    Ok(scan)
}

impl TarballScan {
    fn look(&mut self, path: String, size: u64, bytes: &[u8]) {
        if let Some(kind) = files::by_name(&path).filter(|_| !bytes.is_empty()) {
            self.find(&path, None, kind);
        }
        let head = bytes.get(..SNIFFED).unwrap_or(bytes);
        if memchr::memchr(0, head).is_some() {
            return self.skip(path, "not text");
        }
        self.files += 1;
        self.bytes += bytes.len() as u64;
        let mut lines = Lines::of(bytes);
        for (offset, kind) in rules::find_all(&path, bytes) {
            self.find(&path, Some(lines.at(offset)), kind);
        }
        if size > bytes.len() as u64 {
            self.skip(path, "larger than what is read of one file");
        }
    }

    /// One finding for a line: several rules may know the same thing.
    fn find(&mut self, path: &str, line: Option<usize>, kind: &'static str) {
        let is_known = self.findings.iter().any(|one| one.path == path && one.line == line);
        if !is_known && self.findings.len() < FINDINGS {
            self.findings.push(Finding { path: path.to_owned(), line, kind });
        }
    }

    fn skip(&mut self, path: String, reason: &'static str) {
        self.unread_files += 1;
        if self.unread.len() < NAMED_UNREAD {
            self.unread.push(Unread { path, reason });
        }
    }
}

/// Line numbers of places that come in their order.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    fn at(&mut self, offset: usize) -> usize {
        if offset < self.at {
            (self.at, self.line) = (0, 1);
        }
        let passed = self.bytes.get(self.at..offset).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count();
        self.at = offset;
        self.line
    }
}

/// Everything in a package stands in one folder, which clients strip.
fn below_top(path: &str) -> String {
    path.split_once('/').map_or(path, |(_, inner)| inner).chars().filter(|one| !one.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::packages::archive::tests::Tar;

    fn soon() -> Limits {
        Limits::until(Instant::now() + Duration::from_mins(1))
    }

    #[test]
    fn what_is_found_is_named_by_file_and_line() {
        let source = format!("// one\n// two\nconst token = 'ghp_{}'\n", "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5");
        let tarball = Tar::package().file("package/lib/a.js", source.as_bytes()).file("package/b.js", b"1").gz();
        let scan = scan(tarball.as_slice(), &soon()).unwrap();
        assert_eq!(scan.findings, [Finding { path: "lib/a.js".into(), line: Some(3), kind: "GitHub token" }]);
        assert_eq!((scan.files, scan.unread_files), (3, 0), "package.json, too");
    }

    #[test]
    fn what_is_not_read_is_said() {
        let large = vec![b'x'; 3000];
        let tarball = Tar::package().file("package/logo.png", b"\x89PNG\0\0").file("package/large.js", &large).gz();
        let scan = scan(tarball.as_slice(), &Limits { file_bytes: 2000, ..soon() }).unwrap();
        let names: Vec<_> = scan.unread.iter().map(|one| (one.path.as_str(), one.reason)).collect();
        assert_eq!(names, [("logo.png", "not text"), ("large.js", "larger than what is read of one file")]);
    }

    #[test]
    fn an_archive_that_is_too_much_is_given_up() {
        let zeros = vec![b'0'; 1 << 20];
        let tarball = Tar::package().file("package/zeros", &zeros).gz();
        assert!(scan(tarball.as_slice(), &Limits { archive_bytes: 1 << 16, ..soon() }).is_err());
        assert!(scan(tarball.as_slice(), &Limits::until(Instant::now())).is_err());
        assert!(scan(&b"no gzip"[..], &soon()).is_err());
    }

    #[test]
    fn a_flood_of_findings_is_cut() {
        let line = "AWS_KEY=AKIAQ7XW2ZP4R6T3V5YB\n";
        let tarball = Tar::package().file("package/keys", line.repeat(1000).as_bytes()).gz();
        assert_eq!(scan(tarball.as_slice(), &soon()).unwrap().findings.len(), FINDINGS);
    }
}
