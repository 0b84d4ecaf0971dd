//! `/settings/export`: everything of the account in one file, also where the plan has lapsed.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use futures_util::stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use crate::app::App;
use crate::error::Error;
use crate::exports::{Export, Extent};
use crate::http::{CachePolicy, answer};
use crate::policy::{AccountAction, HolderPermit};

use super::super::shell::{Form, FormErrors, PageResult, Problem, Size, Visitor, page};
use super::permit;

#[derive(Template)]
#[template(path = "settings/export.html")]
struct ExportPage<'a> {
    visitor: &'a Visitor,
    extent: Extent,
    size: Size,
    errors: FormErrors,
}

/// `GET /settings/export`.
pub(in crate::web) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    show_page(&app, &visitor, FormErrors::default()).await
}

async fn show_page(app: &App, visitor: &Visitor, errors: FormErrors) -> PageResult {
    let permit = permit(app, visitor, AccountAction::See).await?;
    let extent = app.exports.extent(HolderPermit::User(&permit)).await?;
    let size = Size(extent.bytes.unsigned_abs());
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::CONFLICT };
    page(visitor, status, &ExportPage { visitor, extent, size, errors })
}

/// `POST /settings/export`: the file itself. It takes everything that the account has, so one shows again who one is.
pub(in crate::web) async fn download(State(app): State<Arc<App>>, visitor: Visitor, _form: Form) -> PageResult {
    let confirmed = visitor.require_confirmed(&app).await?;
    let permit = permit(&app, &confirmed, AccountAction::Export).await?;
    match app.exports.begin(HolderPermit::User(&permit)).await {
        Ok(export) => attachment(export),
        Err(refused @ Error::Conflict(_)) => {
            show_page(&app, &visitor, FormErrors::one("export", refused.to_string())).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The archive as a file to download.
pub(in crate::web) fn attachment(Export { file, pieces }: Export) -> Result<Response, Problem> {
    let pieces = stream::unfold(pieces, async |mut pieces| Some((pieces.recv().await?, pieces)));
    let mut response = answer(StatusCode::OK, Body::from_stream(pieces));
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{file}\"")).map_err(Error::internal)?;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    headers.insert(CONTENT_DISPOSITION, disposition);
    CachePolicy::NoStore.apply(headers);
    Ok(response)
}
