//! The manual, and what the codes of errors mean.

mod manual;

use askama::Template;
use http::StatusCode;

use crate::error::{Error, MEANINGS, Meaning};
use crate::http::PathParameters;

use super::shell::{PageResult, Visitor, page};
use manual::{Chapter, Reader, chapters};

#[derive(Template)]
#[template(path = "docs/contents.html")]
struct ContentsPage<'a> {
    visitor: &'a Visitor,
    chapters: &'static [Chapter],
}

#[derive(Template)]
#[template(path = "docs/chapter.html")]
struct ChapterPage<'a> {
    visitor: &'a Visitor,
    chapters: &'static [Chapter],
    chapter: &'static Chapter,
    html: String,
}

#[derive(Template)]
#[template(path = "docs/errors.html")]
struct ErrorsPage<'a> {
    visitor: &'a Visitor,
    chapters: &'static [Chapter],
    meanings: &'static [Meaning],
}

#[derive(Template)]
#[template(path = "docs/error.html")]
struct ErrorPage<'a> {
    visitor: &'a Visitor,
    chapters: &'static [Chapter],
    meaning: &'static Meaning,
}

/// `GET /docs`.
pub(super) async fn contents(visitor: Visitor) -> PageResult {
    page(&visitor, StatusCode::OK, &ContentsPage { visitor: &visitor, chapters: chapters() })
}

/// `GET /docs/{chapter}`.
pub(super) async fn chapter(visitor: Visitor, path: PathParameters) -> PageResult {
    let wanted = path.get("chapter");
    let found = chapters().iter().find(|chapter| chapter.name == wanted);
    let chapter = found.ok_or_else(|| Error::NotFound("There is no such chapter.".into()))?;
    let html = chapter.html(&visitor.public_url);
    page(&visitor, StatusCode::OK, &ChapterPage { visitor: &visitor, chapters: chapters(), chapter, html })
}

/// `GET /docs/errors`.
pub(super) async fn errors(visitor: Visitor) -> PageResult {
    page(&visitor, StatusCode::OK, &ErrorsPage { visitor: &visitor, chapters: chapters(), meanings: &MEANINGS })
}

/// `GET /-/errors/{code}` and the address that the `help` of every refusal leads to.
pub(super) async fn error(visitor: Visitor, path: PathParameters) -> PageResult {
    let meaning = MEANINGS.iter().find(|meaning| meaning.code == path.get("code"));
    let meaning = meaning.ok_or_else(|| Error::NotFound("There is no such code.".into()))?;
    page(&visitor, StatusCode::OK, &ErrorPage { visitor: &visitor, chapters: chapters(), meaning })
}
