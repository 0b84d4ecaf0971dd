//! `/org/NAME/audit`: what was done in an organization, for its owners.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::audit;
use crate::http::{PathParameters, Query};
use crate::policy::OrganizationAction;
use crate::web::log::{self, LogLine, Sought};
use crate::web::shell::{PageResult, Visitor, page};

use super::{Frame, permit};

#[derive(Template)]
#[template(path = "organizations/log.html")]
struct LogPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    lines: Vec<LogLine>,
    sought: Sought,
    has_more: bool,
}

/// `GET /org/{organization}/audit`.
pub(in crate::web) async fn log_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    query: Query,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::SeeLog).await?;
    let reach = audit::Reach::of_organization(&permit)?;
    let frame = Frame::of(&app, &visitor, &path, "audit").await?;
    let sought = Sought::read(&query);
    let (lines, has_more) = log::page_of(&app, &visitor, reach, &sought).await?;
    page(&visitor, StatusCode::OK, &LogPage { visitor: &visitor, frame, lines, sought, has_more })
}

/// `GET /org/{organization}/audit/export?format=csv`: all that fits, as a file.
pub(in crate::web) async fn export(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    query: Query,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::SeeLog).await?;
    let reach = audit::Reach::of_organization(&permit)?;
    let name = format!("audit-{}", permit.organization().name);
    log::export(&app, reach, &query, &name)
}
