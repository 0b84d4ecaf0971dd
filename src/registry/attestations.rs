//! What others signed about a version (`protocol.md` 7.4).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, PathParameters};
use crate::names::{PackageName, VersionNumber};
use crate::policy::Intent;

use super::packument::{cache_policy, open, tell_dead_token};

/// `GET /-/npm/v1/attestations/{spec}`.
pub(super) async fn get(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<Response> {
    let (name, version) = parse(parameters.get("spec"))?;
    let (actor, opened) = open(&app, actor, &name, Intent::READ).await?;
    let text = app.packages.attestations(&opened, &version).await?;
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    cache_policy(&opened).apply(headers);
    tell_dead_token(&actor, headers);
    Ok(response)
}

/// `@scope/name@1.0.0`; what cannot be one is not found, before any query.
fn parse(spec: &str) -> Result<(PackageName, VersionNumber)> {
    let (name, version) = spec.rsplit_once('@').unwrap_or((spec, ""));
    let not_found = |cause: String| Error::NotFound(cause.into());
    let name = name.parse().map_err(|cause: crate::names::InvalidName| not_found(cause.to_string()))?;
    let version = version.parse().map_err(|cause: crate::names::InvalidName| not_found(cause.to_string()))?;
    Ok((name, version))
}
