//! Every version of a package, and the tags.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::downloads::Period;
use crate::http::{PackagePath, Query};
use crate::packages::{ListedVersion, Opened};
use crate::web::shell::{PageResult, Size, Visitor, page};

use super::{Frame, with_package};

/// Versions on one page.
const PAGE: usize = 100;

#[derive(Template)]
#[template(path = "package/versions.html")]
struct VersionsPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    /// Tags, and the versions that they point at.
    tags: Vec<(String, String)>,
    versions: Vec<(&'a ListedVersion, i64)>,
    /// Numbers to choose from for a comparison, the newest first.
    numbers: Vec<&'a str>,
    page: usize,
    pages: usize,
}

/// `GET /package/{package}/versions?page=2`.
pub(crate) async fn versions_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    query: Query,
) -> PageResult {
    let wanted = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    with_package(&app, &visitor, path, async |opened| show(&app, &visitor, &opened, wanted).await).await
}

async fn show(app: &App, visitor: &Visitor, opened: &Opened, wanted: usize) -> PageResult {
    let _place = app.contents.place().await?;
    let (frame, _) = Frame::load(app, visitor, opened, None, "versions").await?;
    let versions = app.packages.list_versions(opened).await?;
    let week = Period { start: visitor.now.date_naive() - chrono::Days::new(6), end: visitor.now.date_naive() };
    let counted: HashMap<String, i64> = app.downloads.by_version(&opened.permit, week).await?.into_iter().collect();
    let tagged =
        versions.iter().flat_map(|version| version.tags.iter().map(|tag| (tag.clone(), version.number.clone())));
    let mut tags: Vec<_> = tagged.collect();
    tags.sort_by(|(one, _), (other, _)| (one != "latest", one).cmp(&(other != "latest", other)));
    let pages = versions.len().div_ceil(PAGE).max(1);
    let at = wanted.clamp(1, pages);
    let shown = versions.iter().skip((at - 1) * PAGE).take(PAGE);
    let template = VersionsPage {
        visitor,
        frame,
        tags,
        versions: shown.map(|version| (version, counted.get(&version.number).copied().unwrap_or_default())).collect(),
        numbers: versions.iter().take(PAGE).map(|version| version.number.as_str()).collect(),
        page: at,
        pages,
    };
    page(visitor, StatusCode::OK, &template)
}
