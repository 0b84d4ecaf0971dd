//! `/admin/audit`: everything that was done.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::audit::Reach;
use crate::http::Query;
use crate::policy::InstanceAction;
use crate::web::log::{self, LogLine, Sought};
use crate::web::shell::{PageResult, Visitor, page};

use super::{TABS, administrator};

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage<'a> {
    visitor: &'a Visitor,
    tab: &'static str,
    lines: Vec<LogLine>,
    sought: Sought,
    has_more: bool,
}

/// `GET /admin/audit`.
pub(in crate::web) async fn audit_page(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::See).await?;
    let sought = Sought::read(&query);
    let (lines, has_more) = log::page_of(&app, &visitor, Reach::whole(&permit), &sought).await?;
    page(&visitor, StatusCode::OK, &AuditPage { visitor: &visitor, tab: "/audit", lines, sought, has_more })
}

/// `GET /admin/audit/export`.
pub(in crate::web) async fn export(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> PageResult {
    let (_, permit) = administrator(&app, &visitor, InstanceAction::See).await?;
    log::export(&app, Reach::whole(&permit), &query, "audit")
}
