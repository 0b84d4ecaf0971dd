//! The outermost layer: what is done to every request and every answer, whatever the route.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CACHE_CONTROL, HeaderName, STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Request, Uri};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use crate::error::Error;

use super::address::{ClientAddress, TrustedProxies};
use super::cache_policy::CachePolicy;
use super::error::{Cause, complete};
use super::spelling::canonicalise;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long a handler may take until it begins to answer; uploads have limits of their own.
const HANDLER: Duration = Duration::from_secs(30);

/// The two audiences of one origin (`ux.md` 2).
#[derive(Debug, Clone)]
pub struct Faces {
    /// For programs.
    pub registry: axum::Router,
    /// For people: whoever asks for `text/html`. What has no page goes on to the registry from there.
    pub pages: axum::Router,
}

/// The id of a request, for the page of an error.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// What is sent to addresses below `/-/` is never a form of a page, whatever its sender would like to read.
fn wants_page(request: &Request<Body>) -> bool {
    let accept = request.headers().get(ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
    memchr::memmem::find(accept, b"text/html").is_some() && (request.method().is_safe() || may_be_a_page(request.uri()))
}

/// The routers with everything around them: one spelling of paths, the client's address, a time limit, headers that every
/// answer has, and the log.
#[derive(Debug)]
pub struct Edge {
    faces: Faces,
    proxies: TrustedProxies,
    access_log: bool,
    public_url: Arc<str>,
    first_id: u64,
    requests: AtomicU64,
}

impl Edge {
    /// Puts the edge around both faces; errors say where below `public_url` they are explained.
    ///
    /// # Errors
    /// `Internal` where the system has no randomness for request ids.
    pub fn new(faces: Faces, proxies: TrustedProxies, access_log: bool, public_url: Arc<str>) -> Result<Self, Error> {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).map_err(Error::internal)?;
        let catching = |router: axum::Router| router.layer(CatchPanicLayer::custom(answer_panic));
        let faces = Faces { registry: catching(faces.registry), pages: catching(faces.pages) };
        let first_id = u64::from_le_bytes(seed);
        Ok(Self { faces, proxies, access_log, public_url, first_id, requests: AtomicU64::new(0) })
    }

    /// The proxies that speak for others.
    pub(super) fn proxies(&self) -> &TrustedProxies {
        &self.proxies
    }

    /// Answers one request that came from `peer`.
    pub async fn answer(&self, mut request: Request<Body>, peer: IpAddr) -> Response {
        let began = Instant::now();
        let id = self.first_id.wrapping_add(self.requests.fetch_add(1, Ordering::Relaxed));
        canonicalise(request.uri_mut());
        let client = self.proxies.client_address(peer, request.headers());
        request.extensions_mut().insert(ClientAddress(client));
        let for_people = wants_page(&request);
        if for_people {
            request.extensions_mut().insert(RequestId(format!("{id:016x}")));
        }
        let line = Line::of(&request, self.access_log);
        let varies = request.method().is_safe() && may_be_a_page(request.uri());
        let router = if for_people { &self.faces.pages } else { &self.faces.registry };
        let mut response = route(router.clone(), request).await;
        finish(&mut response, id, &self.public_url, varies);
        line.write(&response, id, client, began.elapsed());
        response
    }
}

async fn route(router: axum::Router, request: Request<Body>) -> Response {
    let uploads = is_upload(&request);
    let answer = async { router.oneshot(request).await.unwrap_or_else(|never| match never {}) };
    if uploads {
        return answer.await;
    }
    tokio::time::timeout(HANDLER, answer)
        .await
        .unwrap_or_else(|_| Error::Unavailable("the answer took too long".into()).into_response())
}

/// What may take as long as its bytes do: a publish, alone, in a batch or put up for approval, and a packument that comes
/// back. A package is one segment in the one spelling.
fn is_upload(request: &Request<Body>) -> bool {
    let path = request.uri().path();
    match *request.method() {
        Method::PUT => match path.trim_start_matches('/').split_once('/') {
            None => true,
            Some(("-", rest)) => matches!(rest, "pnpr/v0/publish" | "pnpm/v1/publish"),
            Some((_, rest)) => rest.starts_with("-rev/"),
        },
        Method::POST => path.starts_with("/-/stage/package/"),
        _ => false,
    }
}

/// A bug of ours must not take the connection with it, and must be found again in the log.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn answer_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let words = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Error::internal(format!("a handler panicked: {}", words.unwrap_or("without words"))).into_response()
}

/// Whether the same address may have another answer for the other audience: below `/-/` there is one alone.
fn may_be_a_page(uri: &Uri) -> bool {
    memchr::memmem::find(uri.path().as_bytes(), b"/-/").is_none()
}

fn finish(response: &mut Response, id: u64, public_url: &str, varies: bool) {
    let id = hex_digits(id);
    if response.status().is_client_error() || response.status().is_server_error() {
        complete(response, public_url, &String::from_utf8_lossy(&id));
    }
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if varies && !headers.contains_key(VARY) {
        headers.insert(VARY, HeaderValue::from_static("accept"));
    }
    if public_url.starts_with("https://") {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        CachePolicy::NoStore.apply(headers);
    }
    if let Ok(id) = HeaderValue::from_bytes(&id) {
        headers.insert(X_REQUEST_ID, id);
    }
}

/// The request id as text; every answer has one, so it is written without the formatter.
fn hex_digits(id: u64) -> [u8; 16] {
    let bytes = id.to_be_bytes();
    std::array::from_fn(|at| b"0123456789abcdef"[usize::from(bytes[at / 2] >> (4 * (1 - at % 2)) & 15)])
}

/// What the log says of a request. Paths can hold secrets, so nothing behind [`SECRET_PATHS`] is ever written, and no
/// query string either (`security.md` 3.5).
struct Line {
    method: Method,
    path: Option<String>,
    access_log: bool,
}

impl Line {
    fn of(request: &Request<Body>, access_log: bool) -> Self {
        let path = Some(()).filter(|()| access_log).map(|()| redacted(request.uri().path()));
        Self { method: request.method().clone(), path, access_log }
    }

    fn write(self, response: &Response, id: u64, client: IpAddr, took: Duration) {
        let status = response.status().as_u16();
        if let Some(Cause(cause)) = response.extensions().get::<Cause>() {
            tracing::error!(
                request.id = format!("{id:016x}"),
                method = %self.method,
                status,
                cause = %chain(cause),
                "a request failed"
            );
        }
        if self.access_log {
            tracing::info!(
                request.id = format!("{id:016x}"),
                method = %self.method,
                path = self.path.as_deref(),
                status,
                client = %client,
                took_ms = took.as_secs_f64() * 1000.0,
                "answered"
            );
        }
    }
}

/// Where paths hold secrets: tokens that are ended, and pages that confirm.
const SECRET_PATHS: [&str; 10] = [
    "/-/user/token/",
    "/-/npm/v1/tokens/token/",
    "/-/v1/done/",
    "/-/strongroom/v1/confirmations/",
    "/auth/cli/",
    "/login/cli/",
    "/forgot/",
    "/verify/",
    "/setup/",
    "/invite/",
];

fn redacted(path: &str) -> String {
    let secret = SECRET_PATHS.into_iter().find(|secret| path.starts_with(secret));
    secret.map_or_else(|| path.to_owned(), |secret| format!("{secret}(secret)"))
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_in_npms_shape() {
        async fn broken() -> &'static str {
            panic!("on purpose")
        }
        let router = axum::Router::new().route("/", get(broken));
        let faces = Faces { registry: router.clone(), pages: router };
        let edge = Edge::new(faces, TrustedProxies::default(), false, "http://registry.test".into()).unwrap();
        let response = edge.answer(Request::new(Body::empty()), [127, 0, 0, 1].into()).await;
        assert_eq!(response.status(), 500);
        assert!(response.headers().contains_key("x-request-id"));
        let cause = &response.extensions().get::<Cause>().unwrap().0;
        assert!(chain(cause).contains("on purpose"));
    }

    #[test]
    fn the_header_and_the_log_write_an_id_alike() {
        for id in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            assert_eq!(hex_digits(id), *format!("{id:016x}").as_bytes());
        }
    }

    #[test]
    fn a_token_in_a_path_is_not_logged() {
        for path in SECRET_PATHS {
            assert_eq!(redacted(&format!("{path}npm_secret")), format!("{path}(secret)"));
        }
        assert_eq!(redacted("/@alice%2fx"), "/@alice%2fx");
    }
}
