//! The way of a tarball's bytes from the async reader to the one blocking task that stores, hashes and opens them.

use std::io::{self, BufRead, Read, Write};

use sha1::{Digest as _, Sha1};
use sha2::Sha512;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::error::BodyError;
use crate::packages::archive::{self, ArchiveLimits, ArchiveSummary};

/// Messages that may wait for the blocking task. With pieces of at most 64 KiB this is what one upload holds in
/// memory; a full channel stops the reader, and with it the client.
const WAITING_PIECES: usize = 4;

/// What the blocking task found out.
pub(super) struct Stored<W> {
    pub(super) size_bytes: u64,
    pub(super) sha512: [u8; 64],
    pub(super) sha1: [u8; 20],
    pub(super) archive: ArchiveSummary,
    pub(super) sink: W,
}

enum Message {
    Piece(Vec<u8>),
    /// The tarball is complete. A channel that closes without it tells the task that the upload was given up.
    End,
}

/// The async end. Dropping it ends the blocking task, which then drops the sink.
pub(super) struct Pipe<W> {
    sender: mpsc::Sender<Message>,
    task: JoinHandle<Result<Stored<W>, BodyError>>,
}

impl<W: Write + Send + 'static> Pipe<W> {
    /// Starts the task; the sink is opened there, since opening a file may block too.
    pub(super) fn open(open_sink: impl FnOnce() -> io::Result<W> + Send + 'static, limits: ArchiveLimits) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_PIECES);
        let task = tokio::task::spawn_blocking(move || {
            let sink = open_sink().map_err(BodyError::Sink)?;
            store(Intake::new(receiver, sink), &limits)
        });
        Self { sender, task }
    }

    /// Sends a piece and waits while the channel is full; false once the task has ended by itself, with an error
    /// that [`Pipe::finish`] tells.
    pub(super) async fn send(&self, piece: Vec<u8>) -> bool {
        self.sender.send(Message::Piece(piece)).await.is_ok()
    }

    /// Says that the tarball is complete, and waits for the task.
    pub(super) async fn finish(self) -> Result<Stored<W>, BodyError> {
        // An ended task is no surprise here: its result is what we wait for.
        let _ = self.sender.send(Message::End).await;
        drop(self.sender);
        let result = self.task.await;
        result.unwrap_or_else(|error| Err(BodyError::Sink(io::Error::other(error))))
    }

    /// Ends the task and waits until the sink has been dropped.
    pub(super) async fn abandon(self) {
        drop(self.sender);
        let _ = self.task.await;
    }
}

fn store<W: Write>(mut intake: Intake<W>, limits: &ArchiveLimits) -> Result<Stored<W>, BodyError> {
    let inspected = archive::inspect(&mut intake, limits);
    if let Some(error) = intake.failure {
        return Err(error);
    }
    let archive = inspected?;
    intake.sink.flush().map_err(BodyError::Sink)?;
    Ok(Stored {
        size_bytes: intake.size_bytes,
        sha512: intake.sha512.finalize().into(),
        sha1: intake.sha1.finalize().into(),
        archive,
        sink: intake.sink,
    })
}

/// The blocking end: a reader for the archive that stores and hashes each piece before it shows it.
struct Intake<W> {
    receiver: mpsc::Receiver<Message>,
    sink: W,
    sha512: Sha512,
    sha1: Sha1,
    size_bytes: u64,
    piece: Vec<u8>,
    position: usize,
    is_complete: bool,
    /// Why reading failed, if it was not the archive's fault.
    failure: Option<BodyError>,
}

impl<W: Write> Intake<W> {
    fn new(receiver: mpsc::Receiver<Message>, sink: W) -> Self {
        Self {
            receiver,
            sink,
            sha512: Sha512::new(),
            sha1: Sha1::new(),
            size_bytes: 0,
            piece: Vec::new(),
            position: 0,
            is_complete: false,
            failure: None,
        }
    }

    fn next_piece(&mut self) -> io::Result<()> {
        match self.receiver.blocking_recv() {
            Some(Message::Piece(piece)) => self.take(piece),
            Some(Message::End) => {
                self.is_complete = true;
                Ok(())
            }
            None => {
                self.failure = Some(BodyError::Transport("the upload was given up".into()));
                Err(io::ErrorKind::ConnectionAborted.into())
            }
        }
    }

    fn take(&mut self, piece: Vec<u8>) -> io::Result<()> {
        if let Err(error) = self.sink.write_all(&piece) {
            let kind = error.kind();
            self.failure = Some(BodyError::Sink(error));
            return Err(kind.into());
        }
        self.sha512.update(&piece);
        self.sha1.update(&piece);
        self.size_bytes += piece.len() as u64;
        (self.piece, self.position) = (piece, 0);
        Ok(())
    }
}

impl<W: Write> BufRead for Intake<W> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.position == self.piece.len() && !self.is_complete {
            self.next_piece()?;
        }
        Ok(self.piece.get(self.position..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.position = (self.position + amount).min(self.piece.len());
    }
}

impl<W: Write> Read for Intake<W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}
