//! `/settings/security`: the password, and what stands beside it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::error::Result;
use crate::policy::{AccountAction, AccountPermit, SecondFactorMode};
use crate::second_factor::Overview;
use crate::tokens::ListedSession;
use crate::users::Password;

use super::super::shell::{Form, FormErrors, Notice, PageResult, Visitor, page, see_other, see_other_with};
use super::{confirmed_permit, permit};

pub(super) const PLACE: &str = "/settings/security";

#[derive(Template)]
#[template(path = "settings/security.html")]
struct SecurityPage<'a> {
    visitor: &'a Visitor,
    factor: Overview,
    sessions: Vec<Session>,
}

/// A line of the list of sessions.
struct Session {
    listed: ListedSession,
    is_this: bool,
}

/// `GET /settings/security`.
pub(in crate::web) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let permit = permit(&app, &visitor, AccountAction::See).await?;
    let factor = app.second_factor.overview(&permit).await?;
    let this = permit.principal().token;
    let sessions = app.tokens.list_sessions(&permit).await?;
    let sessions = sessions.into_iter().map(|listed| Session { is_this: listed.id == this, listed }).collect();
    page(&visitor, StatusCode::OK, &SecurityPage { visitor: &visitor, factor, sessions })
}

#[derive(Template)]
#[template(path = "settings/password.html")]
struct PasswordPage<'a> {
    visitor: &'a Visitor,
    ends_tokens: bool,
    errors: FormErrors,
}

/// `GET /settings/security/password`.
pub(in crate::web) async fn password_page(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    confirmed_permit(&app, &visitor).await?;
    let errors = FormErrors::default();
    page(&visitor, StatusCode::OK, &PasswordPage { visitor: &visitor, ends_tokens: true, errors })
}

/// `POST /settings/security/password`: ends what was opened with the password before, but not this session.
pub(in crate::web) async fn change_password(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let own = permit(&app, &visitor, AccountAction::Change).await?;
    let ends_tokens = form.has("tokens");
    let errors = match replace_password(&app, &own, &form, ends_tokens).await {
        Ok(()) => {
            let rest = if ends_tokens { ", and every token" } else { "" };
            let sentence = format!("Your password is changed. Every other session and login has ended{rest}.");
            return Ok(see_other_with(&visitor, PLACE, &Notice::new(sentence)));
        }
        Err((field, refused)) => FormErrors::from_refusal(field, refused)?,
    };
    page(&visitor, StatusCode::UNPROCESSABLE_ENTITY, &PasswordPage { visitor: &visitor, ends_tokens, errors })
}

/// On a refusal, with the field that it is about.
async fn replace_password(
    app: &App,
    permit: &AccountPermit,
    form: &Form,
    ends_tokens: bool,
) -> Result<(), (&'static str, crate::error::Error)> {
    let chosen = Password::chosen(form.raw("new-password")).map_err(|refused| ("new-password", refused))?;
    let principal = permit.principal();
    let old = async {
        app.throttle.attempt(&principal.account.name, principal.address)?;
        app.users.check_password(permit, Password::offered(form.raw("password"))?).await
    };
    old.await.map_err(|refused| ("password", refused))?;
    let change = async {
        let hash = app.users.hash(chosen).await?;
        app.tokens.change_password(permit, &hash, ends_tokens).await
    };
    change.await.map_err(|refused| ("new-password", refused))
}

/// `POST /settings/security/mode`: when the second factor is asked for.
pub(in crate::web) async fn change_mode(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let permit = confirmed_permit(&app, &visitor).await?;
    let mode = read_mode(&form);
    app.second_factor.change_mode(&permit, mode).await?;
    let when = match mode {
        SecondFactorMode::AuthOnly => "to log in and to change your account",
        SecondFactorMode::AuthAndWrites => "to log in, to change your account and to publish",
    };
    Ok(see_other_with(&visitor, PLACE, &Notice::new(format!("Your second factor is now asked for {when}."))))
}

/// The stricter one, unless the other is asked for.
pub(super) fn read_mode(form: &Form) -> SecondFactorMode {
    form.text("mode").parse().unwrap_or(SecondFactorMode::AuthAndWrites)
}

#[derive(Template)]
#[template(path = "settings/disable.html")]
struct DisablePage<'a> {
    visitor: &'a Visitor,
    factor: Overview,
}

/// `GET /settings/security/disable`: what it means, before the click.
pub(in crate::web) async fn disable_page(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let permit = confirmed_permit(&app, &visitor).await?;
    let factor = app.second_factor.overview(&permit).await?;
    if factor.mode.is_none() {
        return Ok(see_other(&visitor, PLACE));
    }
    page(&visitor, StatusCode::OK, &DisablePage { visitor: &visitor, factor })
}

/// `POST /settings/security/disable`.
pub(in crate::web) async fn disable(State(app): State<Arc<App>>, visitor: Visitor, _form: Form) -> PageResult {
    let permit = confirmed_permit(&app, &visitor).await?;
    app.second_factor.disable(&permit).await?;
    let notice = Notice::new("Your second factor is off. Your password alone opens your account.");
    Ok(see_other_with(&visitor, PLACE, &notice))
}
