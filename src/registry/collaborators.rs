//! The registry's own calls on access, beside npm's: one user's grant with its level and its end, and the reasons behind
//! a yes or a no. npm can say read-write only, and nothing of time (`protocol.md` 6.8).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::{Explanation, Grantee, Term, Verdict};
use crate::app::App;
use crate::clock::{Time, to_npm_time};
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, JsonBody, PackagePath, PathParameters, Query};
use crate::names::{AccountName, PackageName};
use crate::policy::{Ground, Intent};

use super::private;

/// What is given.
#[derive(Deserialize)]
struct NewGrant {
    permission: String,
    until: Option<Time>,
}

/// `PUT /-/strongroom/v1/package/{package}/access/{who}`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    parameters: PathParameters,
    request: Request,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    let permit = app.access.permit(&actor, &name, Intent::GRANT).await?;
    let JsonBody(grant): JsonBody<NewGrant> = crate::http::read_json(request).await?;
    let permission = grant
        .permission
        .parse()
        .map_err(|()| Error::Unprocessable("permission is \"read-only\" or \"read-write\". Say one of them.".into()))?;
    let term = Term { permission, until: grant.until };
    match Grantee::read(parameters.get("who"), &name)? {
        Grantee::User(user) => app.access.grant(&permit, &user, term).await?,
        Grantee::Team(team) => app.access.grant_team(&permit, &team, term).await?,
    }
    Ok(Json(json!({ "ok": true })))
}

/// `DELETE /-/strongroom/v1/package/{package}/access/{who}`.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    app.access.permit(&actor, &name, Intent::CHANGE_COLLABORATORS).await?;
    match Grantee::read(parameters.get("who"), &name)? {
        Grantee::User(user) => app.access.remove(&actor, &name, &user).await?,
        Grantee::Team(team) => {
            let permit = app.access.permit(&actor, &name, Intent::REVOKE).await?;
            app.access.revoke_team(&permit, &team).await?;
        }
    }
    Ok(Json(json!({ "ok": true })))
}

/// `GET /-/strongroom/v1/access/explain?package=NAME&user=NAME`; without a user, about the asker and their token.
pub(super) async fn explain(State(app): State<Arc<App>>, actor: CurrentActor, query: Query) -> Result<Response> {
    let actor = actor.known()?;
    let account = crate::http::require_account(&actor)?;
    let package = query
        .get("package")
        .ok_or_else(|| Error::Malformed("Say which package to explain: add package=@scope/name to the URL.".into()))?;
    let package: PackageName =
        package.parse().map_err(|cause: crate::names::InvalidName| Error::NotFound(cause.to_string().into()))?;
    let user: AccountName = match query.get("user") {
        Some(user) => user.parse()?,
        None => account.name.clone(),
    };
    Ok(private(as_json(&app.access.explain(&actor, &package, Some(&user)).await?)))
}

fn as_json(explanation: &Explanation) -> Value {
    let verdict = |verdict: &Verdict| match &verdict.refusal {
        None => (verdict.deed.to_owned(), json!({ "allowed": true })),
        Some((code, sentence)) => {
            (verdict.deed.to_owned(), json!({ "allowed": false, "code": code, "reason": sentence }))
        }
    };
    json!({
        "user": explanation.user,
        "package": explanation.package,
        "visibility": explanation.visibility.as_str(),
        "may": explanation.verdicts.iter().map(verdict).collect::<serde_json::Map<_, _>>(),
        "because": explanation.grounds.iter().map(ground).collect::<Value>(),
        "token": explanation.token.map(crate::policy::TokenRight::as_str),
    })
}

fn ground(ground: &Ground) -> Value {
    match ground {
        Ground::Public => json!({ "ground": "public" }),
        Ground::OwnsScope => json!({ "ground": "owns-scope" }),
        Ground::Member { organization, role } => {
            json!({ "ground": "member", "organization": organization, "role": role.as_npm_word() })
        }
        Ground::Granted { permission, team, until, ended } => json!({
            "ground": if team.is_some() { "team" } else { "grant" },
            "team": team,
            "permission": permission.as_str(),
            "until": until.map(to_npm_time),
            "ended": ended,
        }),
    }
}
