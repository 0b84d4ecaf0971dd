//! `/verify/CODE`: showing that a mail address is one's own. A click is asked for, since some mail readers open links before
//! anybody has read them.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::http::PathParameters;
use crate::names::{AccountName, Email};
use crate::policy::AccountAction;

use super::super::over::show_over;
use super::super::shell::{Form, PageResult, Visitor, page, see_other};

#[derive(Template)]
#[template(path = "arrival/verify.html")]
struct VerifyPage<'a> {
    visitor: &'a Visitor,
    /// Whose address it would be; none once it is.
    asked: Option<(AccountName, Email)>,
}

/// `GET /verify/{code}`.
pub(in crate::web) async fn verify_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
) -> PageResult {
    visitor.principal()?;
    let asked = match app.recovery.proof_link(path.get("code")).await {
        Ok(asked) => asked,
        Err(error) => return show_over(&visitor, error),
    };
    page(&visitor, StatusCode::OK, &VerifyPage { visitor: &visitor, asked: Some(asked) })
}

/// `POST /verify/{code}`.
pub(in crate::web) async fn prove(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    _form: Form,
) -> PageResult {
    let permit = app.second_factor.permit(visitor.actor(), AccountAction::See).await?;
    app.recovery.prove(&permit, path.get("code")).await?;
    Ok(see_other(&visitor, "/verify/done"))
}

/// `GET /verify/done`.
pub(in crate::web) async fn proven(visitor: Visitor) -> PageResult {
    page(&visitor, StatusCode::OK, &VerifyPage { visitor: &visitor, asked: None })
}
