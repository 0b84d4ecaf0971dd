//! How the registry is, for people.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use chrono::SecondsFormat;
use http::StatusCode;

use crate::app::App;

use super::shell::{PageResult, Visitor, page};

/// What is looked at, by the name that `/-/readyz` has for it, and what people notice when it fails.
const PARTS: [(&str, &str, &str); 3] = [
    ("database", "Database", "Public packages that were asked for lately can be installed; everything else waits."),
    ("storage", "Package files", "Nothing can be published, and only small or recent packages can be installed."),
    ("changes", "News of other nodes", "Everything works, more slowly."),
];

struct Part {
    title: &'static str,
    works: bool,
    effect: &'static str,
}

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage<'a> {
    visitor: &'a Visitor,
    works: bool,
    parts: Vec<Part>,
    ailing: Vec<&'static str>,
    version: &'static str,
    machine_time: String,
    human_time: String,
}

/// `GET /-/status`: for everybody, but the version, which helps attackers more than users.
pub(super) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let failing = app.failing().await;
    let part = |(name, title, effect): (&str, _, _)| Part { title, works: !failing.contains(&name), effect };
    let status = if failing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let template = StatusPage {
        visitor: &visitor,
        works: failing.is_empty(),
        parts: PARTS.into_iter().map(part).collect(),
        ailing: app.board.ailing(),
        version: env!("CARGO_PKG_VERSION"),
        machine_time: visitor.now.to_rfc3339_opts(SecondsFormat::Secs, true),
        human_time: visitor.now.format("%-d %B %Y, %H:%M:%S UTC").to_string(),
    };
    page(&visitor, status, &template)
}
