//! What differs between two versions: files by their digests, and the lines of those that are text.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use similar::{ChangeTag, TextDiff};

use crate::blobs::Blob;
use crate::error::Result;
use crate::packages::FileIndex;
use crate::packages::archive::FileEntry;

use super::unpack::{self, Place};

/// How many files are listed; the rest is counted.
const FILES: usize = 500;
/// The largest file whose lines are compared, and the bytes of all that are.
const FILE_BYTES: u64 = 256 << 10;
const ALL_BYTES: u64 = 2 << 20;
/// How many lines are shown in all, and how much of each.
const LINES: usize = 2000;
const LINE_CHARACTERS: usize = 400;
/// How long comparing may take in all.
const TIME: Duration = Duration::from_secs(1);
/// Lines shown around what differs.
const CONTEXT: usize = 3;

/// One of the two versions.
pub struct Side<'a> {
    index: &'a FileIndex,
    blob: Blob,
}

impl<'a> Side<'a> {
    pub(super) fn new(index: &'a FileIndex, blob: Blob) -> Self {
        Self { index, blob }
    }
}

/// What differs between two versions.
#[derive(Debug, Default)]
pub struct VersionDiff {
    /// The files that differ, `package.json` first, then in the order of their paths.
    pub files: Vec<FileChange>,
    /// How many more there are.
    pub more_files: usize,
    /// How many files are the same.
    pub same: usize,
}

/// A file that differs.
#[derive(Debug)]
pub struct FileChange {
    /// Its path.
    pub path: String,
    /// What became of it.
    pub change: Change,
    /// Its bytes before.
    pub old_size: Option<u64>,
    /// Its bytes after.
    pub new_size: Option<u64>,
    /// Its lines.
    pub lines: Lines,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
}

impl Change {
    /// The change as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// The lines of a file that differs.
#[derive(Debug)]
pub enum Lines {
    /// Those that differ, and some around them.
    Shown {
        /// Stretches of lines.
        hunks: Vec<Hunk>,
        /// How many lines are new.
        added: usize,
        /// How many are gone.
        removed: usize,
    },
    /// It is not text.
    Binary,
    /// It is too large, or comparing it would take too long.
    TooLarge,
}

/// A stretch of lines.
#[derive(Debug, Default)]
pub struct Hunk {
    /// The lines.
    pub lines: Vec<DiffLine>,
}

/// A line: in both versions, or in one.
#[derive(Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// Its number before.
    pub old: Option<usize>,
    /// Its number after.
    pub new: Option<usize>,
    /// Its text, cut where it is very long.
    pub text: String,
}

/// A file before and after.
#[derive(Clone, Copy, Default)]
struct Pair<'a> {
    old: Option<&'a FileEntry>,
    new: Option<&'a FileEntry>,
}

impl Pair<'_> {
    fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.old.into_iter().chain(self.new)
    }

    fn is_same(&self) -> bool {
        self.old.map(|file| file.sha256) == self.new.map(|file| file.sha256)
    }

    fn bytes(&self) -> u64 {
        self.files().map(|file| file.size).sum()
    }

    fn is_comparable(&self) -> bool {
        self.files().all(|file| file.is_text && file.size <= FILE_BYTES)
    }

    fn change(&self) -> Change {
        match (self.old, self.new) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            _ => Change::Changed,
        }
    }
}

/// What is left of what may be shown.
struct Rest {
    lines: usize,
    deadline: Instant,
}

/// Compares two versions. Reads each of the two tarballs once.
pub(super) fn compare(old: Side<'_>, new: Side<'_>) -> Result<VersionDiff> {
    let (pairs, same) = differing(old.index, new.index);
    let more_files = pairs.len().saturating_sub(FILES);
    let pairs: Vec<Pair<'_>> = pairs.into_iter().take(FILES).collect();
    let is_read = within_bounds(&pairs);
    let read = |side: fn(&Pair<'_>) -> Option<Place>, blob: Blob| {
        let places: Vec<Place> =
            pairs.iter().zip(&is_read).filter(|(_, read)| **read).filter_map(|(pair, _)| side(pair)).collect();
        unpack::pick(blob.into_reader(), &places)
    };
    let mut old_texts = read(|pair| pair.old.map(Place::of), old.blob)?.into_iter();
    let mut new_texts = read(|pair| pair.new.map(Place::of), new.blob)?.into_iter();
    let mut rest = Rest { lines: LINES, deadline: Instant::now() + TIME };
    let files = pairs.iter().zip(is_read).map(|(pair, is_read)| {
        let lines = if is_read {
            let old = pair.old.and_then(|_| old_texts.next()).unwrap_or_default();
            let new = pair.new.and_then(|_| new_texts.next()).unwrap_or_default();
            compare_lines(&String::from_utf8_lossy(&old), &String::from_utf8_lossy(&new), &mut rest)
        } else if pair.files().all(|file| file.is_text) {
            Lines::TooLarge
        } else {
            Lines::Binary
        };
        FileChange {
            path: pair.files().next().map(|file| file.path.clone()).unwrap_or_default(),
            change: pair.change(),
            old_size: pair.old.map(|file| file.size),
            new_size: pair.new.map(|file| file.size),
            lines,
        }
    });
    Ok(VersionDiff { files: files.collect(), more_files, same })
}

/// The files that differ, and how many do not.
fn differing<'a>(old: &'a FileIndex, new: &'a FileIndex) -> (Vec<Pair<'a>>, usize) {
    let mut pairs: BTreeMap<(bool, &str), Pair<'a>> = BTreeMap::new();
    let key = |file: &'a FileEntry| (file.path != "package.json", file.path.as_str());
    for file in old.files() {
        pairs.entry(key(file)).or_default().old = Some(file);
    }
    for file in new.files() {
        pairs.entry(key(file)).or_default().new = Some(file);
    }
    let all = pairs.len();
    let differing: Vec<Pair<'a>> = pairs.into_values().filter(|pair| !pair.is_same()).collect();
    let same = all - differing.len();
    (differing, same)
}

/// Which of them are read, so that all together stay below the bounds.
fn within_bounds(pairs: &[Pair<'_>]) -> Vec<bool> {
    let mut left = ALL_BYTES;
    let read = pairs.iter().map(|pair| match left.checked_sub(pair.bytes()) {
        Some(rest) if pair.is_comparable() => {
            left = rest;
            true
        }
        _ => false,
    });
    read.collect()
}

fn compare_lines(old: &str, new: &str, rest: &mut Rest) -> Lines {
    if rest.lines == 0 || Instant::now() >= rest.deadline {
        return Lines::TooLarge;
    }
    let diff = TextDiff::configure().deadline(rest.deadline).diff_lines(old, new);
    let (mut hunks, mut added, mut removed, mut shown) = (Vec::new(), 0, 0, 0);
    for group in diff.grouped_ops(CONTEXT) {
        let mut hunk = Hunk::default();
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            match change.tag() {
                ChangeTag::Insert => added += 1,
                ChangeTag::Delete => removed += 1,
                ChangeTag::Equal => {}
            }
            shown += 1;
            hunk.lines.push(DiffLine {
                old: change.old_index().map(|at| at + 1),
                new: change.new_index().map(|at| at + 1),
                text: change.value().trim_end_matches(['\n', '\r']).chars().take(LINE_CHARACTERS).collect(),
            });
        }
        hunks.push(hunk);
    }
    if shown > rest.lines {
        return Lines::TooLarge;
    }
    rest.lines -= shown;
    Lines::Shown { hunks, added, removed }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::packages::archive::tests::Tar;
    use crate::packages::archive::{ArchiveLimits, inspect};

    fn diff(old: Tar, new: Tar) -> VersionDiff {
        let [old, new] = [old, new].map(Tar::gz);
        let [before, after] =
            [&old, &new].map(|tar| FileIndex::new(inspect(tar.as_slice(), &ArchiveLimits::default()).unwrap().files));
        let blob = |bytes: Vec<u8>| Blob::Memory(Bytes::from(bytes));
        compare(Side::new(&before, blob(old)), Side::new(&after, blob(new))).unwrap()
    }

    #[test]
    fn files_and_lines_that_differ_are_told() {
        let old = Tar::package()
            .file("package/a.js", b"one\ntwo\nthree\n")
            .file("package/gone", b"x\n")
            .file("package/same", b"");
        let new = Tar::package()
            .file("package/same", b"")
            .file("package/new.bin", b"\0")
            .file("package/a.js", b"one\n2\nthree\n");
        let diff = diff(old, new);
        assert_eq!(diff.same, 2);
        let told: Vec<_> = diff.files.iter().map(|file| (file.path.as_str(), file.change)).collect();
        assert_eq!(told, [("a.js", Change::Changed), ("gone", Change::Removed), ("new.bin", Change::Added)]);
        let Lines::Shown { hunks, added: 1, removed: 1 } = &diff.files[0].lines else { panic!("{diff:?}") };
        let lines: Vec<_> = hunks[0].lines.iter().map(|line| (line.old, line.new, line.text.as_str())).collect();
        assert_eq!(
            lines,
            [(Some(1), Some(1), "one"), (Some(2), None, "two"), (None, Some(2), "2"), (Some(3), Some(3), "three")]
        );
        assert!(matches!(&diff.files[1].lines, Lines::Shown { added: 0, removed: 1, .. }));
        assert!(matches!(diff.files[2].lines, Lines::Binary));
    }

    #[test]
    fn package_json_comes_first() {
        let old = Tar::package().file("package/a", b"1");
        let new = Tar::default().file("package/a", b"2").file("package/package.json", b"{}");
        let paths: Vec<_> = diff(old, new).files.into_iter().map(|file| file.path).collect();
        assert_eq!(paths, ["package.json", "a"]);
    }

    #[test]
    fn what_is_too_much_is_named_and_not_shown() {
        let large = vec![b'x'; 300 << 10];
        let diff_of_large = diff(Tar::package().file("package/l", &large), Tar::package().file("package/l", b"x"));
        assert!(matches!(diff_of_large.files[0].lines, Lines::TooLarge));
        let long = "line\n".repeat(4000);
        let diff_of_long =
            diff(Tar::package(), Tar::package().file("package/a", long.as_bytes()).file("package/b", b"b"));
        assert!(matches!(diff_of_long.files[0].lines, Lines::TooLarge));
        assert!(matches!(diff_of_long.files[1].lines, Lines::Shown { added: 1, .. }));
        let mut many = Tar::package();
        for number in 0..600 {
            many = many.file(&format!("package/f{number}"), b"");
        }
        let diff_of_many = diff(Tar::package(), many);
        assert_eq!((diff_of_many.files.len(), diff_of_many.more_files), (500, 100));
    }
}
