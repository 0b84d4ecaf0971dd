//! From header to header through the archive.

use std::collections::HashSet;
use std::io::BufRead;

use super::extension::{self, Extension};
use super::gunzip::Gunzip;
use super::header::{BLOCK, Header, Kind};
use super::path::EntryPath;
use super::readme::{self, Readme};
use super::sniff::Sniffer;
use super::{ArchiveError, ArchiveLimits, ArchiveSummary, FileEntry};

/// Bytes of one pax header or long name; honest ones take a few hundred.
const EXTENSION_BYTES: u64 = 64 * 1024;

/// Bytes skipped at once.
const SCRATCH_BYTES: usize = 16 * 1024;

/// The walk through one archive, and what it has found so far.
pub(super) struct Walk<R> {
    tar: Gunzip<R>,
    limits: ArchiveLimits,
    extension: Option<Extension>,
    entries: u64,
    path_bytes: u64,
    top: Option<String>,
    seen: HashSet<String>,
    readme_rank: u8,
    package_json: Option<Vec<u8>>,
    summary: ArchiveSummary,
}

impl<R: BufRead> Walk<R> {
    pub(super) fn new(source: R, limits: &ArchiveLimits) -> Self {
        Self {
            tar: Gunzip::new(source, *limits),
            limits: *limits,
            extension: None,
            entries: 0,
            path_bytes: 0,
            top: None,
            seen: HashSet::new(),
            readme_rank: 0,
            package_json: None,
            summary: ArchiveSummary::default(),
        }
    }

    /// Walks to the end.
    pub(super) fn run(mut self) -> Result<ArchiveSummary, ArchiveError> {
        let mut block = [0; BLOCK];
        loop {
            let offset = self.tar.offset();
            self.tar.read_exact(&mut block)?;
            if block.iter().all(|byte| *byte == 0) {
                return self.finish();
            }
            let wrong = |reason| ArchiveError::tar(offset, reason);
            let header = Header::parse(&block).map_err(wrong)?;
            self.count_entry()?;
            self.entry(&header)?;
        }
    }

    /// Behind the first zero block: one more must follow, and nothing but zeros.
    fn finish(mut self) -> Result<ArchiveSummary, ArchiveError> {
        let mut buffer = [0; BLOCK];
        let mut zeros = 0;
        loop {
            let read = self.tar.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            zeros += read;
            if buffer.iter().take(read).any(|byte| *byte != 0) {
                return Err(self.wrong("something stands behind its end"));
            }
        }
        if zeros < BLOCK {
            return Err(self.wrong("its end is not marked by two blocks of zeros"));
        }
        if self.extension.is_some() {
            return Err(self.wrong("a pax header or long name stands before no entry"));
        }
        self.tar.finish()?;
        let mut summary = self.summary;
        summary.top = self.top.unwrap_or_default();
        summary.package_json = self.package_json.ok_or(ArchiveError::NoPackageJson)?;
        Ok(summary)
    }

    fn wrong(&self, reason: &'static str) -> ArchiveError {
        ArchiveError::tar(self.tar.offset(), reason)
    }

    fn count_entry(&mut self) -> Result<(), ArchiveError> {
        self.entries += 1;
        limit("entries", self.entries, self.limits.entries)
    }

    fn entry(&mut self, header: &Header) -> Result<(), ArchiveError> {
        match header.kind {
            Kind::Pax => self.extend(header, Extension::from_pax),
            Kind::LongName => self.extend(header, Extension::from_long_name),
            Kind::GlobalPax => {
                let body = self.extension_body(header)?;
                extension::check_global_pax(&body).map_err(|reason| self.wrong(reason))
            }
            Kind::File | Kind::Directory => self.unpacked(header),
        }
    }

    fn extend(
        &mut self,
        header: &Header,
        read: impl FnOnce(&[u8]) -> Result<Extension, &'static str>,
    ) -> Result<(), ArchiveError> {
        let body = self.extension_body(header)?;
        let extension = read(&body).map_err(|reason| self.wrong(reason))?;
        self.extension = Some(extension);
        Ok(())
    }

    fn extension_body(&mut self, header: &Header) -> Result<Vec<u8>, ArchiveError> {
        // Readers disagree on which of two wins, and on whether one applies to the other.
        if self.extension.is_some() {
            return Err(self.wrong("two pax headers or long names stand before one entry"));
        }
        if header.size == 0 {
            return Err(self.wrong("a pax header or long name is empty"));
        }
        limit("bytes of a pax header", header.size, EXTENSION_BYTES)?;
        self.body(header.size, EXTENSION_BYTES, &mut Sniffer::default())
    }

    /// A file or directory: something a client will put on a disk.
    fn unpacked(&mut self, header: &Header) -> Result<(), ArchiveError> {
        let extension = self.extension.take().unwrap_or_default();
        let bytes = match &extension.path {
            Some(path) => path.as_bytes(),
            None => &header.path,
        };
        let refused = |reason| ArchiveError::entry(bytes, reason);
        limit("bytes of a path", bytes.len() as u64, self.limits.path_bytes)?;
        if extension.size.is_some_and(|size| size != header.size) {
            return Err(refused("its pax header gives another size"));
        }
        let text = str::from_utf8(bytes).map_err(|_| refused("its path is not valid UTF-8"))?;
        let is_directory = header.kind == Kind::Directory;
        let path = EntryPath::parse(text, is_directory).map_err(refused)?;
        check_shadow(header, &extension, path).map_err(refused)?;
        self.check_top(path).map_err(refused)?;
        check_special(path, is_directory).map_err(refused)?;
        if is_directory {
            return Ok(());
        }
        self.remember(path, header.size)?;
        let offset = self.tar.offset();
        let mut sniffer = Sniffer::default();
        self.file(path, header.size, &mut sniffer)?;
        let (is_text, sha256) = sniffer.finish();
        self.summary.files.push(FileEntry { path: path.inner.to_owned(), size: header.size, offset, is_text, sha256 });
        Ok(())
    }

    fn check_top(&mut self, path: EntryPath<'_>) -> Result<(), &'static str> {
        match &self.top {
            Some(top) if top != path.top => Err("it stands in another top folder than the rest"),
            Some(_) => Ok(()),
            None => {
                self.top = Some(path.top.to_owned());
                Ok(())
            }
        }
    }

    fn remember(&mut self, path: EntryPath<'_>, size: u64) -> Result<(), ArchiveError> {
        self.path_bytes += path.inner.len() as u64;
        limit("bytes of all paths", self.path_bytes, self.limits.all_paths_bytes)?;
        if !self.seen.insert(path.inner.to_owned()) {
            let reason = "another entry has the same path";
            return Err(ArchiveError::entry(path.inner.as_bytes(), reason));
        }
        self.summary.unpacked_size += size;
        Ok(())
    }

    fn file(&mut self, path: EntryPath<'_>, size: u64, sniffer: &mut Sniffer) -> Result<(), ArchiveError> {
        match path.inner {
            "package.json" => {
                let limit_bytes = self.limits.package_json_bytes;
                limit("bytes of package.json", size, limit_bytes)?;
                self.package_json = Some(self.body(size, limit_bytes, sniffer)?);
                return Ok(());
            }
            "npm-shrinkwrap.json" => self.summary.has_shrinkwrap = true,
            "binding.gyp" => self.summary.has_root_binding_gyp = true,
            name => match readme::rank(name) {
                Some(rank) if rank > self.readme_rank && !name.contains('/') => {
                    let bytes = self.body(size, self.limits.readme_bytes, sniffer)?;
                    self.readme_rank = rank;
                    self.summary.readme = Some(Readme::new(name, &bytes));
                    return Ok(());
                }
                _ => {}
            },
        }
        self.body(size, 0, sniffer).map(drop)
    }

    /// Reads the data of an entry and its padding; keeps the first `keep` bytes.
    fn body(&mut self, size: u64, keep: u64, sniffer: &mut Sniffer) -> Result<Vec<u8>, ArchiveError> {
        let block = BLOCK as u64;
        let mut left = size.checked_next_multiple_of(block).ok_or_else(|| self.wrong("a size is impossible"))?;
        let mut wanted = size.min(keep);
        let mut data = size;
        let mut kept = Vec::new();
        let mut scratch = [0; SCRATCH_BYTES];
        while left > 0 {
            let length = left.min(SCRATCH_BYTES as u64);
            let (part, _) = scratch.split_at_mut(usize::try_from(length).unwrap_or(0));
            self.tar.read_exact(part)?;
            let take = wanted.min(length);
            kept.extend(part.iter().take(usize::try_from(take).unwrap_or(0)));
            wanted -= take;
            let own = data.min(length);
            sniffer.update(part.get(..usize::try_from(own).unwrap_or(0)).unwrap_or_default());
            data -= own;
            left -= length;
        }
        Ok(kept)
    }
}

/// A special file must be a plain file, in the top folder, spelled exactly.
fn check_special(path: EntryPath<'_>, is_directory: bool) -> Result<(), &'static str> {
    match path.special() {
        Some(name) if name != path.inner || is_directory => {
            Err("some clients or file systems would take it for another file")
        }
        _ => Ok(()),
    }
}

/// The name in the header itself must not be special when a longer one replaces it: a reader that does not know the
/// extension would unpack another package.
fn check_shadow(header: &Header, extension: &Extension, path: EntryPath<'_>) -> Result<(), &'static str> {
    if extension.path.is_none() {
        return Ok(());
    }
    let plain = String::from_utf8_lossy(&header.path);
    let (_, inner) = plain.split_once('/').unwrap_or(("", &plain));
    let shadow = EntryPath { top: "", inner };
    if shadow.special().is_some() && shadow.inner != path.inner {
        return Err("its header names a special file, and its long name another");
    }
    Ok(())
}

fn limit(what: &'static str, value: u64, limit: u64) -> Result<(), ArchiveError> {
    if value > limit {
        return Err(ArchiveError::Limit { what, limit });
    }
    Ok(())
}
