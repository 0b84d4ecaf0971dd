//! Confirming in a browser what a terminal is about to do (`protocol.md` 1.7): the page, what its script calls, and the
//! address that the terminal polls.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::to_npm_time;
use crate::error::{Error, Result};
use crate::http::{Json, JsonBody, PathParameters, read_form};
use crate::logins::LoginPoll;
use crate::second_factor::{Assertion, Confirmation, Poll};

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

/// `GET /auth/cli/{secret}`: what is about to be done, and a form for a code. Works without script.
pub(super) async fn page(State(app): State<Arc<App>>, path: PathParameters) -> Response {
    match app.second_factor.confirmation(path.get("secret")).await {
        Ok(confirmation) if confirmation.is_pending => form_page(StatusCode::OK, &confirmation, None),
        Ok(_) => closing_page(StatusCode::OK, "This is decided. You can close this page."),
        Err(refusal) => error_page(&refusal),
    }
}

/// `POST /auth/cli/{secret}`: the form.
pub(super) async fn decide(State(app): State<Arc<App>>, path: PathParameters, request: Request) -> Response {
    match decided(&app, path.get("secret"), request).await {
        Ok(response) => response,
        Err(refusal) => error_page(&refusal),
    }
}

async fn decided(app: &App, secret: &str, request: Request) -> Result<Response> {
    let confirmation = app.second_factor.confirmation(secret).await?;
    let form = read_form(request).await?;
    if form.get("decision") == Some("refuse") {
        app.second_factor.refuse(secret).await?;
        return Ok(closing_page(StatusCode::OK, "Refused. The terminal gives up. You can close this page."));
    }
    match app.second_factor.approve_with_code(secret, form.get("code").unwrap_or_default()).await {
        Ok(()) => Ok(closing_page(StatusCode::OK, "Confirmed. The terminal goes on. You can close this page.")),
        Err(wrong @ (Error::WrongSecondFactor | Error::TooManyRequests { .. })) => {
            Ok(form_page(StatusCode::UNPROCESSABLE_ENTITY, &confirmation, Some(&wrong.to_string())))
        }
        Err(other) => Err(other),
    }
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

fn form_page(status: StatusCode, confirmation: &Confirmation, problem: Option<&str>) -> Response {
    let account = escaped(confirmation.account.as_str());
    let subject = escaped(&confirmation.subject);
    let place = confirmation.address.as_deref().map_or_else(String::new, |at| format!(" at {}", escaped(at)));
    let asked = to_npm_time(confirmation.created_at);
    let problem = problem.map_or_else(String::new, |text| format!("<p role=\"alert\"><b>{}</b></p>", escaped(text)));
    html(
        status,
        &format!(
            "<p>A terminal{place} is about to change <b>{subject}</b> as <b>{account}</b>. It asked at \
             <time datetime=\"{asked}\">{asked}</time>. If that is not you, refuse, and revoke your tokens.</p>{problem}\
             <form method=\"post\"><p><label for=\"code\">One-time code or recovery code</label> \
             <input id=\"code\" name=\"code\" autocomplete=\"one-time-code\" autofocus maxlength=\"128\"></p>\
             <p><button name=\"decision\" value=\"approve\">Confirm</button> \
             <button name=\"decision\" value=\"refuse\" formnovalidate>Refuse</button></p></form>"
        ),
    )
}

fn closing_page(status: StatusCode, sentence: &str) -> Response {
    html(status, &format!("<p>{}</p>", escaped(sentence)))
}

fn error_page(refusal: &Error) -> Response {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    closing_page(status, &refusal.to_string())
}

fn html(status: StatusCode, main: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Confirm</title>\
         <meta name=\"viewport\" content=\"width=device-width\"></head><body><main><h1>Confirm</h1>{main}</main></body></html>"
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"),
    );
    // The address is a secret.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, one| {
        match one {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}
