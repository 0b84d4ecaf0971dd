//! `npm team`, and what `npm access grant` and `revoke` give to teams (`protocol.md` 6.7 and 6.8).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::access::Term;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, JsonBody, PathParameters, Query};
use crate::names::{PackageName, TeamName};
use crate::policy::{Actor, Administer, Intent, OrganizationAction, Permission, Permit};

use super::organizations::{NamedUser, permit};
use super::private;

/// The team that a path names; an impossible name is one that nobody has.
fn team(path: &PathParameters) -> Result<TeamName> {
    path.get("team").parse().map_err(|cause: crate::names::InvalidName| Error::NotFound(cause.to_string().into()))
}

/// npm asks with `format=cli` and wants texts; pnpm asks without and wants objects.
fn listed<T: ToString>(query: &Query, names: &[T], text: impl Fn(&T) -> String) -> Response {
    let for_npm = query.get("format") == Some("cli");
    let entry = |name: &T| if for_npm { text(name).into() } else { json!({ "name": name.to_string() }) };
    private(names.iter().map(entry).collect::<Value>())
}

/// `GET /-/org/{account}/team`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
    query: Query,
) -> Result<Response> {
    let permit = permit(&app, &actor.known()?, path.get("account"), OrganizationAction::See).await?;
    let teams = app.organizations.list_teams(&permit).await?;
    let organization = &permit.organization().name;
    Ok(listed(&query, &teams, |team| format!("{organization}:{team}")))
}

/// What `npm team create` sends.
#[derive(Deserialize)]
struct NewTeam {
    name: TeamName,
    #[serde(default)]
    description: Option<String>,
}

/// `PUT /-/org/{account}/team`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
    request: Request,
) -> Result<Json<Value>> {
    let permit = permit(&app, &actor.known()?, path.get("account"), OrganizationAction::ChangeTeams).await?;
    let JsonBody(NewTeam { name, description }): JsonBody<NewTeam> = crate::http::read_json(request).await?;
    app.organizations.create_team(&permit, &name, description.as_deref().unwrap_or_default()).await?;
    Ok(Json(json!({ "name": name })))
}

/// `DELETE /-/team/{account}/{team}`.
pub(super) async fn destroy(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
) -> Result<Json<Value>> {
    let permit = permit(&app, &actor.known()?, path.get("account"), OrganizationAction::ChangeTeams).await?;
    app.organizations.destroy_team(&permit, &team(&path)?).await?;
    Ok(Json(json!({ "ok": true })))
}

/// `GET /-/team/{account}/{team}/user`.
pub(super) async fn list_users(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
    query: Query,
) -> Result<Response> {
    let permit = permit(&app, &actor.known()?, path.get("account"), OrganizationAction::See).await?;
    let users = app.organizations.list_team_members(&permit, &team(&path)?).await?;
    Ok(listed(&query, &users, ToString::to_string))
}

/// `PUT /-/team/{account}/{team}/user`.
pub(super) async fn add_user(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
    request: Request,
) -> Result<Json<Value>> {
    let permit = permit(&app, &actor.known()?, path.get("account"), OrganizationAction::ChangeTeams).await?;
    let JsonBody(NamedUser { user }): JsonBody<NamedUser> = crate::http::read_json(request).await?;
    app.organizations.add_to_team(&permit, &team(&path)?, &user).await?;
    Ok(Json(json!({ "ok": true })))
}

/// `DELETE /-/team/{account}/{team}/user`, with the user in the body.
pub(super) async fn remove_user(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
    request: Request,
) -> Result<Json<Value>> {
    let permit = permit(&app, &actor.known()?, path.get("account"), OrganizationAction::ChangeTeams).await?;
    let JsonBody(NamedUser { user }): JsonBody<NamedUser> = crate::http::read_json(request).await?;
    app.organizations.remove_from_team(&permit, &team(&path)?, &user).await?;
    Ok(Json(json!({ "ok": true })))
}

/// `GET /-/team/{account}/{team}/package`: what the team was given, as far as the asker may see it.
pub(super) async fn list_packages(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
) -> Result<Response> {
    let permit = permit(&app, &actor.known()?, path.get("account"), OrganizationAction::See).await?;
    let packages = app.access.list_packages_of_team(&permit, &team(&path)?).await?;
    let pairs = packages.into_iter().map(|(name, permission)| (name.to_string(), permission.as_npm_word().into()));
    Ok(private(Value::Object(pairs.collect::<Map<_, _>>())))
}

/// What `npm access grant` sends.
#[derive(Deserialize)]
struct NewGrant {
    package: PackageName,
    permissions: String,
}

/// A body that names a package.
#[derive(Deserialize)]
struct NamedPackage {
    package: PackageName,
}

/// `PUT /-/team/{account}/{team}/package`.
pub(super) async fn grant(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
    request: Request,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    permit(&app, &actor, path.get("account"), OrganizationAction::See).await?;
    let JsonBody(NewGrant { package, permissions }): JsonBody<NewGrant> = crate::http::read_json(request).await?;
    let permission: Permission = permissions.parse().map_err(|()| {
        Error::Unprocessable("permissions is \"read-only\" or \"read-write\". Say one of them.".into())
    })?;
    let permit = permit_on_package(&app, &actor, &path, &package, Intent::GRANT).await?;
    app.access.grant_team(&permit, &team(&path)?, Term::from(permission)).await?;
    Ok(Json(json!({ "ok": true })))
}

/// `DELETE /-/team/{account}/{team}/package`, with the package in the body.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
    request: Request,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    permit(&app, &actor, path.get("account"), OrganizationAction::See).await?;
    let JsonBody(NamedPackage { package }): JsonBody<NamedPackage> = crate::http::read_json(request).await?;
    let permit = permit_on_package(&app, &actor, &path, &package, Intent::REVOKE).await?;
    app.access.revoke_team(&permit, &team(&path)?).await?;
    Ok(Json(json!({ "ok": true })))
}

/// The package's own decision counts; a team has access in the scope of its organization only.
async fn permit_on_package(
    app: &App,
    actor: &Actor,
    path: &PathParameters,
    package: &PackageName,
    intent: Intent<Administer>,
) -> Result<Permit<Administer>> {
    let permit = app.access.permit(actor, package, intent).await?;
    let organization = path.get("account").trim_start_matches('@');
    if package.scope().as_str() != organization {
        return Err(Error::Unprocessable(
            format!("{package} is not in the scope of @{organization}, so its teams cannot have access.").into(),
        ));
    }
    Ok(permit)
}
