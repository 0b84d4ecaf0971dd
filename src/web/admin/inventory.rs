//! `/admin/packages` and `/admin/licences`: names and numbers.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::http::Query;
use crate::packages::{InventoryLine, LicenceLine};
use crate::policy::InstanceAction;
use crate::web::shell::{Moment, PageResult, Size, Visitor, page};

use super::{ON_A_PAGE, Sought, TABS, administrator};

#[derive(Template)]
#[template(path = "admin/packages.html")]
struct PackagesPage<'a> {
    visitor: &'a Visitor,
    tab: &'static str,
    rows: Vec<Row>,
    total: i64,
    sought: Sought,
    has_more: bool,
}

struct Row {
    line: InventoryLine,
    size: Size,
    created: Moment,
    deleted: Option<Moment>,
}

#[derive(Template)]
#[template(path = "admin/licences.html")]
struct LicencesPage<'a> {
    visitor: &'a Visitor,
    tab: &'static str,
    lines: Vec<LicenceLine>,
    sought: Sought,
}

/// `GET /admin/packages`.
pub(in crate::web) async fn packages(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::See).await?;
    let sought = Sought::read(&query);
    let (lines, total) = app.packages.list_inventory(&permit, &sought.text, sought.number, ON_A_PAGE).await?;
    let row = |line: InventoryLine| Row {
        size: Size(line.bytes.unsigned_abs()),
        created: visitor.moment(line.created_at),
        deleted: line.deleted_at.map(|at| visitor.moment(at)),
        line,
    };
    let rows = lines.into_iter().map(row).collect();
    let has_more = sought.has_more(total);
    let template = PackagesPage { visitor: &visitor, tab: "/packages", rows, total, sought, has_more };
    page(&visitor, StatusCode::OK, &template)
}

/// `GET /admin/licences`.
pub(in crate::web) async fn licences(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::See).await?;
    let sought = Sought::read(&query);
    let lines = app.packages.list_licences(&permit, &sought.text).await?;
    page(&visitor, StatusCode::OK, &LicencesPage { visitor: &visitor, tab: "/licences", lines, sought })
}
