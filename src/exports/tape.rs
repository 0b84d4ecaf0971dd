//! An archive on its way out: tar, piece by piece.

use std::io;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;

use crate::clock::Time;
use crate::error::{Error, Result};

/// What every entry is rounded up to.
const BLOCK: u64 = 512;

/// An archive ends with two empty blocks.
const END: [u8; 1024] = [0; 1024];

/// The archive, of which nothing is kept but where it stands.
pub(super) struct Tape {
    sender: mpsc::Sender<io::Result<Bytes>>,
    folder: String,
    now: Time,
    /// What the entry that was begun still lacks.
    lacking: u64,
    padding: usize,
    /// When the turn was last renewed.
    pub(super) renewed_at: Time,
}

impl Tape {
    /// Everything goes into `folder`.
    pub(super) fn new(sender: mpsc::Sender<io::Result<Bytes>>, folder: String, now: Time) -> Self {
        Self { sender, folder, now, lacking: 0, padding: 0, renewed_at: now }
    }

    /// A small file, whole.
    pub(super) async fn file(&mut self, path: &str, bytes: Bytes) -> Result<()> {
        self.begin_file(path, bytes.len() as u64, self.now).await?;
        self.piece(bytes).await?;
        self.end_file().await
    }

    /// Begins a file of so many bytes.
    pub(super) async fn begin_file(&mut self, path: &str, size: u64, modified: Time) -> Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o644);
        header.set_mtime(modified.timestamp().unsigned_abs());
        let mut entry = tar::Builder::new(Vec::new());
        // The entry's head alone, with the longer name before it where one is needed.
        entry.append_data(&mut header, format!("{}/{path}", self.folder), io::empty())?;
        let head = Bytes::copy_from_slice(entry.get_ref());
        self.lacking = size;
        self.padding = usize::try_from((BLOCK - size % BLOCK) % BLOCK).unwrap_or_default();
        self.send(head).await
    }

    /// The next bytes of the file that was begun.
    pub(super) async fn piece(&mut self, bytes: Bytes) -> Result<()> {
        let rest = self.lacking.checked_sub(bytes.len() as u64);
        self.lacking = rest.ok_or_else(|| Error::internal("a file is longer than it was said to be"))?;
        if bytes.is_empty() { Ok(()) } else { self.send(bytes).await }
    }

    /// All the bytes of the file that was begun.
    pub(super) async fn pieces<S, E>(&mut self, mut stream: S) -> Result<()>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::error::Error + Send + Sync + 'static,
    {
        while let Some(piece) = stream.next().await {
            self.piece(piece.map_err(Error::internal)?).await?;
        }
        Ok(())
    }

    /// Ends the file that was begun.
    pub(super) async fn end_file(&mut self) -> Result<()> {
        if self.lacking != 0 {
            return Err(Error::internal("a file is shorter than it was said to be"));
        }
        match self.padding {
            0 => Ok(()),
            bytes => self.send(Bytes::from(vec![0; bytes])).await,
        }
    }

    /// Ends the archive, or breaks it off where it could not be written whole.
    pub(super) async fn close(self, written: Result<()>) {
        let last = match written {
            Ok(()) => Ok(Bytes::from_static(&END)),
            Err(cause) => Err(io::Error::other(cause)),
        };
        // Whoever does not listen any more need not be told.
        let _ = self.sender.send(last).await;
    }

    async fn send(&self, bytes: Bytes) -> Result<()> {
        let gone = |_| Error::Unavailable("nobody takes the export any more".into());
        self.sender.send(Ok(bytes)).await.map_err(gone)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use chrono::DateTime;

    use super::*;

    #[tokio::test]
    async fn what_was_written_piece_by_piece_is_an_archive() {
        let (sender, mut receiver) = mpsc::channel(64);
        let mut tape = Tape::new(sender, "all".into(), DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let long = format!("packages/@{}/x.tgz", "long".repeat(60));
        tape.file("a.txt", Bytes::from_static(b"short")).await.unwrap();
        tape.begin_file(&long, 1024, tape.now).await.unwrap();
        tape.piece(vec![7; 1000].into()).await.unwrap();
        assert!(tape.end_file().await.is_err(), "it is not there yet");
        tape.piece(vec![7; 24].into()).await.unwrap();
        assert!(tape.piece(vec![7].into()).await.is_err(), "it is too long");
        tape.lacking = 0;
        tape.end_file().await.unwrap();
        tape.file("empty", Bytes::new()).await.unwrap();
        tape.close(Ok(())).await;
        let mut bytes = Vec::new();
        while let Some(piece) = receiver.recv().await {
            bytes.extend(piece.unwrap());
        }
        let mut found = Vec::new();
        for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut text = Vec::new();
            entry.read_to_end(&mut text).unwrap();
            found.push((path, text.len()));
        }
        let expected = [("all/a.txt".to_owned(), 5), (format!("all/{long}"), 1024), ("all/empty".to_owned(), 0)];
        assert_eq!(found, expected);
    }
}
