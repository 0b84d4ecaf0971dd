//! The user document, which `npm owner` looks people up in (`protocol.md` 5.3).

use std::sync::Arc;

use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::to_npm_time;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, PathParameters};

use super::session::name_in_id;

/// `GET /-/user/org.couchdb.user:NAME`. Accounts are public knowledge; the mail address is shown to its owner alone.
pub(super) async fn get(State(app): State<Arc<App>>, actor: CurrentActor, path: PathParameters) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let missing = || Error::NotFound("There is no such user. Check the name.".into());
    let name = name_in_id(path.get("user")).ok_or_else(missing)?;
    let profile = app.users.find(&name).await?.ok_or_else(missing)?;
    let email = if actor.account_id() == Some(profile.id) { profile.email.as_str() } else { "" };
    Ok(Json(json!({
        "_id": format!("org.couchdb.user:{name}"),
        "_rev": "1-0",
        "name": name,
        "email": email,
        "type": "user",
        "roles": [],
        "date": to_npm_time(profile.created_at),
    })))
}
