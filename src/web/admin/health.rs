//! `/admin/health` and `/admin/configuration`: how the instance is, and how it is set.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::config::Listed;
use crate::policy::InstanceAction;
use crate::web::shell::{PageResult, Size, Visitor, page};

use super::{TABS, administrator};

#[derive(Template)]
#[template(path = "admin/health.html")]
struct HealthPage<'a> {
    visitor: &'a Visitor,
    tab: &'static str,
    checks: Vec<Check>,
    facts: Vec<(&'static str, String)>,
}

/// One thing that is well, or is not.
struct Check {
    name: &'static str,
    passed: bool,
    /// What it means, or what to do.
    says: String,
}

#[derive(Template)]
#[template(path = "admin/configuration.html")]
struct ConfigurationPage<'a> {
    visitor: &'a Visitor,
    tab: &'static str,
    lines: &'a [Listed],
}

/// `GET /admin/health`.
pub(in crate::web) async fn health(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::See).await?;
    let totals = app.packages.totals(&permit).await?;
    let database = app.db.report().await?;
    let facts = vec![
        ("strongroom", env!("CARGO_PKG_VERSION").to_owned()),
        ("Postgres", database.version),
        ("Database size", Size(database.bytes.unsigned_abs()).to_string()),
        ("Connections in use here", format!("{} for reads, {} for writes", database.reading, database.writing)),
        ("Package files", format!("{} in {} files", Size(totals.bytes.unsigned_abs()), totals.files)),
        ("Folder of package files", app.config.blob_dir().display().to_string()),
        ("Public URL", visitor.public_url.to_string()),
    ];
    page(&visitor, StatusCode::OK, &HealthPage { visitor: &visitor, tab: "/health", checks: checks(&app).await, facts })
}

async fn checks(app: &App) -> Vec<Check> {
    let check = |name, passed, well: &str, ill: &str| Check {
        name,
        passed,
        says: if passed { well.to_owned() } else { ill.to_owned() },
    };
    let ailing = app.board.ailing();
    let drift = app.db.time().await.map_or(i64::MAX, |time| (time - app.clock.now()).num_seconds().abs());
    vec![
        check(
            "Database",
            app.db.is_ready().await.unwrap_or(false),
            "answers, and has every migration",
            "does not answer, or lacks migrations: strongroom migrate",
        ),
        check(
            "Storage",
            app.blobs.probe().await.is_ok(),
            "takes files",
            "takes no files: look at the disk and its permissions",
        ),
        check(
            "Changes",
            app.db.changes().hearing().is_some(),
            "of other nodes are heard",
            "of other nodes are not heard: every answer asks the database",
        ),
        check("Clock", drift < 5, "agrees with the database's", "differs from the database's: look at NTP"),
        Check {
            name: "Background work",
            passed: ailing.is_empty(),
            says: if ailing.is_empty() { "succeeds".into() } else { format!("keeps failing: {}", ailing.join(", ")) },
        },
    ]
}

/// `GET /admin/configuration`.
pub(in crate::web) async fn configuration(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let (visitor, _) = administrator(&app, &visitor, InstanceAction::See).await?;
    let template = ConfigurationPage { visitor: &visitor, tab: "/configuration", lines: &app.config.listing };
    page(&visitor, StatusCode::OK, &template)
}
