//! Several publish documents in one body, `{"packages":[…]}` (`protocol.md` 3.10), one after the other as they arrive.
//!
//! An outer scanner finds where a document begins and ends; its bytes go to a reader of their own, so that a document
//! in a batch meets the same strictness as one that comes alone.

use std::error::Error as StdError;
use std::io;

use bytes::{Buf as _, Bytes};
use futures_util::{Stream, StreamExt as _};

use super::error::{BodyError, Limit};
use super::{Limits, Received, Upload, WINDOW_BYTES};
use crate::packages::json::{Event, Malformed, Scanner};

const NO_BATCH: &str = "a batch is a JSON object with an array \"packages\"";

/// Where in the batch the scanner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Members,
    /// In the value of a member that means nothing here.
    Ignored,
    /// Before the opening bracket of `packages`.
    Packages,
    /// Between documents.
    Documents,
    Document,
    End,
}

/// What one step of the splitter came upon.
enum Edge {
    Begin,
    End,
    None,
}

struct Splitter {
    scanner: Scanner,
    place: Place,
    has_packages: bool,
}

impl Splitter {
    fn new() -> Self {
        Self { scanner: Scanner::new(), place: Place::Start, has_packages: false }
    }

    /// Reads on to the next event; `None` when `rest` is used up.
    fn step(&mut self, rest: &mut &[u8]) -> Result<Option<Edge>, Malformed> {
        let Some(event) = self.scanner.next(rest)? else { return Ok(None) };
        let depth = self.scanner.depth();
        let before = self.place;
        self.place = match (before, event) {
            (Place::Members, Event::Key) if self.scanner.key() == "packages" => Place::Packages,
            (Place::Members, Event::Key) => Place::Ignored,
            (Place::Members, Event::ObjectEnd) => Place::End,
            (Place::Ignored, event) if depth > 1 || !event.ends_value() => Place::Ignored,
            (Place::Packages, Event::ArrayStart) => {
                self.has_packages = true;
                Place::Documents
            }
            (Place::Start, Event::ObjectStart) | (Place::Ignored, _) | (Place::Documents, Event::ArrayEnd) => {
                Place::Members
            }
            (Place::Documents, Event::ObjectStart) => Place::Document,
            (Place::Documents, _) => return Err(self.scanner.malformed("an entry of packages is not an object")),
            (Place::Document, _) if depth == 2 => Place::Documents,
            (Place::Document, _) => Place::Document,
            (Place::Start | Place::Members | Place::Packages | Place::End, _) => {
                return Err(self.scanner.malformed(NO_BATCH));
            }
        };
        Ok(Some(match (before, self.place) {
            (Place::Documents, Place::Document) => Edge::Begin,
            (Place::Document, Place::Documents) => Edge::End,
            _ => Edge::None,
        }))
    }

    fn finish(&self) -> Result<(), Malformed> {
        self.scanner.finish()?;
        if self.place == Place::End && self.has_packages { Ok(()) } else { Err(self.scanner.malformed(NO_BATCH)) }
    }
}

/// The documents of a batch, one after the other.
pub struct Documents<S, F> {
    body: S,
    limits: Limits,
    total_bytes: u64,
    open_sink: F,
    splitter: Splitter,
    /// What has arrived and was not looked at.
    chunk: Bytes,
    read_bytes: u64,
}

impl<S, F> Documents<S, F> {
    /// `limits` are those of each document, `total_bytes` is what the body may be in all; `open_sink` as for
    /// [`receive`](super::receive).
    pub fn new(body: S, limits: Limits, total_bytes: u64, open_sink: F) -> Self {
        Self { body, limits, total_bytes, open_sink, splitter: Splitter::new(), chunk: Bytes::new(), read_bytes: 0 }
    }

    /// Reads on to the end of the next document; `None` behind the last one.
    ///
    /// # Errors
    /// See [`BodyError`]. What was received before is the caller's to drop.
    pub async fn next<E, W>(&mut self) -> Result<Option<Received<W>>, BodyError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: Fn() -> io::Result<W> + Clone + Send + 'static,
        W: io::Write + Send + 'static,
    {
        let mut current = None;
        while self.fill().await? {
            let window = self.chunk.slice(..self.chunk.len().min(WINDOW_BYTES));
            let mut rest = &window[..];
            // Where in the window the part of the current document begins that its reader has not seen.
            let mut unseen = 0;
            while let Some(edge) = self.splitter.step(&mut rest)? {
                let position = window.len() - rest.len();
                match edge {
                    Edge::Begin => {
                        unseen = position - 1;
                        current = Some(Upload::new(self.limits, self.open_sink.clone()));
                    }
                    Edge::End => {
                        self.chunk.advance(position);
                        if let Some(mut upload) = current.take() {
                            upload.push(&window[unseen..position]).await?;
                            return upload.finish().await.map(Some);
                        }
                    }
                    Edge::None => {}
                }
            }
            if let Some(upload) = &mut current {
                upload.push(&window[unseen..]).await?;
            }
            self.chunk.advance(window.len());
        }
        self.splitter.finish()?;
        Ok(None)
    }

    /// Waits for bytes; false behind the last ones.
    async fn fill<E>(&mut self) -> Result<bool, BodyError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        while self.chunk.is_empty() {
            let Some(chunk) = self.body.next().await else { return Ok(false) };
            self.chunk = chunk.map_err(|error| BodyError::Transport(error.into()))?;
            self.read_bytes += self.chunk.len() as u64;
            if self.read_bytes > self.total_bytes {
                return Err(BodyError::TooLarge { limit: Limit::Batch, limit_bytes: self.total_bytes });
            }
        }
        Ok(true)
    }
}
