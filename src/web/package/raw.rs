//! Single files by themselves: to be kept, or shown as an image of a README. They stand on our origin and are strangers',
//! so nothing that a browser would make a page of goes out as what it is.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue};

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CachePolicy, PackagePath, PathParameters};
use crate::packages::archive::FileEntry;
use crate::packages::{Opened, VersionFiles};
use crate::policy::{Intent, Visibility};
use crate::web::shell::{PageResult, Problem, Visitor};

use super::version_of;

/// No script, no form, no request; and whoever opens it by itself gets an origin that is nobody's.
const SANDBOX: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// `GET /package/{package}/v/{version}/raw/{path}`: the bytes, to be kept and never shown.
pub(crate) async fn raw_file(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    parameters: PathParameters,
) -> PageResult {
    let (opened, version, file) = find(&app, &visitor, path, &parameters).await?;
    let bytes = app.contents.bytes(&version, &file).await?;
    let mut response = answer(&opened, bytes, "application/octet-stream");
    response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    Ok(response)
}

/// `GET /package/{package}/v/{version}/image/{path}`: an image, for the README.
pub(crate) async fn image(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    parameters: PathParameters,
) -> PageResult {
    let (opened, version, file) = find(&app, &visitor, path, &parameters).await?;
    match app.contents.image(&version, &file).await? {
        Some((kind, bytes)) => Ok(answer(&opened, bytes, kind.media_type())),
        None => Err(missing().into()),
    }
}

async fn find(
    app: &App,
    visitor: &Visitor,
    path: PackagePath,
    parameters: &PathParameters,
) -> Result<(Opened, VersionFiles, FileEntry), Problem> {
    let opened = app.packages.open(visitor.actor(), &path.for_reading()?, Intent::READ).await?;
    let _place = app.contents.place().await?;
    let version = app.packages.files(&opened, &version_of(parameters.get("version"))?).await?;
    let file = version.index.find(parameters.get("path")).cloned().ok_or_else(missing)?;
    Ok((opened, version, file))
}

fn missing() -> Error {
    Error::NotFound("The version has no such file.".into())
}

fn answer(opened: &Opened, bytes: Bytes, kind: &'static str) -> Response {
    let length = bytes.len();
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    match opened.visibility() {
        Visibility::Public => CachePolicy::PublicImmutable.apply(headers),
        // A browser that kept it would show it to who logs in next.
        Visibility::Restricted => drop(headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"))),
    }
    headers.insert(VARY, HeaderValue::from_static("cookie"));
    response
}
