//! `npm ping` (`protocol.md` 8.4).

use serde_json::{Value, json};

use crate::http::Json;

/// `GET /-/ping`: the registry answers.
pub(super) async fn ping() -> Json<Value> {
    Json(json!({}))
}
