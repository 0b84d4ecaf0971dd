//! `npm access list packages` (`protocol.md` 6.5): only what the caller may see.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value};

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, PathParameters, require_account};
use crate::names::{AccountId, AccountName};
use crate::policy::{AccountKind, Actor};

use super::private;

/// `GET /-/user/{user}/package`.
pub(super) async fn of_user(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
) -> Result<Response> {
    list(&app, actor, path.get("user"), AccountKind::User).await
}

/// `GET /-/org/{account}/package`. npm asks this first for users as well, and asks the other one after a 404.
pub(super) async fn of_organization(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PathParameters,
) -> Result<Response> {
    list(&app, actor, path.get("account"), AccountKind::Organization).await
}

/// `GET /-/-/package`, as pnpm asks for one's own.
pub(super) async fn own(State(app): State<Arc<App>>, actor: CurrentActor) -> Result<Response> {
    let actor = actor.known()?;
    let account = require_account(&actor)?.id;
    packages_of(&app, account, &actor).await
}

async fn list(app: &App, actor: CurrentActor, account: &str, kind: AccountKind) -> Result<Response> {
    let actor = actor.known()?;
    let missing = || Error::NotFound("There is no such account. Check the name.".into());
    let name: AccountName = account.strip_prefix('@').unwrap_or(account).parse().map_err(|_| missing())?;
    let found = app.users.find_account(&name).await?.filter(|(_, of_kind)| *of_kind == kind);
    let (account, _) = found.ok_or_else(missing)?;
    packages_of(app, account, &actor).await
}

async fn packages_of(app: &App, account: AccountId, actor: &Actor) -> Result<Response> {
    let listed = app.access.list_packages(account, actor).await?;
    let pairs = listed.into_iter().map(|(name, level)| (name.to_string(), level.as_npm_word().into()));
    Ok(private(Value::Object(pairs.collect::<Map<_, _>>())))
}
