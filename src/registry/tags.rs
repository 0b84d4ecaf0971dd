//! `npm dist-tag` (`protocol.md` 3.8).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, JsonBody, PackagePath, PathParameters};
use crate::names::{DistTag, VersionNumber};
use crate::packages::{Others, Tags, intent_to_move};
use crate::policy::{Intent, Permit, Write};

use super::private;

/// `GET /-/package/{package}/dist-tags`.
pub(super) async fn list(State(app): State<Arc<App>>, actor: CurrentActor, path: PackagePath) -> Result<Response> {
    let opened = app.packages.open(&actor.known()?, &path.for_reading()?, Intent::INSPECT).await?;
    Ok(private(json!(app.packages.tags(&opened.permit).await?)))
}

/// `PUT /-/package/{package}/dist-tags/{tag}`; the body is the version.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    parameters: PathParameters,
    request: Request,
) -> Result<Json<Value>> {
    let (permit, tag) = permit(&app, actor, path, &parameters).await?;
    let JsonBody(version): JsonBody<String> = crate::http::read_json(request).await?;
    app.packages.set_tag(&permit, tag, parse_version(&version)?).await?;
    Ok(Json(json!({ "ok": true })))
}

/// `DELETE /-/package/{package}/dist-tags/{tag}`.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    let (permit, tag) = permit(&app, actor, path, &parameters).await?;
    app.packages.remove_tag(&permit, tag).await?;
    Ok(Json(json!({ "ok": true })))
}

/// Whoever may not move the tag is told so before anything else; then whether it can be one.
async fn permit(
    app: &App,
    actor: CurrentActor,
    path: PackagePath,
    parameters: &PathParameters,
) -> Result<(Permit<Write>, DistTag)> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    let tag = parameters.get("tag");
    let permit = app.access.permit(&actor, &name, intent_to_move(tag)).await?;
    Ok((permit, parse_tag(tag)?))
}

/// `PUT /-/package/{package}/dist-tags`: the tags as they shall be; `latest` stays where it is not named.
pub(super) async fn put_all(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    request: Request,
) -> Result<Json<Value>> {
    change_all(&app, actor, path, request, Others::Remove).await
}

/// `POST /-/package/{package}/dist-tags`: tags to be added or moved.
pub(super) async fn post_all(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    request: Request,
) -> Result<Json<Value>> {
    change_all(&app, actor, path, request, Others::Keep).await
}

async fn change_all(
    app: &App,
    actor: CurrentActor,
    path: PackagePath,
    request: Request,
    others: Others,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let mut permit = app.access.permit(&actor, &path.for_writing(&actor)?, Intent::MOVE_TAG).await?;
    let JsonBody(map): JsonBody<BTreeMap<String, String>> = crate::http::read_json(request).await?;
    // npm once put a validator among the tags.
    let pairs = map.into_iter().filter(|(tag, _)| tag != "_etag");
    let tags =
        pairs.map(|(tag, version)| Ok((parse_tag(&tag)?, parse_version(&version)?))).collect::<Result<Tags>>()?;
    if tags.contains_key(&DistTag::latest()) {
        permit = app.access.permit(&actor, permit.name(), Intent::MOVE_LATEST).await?;
    }
    app.packages.set_tags(&permit, tags, others).await?;
    Ok(Json(json!({ "ok": true })))
}

fn parse_tag(text: &str) -> Result<DistTag> {
    text.parse().map_err(|cause: crate::names::InvalidName| Error::Malformed(cause.to_string().into()))
}

fn parse_version(text: &str) -> Result<VersionNumber> {
    text.parse().map_err(|_| crate::packages::no_version(text))
}
