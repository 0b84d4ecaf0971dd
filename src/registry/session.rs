//! Logging in and out with the legacy protocol, and `npm whoami` (`protocol.md` 5.1, 5.2, 5.4, 5.5).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use http::header::{HeaderName, USER_AGENT};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::audit::By;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::http::{
    ClientAddress, CurrentActor, CurrentOffer, Json, JsonBody, PathParameters, read_json, require_account,
};
use crate::logins::Asking;
use crate::names::{AccountName, Email};
use crate::policy::Narrowing;
use crate::tokens::{NewToken, TokenKind};
use crate::users::{NewUser, Password, Profile};

use super::notice;

/// How a client says whether it can follow a login through the browser.
const AUTH_TYPE: HeaderName = HeaderName::from_static("npm-auth-type");

const DOCUMENT_PREFIX: &str = "org.couchdb.user:";

/// The name in a user document's id.
pub(super) fn name_in_id(id: &str) -> Option<AccountName> {
    id.strip_prefix(DOCUMENT_PREFIX)?.parse().ok()
}

/// `GET /-/whoami`.
pub(super) async fn whoami(actor: CurrentActor) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let account = require_account(&actor)?;
    Ok(Json(json!({ "username": account.name })))
}

/// `POST /-/v1/login`: a page to log in on, for clients that say that they can wait for it. The others are told 404, which
/// has every one of them ask for the password: npm 6 to 8 try this first, whatever they were told to do.
pub(super) async fn web_login(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    request: Request,
) -> Result<Response> {
    if header(&headers, &AUTH_TYPE) != "web" {
        return Err(Error::NotFound(
            "This client does not log in through the browser. Give user name and password instead.".into(),
        ));
    }
    let asking =
        Asking { user_agent: header(&headers, &USER_AGENT), address, signs_up: asks_for_account(request).await };
    // A 429 would have npm ask for the password: what is too much here must not lead there.
    let too_often = |_| Error::Unavailable("too many logins were begun from your address".into());
    app.throttle.attempt_from(address).map_err(too_often)?;
    let opened = app.logins.open(&asking).await?;
    let body = Json(json!({ "loginUrl": opened.login_url, "doneUrl": opened.done_url }));
    let mut response = body.into_response();
    notice(response.headers_mut(), &format!("The page shows {} too; if it does not, close it.", opened.code));
    Ok(response)
}

/// npm's `adduser` says `{"create":true}`, its `login` `{}`; yarn 4 sends nothing. What cannot be read asks for nothing.
async fn asks_for_account(request: Request) -> bool {
    let document: Result<JsonBody<Value>> = read_json(request).await;
    document.is_ok_and(|JsonBody(document)| document["create"] == true)
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// What clients send to log in: npm's `login` without a mail address, its `adduser` and all others with one.
#[derive(Deserialize)]
pub(super) struct UserDocument {
    name: String,
    password: String,
    email: Option<String>,
}

/// `PUT /-/user/org.couchdb.user:NAME`: logs in; creates the account where sign-up is open and a mail address is given.
/// Who has a second factor is asked for it once the password was right, and the client sends all of this again with it.
pub(super) async fn log_in(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    CurrentOffer(offer): CurrentOffer,
    path: PathParameters,
    JsonBody(document): JsonBody<UserDocument>,
) -> Result<Response> {
    let name: AccountName = document.name.parse()?;
    if name_in_id(path.get("user")).as_ref() != Some(&name) {
        return Err(Error::Malformed("The user name in the body is not the one in the URL.".into()));
    }
    app.throttle.attempt(&name, address)?;
    let known = app.users.find(&name).await?.is_some();
    let by = By { account: None, name: name.to_string(), token: None, address: Some(address) };
    let new = document.email.filter(|email| !known && !email.is_empty());
    let token = if let Some(email) = new {
        let profile = sign_up(&app, &name, &document.password, &email, &by).await?;
        app.tokens.issue(login_token(&app, &profile), &By { account: Some(profile.id), ..by }).await?
    } else {
        let proven = app.users.log_in(&name, Password::offered(&document.password)?, Some(address)).await?;
        let profile = &proven.profile;
        if let Some(account) = app.users.facts(profile.id).await? {
            app.second_factor.confirm_login(&account, &offer, address).await?;
        }
        let by = By { account: Some(profile.id), ..by };
        app.tokens.issue_at_login(&proven, login_token(&app, profile), &by).await?
    };
    let id = format!("{DOCUMENT_PREFIX}{name}");
    Ok((StatusCode::CREATED, Json(json!({ "ok": true, "id": id, "rev": "1-0", "token": token.expose() })))
        .into_response())
}

async fn sign_up(app: &App, name: &AccountName, password: &str, email: &str, by: &By) -> Result<Profile> {
    app.invitations.may_sign_up(name, false).await?;
    let user = NewUser {
        name: AccountName::for_registration(name.as_str())?,
        email: email.parse::<Email>()?,
        password: Password::chosen(password)?,
        administrator: false,
    };
    let profile = app.invitations.sign_up(None, user, by).await?;
    app.recovery.ask_for_proof(profile.id).await?;
    Ok(profile)
}

/// What `npm login` gives; also what a client gets that turns its password into a token.
pub(super) fn login_token(app: &App, profile: &Profile) -> NewToken {
    NewToken {
        account: profile.id,
        name: "npm login".into(),
        description: None,
        kind: TokenKind::Login,
        narrowing: Narrowing::default(),
        expires_at: login_ends_at(app),
    }
}

/// When a login that begins now ends.
pub(super) fn login_ends_at(app: &App) -> Option<Time> {
    let days = app.config.auth.login_token_days;
    (days > 0).then(|| app.clock.now() + TimeDelta::days(days.into()))
}

/// `DELETE /-/user/token/TOKEN`: ends a token. Who has it may end it, whatever else they are.
pub(super) async fn log_out(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    path: PathParameters,
) -> Result<Json<Value>> {
    app.tokens.revoke_secret(path.get("token"), address).await?;
    Ok(Json(json!({ "ok": true })))
}
