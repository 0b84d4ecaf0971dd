//! The keys that signatures of versions are checked with (`protocol.md` 7.3): open to all.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::ETAG;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::clock::to_npm_time;
use crate::error::{Error, Result};
use crate::http::{CachePolicy, Json, Validators, answer, not_modified};
use crate::signatures::PublicKey;

/// What npm calls ECDSA on P-256 with SHA-256.
const KEY_TYPE: &str = "ecdsa-sha2-nistp256";

/// `GET /-/npm/v1/keys`. Kept by caches and asked about each time: who misses a new key cannot check what it signed.
pub(super) async fn get(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response> {
    let keys: Vec<Value> = app.signatures.keys().await?.iter().map(to_json).collect();
    let body = json!({ "keys": keys });
    let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(body.to_string())[..18]);
    let etag = HeaderValue::try_from(format!("\"{hash}\"")).map_err(Error::internal)?;
    let validators = Validators { etag: etag.clone(), last_modified: None };
    let mut response = if not_modified(&headers, &validators) {
        answer(StatusCode::NOT_MODIFIED, Body::empty())
    } else {
        Json(body).into_response()
    };
    response.headers_mut().insert(ETAG, etag);
    CachePolicy::PublicRevalidated.apply(response.headers_mut());
    Ok(response)
}

fn to_json(key: &PublicKey) -> Value {
    json!({
        "expires": key.expires_at.map(to_npm_time),
        "keyid": key.key_id,
        "keytype": KEY_TYPE,
        "scheme": KEY_TYPE,
        "key": key.to_base64(),
    })
}
