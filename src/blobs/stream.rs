//! Files too large to be kept in memory, chunk by chunk.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use rustix::io::{ReadWriteFlags, preadv2};
use tokio::task::{JoinHandle, spawn_blocking};

use super::body::ByteRange;

/// How much of a file is in memory at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// Buffers that are kept for the next chunk. More than these are in use only while many clients read at once.
const KEPT: usize = 16;

/// The bytes of a part of a file. What the system has in its own memory is read where the stream is polled; only what
/// has to come from the disk goes through the blocking pool.
#[derive(Debug)]
pub struct FileStream {
    file: Arc<File>,
    /// What has not been read yet.
    rest: ByteRange,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    buffers: Buffers,
}

impl FileStream {
    pub(super) fn new(file: File, range: ByteRange, buffers: Buffers) -> Self {
        Self { file: Arc::new(file), rest: range, reading: None, buffers }
    }

    /// Reads a chunk if that needs no disk; `None` if it does, or if the file system cannot tell.
    fn read_cached(&self) -> Option<Bytes> {
        read(&self.file, self.buffers.take(), self.rest, ReadWriteFlags::NOWAIT).ok()
    }

    fn read_elsewhere(&self) -> JoinHandle<io::Result<Bytes>> {
        let (file, buffer, range) = (self.file.clone(), self.buffers.take(), self.rest);
        spawn_blocking(move || read(&file, buffer, range, ReadWriteFlags::empty()))
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        if self.reading.is_none()
            && let Some(chunk) = self.read_cached()
        {
            return Poll::Ready(Ok(chunk));
        }
        let mut reading = self.reading.take().unwrap_or_else(|| self.read_elsewhere());
        let polled = Pin::new(&mut reading).poll(context);
        if polled.is_pending() {
            self.reading = Some(reading);
        }
        polled.map(|joined| joined.map_err(io::Error::other).flatten())
    }

    fn advance(&mut self, chunk: &Bytes) {
        self.rest.start += chunk.len() as u64;
        self.rest.length -= chunk.len() as u64;
    }
}

impl Stream for FileStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.rest.length == 0 {
            return Poll::Ready(None);
        }
        let outcome = ready!(self.poll_chunk(context));
        if let Ok(chunk) = &outcome {
            self.advance(chunk);
        }
        Poll::Ready(Some(outcome))
    }
}

fn read(file: &File, mut buffer: Buffer, range: ByteRange, flags: ReadWriteFlags) -> io::Result<Bytes> {
    let wanted = usize::try_from(range.length).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
    let mut slices = [IoSliceMut::new(&mut buffer.bytes[..wanted])];
    match rustix::io::retry_on_intr(|| preadv2(file, &mut slices, range.start, flags))? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        filled => {
            buffer.filled = filled;
            Ok(Bytes::from_owner(buffer))
        }
    }
}

/// Buffers for chunks, used again and again: fresh memory for each would cost more than reading into it.
#[derive(Debug, Clone, Default)]
pub struct Buffers(Arc<Mutex<Vec<Box<[u8]>>>>);

impl Buffers {
    fn take(&self) -> Buffer {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Buffer { bytes: kept.unwrap_or_else(|| vec![0; CHUNK_BYTES].into()), filled: 0, home: self.clone() }
    }
}

/// A buffer on loan; goes home when dropped.
struct Buffer {
    bytes: Box<[u8]>,
    filled: usize,
    home: Buffers,
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut kept = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use futures_util::TryStreamExt;

    use super::*;

    async fn collect(stream: FileStream) -> io::Result<Vec<u8>> {
        stream.try_fold(Vec::new(), async |all, chunk| Ok([&all[..], &chunk[..]].concat())).await
    }

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[tokio::test]
    async fn a_part_comes_whole_and_its_buffers_come_home() {
        let bytes: Vec<u8> = (0..CHUNK_BYTES * 3 + 17).map(|at| u8::try_from(at / 251 % 256).unwrap()).collect();
        let buffers = Buffers::default();
        let range = ByteRange { start: 5, length: bytes.len() as u64 - 6 };
        let got = collect(FileStream::new(file_of(&bytes), range, buffers.clone())).await.unwrap();
        assert!(got == bytes[5..bytes.len() - 1]);
        assert_eq!(buffers.0.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_file_that_ends_too_early_is_an_error() {
        let range = ByteRange { start: 0, length: 20 };
        let error = collect(FileStream::new(file_of(b"short"), range, Buffers::default())).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
