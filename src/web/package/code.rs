//! The files of a version: folders as lists, text with numbered lines, everything else by its size.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::app::App;
use crate::contents::{Node, Shown, list};
use crate::error::Error;
use crate::http::{PackagePath, PathParameters};
use crate::packages::archive::FileEntry;
use crate::packages::{Opened, VersionFiles};
use crate::web::shell::{PageResult, Problem, Size, Visitor, large_page, page};

use super::{Frame, version_of, with_package};

/// Entries of a folder that are shown on a page.
const MOST_ENTRIES: usize = 1_000;

/// What stands as it is in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[derive(Template)]
#[template(path = "package/folder.html")]
struct FolderPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    base: String,
    path: Vec<Step>,
    entries: Vec<Entry>,
    files: usize,
    /// Entries that are there and not shown.
    left_out: usize,
}

#[derive(Template)]
#[template(path = "package/file.html")]
struct FilePage {
    visitor: Visitor,
    frame: Frame,
    base: String,
    path: Vec<Step>,
    file: FileEntry,
    size: Size,
    raw: String,
    shown: Shown,
}

/// A line of a folder.
struct Entry {
    name: String,
    link: String,
    note: String,
    size: Size,
}

/// A folder on the way to where one is.
struct Step {
    name: String,
    link: String,
}

/// `GET /package/{package}/code` and what is below.
pub(crate) async fn code_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    parameters: PathParameters,
) -> PageResult {
    let file = parameters.get("path");
    with_package(&app, &visitor, path, async |opened| show(&app, &visitor, &opened, None, file).await).await
}

/// `GET /package/{package}/v/{version}/code` and what is below.
pub(crate) async fn code_page_of_version(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    parameters: PathParameters,
) -> PageResult {
    let (version, file) = (parameters.get("version"), parameters.get("path"));
    with_package(&app, &visitor, path, async |opened| show(&app, &visitor, &opened, Some(version), file).await).await
}

async fn show(app: &App, visitor: &Visitor, opened: &Opened, wanted: Option<&str>, path: &str) -> PageResult {
    let place = app.contents.place().await?;
    let (frame, described) = Frame::load(app, visitor, opened, wanted, "code").await?;
    let version = app.packages.files(opened, &version_of(&described.version.number)?).await?;
    drop(place);
    let path = path.trim_end_matches('/');
    let base = frame.base();
    match version.index.find(path) {
        Some(file) => show_file(app, visitor, frame, &base, &version, file).await,
        None => show_folder(visitor, frame, &base, &version, path),
    }
}

fn show_folder(visitor: &Visitor, frame: Frame, base: &str, version: &VersionFiles, path: &str) -> PageResult {
    let nodes = list(&version.index, path).ok_or_else(|| no_file(path))?;
    let here = if path.is_empty() { format!("{base}/code") } else { format!("{base}/code/{}", escaped_path(path)) };
    let entries = nodes.iter().take(MOST_ENTRIES).map(|node| entry(&here, node)).collect();
    let left_out = nodes.len().saturating_sub(MOST_ENTRIES);
    let files = version.index.files().len();
    let template =
        FolderPage { visitor, frame, base: base.to_owned(), path: steps(base, path), entries, files, left_out };
    page(visitor, StatusCode::OK, &template)
}

fn entry(here: &str, node: &Node<'_>) -> Entry {
    match node {
        Node::Folder { name, files, size } => Entry {
            name: format!("{name}/"),
            link: format!("{here}/{}", escaped_path(name)),
            note: if *files == 1 { "1 file".to_owned() } else { format!("{files} files") },
            size: Size(*size),
        },
        Node::File { name, file } => Entry {
            name: (*name).to_owned(),
            link: format!("{here}/{}", escaped_path(name)),
            note: if file.is_text { String::new() } else { "binary".to_owned() },
            size: Size(file.size),
        },
    }
}

async fn show_file(
    app: &App,
    visitor: &Visitor,
    frame: Frame,
    base: &str,
    version: &VersionFiles,
    file: &FileEntry,
) -> PageResult {
    let shown = app.contents.show(version, file).await?;
    let number = frame.version.as_ref().map_or("", |line| line.version.number.as_str());
    let raw = format!("/package/{}/v/{number}/raw/{}", frame.name, escaped_path(&file.path));
    let (path, size) = (steps(base, &file.path), Size(file.size));
    let (base, file) = (base.to_owned(), file.clone());
    let template = FilePage { visitor: visitor.clone(), frame, base, path, file, size, raw, shown };
    let _place = app.contents.place().await?;
    large_page(visitor, StatusCode::OK, template).await
}

fn no_file(path: &str) -> Problem {
    let shown: String = path.chars().take(100).collect();
    Error::NotFound(format!("The version has no file {shown}.").into()).into()
}

/// Every folder on the way, and at its end what is looked at.
fn steps(base: &str, path: &str) -> Vec<Step> {
    let mut link = format!("{base}/code");
    let names = path.split('/').filter(|name| !name.is_empty());
    names
        .map(|name| {
            link = format!("{link}/{}", escaped_path(name));
            Step { name: name.to_owned(), link: link.clone() }
        })
        .collect()
}

/// A path as it stands in an address.
fn escaped_path(path: &str) -> String {
    path.split('/').map(|segment| utf8_percent_encode(segment, SEGMENT).to_string()).collect::<Vec<_>>().join("/")
}
