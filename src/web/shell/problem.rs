//! What becomes of a page that cannot be shown.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::billing::page_of;
use crate::error::Error;
use crate::policy::{AccountKind, Lack};

use super::page::{page, see_other};
use super::visitor::Visitor;

/// What a handler of a page returns.
pub(crate) type PageResult = Result<Response, Problem>;

/// Why a page is not shown as it was asked for.
#[derive(Debug)]
pub(crate) enum Problem {
    /// A room refuses, or fails.
    Refused(Arc<Error>),
    /// The visitor is to show again who they are; what they showed so far was not right, where that is said.
    Confirm(Option<Error>),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::SecondFactorRequired { .. } => Self::Confirm(None),
            error => Self::Refused(Arc::new(error)),
        }
    }
}

impl From<askama::Error> for Problem {
    fn from(cause: askama::Error) -> Self {
        Self::Refused(Arc::new(Error::internal(cause)))
    }
}

/// A problem on its way to the frame, which knows who looks.
#[derive(Debug, Clone)]
pub(super) struct Told(pub(super) Arc<Problem>);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.extensions_mut().insert(Told(Arc::new(self)));
        response
    }
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    visitor: &'a Visitor,
    status: u16,
    title: &'static str,
    sentence: String,
    code: &'static str,
    /// Where a plan that is missing is picked, where the visitor may be who picks it.
    plans: Option<String>,
}

impl RefusalPage<'_> {
    /// Whether the visitor is to have a second factor before this can be asked of them.
    fn lacks_second_factor(&self) -> bool {
        self.code == Lack::SecondFactor.code()
    }
}

/// The page of an error. Unknown and hidden are one page (`ux.md` 1.6); who needs an account is sent to log in.
pub(super) fn show_refusal(visitor: &Visitor, error: &Arc<Error>) -> Response {
    if matches!(**error, Error::Unauthenticated(_) | Error::DeadCredential) {
        let here = utf8_percent_encode(&visitor.place, NON_ALPHANUMERIC);
        return see_other(visitor, &format!("/login?then={here}"));
    }
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let sentence = match &**error {
        Error::NotFound(_) => "There is no such page, or nothing that you may see.".to_owned(),
        error => error.to_string(),
    };
    let title = match status.as_u16() {
        402 => "No plan",
        403 => "Not allowed",
        404 => "Nothing here",
        409 => "Somebody was faster",
        429 => "Too often",
        400..500 => "This did not work",
        _ => "Our fault",
    };
    let template = RefusalPage {
        visitor,
        status: status.as_u16(),
        title,
        sentence,
        code: error.code(),
        plans: plans(visitor, error),
    };
    let mut response = page(visitor, status, &template).unwrap_or_else(|_| bare(status));
    if status.is_server_error() {
        crate::http::note_cause(&mut response, error.clone());
    }
    response
}

/// Another user's plan is theirs; of an organization's its own page says whose business it is.
fn plans(visitor: &Visitor, error: &Error) -> Option<String> {
    let Error::PaymentRequired { debtor, .. } = error else { return None };
    let may_pay = debtor.kind == AccountKind::Organization || visitor.is(debtor.name.as_str());
    may_pay.then(|| page_of(debtor))
}

/// The last resort: a page that not even templates can break.
fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(Body::from("Something went wrong on our side. Nothing was changed."));
    *response.status_mut() = status;
    response
}
