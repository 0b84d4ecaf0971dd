//! Stars beside the packument: pnpm's way to give one, and the lists of all clients (`protocol.md` 3.7 and 8.3).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, JsonBody, PackagePath, PathParameters, Query, require_account};
use crate::names::{AccountName, PackageName};
use crate::policy::{Actor, Intent};

use super::private;

#[derive(Deserialize)]
struct Starred {
    package: Option<String>,
    name: Option<String>,
}

/// `PUT` and `DELETE /-/user/v1/star`; the package stands in the body.
pub(super) async fn change(State(app): State<Arc<App>>, actor: CurrentActor, request: Request) -> Result<Json<Value>> {
    let actor = actor.known()?;
    require_account(&actor)?;
    let starred = request.method() == Method::PUT;
    let JsonBody(Starred { package, name }): JsonBody<Starred> = crate::http::read_json(request).await?;
    let named = package.or(name).ok_or_else(|| Error::Malformed("The body names no package.".into()))?;
    set(&app, &actor, &named.parse()?, starred).await
}

/// `PUT` and `DELETE /-/user/package/{package}/star`.
pub(super) async fn change_named(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    method: Method,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    set(&app, &actor, &name, method == Method::PUT).await
}

async fn set(app: &App, actor: &Actor, name: &PackageName, starred: bool) -> Result<Json<Value>> {
    let permit = app.access.permit(actor, name, Intent::STAR).await?;
    let rev = app.packages.star(&permit, starred).await?;
    Ok(Json(json!({ "ok": true, "id": name, "rev": rev })))
}

/// `GET /-/user/v1/star`: one's own.
pub(super) async fn own(State(app): State<Arc<App>>, actor: CurrentActor) -> Result<Response> {
    let actor = actor.known()?;
    let user = &require_account(&actor)?.name;
    Ok(private(json!(app.packages.starred_by(user, &actor).await?)))
}

/// `GET /-/user/{user}/stars` and `GET /-/util/user/{user}/stars`: a map whose keys are printed.
pub(super) async fn of_user(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<Response> {
    let actor = actor.known()?;
    let missing = || Error::NotFound("There is no such user. Check the name.".into());
    let user: AccountName = parameters.get("user").parse().map_err(|_| missing())?;
    app.users.find(&user).await?.ok_or_else(missing)?;
    let starred = app.packages.starred_by(&user, &actor).await?;
    let map: Map<String, Value> = starred.into_iter().map(|name| (name.to_string(), true.into())).collect();
    Ok(private(Value::Object(map)))
}

/// `GET /-/_view/starredByUser?key="alice"`, as `npm stars` asks. Of an unknown user: none.
pub(super) async fn by_user(State(app): State<Arc<App>>, actor: CurrentActor, query: Query) -> Result<Response> {
    let actor = actor.known()?;
    let starred = match key(&query)?.parse::<AccountName>() {
        Ok(user) => app.packages.starred_by(&user, &actor).await?,
        Err(_) => Vec::new(),
    };
    Ok(rows(&starred))
}

/// `GET /-/_view/starredByPackage?key="@acme/one"`, as old clients ask.
pub(super) async fn by_package(State(app): State<Arc<App>>, actor: CurrentActor, query: Query) -> Result<Response> {
    let actor = actor.known()?;
    let name: PackageName =
        key(&query)?.parse().map_err(|cause: crate::names::InvalidName| Error::NotFound(cause.to_string().into()))?;
    let opened = app.packages.open(&actor, &name, Intent::INSPECT).await?;
    Ok(rows(&app.packages.stargazers(&opened.permit).await?))
}

/// The `key` of a view, which npm writes as JSON.
fn key(query: &Query) -> Result<String> {
    let text = query.get("key").ok_or_else(|| Error::Malformed("The query has no key. Say whose.".into()))?;
    Ok(serde_json::from_str(text).unwrap_or_else(|_| text.to_owned()))
}

fn rows(values: &[impl ToString]) -> Response {
    let rows: Vec<Value> = values.iter().map(|value| json!({ "value": value.to_string() })).collect();
    private(json!({ "rows": rows }))
}
