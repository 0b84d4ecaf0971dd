//! What is shown once, on the page after the form that made it: a new token, new recovery codes.
//!
//! It travels in a cookie that only this instance can read, bound to the session and short-lived: so it stands in no
//! address, in no log and in no table, and the page that shows it can be any node's.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use http::header::SET_COOKIE;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock::Time;
use crate::error::Error;

use super::cookies::once_cookie;
use super::problem::Problem;
use super::visitor::Visitor;

/// How long the browser has for coming back for it.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    until: Time,
    what: T,
}

fn context(visitor: &Visitor) -> Result<String, Problem> {
    Ok(format!("shown once to {}", visitor.principal()?.token))
}

/// Sends what is to be shown on the next page along.
///
/// # Errors
/// The vault's.
pub(crate) fn show_next(
    app: &App,
    visitor: &Visitor,
    response: &mut Response,
    what: &impl Serialize,
) -> Result<(), Problem> {
    let kept = Kept { until: app.clock.now() + PATIENCE, what };
    let bytes = serde_json::to_vec(&kept).map_err(Error::internal)?;
    let sealed = app.vault.seal(&context(visitor)?, &bytes)?;
    let cookie = once_cookie(&app.public_url, &URL_SAFE_NO_PAD.encode(sealed));
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(())
}

/// What the form before has sent along for this page; nothing where that was shown already, or took too long.
///
/// # Errors
/// Where nobody is logged in.
pub(crate) fn shown_next<T: DeserializeOwned>(app: &App, visitor: &Visitor) -> Result<Option<T>, Problem> {
    let context = context(visitor)?;
    let Some(sealed) = visitor.once.as_deref().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()) else {
        return Ok(None);
    };
    // Anybody can send a cookie: what does not open is nothing.
    let opened = app.vault.open(&context, &sealed).ok();
    let kept: Option<Kept<T>> = opened.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok(kept.filter(|kept| kept.until > app.clock.now()).map(|kept| kept.what))
}

/// Takes it away from the browser, with the page that shows it.
pub(crate) fn forget_shown(visitor: &Visitor, response: &mut Response) {
    response.headers_mut().append(SET_COOKIE, once_cookie(&visitor.public_url, ""));
}
