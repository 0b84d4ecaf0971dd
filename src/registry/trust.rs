//! `npm trust`, and the exchange of a CI's token for one of ours (`protocol.md` 7.5 and 7.6).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::to_npm_time;
use crate::error::{Error, Result};
use crate::http::{ClientAddress, CurrentActor, Json, JsonBody, PackagePath, PathParameters, require_account};
use crate::names::{AccountName, InvalidName, RandomId};
use crate::policy::{Administer, Intent, ScopePermit};
use crate::trust::{NewPublisher, Publisher};

use super::notice;

/// npm sends a list of one; a single one is fine too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Wanted {
    Several(Vec<NewPublisher>),
    One(NewPublisher),
}

impl Wanted {
    fn into_list(self) -> Vec<NewPublisher> {
        match self {
            Self::Several(several) => several,
            Self::One(one) => vec![one],
        }
    }
}

/// `GET /-/package/{package}/trust`.
pub(super) async fn list(State(app): State<Arc<App>>, actor: CurrentActor, path: PackagePath) -> Result<Json<Value>> {
    let actor = actor.known()?;
    require_account(&actor)?;
    let name = path.for_writing(&actor)?;
    let permit = app.access.permit(&actor, &name, Intent::SEE_TRUST).await?;
    let publishers = app.trust.list(&permit).await?;
    Ok(Json(as_json(&publishers, &format!("@{}", name.scope()))))
}

/// `POST /-/package/{package}/trust`.
pub(super) async fn add(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    request: Request,
) -> Result<Response> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    let permit = app.access.permit(&actor, &name, Intent::SET_TRUST).await?;
    let JsonBody(wanted): JsonBody<Wanted> = crate::http::read_json(request).await?;
    let publishers = app.trust.add(&permit, &wanted.into_list()).await?;
    Ok(created(&publishers, &format!("@{}", name.scope())))
}

/// `DELETE /-/package/{package}/trust/{id}`.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    parameters: PathParameters,
) -> Result<StatusCode> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    let permit = app.access.permit(&actor, &name, Intent::SET_TRUST).await?;
    app.trust.remove(&permit, &id(&parameters)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /-/strongroom/v1/scope/{scope}/trust`.
pub(super) async fn list_for_scope(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    let permit = permit_scope(&app, actor, &parameters, Intent::SEE_TRUST).await?;
    let publishers = app.trust.list_for_scope(&permit).await?;
    Ok(Json(as_json(&publishers, &permit.scope())))
}

/// `POST /-/strongroom/v1/scope/{scope}/trust`.
pub(super) async fn add_for_scope(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
    request: Request,
) -> Result<Response> {
    let permit = permit_scope(&app, actor, &parameters, Intent::SET_TRUST).await?;
    let JsonBody(wanted): JsonBody<Wanted> = crate::http::read_json(request).await?;
    let publishers = app.trust.add_for_scope(&permit, &wanted.into_list()).await?;
    Ok(created(&publishers, &permit.scope()))
}

/// `DELETE /-/strongroom/v1/scope/{scope}/trust/{id}`.
pub(super) async fn remove_for_scope(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<StatusCode> {
    let permit = permit_scope(&app, actor, &parameters, Intent::SET_TRUST).await?;
    app.trust.remove_for_scope(&permit, &id(&parameters)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn permit_scope(
    app: &App,
    actor: CurrentActor,
    parameters: &PathParameters,
    intent: Intent<Administer>,
) -> Result<ScopePermit> {
    let actor = actor.known()?;
    require_account(&actor)?;
    let text = parameters.get("scope");
    let scope: AccountName = text
        .strip_prefix('@')
        .unwrap_or(text)
        .parse()
        .map_err(|cause: InvalidName| Error::NotFound(cause.to_string().into()))?;
    app.access.permit_scope(&actor, &scope, intent).await
}

fn id(parameters: &PathParameters) -> Result<RandomId> {
    parameters.get("id").parse().map_err(|cause: InvalidName| Error::NotFound(cause.to_string().into()))
}

fn as_json(publishers: &[Publisher], scope: &str) -> Value {
    publishers.iter().map(|publisher| publisher.as_json(scope)).collect()
}

/// npm shows the repository and not whose word for it is taken, so that goes along as a notice.
fn created(publishers: &[Publisher], scope: &str) -> Response {
    let mut response = (StatusCode::CREATED, Json(as_json(publishers, scope))).into_response();
    if let Some(publisher) = publishers.first() {
        notice(response.headers_mut(), &format!("Tokens signed by {} are taken for it.", publisher.issuer));
    }
    response
}

/// `POST /-/npm/v1/oidc/token/exchange/package/{package}`. What is no name is refused in the words of all refusals.
pub(super) async fn exchange(
    State(app): State<Arc<App>>,
    path: PackagePath,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
) -> Result<Response> {
    let name = path.for_reading().map_err(|_| no_token())?;
    let id_token = bearer(&headers).ok_or_else(no_token)?;
    let exchanged = app.trust.exchange(&name, id_token, address).await?;
    let answer = json!({
        "token_type": "oidc",
        "token": exchanged.secret.expose(),
        "created": to_npm_time(exchanged.created_at),
        "expires": to_npm_time(exchanged.expires_at),
    });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn no_token() -> Error {
    Error::Unauthenticated("This takes the ID token of a CI job, as Authorization: Bearer, and a package.".into())
}
