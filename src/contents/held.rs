//! Files on their way out, which take memory until the last byte has left: so many bytes at once, and no more.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};

/// Bytes of files that may be on their way at once, however slowly they are taken.
const MOST_BYTES: u64 = 64 << 20;

/// What one permit stands for.
const UNIT_BYTES: u64 = 64 << 10;

/// The memory that is left for files on their way.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Semaphore>);

impl Room {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(usize::try_from(MOST_BYTES / UNIT_BYTES).unwrap_or(1))))
    }

    /// Takes the room that a file of this size needs, before it is unpacked.
    ///
    /// # Errors
    /// `Unavailable` where others have it.
    pub(super) fn take(&self, size: u64) -> Result<OwnedSemaphorePermit> {
        let units = u32::try_from(size.div_ceil(UNIT_BYTES).max(1)).unwrap_or(u32::MAX);
        self.0
            .clone()
            .try_acquire_many_owned(units)
            .map_err(|_| Error::Unavailable("too many large files are being fetched at once".into()))
    }
}

/// A file with its room, which is given back with the last byte: a body that is gone may still wait in the connection.
struct Held {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Binds the room to the bytes.
pub(super) fn hold(bytes: Vec<u8>, room: OwnedSemaphorePermit) -> Bytes {
    Bytes::from_owner(Held { bytes, _room: room })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_back_with_the_last_byte() {
        let room = Room::new();
        let size = 16 << 20;
        let sent: Vec<Bytes> = (0..4).map(|_| hold(vec![1], room.take(size).unwrap())).collect();
        assert!(room.take(1).is_err());
        let rest = sent[0].slice(..0);
        drop(sent);
        drop(rest);
        assert!(room.take(size).is_ok());
    }
}
