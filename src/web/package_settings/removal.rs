//! Removing a version or all of a package, and bringing back what was removed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::PackagePath;
use crate::names::{PackageName, VersionNumber};
use crate::packages::Trashed;
use crate::policy::{Intent, PackageFacts};
use crate::web::access::{may, not_the_name, require};
use crate::web::package::Frame;
use crate::web::shell::{Form, FormErrors, Notice, PageResult, Problem, Visitor, page, see_other_with};

use super::address;

#[derive(Template)]
#[template(path = "package_settings/remove.html")]
struct RemovePage<'a> {
    visitor: &'a Visitor,
    name: &'a PackageName,
    frame: Frame,
    numbers: Vec<String>,
    chosen: &'a str,
    trash_days: u32,
    administers: bool,
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "package_settings/trash.html")]
struct TrashPage<'a> {
    visitor: &'a Visitor,
    name: &'a PackageName,
    trashed: &'a Trashed,
}

/// Who may remove a version has shown lately who they are.
async fn prepare(app: &App, visitor: &Visitor, name: &PackageName) -> Result<(Visitor, PackageFacts), Problem> {
    let facts = app.access.load_facts_for(visitor.actor(), name).await?;
    require(app, visitor, &facts, Intent::UNPUBLISH)?;
    Ok((visitor.require_confirmed(app).await?, facts))
}

/// `GET /package/{package}/settings/remove`.
pub(in crate::web) async fn page_to_remove(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
) -> PageResult {
    let name = path.for_reading()?;
    let (visitor, facts) = prepare(&app, &visitor, &name).await?;
    show(&app, &visitor, &facts, "", FormErrors::default()).await
}

async fn show(app: &App, visitor: &Visitor, facts: &PackageFacts, chosen: &str, errors: FormErrors) -> PageResult {
    let opened = app.packages.open(visitor.actor(), &facts.name, Intent::INSPECT).await?;
    let versions = app.packages.list_versions(&opened, 0, super::EVERY).await?;
    let status = errors.status();
    let template = RemovePage {
        visitor,
        name: &facts.name,
        frame: Frame::of_facts(app, visitor, facts, "settings"),
        numbers: versions.into_iter().map(|version| version.number).collect(),
        chosen,
        trash_days: app.config.packages.trash_days,
        administers: may(app, visitor, facts, Intent::DELETE),
        errors,
    };
    page(visitor, status, &template)
}

/// `POST /package/{package}/settings/remove`: a version, the package, or neither but what was removed back.
pub(in crate::web) async fn remove(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    form: Form,
) -> PageResult {
    let name = path.for_reading()?;
    if form.has("restore") {
        return restore(&app, &visitor, &name, &form).await;
    }
    let (visitor, facts) = prepare(&app, &visitor, &name).await?;
    let is_whole = form.has("delete");
    let field = if is_whole { "typed-package" } else { "typed" };
    if form.text(field) != name.as_str() {
        let errors = FormErrors::one(field, not_the_name(&name));
        return show(&app, &visitor, &facts, form.text("version"), errors).await;
    }
    let revision = facts.package.as_ref().map(|package| package.revision).unwrap_or_default();
    let removed = if is_whole {
        let permit = app.access.permit(visitor.actor(), &name, Intent::DELETE).await?;
        app.packages.delete(&permit, revision).await.map(|()| format!("{name} was removed."))
    } else {
        let permit = app.access.permit(visitor.actor(), &name, Intent::UNPUBLISH).await?;
        match form.text("version").parse::<VersionNumber>() {
            Ok(version) => {
                let removed = app.packages.unpublish_one(&permit, Some(revision), &version).await;
                removed.map(|()| format!("{name} {version} was removed."))
            }
            Err(cause) => Err(cause.into()),
        }
    };
    match removed {
        Ok(sentence) => Ok(see_other_with(&visitor, &address(&name), &Notice::new(sentence))),
        Err(problem) => {
            let field = if is_whole { "typed-package" } else { "version" };
            let errors = FormErrors::from_refusal(field, problem)?;
            show(&app, &visitor, &facts, form.text("version"), errors).await
        }
    }
}

/// Brings one version back, or where none is named all of the package.
async fn restore(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> PageResult {
    let permit = app.access.permit(visitor.actor(), name, Intent::RESTORE).await?;
    let version = form.text("restore");
    let sentence = if version == "all" {
        app.packages.restore_package(&permit).await?;
        format!("{name} is back as it was.")
    } else {
        app.packages.restore_version(&permit, &version.parse::<VersionNumber>().map_err(Error::from)?).await?;
        format!("{name} {version} is back.")
    };
    Ok(see_other_with(visitor, &address(name), &Notice::new(sentence)))
}

/// What stands in the place of the settings where the whole package was removed, for who can bring it back.
pub(super) async fn show_trash(app: &App, visitor: &Visitor, name: &PackageName) -> Result<Option<Response>, Problem> {
    let trash = app.packages.list_trash(visitor.actor(), Some(name)).await?;
    match trash.iter().find(|trashed| trashed.version.is_none()) {
        Some(trashed) => page(visitor, StatusCode::OK, &TrashPage { visitor, name, trashed }).map(Some),
        None => Ok(None),
    }
}
