//! `npm stage` and the status of a version (`protocol.md` 4).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::app::App;
use crate::blobs::ByteRange;
use crate::clock::to_npm_time;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, PackagePath, PathParameters, Query, require_account, upload};
use crate::names::{PackageName, RandomId, VersionNumber};
use crate::packages::Reach;
use crate::policy::{Actor, Intent, Permit, Visibility, Write};
use crate::staging::{Paging, StagedVersion};

use super::publish::{refuse_unread, sender};
use super::tarball::stream;

/// The most items of one page, and how many there are where nobody says.
const PER_PAGE: u32 = 100;
const PER_PAGE_UNASKED: u32 = 10;

/// `POST /-/stage/package/{package}`.
pub(super) async fn stage(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let permit = match permit(&app, actor, path).await {
        Ok(permit) => permit,
        Err(refusal) => return refuse_unread(refusal, body).await,
    };
    let body = match upload(&parts.headers, body, app.packages.publish_limits().body_bytes(Reach::Publish)) {
        Ok(body) => body,
        Err((refusal, body)) => return refuse_unread(refusal, body).await,
    };
    match app.staging.stage(&permit, body, sender(&parts.headers)).await {
        Ok(id) => {
            let message = format!("{} is staged. Approve it with npm stage approve {id}.", permit.name());
            (StatusCode::CREATED, Json(json!({ "stageId": id, "message": message }))).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn permit(app: &App, actor: CurrentActor, path: PackagePath) -> Result<Permit<Write>> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    app.access.permit(&actor, &name, Intent::STAGE).await
}

/// `GET /-/stage`.
pub(super) async fn list(State(app): State<Arc<App>>, actor: CurrentActor, query: Query) -> Result<Json<Value>> {
    let actor = actor.known()?;
    require_account(&actor)?;
    let package: Option<PackageName> = query.get("package").map(str::parse).transpose()?;
    let page = app.staging.list(&actor, package.as_ref(), paging(&query)?).await?;
    let items: Vec<Value> = page.items.iter().map(|staged| item(&app, staged)).collect();
    let paging = paging(&query)?;
    Ok(Json(json!({ "items": items, "page": paging.page, "perPage": paging.per_page, "total": page.total })))
}

fn paging(query: &Query) -> Result<Paging> {
    let number = |name: &str, unasked: u32| match query.get(name) {
        None => Ok(unasked),
        Some(text) => text.parse().map_err(|_| malformed(name)),
    };
    let paging = Paging { page: number("page", 0)?, per_page: number("perPage", PER_PAGE_UNASKED)? };
    if paging.per_page == 0 || paging.per_page > PER_PAGE {
        return Err(malformed("perPage"));
    }
    Ok(paging)
}

fn malformed(name: &str) -> Error {
    Error::Malformed(format!("{name} is not a number that makes sense: page from 0, perPage from 1 to 100.").into())
}

/// An item as npm prints it: members that it does not know as well.
fn item(app: &App, staged: &StagedVersion) -> Value {
    let shasum = hex::encode(&staged.sha1);
    let (actor, kind) = match &staged.trusted_publisher {
        Some(title) => (title.clone(), "trusted automation"),
        None => (staged.staged_by.to_string(), "user"),
    };
    json!({
        "id": staged.id,
        "packageName": staged.package,
        "version": staged.version.as_str(),
        "tag": staged.tag,
        "createdAt": to_npm_time(staged.staged_at),
        "expiresAt": to_npm_time(app.staging.expires_at(staged)),
        "actor": actor,
        "actorType": kind,
        "access": if staged.visibility == Visibility::Public { "public" } else { "private" },
        "shasum": shasum,
        "integrity": format!("sha512-{}", STANDARD.encode(staged.digest.as_bytes())),
        "size": staged.size_bytes,
        "status": "staged",
    })
}

/// `GET /-/stage/{id}`.
pub(super) async fn view(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    let (actor, id) = asked(actor, &parameters)?;
    let (staged, _) = app.staging.find(&actor, &id).await?;
    Ok(Json(item(&app, &staged)))
}

/// `GET /-/stage/{id}/tarball`.
pub(super) async fn tarball(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
    method: Method,
) -> Result<Response> {
    let (actor, id) = asked(actor, &parameters)?;
    let (staged, permit) = app.staging.find(&actor, &id).await?;
    let blob = app.staging.tarball(&staged, &permit).await?;
    let whole = ByteRange { start: 0, length: staged.size_bytes };
    let mut response = Response::new(if method == Method::HEAD { Body::empty() } else { stream(blob, whole) });
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(staged.size_bytes));
    Ok(response)
}

/// `POST /-/stage/{id}/approve`.
pub(super) async fn approve(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<Response> {
    let (actor, id) = asked(actor, &parameters)?;
    let publication = app.staging.approve(&actor, &id).await?;
    let answer = json!({ "message": "approved and published", "rev": publication.rev });
    let mut response = (StatusCode::CREATED, Json(answer)).into_response();
    if let Some(line) = publication.notice {
        super::notice(response.headers_mut(), &line);
    }
    Ok(response)
}

/// `DELETE /-/stage/{id}`.
pub(super) async fn reject(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<StatusCode> {
    let (actor, id) = asked(actor, &parameters)?;
    app.staging.reject(&actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who asks, for what. What cannot be an id names nothing; who has no account learns nothing.
fn asked(actor: CurrentActor, parameters: &PathParameters) -> Result<(Actor, RandomId)> {
    let actor = actor.known()?;
    require_account(&actor)?;
    let id = parameters.get("id").parse();
    Ok((actor, id.map_err(|cause: crate::names::InvalidName| Error::NotFound(cause.to_string().into()))?))
}

/// `GET /-/package/{package}/version/{version}/status`.
pub(super) async fn status(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let name = path.for_reading()?;
    let version: VersionNumber = parameters
        .get("version")
        .parse()
        .map_err(|cause: crate::names::InvalidName| Error::NotFound(cause.to_string().into()))?;
    let status = app.staging.status(&actor, &name, &version).await?;
    Ok(Json(json!({ "packageName": name, "version": version.as_str(), "status": status.as_str() })))
}
