//! `/org/NAME/export`: everything of an organization in one file, also where its plan has lapsed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::error::Error;
use crate::exports::Extent;
use crate::http::PathParameters;
use crate::policy::{HolderPermit, OrganizationAction};
use crate::web::settings::export::attachment;
use crate::web::shell::{Form, FormErrors, PageResult, Size, Visitor, page};

use super::{Frame, permit};

#[derive(Template)]
#[template(path = "organizations/export.html")]
struct ExportPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    extent: Extent,
    size: Size,
    errors: FormErrors,
}

/// `GET /org/{organization}/export`.
pub(in crate::web) async fn export_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
) -> PageResult {
    show(&app, &visitor, &path, FormErrors::default()).await
}

async fn show(app: &App, visitor: &Visitor, path: &PathParameters, errors: FormErrors) -> PageResult {
    // How much there is says no more than the log, which is the owners' too; the file itself asks again who somebody is.
    let permit = permit(app, visitor, path, OrganizationAction::SeeLog).await?;
    let extent = app.exports.extent(HolderPermit::Organization(&permit)).await?;
    let size = Size(extent.bytes.unsigned_abs());
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::CONFLICT };
    let frame = Frame::of(app, visitor, path, "export").await?;
    page(visitor, status, &ExportPage { visitor, frame, extent, size, errors })
}

/// `POST /org/{organization}/export`: the file itself, to an owner who has shown again who they are.
pub(in crate::web) async fn download(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    _form: Form,
) -> PageResult {
    // Who may not is told so, and is not asked who they are first.
    permit(&app, &visitor, &path, OrganizationAction::SeeLog).await?;
    let visitor = visitor.require_confirmed(&app).await?;
    let permit = permit(&app, &visitor, &path, OrganizationAction::Export).await?;
    match app.exports.begin(HolderPermit::Organization(&permit)).await {
        Ok(export) => attachment(export),
        Err(refused @ Error::Conflict(_)) => {
            show(&app, &visitor, &path, FormErrors::one("export", refused.to_string())).await
        }
        Err(error) => Err(error.into()),
    }
}
