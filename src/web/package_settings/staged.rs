//! A version that waits for approval: what it would change, and the two buttons.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::clock::Time;
use crate::contents::{Lines, VersionDiff};
use crate::error::{Error, Result};
use crate::http::PathParameters;
use crate::names::{PackageName, RandomId};
use crate::packages::archive::FileEntry;
use crate::packages::{FileIndex, TarballFacts, VersionFiles};
use crate::policy::Intent;
use crate::staging::StagedVersion;
use crate::web::package::Frame;
use crate::web::shell::{Form, Notice, PageResult, Size, Visitor, page, see_other_with};

use super::address;

#[derive(Template)]
#[template(path = "package_settings/staged.html")]
struct StagedPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    staged: &'a StagedVersion,
    size: Size,
    ends: Time,
    /// The version that `latest` names, and what differs from it; `None` where there is none.
    compared: Option<String>,
    diff: VersionDiff,
    /// All files, where there is nothing to compare with.
    files: Vec<FileEntry>,
}

/// The version of a path; what belongs to another package is not found.
async fn find(app: &App, visitor: &Visitor, parameters: &PathParameters) -> Result<StagedVersion> {
    let missing = || Error::NotFound("No such version waits for approval.".into());
    let id: RandomId = parameters.get("id").parse().map_err(|_| missing())?;
    let name: PackageName = parameters.get("package").parse().map_err(|_| missing())?;
    let (staged, _) = app.staging.find(visitor.actor(), &id).await?;
    if staged.package == name { Ok(staged) } else { Err(missing()) }
}

/// `GET /package/{package}/staged/{id}`.
pub(in crate::web) async fn staged_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    parameters: PathParameters,
) -> PageResult {
    let staged = find(&app, &visitor, &parameters).await?;
    let facts = app.access.load_facts_for(visitor.actor(), &staged.package).await?;
    let index = FileIndex::new(app.packages.walk(&staged.digest, staged.size_bytes).await?);
    let files = index.files().to_vec();
    let tarball = TarballFacts { digest: staged.digest.clone(), size_bytes: staged.size_bytes };
    let new = VersionFiles { tarball, index: Arc::new(index) };
    let before = latest(&app, &visitor, &staged.package).await?;
    let (compared, diff) = match before {
        Some((number, old)) => (Some(number), app.contents.diff(&old, &new).await?),
        None => (None, VersionDiff::default()),
    };
    let template = StagedPage {
        visitor: &visitor,
        frame: Frame::of_facts(&app, &visitor, &facts, "settings"),
        staged: &staged,
        size: Size(staged.size_bytes),
        ends: app.staging.expires_at(&staged),
        compared,
        diff,
        files,
    };
    page(&visitor, StatusCode::OK, &template)
}

/// What an install gets now; nothing, where the package does not exist yet.
async fn latest(app: &App, visitor: &Visitor, name: &PackageName) -> Result<Option<(String, VersionFiles)>> {
    let opened = match app.packages.open(visitor.actor(), name, Intent::INSPECT).await {
        Ok(opened) => opened,
        Err(Error::NotFound(_)) => return Ok(None),
        Err(refusal) => return Err(refusal),
    };
    let number = app.packages.describe(&opened, None).await?.version.number;
    let files = app.packages.files(&opened, &number.parse()?).await?;
    Ok(Some((number, files)))
}

/// `POST /package/{package}/staged/{id}`: approve or reject, always with a second factor.
pub(in crate::web) async fn review(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    parameters: PathParameters,
    form: Form,
) -> PageResult {
    let staged = find(&app, &visitor, &parameters).await?;
    let (name, version) = (&staged.package, &staged.version);
    let sentence = if form.has("approve") {
        app.staging.approve(visitor.actor(), &staged.id).await?;
        format!("{name} {version} is published.")
    } else if form.has("reject") {
        app.staging.reject(visitor.actor(), &staged.id).await?;
        format!("{name} {version} was rejected and thrown away.")
    } else {
        return Err(Error::Unprocessable("Approve or reject: press one of the two buttons.".into()).into());
    };
    let path = if form.has("approve") { format!("/package/{name}") } else { address(name) };
    Ok(see_other_with(&visitor, &path, &Notice::new(sentence)))
}
