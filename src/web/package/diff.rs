//! What differs between two versions.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::contents::{Lines, VersionDiff};
use crate::error::Error;
use crate::http::{PackagePath, PathParameters, Query};
use crate::packages::Opened;
use crate::web::shell::{PageResult, Size, Visitor, large_page, see_other};

use super::{Frame, version_of, with_package};

#[derive(Template)]
#[template(path = "package/diff.html")]
struct DiffPage {
    visitor: Visitor,
    frame: Frame,
    old: String,
    new: String,
    diff: VersionDiff,
}

/// `GET /package/{package}/diff?from=1.0.0&to=1.1.0`: the form on the page of versions.
pub(crate) async fn choose_diff(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    query: Query,
) -> PageResult {
    let (from, to) = (query.get("from").unwrap_or_default(), query.get("to").unwrap_or_default());
    with_package(&app, &visitor, path, async |opened| {
        let (from, to) = (version_of(from)?, version_of(to)?);
        Ok(see_other(&visitor, &format!("/package/{}/diff/{from}..{to}", opened.permit.name())))
    })
    .await
}

/// `GET /package/{package}/diff/1.0.0..1.1.0`.
pub(crate) async fn diff_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    parameters: PathParameters,
) -> PageResult {
    let range = parameters.get("range");
    with_package(&app, &visitor, path, async |opened| show(&app, &visitor, &opened, range).await).await
}

async fn show(app: &App, visitor: &Visitor, opened: &Opened, range: &str) -> PageResult {
    let (old, new) =
        range.split_once("..").ok_or_else(|| Error::NotFound("Name two versions: 1.0.0..1.1.0.".into()))?;
    let (old, new) = (version_of(old)?, version_of(new)?);
    let place = app.contents.place().await?;
    let (frame, _) = Frame::load(app, visitor, opened, None, "versions").await?;
    let (before, after) = (app.packages.files(opened, &old).await?, app.packages.files(opened, &new).await?);
    drop(place);
    let diff = app.contents.diff(&before, &after).await?;
    let template = DiffPage { visitor: visitor.clone(), frame, old: old.to_string(), new: new.to_string(), diff };
    let _place = app.contents.place().await?;
    large_page(visitor, StatusCode::OK, template).await
}
