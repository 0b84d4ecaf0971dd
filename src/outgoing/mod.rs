//! Requests to addresses that users or operators named: hooks, and the keys of issuers.
//!
//! Such an address is a stranger's word, so every request is held on a short rein (`security.md` 4.6): a name is
//! resolved once and the connection goes to what was judged ([`guard`]), no redirect is followed, no proxy of the
//! environment is asked, no credential is sent but what the caller put in, time and bytes are bounded.

mod connection;
mod guard;
mod target;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde::de::DeserializeOwned;
use tokio_rustls::TlsConnector;

use crate::config;

use connection::{Ask, exchange};
use guard::Guard;
pub use target::Target;

/// How much of an answer to a [`Outgoing::post`] is kept.
const EXCERPT_BYTES: usize = 4096;

/// Why a request brought nothing. The sentences may be shown to whoever named the address.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// The address is not one that can be asked.
    #[error("the address is not usable: {0}")]
    Address(&'static str),
    /// The address leads to a machine that strangers may not have asked.
    #[error("the address leads into a network that is not open to requests of the registry (outgoing.allow)")]
    Refused,
    /// Nobody answers there, or the connection broke.
    #[error("the server could not be reached: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("the server took too long to answer")]
    Timeout,
    /// Another status than 200.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// More bytes than allowed.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Not the JSON that was expected.
    #[error("the answer is not the expected JSON: {0}")]
    NotJson(String),
}

/// What came back from a [`Outgoing::post`].
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status; a redirect is one like any other.
    pub status: StatusCode,
    /// The beginning of its body, as text for a log.
    pub excerpt: String,
}

/// Makes the requests. Cheap to clone.
#[derive(Clone)]
pub struct Outgoing {
    guard: Arc<Guard>,
    tls: TlsConnector,
    timeout: Duration,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Outgoing").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl Outgoing {
    /// Reads the certificates that are trusted beside the public ones. Connects to nothing.
    ///
    /// # Errors
    /// The file system's, where the configured certificates cannot be read.
    pub fn new(config: &config::Outgoing) -> io::Result<Self> {
        Ok(Self {
            guard: Arc::new(Guard::new(&config.allow)),
            tls: connection::tls(config.certificates.as_deref())?,
            timeout: Duration::from_secs(config.timeout_seconds),
        })
    }

    /// The same for an address that stands in the configuration: the operator may mean a machine of their own network.
    #[must_use]
    pub fn for_operator(&self) -> Self {
        Self { guard: Arc::new(Guard::open()), ..self.clone() }
    }

    /// Makes any request, and gives the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`OutgoingError`], where no answer came, or more of it than `max_bytes`.
    pub async fn ask(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
        max_bytes: usize,
    ) -> Result<(StatusCode, Bytes), OutgoingError> {
        let ask = Ask { method, target: url.parse()?, headers, body };
        let answer = self.within_time(exchange(&self.guard, &self.tls, ask, max_bytes)).await?;
        if answer.cut { Err(OutgoingError::TooLarge(max_bytes)) } else { Ok((answer.status, answer.body)) }
    }

    /// Fetches a JSON document.
    ///
    /// # Errors
    /// [`OutgoingError`]; `Status` for everything but 200.
    pub async fn get_json<T: DeserializeOwned>(&self, url: &str, max_bytes: usize) -> Result<T, OutgoingError> {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT, http::HeaderValue::from_static("application/json"));
        let ask = Ask { method: Method::GET, target: url.parse()?, headers, body: Bytes::new() };
        let answer = self.within_time(exchange(&self.guard, &self.tls, ask, max_bytes)).await?;
        if answer.status != StatusCode::OK {
            return Err(OutgoingError::Status(answer.status.as_u16()));
        }
        if answer.cut {
            return Err(OutgoingError::TooLarge(max_bytes));
        }
        serde_json::from_slice(&answer.body).map_err(|cause| OutgoingError::NotJson(cause.to_string()))
    }

    /// Posts a body. Any status is an answer.
    ///
    /// # Errors
    /// [`OutgoingError`], where no answer came.
    pub async fn post(&self, url: &str, headers: HeaderMap, body: Bytes) -> Result<Reply, OutgoingError> {
        let ask = Ask { method: Method::POST, target: url.parse()?, headers, body };
        let answer = self.within_time(exchange(&self.guard, &self.tls, ask, EXCERPT_BYTES)).await?;
        Ok(Reply { status: answer.status, excerpt: String::from_utf8_lossy(&answer.body).into_owned() })
    }

    async fn within_time<T>(&self, work: impl Future<Output = Result<T, OutgoingError>>) -> Result<T, OutgoingError> {
        tokio::time::timeout(self.timeout, work).await.unwrap_or(Err(OutgoingError::Timeout))
    }
}
