//! Asking somebody again who they are, before what matters most, and then going on with what they had begun.
//!
//! The page keeps the form that it stands in for ([`kept`]), so that nothing has to be typed twice.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::Query;
use crate::policy::{AccountAction, Actor, Principal};
use crate::second_factor::{Assertion, Purpose};
use crate::users::Password;

use super::form::Form;
use super::kept::{self, KEPT_FIELD};
use super::page::page;
use super::problem::{PageResult, Problem};
use super::visitor::Visitor;

/// The field with the password.
pub(crate) const PASSWORD_FIELD: &str = "_password";

/// The field with a one-time code, a recovery code, or what a security key was exchanged for.
pub(crate) const CODE_FIELD: &str = "_code";

/// The field with what a passkey or security key has signed.
pub(crate) const KEY_FIELD: &str = "_key";

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage<'a> {
    visitor: &'a Visitor,
    action: &'a str,
    /// The one field that the page carries along: the form, or the page to come back to.
    carried: (&'static str, String),
    asks_code: bool,
    /// What the browser is asked in order to confirm with a key, where the account has any.
    key: Option<String>,
    problem: Option<String>,
}

/// The page. Without a form it leads back to the page that was asked for.
pub(crate) async fn show_confirmation(
    app: &App,
    visitor: &Visitor,
    form: Option<&Form>,
    problem: Option<&Error>,
) -> PageResult {
    let principal = visitor.principal()?;
    let (action, carried) = match form {
        Some(form) => (visitor.place.as_str(), (KEPT_FIELD, kept::keep(app, visitor, form)?)),
        None => ("/confirm", ("then", visitor.place.clone())),
    };
    let asks_code = principal.account.second_factor.is_some();
    let key = if asks_code { app.second_factor.ask(&Purpose::Session(principal)).await? } else { None };
    let key = key.map(|options| options.to_string());
    let problem_text = problem.map(ToString::to_string);
    let template = ConfirmPage { visitor, action, carried, asks_code, key, problem: problem_text };
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page(visitor, status, &template)
}

/// Looks at what a form carries to show who its sender is, where it carries anything, and notes it with the session.
pub(super) async fn check(app: &App, visitor: &Visitor, query: &Query) -> Result<(), Problem> {
    let shown = |field| query.get(field).filter(|text: &&str| !text.is_empty());
    let (password, code, key) = (shown(PASSWORD_FIELD), shown(CODE_FIELD), shown(KEY_FIELD));
    if password.is_none() && code.is_none() && key.is_none() {
        return Ok(());
    }
    let principal = visitor.principal()?;
    let right = match (principal.account.second_factor, key) {
        (Some(_), Some(key)) => check_key(app, principal, key).await,
        (Some(_), None) => check_code(app, principal, code.unwrap_or_default()).await,
        (None, _) => check_password(app, visitor, principal, password.unwrap_or_default()).await,
    };
    match right {
        Ok(()) => Ok(app.tokens.confirm_session(principal, principal.account.second_factor.is_some()).await?),
        Err(
            wrong @ (Error::WrongSecondFactor
            | Error::WrongPassword
            | Error::Unprocessable(_)
            | Error::TooManyRequests { .. }),
        ) => Err(Problem::Confirm(Some(wrong))),
        Err(other) => Err(other.into()),
    }
}

async fn check_key(app: &App, principal: &Principal, key: &str) -> Result<()> {
    app.second_factor.show_key(&Purpose::Session(principal), &Assertion::parse(key)?, principal.address).await
}

async fn check_code(app: &App, principal: &Principal, code: &str) -> Result<()> {
    let mut shown = principal.clone();
    shown.offer.code = Some(code.into());
    app.second_factor.confirm_password(&shown).await.map(drop)
}

async fn check_password(app: &App, visitor: &Visitor, principal: &Principal, password: &str) -> Result<()> {
    app.throttle.attempt(&principal.account.name, visitor.address)?;
    let actor = Actor::User(principal.clone());
    let permit = app.second_factor.permit(&actor, AccountAction::See).await?;
    app.users.check_password(&permit, Password::offered(password)?).await
}

/// What the frame does with [`Problem::Confirm`].
pub(super) async fn answer(app: &App, visitor: &Visitor, form: Option<&Form>, problem: Option<&Error>) -> Response {
    match show_confirmation(app, visitor, form, problem).await {
        Ok(response) => response,
        Err(Problem::Refused(error)) => super::problem::show_refusal(visitor, &error),
        Err(Problem::Confirm(_)) => super::problem::show_refusal(visitor, &Error::internal("no confirmation").into()),
    }
}
