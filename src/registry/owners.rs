//! Owners as pnpm asks for them (`protocol.md` 6.4); npm sends the whole list to `-rev`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::removal_intent;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, JsonBody, PackagePath, PathParameters};
use crate::names::AccountName;
use crate::policy::{Intent, Permission};

use super::private;

/// `GET /-/package/{package}/owners`: who may write.
pub(super) async fn get(State(app): State<Arc<App>>, actor: CurrentActor, path: PackagePath) -> Result<Response> {
    let permit = app.access.permit(&actor.known()?, &path.for_reading()?, Intent::LIST_COLLABORATORS).await?;
    let mut listed = app.access.list_collaborators(&permit).await?;
    listed.retain(|one| one.permission == Permission::ReadWrite);
    Ok(private(listed.iter().map(|one| json!({ "username": one.name, "email": "" })).collect()))
}

#[derive(Deserialize)]
struct NewOwner {
    user: String,
}

/// `PUT /-/package/{package}/owners`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    request: Request,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let permit = app.access.permit(&actor, &path.for_writing(&actor)?, Intent::GRANT).await?;
    let JsonBody(NewOwner { user }): JsonBody<NewOwner> = crate::http::read_json(request).await?;
    app.access.grant(&permit, &user.parse::<AccountName>()?, Permission::ReadWrite.into()).await?;
    Ok(Json(json!({ "ok": true })))
}

/// `DELETE /-/package/{package}/owners/{user}`.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    let user = parameters.get("user").parse::<AccountName>();
    let intent = user.as_ref().map_or(Intent::REVOKE, |user| removal_intent(&actor, user));
    let permit = app.access.permit(&actor, &name, intent).await?;
    let user = user.map_err(|cause| Error::NotFound(cause.to_string().into()))?;
    app.access.revoke(&permit, &user).await?;
    Ok(Json(json!({ "ok": true })))
}
