//! What a package needs, and who needs it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::dependencies::Dependents;
use crate::http::PackagePath;
use crate::packages::{Dependency, Opened};
use crate::web::shell::{PageResult, Visitor, page};

use super::{Frame, with_package};

#[derive(Template)]
#[template(path = "package/dependencies.html")]
struct DependenciesPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    groups: Vec<Group>,
}

/// Dependencies of one kind.
struct Group {
    title: &'static str,
    rows: Vec<(Dependency, Option<String>)>,
}

#[derive(Template)]
#[template(path = "package/dependents.html")]
struct DependentsPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    dependents: Dependents,
}

const TITLES: [(&str, &str); 4] = [
    ("dependencies", "Dependencies"),
    ("peerDependencies", "Peer dependencies"),
    ("optionalDependencies", "Optional dependencies"),
    ("devDependencies", "Development dependencies"),
];

/// `GET /package/{package}/dependencies`.
pub(crate) async fn dependencies_page(State(app): State<Arc<App>>, visitor: Visitor, path: PackagePath) -> PageResult {
    with_package(&app, &visitor, path, async |opened| show_dependencies(&app, &visitor, &opened).await).await
}

async fn show_dependencies(app: &App, visitor: &Visitor, opened: &Opened) -> PageResult {
    let _place = app.contents.place().await?;
    let (frame, described) = Frame::load(app, visitor, opened, None, "dependencies").await?;
    let needed = described.about.dependencies;
    let wanted: Vec<(&str, &str)> = needed.iter().map(|one| (one.name.as_str(), one.range.as_str())).collect();
    let resolved = app.dependencies.resolve(&wanted, visitor.actor()).await?;
    let mut groups: Vec<Group> = TITLES.map(|(_, title)| Group { title, rows: Vec::new() }).into();
    for (one, newest) in needed.into_iter().zip(resolved) {
        let group = TITLES.iter().position(|(kind, _)| *kind == one.kind);
        if let Some(group) = group.and_then(|at| groups.get_mut(at)) {
            group.rows.push((one, newest));
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    page(visitor, StatusCode::OK, &DependenciesPage { visitor, frame, groups })
}

/// `GET /package/{package}/dependents`.
pub(crate) async fn dependents_page(State(app): State<Arc<App>>, visitor: Visitor, path: PackagePath) -> PageResult {
    with_package(&app, &visitor, path, async |opened| show_dependents(&app, &visitor, &opened).await).await
}

async fn show_dependents(app: &App, visitor: &Visitor, opened: &Opened) -> PageResult {
    let _place = app.contents.place().await?;
    let (frame, _) = Frame::load(app, visitor, opened, None, "dependents").await?;
    let dependents = app.dependencies.dependents(opened.permit.name(), visitor.actor()).await?;
    page(visitor, StatusCode::OK, &DependentsPage { visitor, frame, dependents })
}
