//! `npm access`: visibility and collaborators of a package (`protocol.md` 6.1 to 6.3).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use http::header::USER_AGENT;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::access::Collaborator;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, JsonBody, PackagePath, Query};
use crate::policy::{Intent, PackageSecondFactor, Visibility};

use super::private;

/// `GET /-/package/{package}/access`, as pnpm asks it.
pub(super) async fn get(State(app): State<Arc<App>>, actor: CurrentActor, path: PackagePath) -> Result<Response> {
    let opened = app.packages.open(&actor.known()?, &path.for_reading()?, Intent::INSPECT).await?;
    let package = opened.entry.facts.package.as_ref();
    let second_factor = package.map(|package| package.second_factor).unwrap_or_default();
    Ok(private(json!({
        "access": opened.visibility().as_str(),
        "publish_requires_tfa": second_factor.publish_requires,
        "automation_token_overrides_tfa": second_factor.automation_overrides,
    })))
}

/// `GET /-/package/{package}/visibility`, as npm asks it.
pub(super) async fn visibility(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
) -> Result<Response> {
    let opened = app.packages.open(&actor.known()?, &path.for_reading()?, Intent::INSPECT).await?;
    Ok(private(json!({ "public": opened.visibility() == Visibility::Public })))
}

/// What `npm access set` sends: a visibility, or whether publishing asks for a second factor.
#[derive(Deserialize)]
pub(super) struct AccessChange {
    access: Option<String>,
    publish_requires_tfa: Option<bool>,
    automation_token_overrides_tfa: Option<bool>,
}

impl AccessChange {
    /// Whether publishing asks for a second factor; pnpm leaves the second half out.
    fn second_factor(&self) -> Option<PackageSecondFactor> {
        let publish_requires = self.publish_requires_tfa?;
        let overrides = publish_requires && self.automation_token_overrides_tfa.unwrap_or_default();
        Some(PackageSecondFactor { publish_requires, automation_overrides: overrides })
    }
}

/// `POST /-/package/{package}/access`.
pub(super) async fn set(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    request: axum::extract::Request,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    // Before the body is read: whoever may not do the cheapest of these changes may do none of them.
    let permit = app.access.permit(&actor, &name, Intent::REQUIRE_SECOND_FACTOR).await?;
    let JsonBody(change): JsonBody<AccessChange> = crate::http::read_json(request).await?;
    if change.access.is_none() && change.publish_requires_tfa.is_none() {
        return Err(Error::Malformed("The body names no change. Send {\"access\":\"restricted\"}.".into()));
    }
    if let Some(text) = &change.access {
        let wanted: Visibility = text
            .parse()
            .map_err(|()| Error::Unprocessable("access is \"public\" or \"restricted\". Say one of them.".into()))?;
        let permit = app.access.permit(permit.actor(), &name, Intent::set_visibility(wanted)).await?;
        app.access.set_visibility(&permit, wanted).await?;
    }
    if let Some(wanted) = change.second_factor() {
        app.access.set_second_factor(&permit, wanted).await?;
    }
    Ok(Json(json!({ "ok": true })))
}

/// `GET /-/package/{package}/collaborators`: a map for npm, an array for pnpm, which cannot read the map.
pub(super) async fn collaborators(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    query: Query,
    headers: HeaderMap,
) -> Result<Response> {
    let name = path.for_reading()?;
    let permit = app.access.permit(&actor.known()?, &name, Intent::LIST_COLLABORATORS).await?;
    let mut listed = app.access.list_collaborators(&permit).await?;
    if let Some(user) = query.get("user") {
        listed.retain(|one| one.name.as_str() == user);
    }
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let wants_array = agent.starts_with("pnpm/") && query.get("format") == Some("cli");
    Ok(private(if wants_array { as_array(&listed) } else { as_map(&listed) }))
}

fn as_map(listed: &[Collaborator]) -> Value {
    let pairs = listed.iter().map(|one| (one.name.to_string(), one.permission.as_npm_word().into()));
    Value::Object(pairs.collect::<Map<_, _>>())
}

fn as_array(listed: &[Collaborator]) -> Value {
    let entries = listed.iter().map(
        |one| json!({ "user": one.name, "username": one.name, "email": "", "permissions": one.permission.as_str() }),
    );
    entries.collect()
}
