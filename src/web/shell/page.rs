//! Answers of the web face, with the headers that every page has (`ux.md` 2, `security.md` 4.1).

use std::io::Write as _;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE, VARY,
};
use http::{HeaderValue, StatusCode};

use super::cookies::notice_cookie;
use super::notice::Notice;
use super::problem::{PageResult, Problem};
use super::visitor::Visitor;
use crate::error::Error;

/// Smaller pages are not worth packing.
const WORTH_PACKING: usize = 1_000;

/// Shows a template.
///
/// # Errors
/// A template that fails is our fault.
pub(crate) fn page(visitor: &Visitor, status: StatusCode, template: &impl Template) -> PageResult {
    let html = below_prefix(template.render()?, &visitor.public_url);
    let packed = visitor.takes_gzip && html.len() > WORTH_PACKING;
    let body = if packed { gzip(html.as_bytes())? } else { html.into_bytes() };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding, cookie"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CONTENT_SECURITY_POLICY, policy(visitor, "", &[])?);
    if packed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// The same for a template that may be megabytes: rendered and packed where that keeps nobody waiting.
///
/// # Errors
/// As [`page`].
pub(crate) async fn large_page(
    visitor: &Visitor,
    status: StatusCode,
    template: impl Template + Send + 'static,
) -> PageResult {
    let visitor = visitor.clone();
    let rendered = tokio::task::spawn_blocking(move || page(&visitor, status, &template)).await;
    rendered.map_err(|cause| Problem::from(Error::internal(cause)))?
}

/// Lets the forms of one page lead to one more origin: the payment provider's.
///
/// # Errors
/// Where the origin is no header's text.
pub(crate) fn allow_form_target(visitor: &Visitor, response: &mut Response, origin: &str) -> Result<(), Problem> {
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy(visitor, origin, &[])?);
    Ok(())
}

/// Lets one page show images of these hosts, which the operator has named for READMEs.
///
/// # Errors
/// Where a host is no header's text.
pub(crate) fn allow_images(visitor: &Visitor, response: &mut Response, hosts: &[String]) -> Result<(), Problem> {
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy(visitor, "", hosts)?);
    Ok(())
}

fn policy(visitor: &Visitor, form_target: &str, image_hosts: &[String]) -> Result<HeaderValue, Problem> {
    let nonce = &visitor.nonce;
    let images = image_hosts.iter().fold(String::new(), |images, host| images + " https://" + host);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:{images}; connect-src 'self'; \
         form-action 'self' {form_target}; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; \
         require-trusted-types-for 'script'"
    );
    HeaderValue::try_from(policy).map_err(|cause| Error::internal(cause).into())
}

/// Sends the browser on, as after every form (RFC 9110, 303).
pub(crate) fn see_other(visitor: &Visitor, path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location =
        if path.starts_with('/') { format!("{}{path}", prefix(&visitor.public_url)) } else { path.to_owned() };
    let location = HeaderValue::try_from(location).unwrap_or_else(|_| HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, location);
    response
}

/// The same with a sentence for the next page.
pub(crate) fn see_other_with(visitor: &Visitor, path: &str, notice: &Notice) -> Response {
    let mut response = see_other(visitor, path);
    if let Some(secret) = visitor.secret() {
        response.headers_mut().append(SET_COOKIE, notice_cookie(&visitor.public_url, &notice.seal(secret)));
    }
    response
}

/// Takes away the notice that this page has shown.
pub(super) fn close(visitor: &Visitor, response: &mut Response) {
    let is_page = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page && visitor.notice.is_some() {
        response.headers_mut().append(SET_COOKIE, notice_cookie(&visitor.public_url, ""));
    }
}

/// Behind a proxy the instance may live below a path; templates need not know of it.
fn below_prefix(html: String, public_url: &str) -> String {
    let prefix = prefix(public_url);
    if prefix.is_empty() {
        return html;
    }
    ["href=\"/", "action=\"/", "src=\"/"].iter().fold(html, |html, attribute| {
        let prefixed = attribute.replace("\"/", &format!("\"{prefix}/"));
        html.replace(attribute, &prefixed)
    })
}

/// The path of the instance's URL, empty at the root.
fn prefix(public_url: &str) -> &str {
    let host = public_url.find("://").map_or(0, |at| at + 3);
    public_url[host..].find('/').map_or("", |at| public_url[host + at..].trim_end_matches('/'))
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::new(5));
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.map_err(|cause| Error::internal(cause).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_live_below_the_path_of_the_instance() {
        let html = || "<a href=\"/settings\">x</a><form action=\"/a\"><img src=\"/b\">href=&#34;/c".to_owned();
        assert_eq!(below_prefix(html(), "https://host.test"), html());
        let below = below_prefix(html(), "https://host.test/npm");
        assert_eq!(below, "<a href=\"/npm/settings\">x</a><form action=\"/npm/a\"><img src=\"/npm/b\">href=&#34;/c");
    }
}
