//! `npm org` (`protocol.md` 6.6).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, JsonBody, PathParameters};
use crate::names::AccountName;
use crate::policy::{Actor, OrganizationAction, OrganizationPermit, OrganizationRole};

use super::{notice, private};

/// Asks about the organization that a path names; before any body is read.
pub(super) async fn permit(
    app: &App,
    actor: &Actor,
    organization: &str,
    action: OrganizationAction,
) -> Result<OrganizationPermit> {
    let name = organization.strip_prefix('@').unwrap_or(organization);
    match name.parse::<AccountName>() {
        Ok(name) => app.organizations.permit(actor, &name, action).await,
        Err(cause) => crate::http::require_account(actor).and(Err(Error::NotFound(cause.to_string().into()))),
    }
}

/// `GET /-/org/{account}/user`: members and their roles, as a map.
pub(super) async fn list(State(app): State<Arc<App>>, actor: CurrentActor, path: PathParameters) -> Result<Response> {
    let permit = permit(&app, &actor.known()?, path.get("account"), OrganizationAction::See).await?;
    let members = app.organizations.list_members(&permit).await?;
    let pairs = members.into_iter().map(|member| (member.name.to_string(), member.role.as_npm_word().into()));
    Ok(private(Value::Object(pairs.collect::<Map<_, _>>())))
}

/// What `npm org set` sends; without a role it is that of a developer.
#[derive(Deserialize)]
struct NewMember {
    user: AccountName,
    role: Option<String>,
}

/// `PUT /-/org/{account}/user`.
pub(super) async fn set(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
    request: Request,
) -> Result<Json<Value>> {
    let permit = permit(&app, &actor.known()?, path.get("account"), OrganizationAction::ChangeMembers).await?;
    let JsonBody(NewMember { user, role }): JsonBody<NewMember> = crate::http::read_json(request).await?;
    let role: OrganizationRole = role.as_deref().unwrap_or("developer").parse().map_err(|()| {
        Error::Unprocessable("A role is \"developer\", \"admin\" or \"owner\". Say one of them.".into())
    })?;
    let size = app.organizations.set_member(&permit, &user, role).await?;
    let organization = json!({ "name": permit.organization().name, "size": size });
    Ok(Json(json!({ "org": organization, "user": user, "role": role.as_npm_word() })))
}

/// A body that names a user.
#[derive(Deserialize)]
pub(super) struct NamedUser {
    pub(super) user: AccountName,
}

/// `DELETE /-/org/{account}/user`, with the user in the body. Any member may take themselves out.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
    request: Request,
) -> Result<Response> {
    let actor = actor.known()?;
    let organization = path.get("account");
    permit(&app, &actor, organization, OrganizationAction::Leave).await?;
    let JsonBody(NamedUser { user }): JsonBody<NamedUser> = crate::http::read_json(request).await?;
    let leaves = actor.account().is_some_and(|account| account.name == user);
    let action = if leaves { OrganizationAction::Leave } else { OrganizationAction::ChangeMembers };
    let permit = permit(&app, &actor, organization, action).await?;
    let removal = app.organizations.remove_member(&permit, &user).await?;
    let mut response = Json(json!({ "ok": true })).into_response();
    if removal.kept_grants > 0 {
        let line = format!("{user} keeps access to {} packages by name; npm owner rm takes it.", removal.kept_grants);
        notice(response.headers_mut(), &line);
    }
    Ok(response)
}
