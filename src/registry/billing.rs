//! Where a payment service tells of what happened: signed, by no account.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::App;
use crate::error::Result;
use crate::http::{Json, read_raw};

/// The largest event that is heard: one with a long invoice takes a fifth of it.
const LARGEST_EVENT: usize = 512 * 1024;

/// `POST /-/strongroom/v1/billing/stripe`: the signature is looked for before the body is read, and nothing of the body
/// is looked at before the signature vouches for it.
pub(super) async fn hear(State(app): State<Arc<App>>, request: Request) -> Result<Response> {
    let signature = request.headers().get("stripe-signature").and_then(|value| value.to_str().ok());
    let envelope = app.billing.envelope(signature)?;
    let body = read_raw(request, LARGEST_EVENT).await?;
    app.billing.hear(&envelope, &body).await?;
    Ok(Json(json!({ "ok": true })).into_response())
}
