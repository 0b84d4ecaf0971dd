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

use crate::audit::By;
use crate::error::{Error, Result};
use crate::users::Password;

use super::shell::{Form, FormErrors, Problem, Visitor};

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

/// What a room says against a form of several fields: a name that is taken is the name's fault.
fn refusal(error: Error) -> Result<FormErrors, Problem> {
    let field = if matches!(error, Error::Conflict(_)) { "name" } else { "password" };
    FormErrors::from_refusal(field, error)
}
