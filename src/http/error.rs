//! An [`Error`] as npm's clients read it (`protocol.md` 1.5 and 1.6).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use hyper::ext::ReasonPhrase;
use serde_json::{Value, json};

use crate::error::Error;

/// The longest sentence that is sent; what is quoted in it may be the client's own text.
const SENTENCE_CHARACTERS: usize = 300;

/// The body of an error, for the edge to complete: it knows the request's id.
#[derive(Clone)]
struct Told(Value);

/// Tells the edge what a 5xx was, for the log; it goes no further.
#[derive(Clone)]
pub(super) struct Cause(pub(super) std::sync::Arc<Error>);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let sentence = one_line(&self.to_string());
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let shown = format!("{sentence} [{}]", self.code());
        let mut body = json!({ "error": shown, "message": shown, "statusCode": status.as_u16(), "code": self.code() });
        if let Some((missing, ask)) = self.missing() {
            body["missing"] = missing.into();
            body["ask"] = ask.into();
        }
        if let Self::SecondFactorRequired { web: Some(web) } = &self {
            body["authUrl"] = web.auth_url.as_str().into();
            body["doneUrl"] = web.done_url.as_str().into();
        }
        let mut response = Response::new(Body::from(body.to_string()));
        response.extensions_mut().insert(Told(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry_after_secs() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self, Self::Unauthenticated(_) | Self::DeadCredential) {
            // npm drops the body of a 401 with this challenge, so the sentence goes along as a notice too.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            if let Ok(notice) = HeaderValue::from_str(&sentence) {
                headers.insert("npm-notice", notice);
            }
        }
        if matches!(self, Self::SecondFactorRequired { .. } | Self::WrongSecondFactor) {
            // Clients ask for a code where they see this word, and nowhere else (`protocol.md` 1.7).
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("OTP"));
        }
        // pnpm shows the reason phrase and nothing else.
        let phrase = format!("{} ({})", status.canonical_reason().unwrap_or("Error"), self.code());
        if let Ok(phrase) = ReasonPhrase::try_from(phrase) {
            response.extensions_mut().insert(phrase);
        }
        if status.is_server_error() {
            response.extensions_mut().insert(Cause(std::sync::Arc::new(self)));
        }
        response
    }
}

/// Adds what a handler does not know to the body of an error: where its code is explained, and for a failure of ours the
/// request's id. Not for a refusal: what is hidden and what is missing are answered with the same bytes (`domain.md`), and
/// the header has the id.
pub(super) fn complete(response: &mut Response, public_url: &str, id: &str) {
    let Some(Told(mut body)) = response.extensions_mut().remove() else { return };
    let code = body["code"].as_str().unwrap_or_default();
    body["help"] = format!("{public_url}/-/strongroom/v1/errors/{code}").into();
    if response.status().is_server_error() {
        body["request_id"] = id.into();
    }
    *response.body_mut() = Body::from(body.to_string());
    // The router has measured the shorter body already.
    response.headers_mut().remove(CONTENT_LENGTH);
}

/// Tells the edge what a 5xx was that a page shows in its own way.
pub fn note_cause(response: &mut Response, cause: std::sync::Arc<Error>) {
    response.extensions_mut().insert(Cause(cause));
}

fn one_line(sentence: &str) -> String {
    let printable = sentence.chars().map(|one| if one.is_control() { ' ' } else { one });
    printable.take(SENTENCE_CHARACTERS).collect()
}
