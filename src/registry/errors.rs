//! What the codes of errors mean: the `help` of every refusal leads here.

use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::error::{Error, MEANINGS, Result};
use crate::http::{CachePolicy, Json, PathParameters};

/// `GET /-/strongroom/v1/errors/{code}`: for anybody, since the codes are the same for everybody.
pub(super) async fn get(path: PathParameters) -> Result<Response> {
    let meaning = MEANINGS.iter().find(|meaning| meaning.code == path.get("code"));
    let meaning = meaning.ok_or_else(|| Error::NotFound("There is no such code. Check its spelling.".into()))?;
    let body = json!({
        "code": meaning.code, "status": meaning.status, "when": meaning.when, "help": meaning.help,
    });
    let mut response = Json(body).into_response();
    CachePolicy::PublicRevalidated.apply(response.headers_mut());
    Ok(response)
}
