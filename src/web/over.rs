//! What a one-time page shows once it is over: what to do next, which the common page for whatever is missing cannot say.

use askama::Template;
use http::StatusCode;

use crate::error::Error;

use super::shell::{PageResult, Visitor, page};

#[derive(Template)]
#[template(path = "over.html")]
struct OverPage<'a> {
    visitor: &'a Visitor,
    sentence: String,
}

/// Shows that nothing is behind a secret any more, or never was: the room says the same of both. Every other problem goes
/// on as what it is.
pub(super) fn show_over(visitor: &Visitor, error: Error) -> PageResult {
    match error {
        Error::NotFound(sentence) => {
            page(visitor, StatusCode::NOT_FOUND, &OverPage { visitor, sentence: sentence.to_string() })
        }
        other => Err(other.into()),
    }
}
