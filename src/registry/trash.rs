//! The trash, for those who administer what is in it (`domain.md`, "Unpublishing"). No client of npm's asks for it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::to_npm_time;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, JsonBody, PackagePath, Query, require_account};
use crate::names::{PackageName, VersionNumber};
use crate::policy::Intent;

use super::private;

#[derive(Deserialize)]
struct Wanted {
    version: Option<String>,
}

/// `POST /-/strongroom/v1/package/{package}/restore`: a version, or the whole package.
pub(super) async fn restore(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    request: Request,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let permit = app.access.permit(&actor, &path.for_writing(&actor)?, Intent::RESTORE).await?;
    let JsonBody(Wanted { version }): JsonBody<Wanted> = crate::http::read_json(request).await?;
    let restored = match &version {
        Some(version) => app.packages.restore_version(&permit, &version.parse::<VersionNumber>()?).await?,
        None => app.packages.restore_package(&permit).await?,
    };
    Ok(Json(json!({ "ok": true, "package": permit.name(), "version": version, "versions": restored.versions })))
}

/// `GET /-/strongroom/v1/trash`: what the actor may restore; `?package=` asks for one package.
pub(super) async fn list(State(app): State<Arc<App>>, actor: CurrentActor, query: Query) -> Result<Response> {
    let actor = actor.known()?;
    require_account(&actor)?;
    let package = query.get("package").map(str::parse::<PackageName>).transpose();
    let package = package.map_err(|cause| Error::NotFound(cause.to_string().into()))?;
    let items = app.packages.list_trash(&actor, package.as_ref()).await?.into_iter().map(|one| {
        json!({
            "package": one.package,
            "version": one.version,
            "removed": to_npm_time(one.removed_at),
            "by": one.removed_by,
            "ends": to_npm_time(one.ends_at),
        })
    });
    Ok(private(json!({ "items": items.collect::<Vec<_>>() })))
}
