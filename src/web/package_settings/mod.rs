//! The settings of a package: tags, deprecation, the second factor, hooks, what waits for approval, another scope, removal.

mod change;
mod removal;
mod staged;
mod transfer;
mod trust;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;

use crate::app::App;
use crate::error::{Error, Result};
use crate::hooks::{Delivery, Hook, Hooks};
use crate::http::PackagePath;
use crate::names::PackageName;
use crate::packages::{ListedVersion, Opened, Trashed};
use crate::policy::{AccountAction, Intent, PackageFacts, PackageSecondFactor};
use crate::staging::{Paging, StagedVersion};

use super::access::{may, who_can};
use super::package::Frame;
use super::shell::{FormErrors, PageResult, Problem, Typed, Visitor, page};

pub(super) use change::change;
pub(super) use removal::{page_to_remove, remove};
pub(super) use staged::{review, staged_page};
pub(super) use trust::{change_trust, trust_page};

use transfer::Moved;

/// Versions that a list to choose from has, hooks and deliveries that are shown.
const NUMBERS: u32 = 500;
const HOOKS: u32 = 20;
const DELIVERIES: u32 = 5;

#[derive(Template)]
#[template(path = "package_settings/page.html")]
struct SettingsPage<'a> {
    visitor: &'a Visitor,
    name: &'a PackageName,
    frame: Frame,
    /// Tags, and the versions that they point at.
    tags: Vec<(String, String)>,
    numbers: Vec<String>,
    deprecated: Vec<ListedVersion>,
    second_factor: PackageSecondFactor,
    staged: Vec<StagedVersion>,
    hooks: Vec<(Hook, Vec<Delivery>)>,
    trash: Vec<Trashed>,
    moved: Option<Moved>,
    /// What one types to move the package.
    to_move: [String; 3],
    may_write: bool,
    /// Whether the visitor works on the package, and does not only read it.
    works_on: bool,
    administers: bool,
    /// Who could change the rest; empty for who may change it all.
    who_can: String,
    typed: Typed<'a>,
    errors: FormErrors,
}

/// The facts of a package whose settings the visitor may change: whoever writes to it, also while their plan has lapsed.
async fn load_facts(app: &App, visitor: &Visitor, name: &PackageName) -> Result<PackageFacts> {
    let facts = app.access.load_facts_for(visitor.actor(), name).await?;
    let permit = app.access.permit_known(visitor.actor(), &facts, Intent::SEE_STAGED).await?;
    if permit.package().is_none() {
        return Err(Error::NotFound("There is no such package.".into()));
    }
    Ok(facts)
}

/// `GET /package/{package}/settings`.
pub(super) async fn settings_page(State(app): State<Arc<App>>, visitor: Visitor, path: PackagePath) -> PageResult {
    let name = path.for_reading()?;
    match show(&app, &visitor, &name, Typed::default(), FormErrors::default()).await {
        // What was removed can be brought back by who administers it, and is missing for everybody else.
        Err(Problem::Refused(refusal)) if refusal.status() == 404 => {
            removal::show_trash(&app, &visitor, &name).await?.ok_or(Problem::Refused(refusal))
        }
        answer => answer,
    }
}

/// Versions that are looked through for who works on them: a deprecation may be on any of them.
const EVERY: u32 = u32::MAX;

/// Whoever may know who has access sees how the package stands; what is kept from readers elsewhere is kept from them here.
async fn show(app: &App, visitor: &Visitor, name: &PackageName, typed: Typed<'_>, errors: FormErrors) -> PageResult {
    let facts = app.access.load_facts_for(visitor.actor(), name).await?;
    let permit = app.access.permit_known(visitor.actor(), &facts, Intent::LIST_COLLABORATORS).await?;
    let opened = app.packages.open(visitor.actor(), name, Intent::INSPECT).await?;
    let package = facts.package.as_ref();
    let works_on = may(app, visitor, &facts, Intent::SEE_STAGED);
    let most = if works_on { EVERY } else { NUMBERS };
    let versions = app.packages.list_versions(&opened, 0, most).await?;
    let staged = if works_on { staged(app, visitor, name).await? } else { Vec::new() };
    let hooks = if works_on { hooks(app, visitor, name).await? } else { Vec::new() };
    let administers = may(app, visitor, &facts, Intent::REVOKE);
    let trash = if administers { app.packages.list_trash(visitor.actor(), Some(name)).await? } else { Vec::new() };
    let moved = if administers { transfer::load(app, visitor, name, &versions).await? } else { None };
    let who_can = if administers { String::new() } else { who_can(&facts, &app.access.overview(&permit).await?) };
    let status = errors.status();
    let template = SettingsPage {
        visitor,
        name,
        frame: Frame::of_facts(app, visitor, &facts, "settings"),
        tags: tags(app, &opened).await?,
        numbers: versions.iter().take(NUMBERS as usize).map(|version| version.number.clone()).collect(),
        deprecated: versions
            .iter()
            .filter(|version| version.deprecated.is_some())
            .take(NUMBERS as usize)
            .cloned()
            .collect(),
        second_factor: package.map(|package| package.second_factor).unwrap_or_default(),
        staged,
        hooks,
        trash,
        moved,
        to_move: transfer::commands(name),
        may_write: may(app, visitor, &facts, Intent::DEPRECATE),
        works_on,
        administers,
        who_can,
        typed,
        errors,
    };
    page(visitor, status, &template)
}

async fn staged(app: &App, visitor: &Visitor, name: &PackageName) -> Result<Vec<StagedVersion>> {
    let paging = Paging { page: 0, per_page: 50 };
    Ok(app.staging.list(visitor.actor(), Some(name), paging).await?.items)
}

async fn tags(app: &App, opened: &Opened) -> Result<Vec<(String, String)>> {
    let mut tags: Vec<_> = app.packages.tags(&opened.permit).await?.into_iter().collect();
    tags.sort_by_key(|(tag, _)| (tag != "latest", tag.clone()));
    Ok(tags)
}

/// The visitor's own hooks that follow the package, each with what was delivered last.
async fn hooks(app: &App, visitor: &Visitor, name: &PackageName) -> Result<Vec<(Hook, Vec<Delivery>)>> {
    let follower = Hooks::permit(visitor.actor(), AccountAction::See)?;
    let (_, hooks) = app.hooks.list(&follower, Some(name.as_str()), (0, HOOKS)).await?;
    let mut listed = Vec::with_capacity(hooks.len());
    for hook in hooks {
        let deliveries = app.hooks.deliveries(&follower, &hook.key, DELIVERIES).await?;
        listed.push((hook, deliveries));
    }
    Ok(listed)
}

fn address(name: &PackageName) -> String {
    format!("/package/{name}/settings")
}
