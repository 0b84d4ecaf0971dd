//! How people come in: the first setup, signing up, invitations, forgotten passwords, and proving a mail address.

mod forgot;
mod invite;
mod setup;
mod signup;
mod verify;

pub(super) use forgot::{ask, chosen, forgot_page, reset, reset_page};
pub(super) use invite::{answer, answer_own, invitation_page, own_invitations};
pub(super) use setup::{set_up, setup_page};
pub(super) use signup::{sign_up, signup_page};
pub(super) use verify::{prove, proven, verify_page};

use axum::response::Response;
use http::StatusCode;
use http::header::SET_COOKIE;

use crate::app::App;
use crate::audit::By;
use crate::error::{Error, Result};
use crate::tokens::Opening;
use crate::users::{Password, Profile};

use super::shell::{Form, FormErrors, PageResult, Problem, Visitor, see_other, session_cookie};

/// Logs somebody in whose account was just made.
async fn welcome(app: &App, visitor: &Visitor, profile: &Profile, then: &str) -> PageResult {
    visitor.end(app).await?;
    let days = app.config.auth.session_days;
    let opening = Opening {
        account: profile.id,
        name: &profile.name,
        proven: None,
        client: &visitor.client,
        address: visitor.address,
        days,
    };
    let secret = app.tokens.open_session(opening).await?;
    let mut response: Response = see_other(visitor, then);
    response.headers_mut().append(SET_COOKIE, session_cookie(&app.public_url, &secret, days));
    Ok(response)
}

/// Somebody without an account who does something, for the log.
fn nobody(visitor: &Visitor, name: &str) -> By {
    By { account: None, name: name.to_owned(), token: None, address: Some(visitor.address) }
}

/// A password that somebody chose, typed once: browsers and password managers show what it is.
fn chosen_password(form: &Form, errors: &mut FormErrors) -> Option<Password> {
    Password::chosen(form.raw("password")).map_err(|cause| errors.add("password", cause.to_string())).ok()
}

/// Parses a field, or notes what is wrong with it.
fn read<T>(
    field: &'static str,
    parsed: std::result::Result<T, impl std::fmt::Display>,
    errors: &mut FormErrors,
) -> Option<T> {
    parsed.map_err(|cause| errors.add(field, cause.to_string())).ok()
}

/// The status of a page that shows a form with these errors.
fn status_of(errors: &FormErrors) -> StatusCode {
    if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
}

/// What a room says against a form of several fields: a name that is taken is the name's fault.
fn refusal(error: Error) -> Result<FormErrors, Problem> {
    let field = if matches!(error, Error::Conflict(_)) { "name" } else { "password" };
    FormErrors::from_refusal(field, error)
}
