//! `/auth/cli/CODE`: confirming what a terminal is about to do, with a code, or with a key by script.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;

use crate::app::App;
use crate::error::Error;
use crate::http::PathParameters;
use crate::second_factor::{Answered, Confirmation};

use super::super::over::show_over;
use super::super::shell::{Form, FormErrors, PageResult, Visitor, page, see_other};

#[derive(Template)]
#[template(path = "terminals/confirm.html")]
struct ConfirmationPage<'a> {
    visitor: &'a Visitor,
    confirmation: Confirmation,
    /// What the script asks for a challenge, and brings the answer to.
    key_url: String,
    errors: FormErrors,
}

/// `GET /auth/cli/{code}`: whoever has the address may look; it takes a second factor to confirm.
pub(in crate::web) async fn confirm_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
) -> PageResult {
    let code = path.get("code");
    match app.second_factor.confirmation(code).await {
        Ok(confirmation) => show(&visitor, code, confirmation, FormErrors::default()),
        Err(error) => show_over(&visitor, error),
    }
}

/// `POST /auth/cli/{code}`.
pub(in crate::web) async fn decide(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let code = path.get("code");
    let confirmation = app.second_factor.confirmation(code).await?;
    if form.text("decision") == "refuse" {
        app.second_factor.refuse(code).await?;
        return Ok(see_other(&visitor, visitor.path()));
    }
    match app.second_factor.approve_with_code(code, form.text("code")).await {
        Ok(()) => Ok(see_other(&visitor, visitor.path())),
        Err(wrong @ (Error::WrongSecondFactor | Error::TooManyRequests { .. })) => {
            show(&visitor, code, confirmation, FormErrors::from_refusal("code", wrong)?)
        }
        Err(error) => Err(error.into()),
    }
}

fn show(visitor: &Visitor, code: &str, confirmation: Confirmation, errors: FormErrors) -> PageResult {
    let key_url = format!("{}/-/strongroom/v1/confirmations/{code}", visitor.public_url);
    let status = errors.status();
    page(visitor, status, &ConfirmationPage { visitor, confirmation, key_url, errors })
}
