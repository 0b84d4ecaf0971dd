//! The unpacked bytes of one gzip stream, counted against the limits.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::{ArchiveError, ArchiveLimits};

/// Unpacked bytes before the expansion ratio counts: small archives of zeros harm nobody.
const RATIO_FREE_BYTES: u64 = 1 << 20;

/// Unpacks a single gzip member and insists that nothing follows it.
///
/// Node's zlib goes on with a second member, and silently drops bytes that look like none; decoders that work on a
/// whole buffer stop behind the first. What clients read differently is refused, and no packer of a package manager
/// writes it.
pub(super) struct Gunzip<R> {
    decoder: GzDecoder<Counted<R>>,
    limits: ArchiveLimits,
    unpacked_bytes: u64,
}

impl<R: BufRead> Gunzip<R> {
    pub(super) fn new(source: R, limits: ArchiveLimits) -> Self {
        let counted = Counted { source, bytes: 0 };
        Self { decoder: GzDecoder::new(counted), limits, unpacked_bytes: 0 }
    }

    /// Unpacked bytes so far.
    pub(super) fn offset(&self) -> u64 {
        self.unpacked_bytes
    }

    /// Reads some bytes; 0 at the end, whose checksum and length have then been verified.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        let read = self.decoder.read(buffer).map_err(wrong_gzip)?;
        self.unpacked_bytes += read as u64;
        self.check_limits()?;
        Ok(read)
    }

    /// Fills the buffer or fails.
    pub(super) fn read_exact(&mut self, mut buffer: &mut [u8]) -> Result<(), ArchiveError> {
        while !buffer.is_empty() {
            let read = self.read(buffer)?;
            if read == 0 {
                return Err(ArchiveError::tar(self.offset(), "it ends too early"));
            }
            buffer = buffer.split_at_mut(read).1;
        }
        Ok(())
    }

    /// To be called behind the last byte: whether the source ends with the gzip stream.
    pub(super) fn finish(mut self) -> Result<(), ArchiveError> {
        let source = &mut self.decoder.get_mut().source;
        if source.fill_buf().map_err(ArchiveError::Io)?.is_empty() {
            return Ok(());
        }
        let reason = "something follows the first gzip member, which clients read differently";
        Err(ArchiveError::Gzip(reason.into()))
    }

    fn check_limits(&self) -> Result<(), ArchiveError> {
        if self.unpacked_bytes > self.limits.unpacked_bytes {
            return Err(ArchiveError::Limit { what: "unpacked bytes", limit: self.limits.unpacked_bytes });
        }
        let ratio = self.limits.expansion_ratio;
        let allowed = self.decoder.get_ref().bytes.saturating_mul(ratio);
        if self.unpacked_bytes > allowed.max(RATIO_FREE_BYTES) {
            return Err(ArchiveError::Limit { what: "unpacked bytes for each packed one", limit: ratio });
        }
        Ok(())
    }
}

fn wrong_gzip(error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::Gzip("it ends too early".into()),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => ArchiveError::Gzip(error.to_string().into()),
        _ => ArchiveError::Io(error),
    }
}

/// Counts what the decoder takes.
struct Counted<R> {
    source: R,
    bytes: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.source.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.bytes += amount as u64;
        self.source.consume(amount);
    }
}
