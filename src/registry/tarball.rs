//! Tarballs (`protocol.md` 2.5): the stored bytes, never encoded again, whole or in part.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::app::App;
use crate::blobs::{Blob, BlobStream, ByteRange, Digest};
use crate::error::{Error, Result};
use crate::http::{CachePolicy, CurrentActor, PathParameters, Validators, not_modified};
use crate::names::TarballName;
use crate::packages::{Opened, TarballFacts};
use crate::policy::{Intent, Visibility};

use super::notice_dead_token;
use super::packument::open;

/// `GET /{package}/-/{file}`, and HEAD.
pub(super) async fn get(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let name = parameters.package().for_reading()?;
    let (actor, opened) = open(&app, actor, &name, Intent::READ).await?;
    let file = TarballName::parse(&name, parameters.get("file"))
        .map_err(|_| Error::NotFound(format!("{name} has no such tarball. npm view lists its versions.").into()))?;
    let tarball = app.packages.tarball(&opened, &file.version).await?;
    let mut response = answer(&app, &opened, &tarball, &method, &headers).await?;
    if method == Method::GET && response.status() == StatusCode::OK {
        app.downloads.count(&opened.permit, file.version.as_str());
    }
    let headers = response.headers_mut();
    cache_policy(&opened).apply(headers);
    notice_dead_token(&actor, headers);
    Ok(response)
}

async fn answer(
    app: &App,
    opened: &Opened,
    tarball: &TarballFacts,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response> {
    let etag = etag(&tarball.digest)?;
    let validators = Validators { etag: etag.clone(), last_modified: None };
    if not_modified(headers, &validators) {
        return Ok(with_status(StatusCode::NOT_MODIFIED, Body::empty(), etag));
    }
    let range = requested_range(headers, &etag, tarball.size_bytes);
    if range == Requested::Unsatisfiable {
        let mut response = with_status(StatusCode::RANGE_NOT_SATISFIABLE, Body::empty(), etag);
        insert_number(response.headers_mut(), CONTENT_RANGE, format!("bytes */{}", tarball.size_bytes));
        return Ok(response);
    }
    let whole = ByteRange { start: 0, length: tarball.size_bytes };
    let (status, part) = match range {
        Requested::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Requested::Whole | Requested::Unsatisfiable => (StatusCode::OK, whole),
    };
    let body = if method == Method::HEAD { Body::empty() } else { bytes_of(app, opened, tarball, part).await? };
    let mut response = with_status(status, body, etag);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(part.length));
    if status == StatusCode::PARTIAL_CONTENT {
        let last = part.start + part.length - 1;
        insert_number(headers, CONTENT_RANGE, format!("bytes {}-{last}/{}", part.start, tarball.size_bytes));
    }
    Ok(response)
}

/// The start of the digest, in quotes; put together without a detour over text, since every answer has one.
fn etag(digest: &Digest) -> Result<HeaderValue> {
    let mut tag = [b'"'; 26];
    URL_SAFE_NO_PAD.encode_slice(&digest.as_bytes()[..18], &mut tag[1..25]).map_err(Error::internal)?;
    HeaderValue::from_bytes(&tag).map_err(Error::internal)
}

async fn bytes_of(app: &App, opened: &Opened, tarball: &TarballFacts, part: ByteRange) -> Result<Body> {
    Ok(stream(app.packages.tarball_bytes(opened, tarball).await?, part))
}

/// The bytes of a file as a body.
pub(super) fn stream(blob: Blob, part: ByteRange) -> Body {
    match blob.into_stream(part) {
        BlobStream::Memory(bytes) => Body::from(bytes),
        BlobStream::File(stream) => Body::from_stream(stream),
    }
}

fn with_status(status: StatusCode, body: Body, etag: HeaderValue) -> Response {
    let mut response = crate::http::answer(status, body);
    response.headers_mut().insert(ETAG, etag);
    response
}

fn insert_number(headers: &mut HeaderMap, name: HeaderName, text: String) {
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(name, value);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Requested {
    Whole,
    Part(ByteRange),
    Unsatisfiable,
}

/// One range is served; several, or what is not understood, get the whole file (RFC 9110, 14.2).
fn requested_range(headers: &HeaderMap, etag: &HeaderValue, size: u64) -> Requested {
    let Some(text) = headers.get(RANGE).and_then(|value| value.to_str().ok()) else { return Requested::Whole };
    if headers.get(IF_RANGE).is_some_and(|validator| validator != etag) {
        return Requested::Whole;
    }
    let Some((first, last)) = text.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Requested::Whole;
    };
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first > last => Requested::Whole,
        (Ok(first), _) if first >= size => Requested::Unsatisfiable,
        (Ok(first), Ok(last)) => part(first, last.min(size - 1)),
        (Ok(first), Err(_)) if last.trim().is_empty() => part(first, size - 1),
        (Err(_), Ok(0)) if first.trim().is_empty() => Requested::Unsatisfiable,
        (Err(_), Ok(suffix)) if first.trim().is_empty() && size > 0 => part(size.saturating_sub(suffix), size - 1),
        _ => Requested::Whole,
    }
}

fn part(first: u64, last: u64) -> Requested {
    Requested::Part(ByteRange { start: first, length: last - first + 1 })
}

fn cache_policy(opened: &Opened) -> CachePolicy {
    match opened.visibility() {
        Visibility::Public => CachePolicy::PublicImmutable,
        Visibility::Restricted => CachePolicy::PrivateImmutable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Requested {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, text.parse().unwrap());
        requested_range(&headers, &HeaderValue::from_static("\"x\""), 100)
    }

    #[test]
    fn a_tag_is_the_start_of_the_digest() {
        assert_eq!(etag(&Digest::from_bytes([0xff; 64])).unwrap(), "\"________________________\"");
    }

    #[test]
    fn one_range_is_understood_and_anything_else_is_the_whole_file() {
        assert_eq!(range("bytes=0-9"), part(0, 9));
        assert_eq!(range("bytes=90-"), part(90, 99));
        assert_eq!(range("bytes=-10"), part(90, 99));
        assert_eq!(range("bytes=-1000"), part(0, 99));
        assert_eq!(range("bytes=90-1000"), part(90, 99));
        assert_eq!(range("bytes=100-"), Requested::Unsatisfiable);
        assert_eq!(range("bytes=-0"), Requested::Unsatisfiable);
        for text in ["bytes=0-1,5-6", "bytes=9-0", "lines=0-1", "bytes=x-", "bytes=", "bytes=-"] {
            assert_eq!(range(text), Requested::Whole, "{text}");
        }
    }
}
