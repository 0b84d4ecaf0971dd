//! The first page of a package, or of one of its versions: the README, and what one wants to know beside it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::downloads::Of;
use crate::error::Result;
use crate::http::{PackagePath, PathParameters, Query};
use crate::packages::{About, Described, Opened};
use crate::policy::Intent;
use crate::readmes::{Body, Readme};
use crate::web::shell::{PageResult, Size, Visitor, allow_images, large_page, see_other};

use super::sparkline::{self, Downloads};
use super::{Frame, version_of, with_package};

#[derive(Template)]
#[template(path = "package/readme.html")]
struct ReadmePage {
    visitor: Visitor,
    frame: Frame,
    readme: Option<Readme>,
    side: Side,
}

/// What stands beside the README.
struct Side {
    /// Commands that install it, by client.
    commands: Vec<(&'static str, String)>,
    /// What goes into `.npmrc` once, and the command that logs in.
    settings: String,
    login: String,
    downloads: Downloads,
    about: About,
    size: Size,
    files: i32,
    /// How many people may read it, where the visitor may know.
    readers: Option<usize>,
}

/// `GET /package/{package}`. Addresses of old lead to the tabs.
pub(crate) async fn readme_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    query: Query,
) -> PageResult {
    let tab = query.get("activeTab").and_then(tab_of_old);
    with_package(&app, &visitor, path, async |opened| match tab {
        Some(tab) => Ok(see_other(&visitor, &format!("/package/{}{tab}", opened.permit.name()))),
        None => show(&app, &visitor, &opened, None).await,
    })
    .await
}

/// `GET /package/{package}/v/{version}`; a tag leads to what it points at.
pub(crate) async fn readme_page_of_version(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    parameters: PathParameters,
) -> PageResult {
    let wanted = parameters.get("version");
    with_package(&app, &visitor, path, async |opened| show(&app, &visitor, &opened, Some(wanted)).await).await
}

fn tab_of_old(name: &str) -> Option<&'static str> {
    Some(match name {
        "readme" => "",
        "code" | "explore" => "/code",
        "dependencies" => "/dependencies",
        "dependents" => "/dependents",
        "versions" => "/versions",
        "admin" => "/settings",
        _ => return None,
    })
}

async fn show(app: &App, visitor: &Visitor, opened: &Opened, wanted: Option<&str>) -> PageResult {
    let _place = app.contents.place().await?;
    let (frame, described) = Frame::load(app, visitor, opened, wanted, "readme").await?;
    let readme = app.readmes.find(opened, &version_of(&described.version.number)?).await?;
    let side = Side::load(app, visitor, opened, described, wanted.is_some()).await?;
    let template = ReadmePage { visitor: visitor.clone(), frame, readme, side };
    let mut response = large_page(visitor, StatusCode::OK, template).await?;
    allow_images(visitor, &mut response, app.readmes.image_hosts())?;
    Ok(response)
}

impl Side {
    async fn load(
        app: &App,
        visitor: &Visitor,
        opened: &Opened,
        described: Described,
        names_version: bool,
    ) -> Result<Self> {
        let days =
            app.downloads.by_day(Of::Package(&opened.permit), sparkline::period(visitor.now.date_naive())).await?;
        let name = opened.permit.name();
        let what = if names_version { format!("{name}@{}", described.version.number) } else { name.to_string() };
        let (scope, url) = (name.scope(), &visitor.public_url);
        Ok(Self {
            commands: vec![
                ("npm", format!("npm install {what}")),
                ("pnpm", format!("pnpm add {what}")),
                ("yarn", format!("yarn add {what}")),
                ("bun", format!("bun add {what}")),
            ],
            settings: format!("@{scope}:registry={url}/"),
            login: format!("npm login --scope=@{scope} --registry={url}/"),
            downloads: Downloads::of(&days, described.first_at.date_naive()),
            size: Size(described.version.unpacked_bytes.unsigned_abs()),
            files: described.version.file_count,
            readers: readers(app, visitor, opened).await?,
            about: described.about,
        })
    }
}

/// Everyone who may read it, where the visitor may be told.
async fn readers(app: &App, visitor: &Visitor, opened: &Opened) -> Result<Option<usize>> {
    let facts = &opened.entry.facts;
    match app.access.permit_on(visitor.actor(), facts, Intent::LIST_COLLABORATORS) {
        Ok(permit) => Ok(Some(app.access.list_collaborators(&permit).await?.len())),
        Err(_) => Ok(None),
    }
}
