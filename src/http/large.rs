//! Bodies that may be large and compressed: what clients send of their dependency trees.
//!
//! They come from anybody, so memory for them is counted: of all such bodies together only so much is held at once, the
//! first part of each aside, and few are taken apart at the same time.

use std::io::Read as _;
use std::sync::Arc;

use axum::extract::Request;
use flate2::read::GzDecoder;
use futures_util::StreamExt as _;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};

use super::body::{BodyStream, require_json_type};

/// The most bytes of a body, as it comes and decoded; a large monorepo sends some hundred kilobytes.
const MOST_BYTES: usize = 10 << 20;

/// The most values in a body: each takes some hundred bytes once it is taken apart.
const MOST_VALUES: usize = 500_000;

/// What each body may hold without being counted.
const FREE_BYTES: usize = 64 * 1024;

/// What all bodies together may hold beyond that, in kibibytes.
const KIBIBYTES: usize = 64 * 1024;

/// How many bodies are taken apart at once.
const AT_ONCE: usize = 2;

/// The way in for large bodies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LargeBodies {
    memory: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Default for LargeBodies {
    fn default() -> Self {
        Self { memory: Arc::new(Semaphore::new(KIBIBYTES)), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl LargeBodies {
    /// Reads a JSON body, `gzip` or as it is.
    ///
    /// # Errors
    /// `UnsupportedMedia`, `TooLarge`, `Malformed`, `BodyTimeout`; `Unavailable` while too much is being read.
    pub async fn read<T: DeserializeOwned + Send + 'static>(&self, request: Request) -> Result<T> {
        let (parts, body) = request.into_parts();
        require_json_type(&parts.headers)?;
        let compressed = is_compressed(&parts.headers)?;
        let mut held = Held::new(self.memory.clone());
        let mut stream = BodyStream::new(body);
        while let Some(chunk) = stream.next().await {
            held.push(&chunk?)?;
        }
        let _turn = self.turns.acquire().await.map_err(Error::internal)?;
        let memory = self.memory.clone();
        let take_apart = move || parse(&if compressed { decode(&held, memory)? } else { held });
        tokio::task::spawn_blocking(take_apart).await.map_err(Error::internal)?
    }
}

fn is_compressed(headers: &HeaderMap) -> Result<bool> {
    let encoding = headers.get(CONTENT_ENCODING).map_or(Ok("identity"), |value| value.to_str());
    match encoding.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "identity" => Ok(false),
        "gzip" | "x-gzip" => Ok(true),
        _ => {
            Err(Error::UnsupportedMedia("The body's encoding is not known here. Send it as it is, or as gzip.".into()))
        }
    }
}

fn decode(compressed: &Held, memory: Arc<Semaphore>) -> Result<Held> {
    let mut decoder = GzDecoder::new(compressed.bytes.as_slice());
    let mut held = Held::new(memory);
    let mut piece = vec![0; FREE_BYTES];
    loop {
        let read = decoder.read(&mut piece).map_err(|_| Error::Malformed("The body is not whole gzip.".into()))?;
        if read == 0 {
            return Ok(held);
        }
        held.push(&piece[..read])?;
    }
}

fn parse<T: DeserializeOwned>(held: &Held) -> Result<T> {
    let values = held.bytes.iter().filter(|byte| matches!(byte, b'[' | b'{' | b',')).count();
    if values > MOST_VALUES {
        return Err(Error::TooLarge("The request body holds more than 500000 values. Send less.".into()));
    }
    crate::packages::check_json(&held.bytes)?;
    serde_json::from_slice(&held.bytes)
        .map_err(|cause| Error::Malformed(format!("The request body does not have the expected form: {cause}.").into()))
}

/// Bytes, and the leave to hold them.
struct Held {
    bytes: Vec<u8>,
    memory: Arc<Semaphore>,
    counted: usize,
    leave: Option<OwnedSemaphorePermit>,
}

impl Held {
    fn new(memory: Arc<Semaphore>) -> Self {
        Self { bytes: Vec::new(), memory, counted: 0, leave: None }
    }

    fn push(&mut self, more: &[u8]) -> Result<()> {
        let length = self.bytes.len() + more.len();
        if length > MOST_BYTES {
            return Err(Error::TooLarge("The request body is larger than 10 MB. Send less.".into()));
        }
        let wanted = length.saturating_sub(FREE_BYTES).div_ceil(1024);
        if let Some(missing) = wanted.checked_sub(self.counted).filter(|missing| *missing > 0) {
            let missing_permits = u32::try_from(missing).map_err(Error::internal)?;
            let leave = self.memory.clone().try_acquire_many_owned(missing_permits);
            let leave = leave.map_err(|_| Error::Unavailable("too many large requests are being read".into()))?;
            match &mut self.leave {
                Some(held) => held.merge(leave),
                None => self.leave = Some(leave),
            }
            self.counted = wanted;
        }
        self.bytes.extend_from_slice(more);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_counted_and_given_back() {
        let memory = Arc::new(Semaphore::new(100));
        let mut held = Held::new(memory.clone());
        held.push(&vec![0; FREE_BYTES]).unwrap();
        assert_eq!(memory.available_permits(), 100);
        held.push(&[0; 1]).unwrap();
        assert_eq!(memory.available_permits(), 99);
        held.push(&vec![0; 50 * 1024 - 1]).unwrap();
        assert_eq!(memory.available_permits(), 50);
        assert!(matches!(held.push(&vec![0; 51 * 1024]), Err(Error::Unavailable(_))));
        drop(held);
        assert_eq!(memory.available_permits(), 100);
    }
}
