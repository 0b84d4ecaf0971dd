//! The files that pages are made of: in the binary, packed once, and named after their content, so that browsers keep them.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue};
use rust_embed::RustEmbed;

use crate::error::Error;
use crate::http::{CachePolicy, PathParameters};

#[derive(RustEmbed)]
#[folder = "src/web/assets"]
struct Files;

struct Asset {
    /// `strongroom.0123456789abcdef.css`
    address: String,
    kind: &'static str,
    plain: Bytes,
    packed: Bytes,
}

static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| Asset::of("strongroom.css", "text/css; charset=utf-8"));
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| Asset::of("strongroom.js", "text/javascript; charset=utf-8"));
static ICON: LazyLock<Asset> = LazyLock::new(|| Asset::of("icon.svg", "image/svg+xml"));

impl Asset {
    fn of(name: &str, kind: &'static str) -> Self {
        let file = Files::get(name).map(|file| (file.data.into_owned(), file.metadata.sha256_hash()));
        let (bytes, hash) = file.unwrap_or_default();
        let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish()).unwrap_or_default();
        Self {
            address: format!("{stem}.{}.{extension}", hex::encode(&hash[..8])),
            kind,
            plain: bytes.into(),
            packed: packed.into(),
        }
    }

    fn answer(&self, headers: &HeaderMap, policy: CachePolicy) -> Response {
        let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let packed = accepted.contains("gzip");
        let body = if packed { &self.packed } else { &self.plain };
        let mut response = Response::new(Body::from(body.clone()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if packed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        policy.apply(headers);
        response
    }
}

/// The path of the stylesheet.
pub(super) fn stylesheet() -> String {
    format!("/-/static/{}", STYLESHEET.address)
}

/// The path of the script.
pub(super) fn script() -> String {
    format!("/-/static/{}", SCRIPT.address)
}

/// The path of the icon.
pub(super) fn icon() -> String {
    format!("/-/static/{}", ICON.address)
}

/// The paths of this router; all take GET.
pub(super) const PATHS: [&str; 3] = ["/-/static/{file}", "/favicon.ico", "/robots.txt"];

/// What browsers fetch that is no page.
pub(super) fn router() -> Router {
    Router::new().route(PATHS[0], get(file)).route(PATHS[1], get(favicon)).route(PATHS[2], get(robots))
}

async fn file(path: PathParameters, headers: HeaderMap) -> Response {
    let name = path.get("file");
    let found = [&STYLESHEET, &SCRIPT, &ICON].into_iter().find(|asset| asset.address == name);
    match found {
        Some(asset) => asset.answer(&headers, CachePolicy::PublicImmutable),
        None => Error::NotFound("There is no such file. Load the page again.".into()).into_response(),
    }
}

async fn favicon(headers: HeaderMap) -> Response {
    ICON.answer(&headers, CachePolicy::PublicRevalidated)
}

/// What is here is for those who work with it.
async fn robots() -> Response {
    let mut response = Response::new(Body::from("User-agent: *\nDisallow: /\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
