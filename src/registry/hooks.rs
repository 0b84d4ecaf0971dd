//! `npm hook` of npm 10 and older (`protocol.md` 8.7), and what was delivered.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::{Time, to_npm_time};
use crate::error::Result;
use crate::hooks::{Delivery, Destination, Hook, Hooks, Subject};
use crate::http::{CurrentActor, Json, JsonBody, PathParameters, Query};
use crate::policy::AccountAction;

/// The most lines of one answer.
const LARGEST_PAGE: u32 = 250;

/// What `npm hook add` sends.
#[derive(Deserialize)]
pub(super) struct NewHook {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    endpoint: String,
    secret: String,
}

/// What `npm hook update` sends.
#[derive(Deserialize)]
pub(super) struct NewDestination {
    endpoint: String,
    secret: String,
}

/// `POST /-/npm/v1/hooks/hook`.
pub(super) async fn create(State(app): State<Arc<App>>, actor: CurrentActor, request: Request) -> Result<Response> {
    let follower = Hooks::permit(&actor.known()?, AccountAction::Follow)?;
    let JsonBody(new): JsonBody<NewHook> = crate::http::read_json(request).await?;
    let subject = Subject::parse(&new.kind, &new.name)?;
    let destination = Destination::parse(&new.endpoint, &new.secret)?;
    let hook = app.hooks.create(&follower, &subject, &destination).await?;
    Ok((StatusCode::CREATED, Json(shape(&hook, false))).into_response())
}

/// `GET /-/npm/v1/hooks`.
pub(super) async fn list(State(app): State<Arc<App>>, actor: CurrentActor, query: Query) -> Result<Json<Value>> {
    let follower = Hooks::permit(&actor.known()?, AccountAction::See)?;
    let page = (super::number(&query, "offset", 0)?, super::number(&query, "limit", 100)?.min(LARGEST_PAGE));
    let name = query.get("package").filter(|name| !name.is_empty()).map(|name| name.trim_start_matches('~'));
    let (total, hooks) = app.hooks.list(&follower, name, page).await?;
    let objects: Vec<Value> = hooks.iter().map(|hook| shape(hook, false)).collect();
    Ok(Json(json!({ "objects": objects, "total": total, "urls": {} })))
}

/// `GET /-/npm/v1/hooks/hook/{hook}`.
pub(super) async fn get(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    let follower = Hooks::permit(&actor.known()?, AccountAction::See)?;
    Ok(Json(shape(&app.hooks.find(&follower, parameters.get("hook")).await?, false)))
}

/// `PUT /-/npm/v1/hooks/hook/{hook}`.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
    request: Request,
) -> Result<Json<Value>> {
    let follower = Hooks::permit(&actor.known()?, AccountAction::Follow)?;
    let JsonBody(new): JsonBody<NewDestination> = crate::http::read_json(request).await?;
    let destination = Destination::parse(&new.endpoint, &new.secret)?;
    let hook = app.hooks.change(&follower, parameters.get("hook"), &destination).await?;
    Ok(Json(shape(&hook, false)))
}

/// `DELETE /-/npm/v1/hooks/hook/{hook}`: npm prints the hook that went.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    let follower = Hooks::permit(&actor.known()?, AccountAction::Follow)?;
    Ok(Json(shape(&app.hooks.remove(&follower, parameters.get("hook")).await?, true)))
}

/// `GET /-/npm/v1/hooks/hook/{hook}/deliveries`: what was tried, newest first.
pub(super) async fn deliveries(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
    query: Query,
) -> Result<Json<Value>> {
    let follower = Hooks::permit(&actor.known()?, AccountAction::See)?;
    let limit = super::number(&query, "limit", 100)?.min(LARGEST_PAGE);
    let tried = app.hooks.deliveries(&follower, parameters.get("hook"), limit).await?;
    Ok(Json(json!({ "objects": tried.iter().map(delivery).collect::<Vec<_>>() })))
}

/// npm prints the members it knows, and as a table whatever there is.
fn shape(hook: &Hook, deleted: bool) -> Value {
    json!({
        "id": hook.key,
        "username": hook.owner,
        "name": hook.name,
        "endpoint": hook.endpoint,
        "type": hook.kind,
        "created": to_npm_time(hook.created_at),
        "updated": to_npm_time(hook.updated_at),
        "deleted": deleted,
        "delivered": hook.last_delivery_at.is_some(),
        "last_delivery": hook.last_delivery_at.map(to_npm_time),
        "response_code": hook.last_status.unwrap_or_default(),
        "status": if deleted { "deleted" } else { "active" },
    })
}

fn delivery(tried: &Delivery) -> Value {
    let status = match (tried.delivered, tried.next_attempt_at) {
        (true, _) => "delivered",
        (false, Some(_)) => "waiting",
        (false, None) => "given up",
    };
    let moment = |time: Option<Time>| time.map(to_npm_time);
    json!({
        "event": tried.event,
        "name": tried.name,
        "time": to_npm_time(tried.at),
        "status": status,
        "attempts": tried.attempts,
        "last_attempt": moment(tried.attempted_at),
        "next_attempt": moment(tried.next_attempt_at),
        "response_code": tried.status.unwrap_or_default(),
        "failure": tried.failure,
    })
}
