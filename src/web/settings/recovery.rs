//! Recovery codes: made anew, and shown once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::app::App;

use super::super::shell::{Form, PageResult, Problem, Visitor, forget_shown, page, see_other, show_next, shown_next};
use super::security::PLACE;
use super::{confirmed_permit, permit};
use crate::policy::AccountAction;

const SHOWN_AT: &str = "/settings/security/recovery-codes";

#[derive(Serialize, Deserialize)]
struct Codes {
    recovery_codes: Vec<String>,
}

#[derive(Template)]
#[template(path = "settings/recovery_codes.html")]
struct CodesPage<'a> {
    visitor: &'a Visitor,
    codes: Vec<String>,
    text: String,
}

/// Sends the browser on to where new codes are shown.
pub(super) fn lead_to(app: &App, visitor: &Visitor, recovery_codes: Vec<String>) -> Result<Response, Problem> {
    let mut response = see_other(visitor, SHOWN_AT);
    show_next(app, visitor, &mut response, &Codes { recovery_codes })?;
    Ok(response)
}

/// `GET /settings/security/recovery-codes`: the one time that anyone sees them.
pub(in crate::web) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    permit(&app, &visitor, AccountAction::See).await?;
    let Some(Codes { recovery_codes: codes }) = shown_next(&app, &visitor)? else {
        return Ok(see_other(&visitor, PLACE));
    };
    let text = codes.join("\n");
    let template = CodesPage { visitor: &visitor, codes, text };
    let mut response = page(&visitor, StatusCode::OK, &template)?;
    forget_shown(&visitor, &mut response);
    Ok(response)
}

/// `POST /settings/security/recovery-codes`: new ones in place of those there were.
pub(in crate::web) async fn renew(State(app): State<Arc<App>>, visitor: Visitor, _form: Form) -> PageResult {
    let permit = confirmed_permit(&app, &visitor).await?;
    let codes = app.second_factor.renew_recovery(&permit).await?;
    lead_to(&app, &visitor, codes)
}
