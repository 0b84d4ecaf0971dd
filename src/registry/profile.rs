//! `npm profile` (`protocol.md` 5.6).

use std::sync::Arc;

use axum::extract::{Request, State};
use http::HeaderMap;
use http::header::USER_AGENT;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::to_npm_time;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, JsonBody, read_json};
use crate::names::Email;
use crate::policy::{AccountAction, AccountPermit, SecondFactorMode};
use crate::second_factor::{Begun, Status};
use crate::users::{DetailsChange, Field, Password};

use super::tokens::check_password;

/// `GET /-/npm/v1/user`.
pub(super) async fn get(State(app): State<Arc<App>>, actor: CurrentActor) -> Result<Json<Value>> {
    let permit = app.second_factor.permit(&actor.known()?, AccountAction::See).await?;
    Ok(Json(shown(&app, &permit).await?))
}

/// What `npm profile` sends: fields as they shall be, a change of password, or a step of the second factor.
#[derive(Deserialize)]
pub(super) struct ProfileDocument {
    email: Option<String>,
    #[serde(default, deserialize_with = "given")]
    fullname: Field,
    #[serde(default, deserialize_with = "given")]
    homepage: Field,
    #[serde(default, deserialize_with = "given")]
    github: Field,
    #[serde(default, deserialize_with = "given")]
    twitter: Field,
    #[serde(default, deserialize_with = "given")]
    freenode: Field,
    password: Option<PasswordChange>,
    tfa: Option<SecondFactorStep>,
}

#[derive(Deserialize)]
struct PasswordChange {
    old: String,
    new: String,
    /// Ends granular tokens too; npm has no word for it, pages do.
    #[serde(default)]
    revoke_tokens: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SecondFactorStep {
    /// The first code of a new seed; npm sends one, and says so as a list.
    Codes(Vec<String>),
    /// Enable, change the mode, or disable.
    Mode { mode: String, password: Option<String> },
}

/// Tells a member that is null, which empties the field, from one that is not there.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Field, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map_or(Field::Empty, Field::Set))
}

/// `POST /-/npm/v1/user`.
pub(super) async fn set(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    headers: HeaderMap,
    request: Request,
) -> Result<Json<Value>> {
    let permit = app.second_factor.permit(&actor.known()?, AccountAction::Change).await?;
    let JsonBody(document): JsonBody<ProfileDocument> = read_json(request).await?;
    if let Some(step) = document.tfa {
        return step_of_second_factor(&app, &permit, step, &headers).await.map(|tfa| Json(json!({ "tfa": tfa })));
    }
    let change = DetailsChange {
        email: document.email.as_deref().map(str::parse::<Email>).transpose()?,
        fullname: document.fullname,
        homepage: document.homepage,
        github: document.github,
        twitter: document.twitter,
        freenode: document.freenode,
    };
    // Before anything is changed: a password that is refused must not leave half of the document behind.
    if let Some(passwords) = document.password {
        change_password(&app, &permit, passwords).await?;
    }
    app.recovery.change_details(&permit, &change).await?;
    Ok(Json(shown(&app, &permit).await?))
}

async fn change_password(app: &App, permit: &AccountPermit, passwords: PasswordChange) -> Result<()> {
    let chosen = Password::chosen(&passwords.new)?;
    check_password(app, permit, Some(&passwords.old)).await?;
    let hash = app.users.hash(chosen).await?;
    app.tokens.change_password(permit, &hash, passwords.revoke_tokens).await
}

async fn step_of_second_factor(
    app: &App,
    permit: &AccountPermit,
    step: SecondFactorStep,
    headers: &HeaderMap,
) -> Result<Value> {
    let (mode, password) = match step {
        SecondFactorStep::Codes(codes) => {
            let code = codes.first().map(String::as_str).unwrap_or_default();
            return app.second_factor.finish(permit, code).await.map(Into::into);
        }
        SecondFactorStep::Mode { mode, password } => (mode, password),
    };
    check_password(app, permit, password.as_deref()).await?;
    if mode == "disable" {
        app.second_factor.disable(permit).await?;
        return Ok(Value::Null);
    }
    let mode: SecondFactorMode = mode.parse().map_err(|()| {
        Error::Unprocessable("The mode is \"auth-only\", \"auth-and-writes\" or \"disable\". Say one of them.".into())
    })?;
    Ok(match app.second_factor.begin(permit, mode).await? {
        Begun::Seed(url) => url.into(),
        // npm 6 takes null for it, and nothing else.
        Begun::ModeChanged(_) if is_npm_6(headers) => Value::Null,
        Begun::ModeChanged(mode) => json!({ "pending": false, "mode": mode.as_str() }),
    })
}

fn is_npm_6(headers: &HeaderMap) -> bool {
    headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"npm/6."))
}

async fn shown(app: &App, permit: &AccountPermit) -> Result<Value> {
    let account = permit.account();
    let details = app.users.details(account.id).await?;
    let tfa = match app.second_factor.status(account).await? {
        Status::Off => Value::Null,
        Status::Pending(mode) => json!({ "pending": true, "mode": mode.as_str() }),
        Status::On(mode) => json!({ "pending": false, "mode": mode.as_str() }),
    };
    Ok(json!({
        "tfa": tfa,
        "name": account.name,
        "email": details.email,
        "email_verified": details.email_verified,
        "created": to_npm_time(details.created_at),
        "updated": to_npm_time(details.updated_at),
        "cidr_whitelist": null,
        "fullname": details.fullname,
        "homepage": details.homepage,
        "github": details.github,
        "twitter": details.twitter,
        "freenode": details.freenode,
    }))
}
