//! What terminals and scripts ask while somebody confirms in a browser (`protocol.md` 1.7, 5.1); the pages are `web`'s.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::app::App;
use crate::error::Result;
use crate::http::{Json, JsonBody, PathParameters};
use crate::logins::LoginPoll;
use crate::second_factor::{Assertion, Poll};

use super::notice;

/// Any method on `/-/v1/done/{secret}`: npm polls with that of the request which was refused. Always 200 or 202, for other
/// statuses have clients ask for a password, or poll on.
pub(super) async fn done(State(app): State<Arc<App>>, path: PathParameters) -> Result<Response> {
    let secret = path.get("secret");
    // Two kinds of pages can be waited for, at one kind of address; no secret is of both.
    Ok(match app.logins.poll(secret).await? {
        Some(LoginPoll::Pending) => pending(),
        Some(LoginPoll::Token(token)) => approved(&token),
        Some(LoginPoll::Over) => over(),
        None => match app.second_factor.poll(secret).await? {
            Poll::Pending => pending(),
            Poll::Approved(code) => approved(&code),
            Poll::Over => over(),
        },
    })
}

fn pending() -> Response {
    let mut response = (StatusCode::ACCEPTED, Json(json!({}))).into_response();
    // Without it npm would poll in a tight loop.
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn approved(token: &str) -> Response {
    Json(json!({ "token": token })).into_response()
}

fn over() -> Response {
    let sentence = "This was refused in the browser, or took too long. Run the command again.";
    let mut response = Json(json!({ "error": sentence, "message": sentence })).into_response();
    notice(response.headers_mut(), sentence);
    response
}

/// `POST /-/strongroom/v1/confirmations/{secret}/challenge`: what a security key shall sign.
pub(super) async fn challenge(State(app): State<Arc<App>>, path: PathParameters) -> Result<Json<Value>> {
    app.second_factor.offer_assertion(path.get("secret")).await.map(Json)
}

/// `POST /-/strongroom/v1/confirmations/{secret}/assertion`: what it signed.
pub(super) async fn assert(
    State(app): State<Arc<App>>,
    path: PathParameters,
    JsonBody(assertion): JsonBody<Assertion>,
) -> Result<Json<Value>> {
    app.second_factor.approve_with_key(path.get("secret"), &assertion).await?;
    Ok(Json(json!({ "ok": true })))
}
