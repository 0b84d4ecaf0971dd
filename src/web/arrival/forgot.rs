//! `/forgot`: asking for a link, and choosing a new password with it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::clock::Time;
use crate::error::Error;
use crate::http::{PathParameters, Query};
use crate::mail::Way;
use crate::names::AccountName;
use crate::recovery::{Reset, ResetLink};

use super::super::over::show_over;
use super::super::shell::{Form, FormErrors, PageResult, Visitor, page, see_other};
use super::chosen_password;

#[derive(Template)]
#[template(path = "arrival/forgot.html")]
struct ForgotPage<'a> {
    visitor: &'a Visitor,
    /// Whether something was asked for just now.
    asked: bool,
    sends_mail: bool,
}

#[derive(Template)]
#[template(path = "arrival/reset.html")]
struct ResetPage<'a> {
    visitor: &'a Visitor,
    account: AccountName,
    asks_second_factor: bool,
    expires_at: Time,
    keeps_tokens: bool,
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "arrival/chosen.html")]
struct ChosenPage<'a> {
    visitor: &'a Visitor,
}

/// `GET /forgot`.
pub(in crate::web) async fn forgot_page(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> PageResult {
    let asked = query.get("asked").is_some();
    let sends_mail = app.mail.way() != Way::Nowhere;
    page(&visitor, StatusCode::OK, &ForgotPage { visitor: &visitor, asked, sends_mail })
}

/// `POST /forgot`: the same for every text, be there such an account or not.
pub(in crate::web) async fn ask(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    app.throttle.attempt_from(visitor.address)?;
    app.recovery.note_forgotten(form.text("who"), visitor.address).await?;
    Ok(see_other(&visitor, "/forgot?asked"))
}

/// `GET /forgot/{code}`.
pub(in crate::web) async fn reset_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
) -> PageResult {
    match app.recovery.reset_link(path.get("code")).await {
        Ok(link) => show(&visitor, link, false, FormErrors::default()),
        Err(error) => show_over(&visitor, error),
    }
}

/// `POST /forgot/{code}`.
pub(in crate::web) async fn reset(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    app.throttle.attempt_from(visitor.address)?;
    let code = path.get("code");
    let link = app.recovery.reset_link(code).await?;
    let keeps_tokens = !form.has("ends_tokens");
    let mut errors = FormErrors::default();
    let Some(password) = chosen_password(&form, &mut errors) else {
        return show(&visitor, link, keeps_tokens, errors);
    };
    let shown = Some(form.text("code")).filter(|code| !code.is_empty());
    let reset = Reset {
        password,
        code: shown.map(ToOwned::to_owned),
        ends_all_tokens: !keeps_tokens,
        address: visitor.address,
    };
    match app.recovery.reset(code, reset).await {
        Ok(_) => {
            // The session here may be somebody else's; where it was the account's own it has just ended.
            Ok(see_other(&visitor, "/forgot/done"))
        }
        Err(Error::SecondFactorRequired { .. }) => {
            let errors = FormErrors::one("code", "This account has a second factor. Give a code of it.");
            show(&visitor, link, keeps_tokens, errors)
        }
        Err(error @ (Error::WrongSecondFactor | Error::TooManyRequests { .. })) => {
            show(&visitor, link, keeps_tokens, FormErrors::from_refusal("code", error)?)
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /forgot/done`.
pub(in crate::web) async fn chosen(visitor: Visitor) -> PageResult {
    page(&visitor, StatusCode::OK, &ChosenPage { visitor: &visitor })
}

fn show(visitor: &Visitor, link: ResetLink, keeps_tokens: bool, errors: FormErrors) -> PageResult {
    let status = errors.status();
    let template = ResetPage {
        visitor,
        account: link.account,
        asks_second_factor: link.asks_second_factor,
        expires_at: link.expires_at,
        keeps_tokens,
        errors,
    };
    page(visitor, status, &template)
}
