//! Every version of a package, and the tags.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use chrono::Days;
use http::StatusCode;

use crate::app::App;
use crate::downloads::Period;
use crate::http::{PackagePath, Query};
use crate::packages::{ListedVersion, Opened};
use crate::web::shell::{PageResult, Size, Visitor, page};

use super::{Frame, with_package};

/// Versions on one page.
const PAGE: u32 = 100;

#[derive(Template)]
#[template(path = "package/versions.html")]
struct VersionsPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    /// Tags, and the versions that they point at.
    tags: Vec<(String, String)>,
    /// The versions of this page, each behind its downloads of the last seven days.
    versions: Vec<(i64, ListedVersion)>,
    /// Numbers to choose from for a comparison, the newest first.
    numbers: Vec<String>,
    page: u32,
    pages: u32,
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

async fn show(app: &App, visitor: &Visitor, opened: &Opened, wanted: u32) -> PageResult {
    let _place = app.contents.place().await?;
    let (frame, described) = Frame::load(app, visitor, opened, None, "versions").await?;
    let pages = u32::try_from(described.versions).unwrap_or(u32::MAX).div_ceil(PAGE).max(1);
    let at = wanted.clamp(1, pages);
    let versions = app.packages.list_versions(opened, (at - 1) * PAGE, PAGE).await?;
    let today = visitor.now.date_naive();
    let week = Period { start: today - Days::new(6), end: today };
    let counted: HashMap<String, i64> = app.downloads.by_version(&opened.permit, week).await?.into_iter().collect();
    let mut tags: Vec<_> = app.packages.tags(&opened.permit).await?.into_iter().collect();
    tags.sort_by_key(|(tag, _)| (tag != "latest", tag.clone()));
    let template = VersionsPage {
        visitor,
        frame,
        tags,
        numbers: versions.iter().map(|version| version.number.clone()).collect(),
        versions: versions
            .into_iter()
            .map(|version| (counted.get(&version.number).copied().unwrap_or_default(), version))
            .collect(),
        page: at,
        pages,
    };
    page(visitor, StatusCode::OK, &template)
}
