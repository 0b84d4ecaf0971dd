//! Security keys of one's own account: registering, listing and removing them. npm has no words for these; pages do.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::to_npm_time;
use crate::error::Result;
use crate::http::{CurrentActor, Json, JsonBody, PathParameters, read_json};
use crate::policy::AccountAction;
use crate::second_factor::Registration;

use super::tokens::check_password;

/// The password goes with the beginning.
#[derive(Deserialize)]
pub(super) struct Beginning {
    password: Option<String>,
}

/// What the browser brings, and what the key shall be called.
#[derive(Deserialize)]
pub(super) struct NewKey {
    name: String,
    credential: Registration,
}

/// `POST /-/strongroom/v1/security-keys/challenge`.
pub(super) async fn challenge(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    request: Request,
) -> Result<Json<Value>> {
    let permit = app.second_factor.permit(&actor.known()?, AccountAction::Change).await?;
    let JsonBody(beginning): JsonBody<Beginning> = read_json(request).await?;
    check_password(&app, &permit, beginning.password.as_deref()).await?;
    app.second_factor.offer_key(&permit).await.map(Json)
}

/// `POST /-/strongroom/v1/security-keys`.
pub(super) async fn register(State(app): State<Arc<App>>, actor: CurrentActor, request: Request) -> Result<Response> {
    let permit = app.second_factor.permit(&actor.known()?, AccountAction::Change).await?;
    let JsonBody(new): JsonBody<NewKey> = read_json(request).await?;
    let registered = app.second_factor.register_key(&permit, &new.name, &new.credential).await?;
    let answer = json!({ "key": registered.key, "name": new.name, "recovery_codes": registered.recovery_codes });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// `GET /-/strongroom/v1/security-keys`.
pub(super) async fn list(State(app): State<Arc<App>>, actor: CurrentActor) -> Result<Json<Value>> {
    let permit = app.second_factor.permit(&actor.known()?, AccountAction::See).await?;
    let keys = app.second_factor.list_keys(&permit).await?;
    let objects = keys.iter().map(|key| {
        json!({
            "key": key.key,
            "name": key.name,
            "created": to_npm_time(key.created_at),
            "accessed": key.last_used_at.map(to_npm_time),
        })
    });
    Ok(Json(json!({ "objects": objects.collect::<Vec<_>>() })))
}

/// `DELETE /-/strongroom/v1/security-keys/{key}`.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
) -> Result<StatusCode> {
    let permit = app.second_factor.permit(&actor.known()?, AccountAction::Change).await?;
    app.second_factor.remove_key(&permit, path.get("key")).await?;
    Ok(StatusCode::NO_CONTENT)
}
