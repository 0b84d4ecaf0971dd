//! The face that operators' tools see: is the process alive, and may it be sent requests?

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use serde_json::{Value, json};

use crate::app::App;
use crate::http::Json;

/// The paths of this face; all take GET.
pub const PATHS: [&str; 2] = ["/-/livez", "/-/readyz"];

/// The router of this face.
pub fn router(app: Arc<App>) -> Router {
    Router::new().route(PATHS[0], get(alive)).route(PATHS[1], get(ready)).with_state(app)
}

/// `GET /-/livez`: the process runs.
async fn alive() -> Json<Value> {
    Json(json!({ "alive": true }))
}

/// `GET /-/readyz`: the database answers and has every migration, the storage takes files, and other nodes are heard.
/// `ailing` are chores that keep failing: worth a look, and no reason to send requests elsewhere.
async fn ready(State(app): State<Arc<App>>) -> Response {
    let failed = app.failing().await;
    let status = if failed.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let ailing = app.board.ailing();
    (status, Json(json!({ "ready": failed.is_empty(), "failed": failed, "ailing": ailing }))).into_response()
}
