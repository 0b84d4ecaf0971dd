use std::fs::File;
use std::io::SeekFrom;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::error::Result;

/// How much of a large file is in memory at once.
const CHUNK_BYTES: usize = 256 * 1024;

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

    /// The bytes of `range` as a stream of chunks; a file in memory is one chunk.
    ///
    /// # Errors
    /// The file system's, when the range cannot be reached.
    pub async fn into_stream(self, range: ByteRange) -> Result<BlobStream> {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(bytes.len());
                let length = usize::try_from(range.length).unwrap_or(usize::MAX).min(bytes.len() - start);
                Ok(BlobStream::Memory(bytes.slice(start..start + length)))
            }
            Self::File { file, .. } => {
                let mut file = tokio::fs::File::from_std(file);
                file.set_max_buf_size(CHUNK_BYTES);
                file.seek(SeekFrom::Start(range.start)).await?;
                Ok(BlobStream::File(ReaderStream::with_capacity(file.take(range.length), CHUNK_BYTES)))
            }
        }
    }
}

/// What [`Blob::into_stream`] gives: one chunk, or a stream of them.
#[derive(Debug)]
pub enum BlobStream {
    /// All at once.
    Memory(Bytes),
    /// From the disk, chunk by chunk.
    File(ReaderStream<tokio::io::Take<tokio::fs::File>>),
}
