//! `npm ping`, and the root (`protocol.md` 8.4).

use serde_json::{Value, json};

use crate::http::Json;

/// `GET /-/ping`: the registry answers.
pub(super) async fn ping() -> Json<Value> {
    Json(json!({}))
}

/// `GET /`: what the `CouchDB` of old said there, as far as it tells nothing about packages.
pub(super) async fn root() -> Json<Value> {
    Json(json!({ "db_name": "registry" }))
}
