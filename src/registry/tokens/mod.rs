//! `npm token` (`protocol.md` 5.7).

mod document;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::to_npm_time;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, JsonBody, PathParameters, Query, read_json};
use crate::policy::{AccountAction, AccountPermit, Narrowing, OrganizationRight, TokenRight};
use crate::tokens::{ListedToken, Page};
use crate::users::Password;

use document::NewTokenDocument;

/// What npm asks for where it does not say how much, and the most that it gets.
const PAGE: i64 = 10;
const LARGEST_PAGE: i64 = 250;

/// `GET /-/npm/v1/tokens`: the account's own.
pub(super) async fn list(State(app): State<Arc<App>>, actor: CurrentActor, query: Query) -> Result<Json<Value>> {
    let permit = app.second_factor.permit(&actor.known()?, AccountAction::See).await?;
    let number = |name: &str, otherwise: i64| match query.get(name) {
        None | Some("") => Ok(otherwise),
        Some(text) => text
            .parse::<u32>()
            .map(i64::from)
            .map_err(|_| Error::Malformed(format!("{name} is a whole number from 0 on. Check the query.").into())),
    };
    let (page, per_page) = (number("page", 0)?, number("perPage", PAGE)?.clamp(1, LARGEST_PAGE));
    let (listed, total) = app.tokens.list_own(&permit, Page { limit: per_page, offset: page * per_page }).await?;
    let has_next = (page + 1) * per_page < total;
    let next = has_next.then(|| format!("/-/npm/v1/tokens?page={}&perPage={per_page}", page + 1));
    let objects: Vec<Value> = listed.iter().map(as_npm).collect();
    Ok(Json(json!({ "objects": objects, "total": total, "urls": { "next": next } })))
}

/// `POST /-/npm/v1/tokens`: asks for the password once more, and for the second factor where there is one.
pub(super) async fn create(State(app): State<Arc<App>>, actor: CurrentActor, request: Request) -> Result<Response> {
    let permit = app.second_factor.permit(&actor.known()?, AccountAction::Change).await?;
    let JsonBody(document): JsonBody<NewTokenDocument> = read_json(request).await?;
    check_password(&app, &permit, document.password.as_deref()).await?;
    let token = document.into_token(&app, permit.account())?;
    let shown = ListedToken {
        key: String::new(),
        prefix: String::new(),
        name: token.name.clone(),
        description: token.description.clone(),
        kind: token.kind,
        account: permit.account().name.clone(),
        narrowing: token.narrowing.clone(),
        created_at: app.clock.now(),
        expires_at: token.expires_at,
        last_used_at: None,
        last_used_address: None,
    };
    let issued = app.tokens.create(&permit, token).await?;
    let mut answer = as_npm(&ListedToken { key: issued.key, created_at: issued.created_at, ..shown });
    answer["token"] = issued.secret.expose().into();
    answer["expires"] = answer["expiry"].clone();
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// `DELETE /-/npm/v1/tokens/token/{token}`: by key, or by the whole token.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
) -> Result<StatusCode> {
    let permit = app.second_factor.permit(&actor.known()?, AccountAction::EndToken).await?;
    app.tokens.revoke_own(&permit, path.get("token")).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The password that goes with a change of the account. It is counted as a login is: who holds a token must not find the
/// password out with it.
pub(super) async fn check_password(app: &App, permit: &AccountPermit, password: Option<&str>) -> Result<()> {
    let principal = permit.principal();
    app.throttle.attempt(&principal.account.name, principal.address)?;
    let password = Password::offered(password.unwrap_or_default())?;
    app.users.check_password(permit, password).await
}

fn as_npm(token: &ListedToken) -> Value {
    let narrowing = &token.narrowing;
    let networks: Vec<String> = narrowing.networks.iter().map(ToString::to_string).collect();
    let networks = if networks.is_empty() { Value::Null } else { json!(networks) };
    json!({
        "key": token.key,
        "token": token.prefix,
        "name": token.name,
        "description": token.description,
        "created": to_npm_time(token.created_at),
        "updated": to_npm_time(token.created_at),
        "accessed": token.last_used_at.map(to_npm_time),
        "expiry": token.expires_at.map(to_npm_time),
        "revoked": null,
        "readonly": narrowing.right == TokenRight::ReadOnly,
        "automation": narrowing.bypasses_second_factor,
        "bypass_2fa": narrowing.bypasses_second_factor,
        "cidr_whitelist": networks,
        "cidr": networks,
        "permissions": permissions(narrowing),
        "scopes": scopes(narrowing),
    })
}

fn permissions(narrowing: &Narrowing) -> Vec<Value> {
    let packages = match narrowing.right {
        TokenRight::Everything => Some("write"),
        TokenRight::ReadOnly => Some("read"),
        TokenRight::StageOnly => Some("stage"),
        TokenRight::Trusted(_) => Some("trusted"),
        TokenRight::Nothing => None,
    };
    let organizations = match narrowing.organizations.right {
        OrganizationRight::Write => Some("write"),
        OrganizationRight::Read => Some("read"),
        OrganizationRight::Nothing => None,
    };
    let named = [("package", packages), ("org", organizations)];
    named.into_iter().filter_map(|(name, action)| Some(json!({ "name": name, "action": action? }))).collect()
}

/// What the token was narrowed to by name; empty where that is everything.
fn scopes(narrowing: &Narrowing) -> Vec<Value> {
    let packages = narrowing.packages.iter().map(|pattern| match pattern.as_str().strip_suffix("/*") {
        Some(scope) => json!({ "type": "scope", "name": scope }),
        None => json!({ "type": "package", "name": pattern }),
    });
    let organizations = narrowing.organizations.names.iter().map(|name| json!({ "type": "org", "name": name }));
    packages.chain(organizations).collect()
}
