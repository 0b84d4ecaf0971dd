//! Request bodies: small ones as JSON, uploads as a stream that may not stall.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

use super::path::Query;

/// The largest body of a login, token, access or owner request (`security.md` 1.9).
const SMALL_BYTES: usize = 64 * 1024;

/// How long the next piece of a body may take.
const IDLE: Duration = Duration::from_secs(15);

/// The least that a body must bring on average, once it has had a while: 100 MB may take an hour and three quarters.
const BYTES_PER_SECOND: u64 = 16 * 1024;
const HEAD_START: Duration = Duration::from_secs(30);

/// What is read and thrown away of a refused upload, so that the client comes to read the refusal.
const DRAINED_BYTES: u64 = 16 << 20;
const DRAINED_FOR: Duration = Duration::from_secs(10);

/// A small JSON body. Refuses other content types, encodings, sizes, and members that come twice.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        read_json(request).await
    }
}

/// Reads a small JSON body, for handlers that decide something before they do.
///
/// # Errors
/// `UnsupportedMedia`, `TooLarge`, `Malformed`, `BodyTimeout`.
pub async fn read_json<T: DeserializeOwned>(request: Request) -> Result<JsonBody<T>> {
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    let bytes = read_small(body).await?;
    crate::packages::check_json(&bytes)?;
    let value = serde_json::from_slice(&bytes).map_err(|cause| {
        Error::Malformed(format!("The request body does not have the expected form: {cause}.").into())
    })?;
    Ok(JsonBody(value))
}

/// Reads the small body that the form of a page sends.
///
/// # Errors
/// `UnsupportedMedia`, `TooLarge`, `Malformed`, `BodyTimeout`.
pub async fn read_form(request: Request) -> Result<Query> {
    let (parts, body) = request.into_parts();
    require_plain(&parts.headers, "application/x-www-form-urlencoded")?;
    let bytes = read_small(body).await?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Error::Malformed("The form is not valid UTF-8. Send it again.".into()))?;
    Query::parse(text)
}

/// Reads the small JSON body of a request as the very bytes that came: what is signed is not taken apart first.
///
/// # Errors
/// `UnsupportedMedia`, `TooLarge`, `BodyTimeout`.
pub async fn read_raw(request: Request, most_bytes: usize) -> Result<Bytes> {
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    Ok(read_up_to(body, most_bytes).await?.freeze())
}

async fn read_small(body: Body) -> Result<BytesMut> {
    read_up_to(body, SMALL_BYTES).await
}

async fn read_up_to(body: Body, most_bytes: usize) -> Result<BytesMut> {
    let mut stream = BodyStream::new(body);
    let mut bytes = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() > most_bytes {
            let sentence = format!("The request body is larger than {} kB. Send less.", most_bytes / 1024);
            return Err(Error::TooLarge(sentence.into()));
        }
    }
    Ok(bytes)
}

/// Refuses a body that is not plain JSON.
fn require_json(headers: &HeaderMap) -> Result<()> {
    require_plain(headers, "application/json")
}

/// Refuses a body of another type, and a compressed one.
fn require_plain(headers: &HeaderMap, wanted: &str) -> Result<()> {
    require_type(headers, wanted)?;
    let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("identity");
    if !encoding.trim().eq_ignore_ascii_case("identity") {
        return Err(Error::UnsupportedMedia("The body must not be compressed. Send it as it is.".into()));
    }
    Ok(())
}

/// Refuses a body that is not JSON, whatever its encoding.
pub(super) fn require_json_type(headers: &HeaderMap) -> Result<()> {
    require_type(headers, "application/json")
}

fn require_type(headers: &HeaderMap, wanted: &str) -> Result<()> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(wanted) {
        return Err(Error::UnsupportedMedia(format!("The body must be {wanted}. Set the content type.").into()));
    }
    Ok(())
}

/// Opens the body of an upload, once its headers have been found acceptable.
///
/// # Errors
/// `UnsupportedMedia`, or `TooLarge` where the announced length is above `most_bytes`.
pub fn upload(headers: &HeaderMap, body: Body, most_bytes: u64) -> Result<BodyStream, (Error, Body)> {
    if let Err(refusal) = require_json(headers) {
        return Err((refusal, body));
    }
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most_bytes) {
        let sentence = format!("This publish is larger than the {most_bytes} bytes that this registry takes.");
        return Err((Error::TooLarge(sentence.into()), body));
    }
    Ok(BodyStream::new(body))
}

/// Reads on for a moment and throws away what comes: npm reports a broken connection instead of our sentence when the
/// server closes while it is still sending (`protocol.md` 3.1).
pub async fn drain(body: Body) {
    BodyStream::new(body).drain().await;
}

/// A body as a stream of chunks that ends with an error when the client stalls or trickles (`security.md` 5.1).
pub struct BodyStream {
    chunks: axum::body::BodyDataStream,
    /// Runs from the first poll: a body that waits for its turn on our side is not late.
    patience: Option<Patience>,
    bytes: u64,
    ended: bool,
}

struct Patience {
    idle: Pin<Box<tokio::time::Sleep>>,
    began: Instant,
}

impl Patience {
    fn begin() -> Self {
        Self { idle: Box::pin(tokio::time::sleep(IDLE)), began: Instant::now() }
    }

    /// Whether what has come so far is too little for the time it took.
    fn is_trickle(&self, bytes: u64) -> bool {
        let late = self.began.elapsed().saturating_sub(HEAD_START);
        bytes < late.as_secs() * BYTES_PER_SECOND
    }
}

impl std::fmt::Debug for BodyStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("BodyStream").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl BodyStream {
    pub(super) fn new(body: Body) -> Self {
        Self { chunks: body.into_data_stream(), patience: None, bytes: 0, ended: false }
    }

    /// As [`drain`], where reading has begun.
    pub async fn drain(&mut self) {
        let read_on = async {
            let mut read = 0;
            while let Some(Ok(chunk)) = self.next().await {
                read += chunk.len() as u64;
                if read > DRAINED_BYTES {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(DRAINED_FOR, read_on).await;
    }

    fn fail(&mut self) -> Poll<Option<Result<Bytes>>> {
        self.ended = true;
        Poll::Ready(Some(Err(Error::BodyTimeout)))
    }
}

impl Stream for BodyStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        let patience = this.patience.get_or_insert_with(Patience::begin);
        match this.chunks.poll_next_unpin(context) {
            Poll::Ready(Some(Ok(chunk))) => {
                this.bytes += chunk.len() as u64;
                if patience.is_trickle(this.bytes) {
                    return this.fail();
                }
                patience.idle.as_mut().reset(tokio::time::Instant::now() + IDLE);
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Ready(Some(Err(_))) => this.fail(),
            Poll::Ready(None) => {
                this.ended = true;
                Poll::Ready(None)
            }
            Poll::Pending => match patience.idle.as_mut().poll(context) {
                Poll::Ready(()) => this.fail(),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

/// How many headers an answer has, those counted in that the edge adds.
const HEADERS: usize = 12;

/// An answer with room for its headers, which would otherwise be made again and again while they come.
pub fn answer(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().reserve(HEADERS);
    response
}

/// A JSON answer.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => {
                let mut response = Response::new(Body::from(bytes));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                *response.status_mut() = StatusCode::OK;
                response
            }
            Err(cause) => Error::internal(cause).into_response(),
        }
    }
}
