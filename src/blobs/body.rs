use std::fs::File;
use std::io::{BufRead, BufReader, Cursor};

use bytes::Bytes;

use super::stream::{Buffers, FileStream};

/// How much is read from the disk at once, where somebody reads from first to last.
const READ_BYTES: usize = 64 * 1024;

/// The bytes under a digest, in memory or still on the disk.
#[derive(Debug)]
pub enum Blob {
    /// A small file, shared with the cache.
    Memory(Bytes),
    /// A large one, to be streamed.
    File {
        /// The open file; it stays readable even if the sweeper takes its name away.
        file: File,
        /// Its length.
        size: u64,
        /// Where its chunks are read into.
        buffers: Buffers,
    },
}

/// A part of a file: `start` and `length` in bytes, both checked against the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// How many.
    pub length: u64,
}

impl Blob {
    /// Length in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { size, .. } => *size,
        }
    }

    /// The bytes from first to last, for who reads where reading may block.
    pub fn into_reader(self) -> Box<dyn BufRead + Send> {
        match self {
            Self::Memory(bytes) => Box::new(Cursor::new(bytes)),
            Self::File { file, .. } => Box::new(BufReader::with_capacity(READ_BYTES, file)),
        }
    }

    /// The bytes of `range` as a stream of chunks; a file in memory is one chunk.
    pub fn into_stream(self, range: ByteRange) -> BlobStream {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(bytes.len());
                let length = usize::try_from(range.length).unwrap_or(usize::MAX).min(bytes.len() - start);
                BlobStream::Memory(bytes.slice(start..start + length))
            }
            Self::File { file, buffers, .. } => BlobStream::File(FileStream::new(file, range, buffers)),
        }
    }
}

/// What [`Blob::into_stream`] gives: one chunk, or a stream of them.
#[derive(Debug)]
pub enum BlobStream {
    /// All at once.
    Memory(Bytes),
    /// From the disk, chunk by chunk.
    File(FileStream),
}
