//! `/org/NAME`: the packages of an organization, as far as who looks may see them.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::http::{PathParameters, Query};
use crate::web::package_list::{self, Line};
use crate::web::shell::{PageResult, Visitor, page};

use super::Frame;

/// How many packages are shown at once.
const ON_A_PAGE: usize = 50;

#[derive(Template)]
#[template(path = "organizations/packages.html")]
struct PackagesPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    lines: Vec<Line>,
    sought: String,
    total: usize,
    number: usize,
    pages: usize,
}

/// `GET /org/{organization}`.
pub(in crate::web) async fn packages(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    query: Query,
) -> PageResult {
    let frame = Frame::of(&app, &visitor, &path, "packages").await?;
    let mut facts = app.access.list_facts_of(frame.facts.id, visitor.actor()).await?;
    // What was shared with the organization's own account, there is none of.
    facts.retain(|one| one.name.scope() == frame.facts.name);
    let sought = query.get("q").unwrap_or_default().trim().to_lowercase();
    facts.retain(|one| one.name.as_str().contains(&sought));
    let total = facts.len();
    let pages = total.div_ceil(ON_A_PAGE).max(1);
    let number = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1_usize).clamp(1, pages);
    let shown: Vec<_> = facts.into_iter().skip((number - 1) * ON_A_PAGE).take(ON_A_PAGE).collect();
    let lines = package_list::lines(&app, &visitor, shown).await?;
    let template = PackagesPage { visitor: &visitor, frame, lines, sought, total, number, pages };
    page(&visitor, StatusCode::OK, &template)
}
