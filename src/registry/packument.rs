//! Packuments and single versions (`protocol.md` 2.1 to 2.3): bytes from memory, decided about before anything else.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CachePolicy, CurrentActor, HttpDate, PackagePath, PathParameters, Validators, answer, not_modified};
use crate::names::PackageName;
use crate::packages::{Encoding, Form, Opened, q_value};
use crate::policy::{Actor, Intent, Read, Visibility};

use super::notice_dead_token;

const INSTALL_FORM: &str = "application/vnd.npm.install-v1+json";

/// `GET /{package}`.
pub(super) async fn get(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response> {
    let name = path.for_reading()?;
    let (actor, opened) = open(&app, actor, &name, intent(&uri, &headers)).await?;
    let form = form(&headers);
    let document = app.packages.document(&opened, form).await?;
    let encoding = Encoding::negotiate(headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()));
    let validators = Validators {
        etag: HeaderValue::from_maybe_shared(document.etag(encoding)).map_err(Error::internal)?,
        last_modified: HttpDate::after(document.modified, app.clock.now()),
    };
    let fresh = not_modified(&headers, &validators);
    let mut response = if fresh {
        answer(StatusCode::NOT_MODIFIED, Body::empty())
    } else {
        answer(StatusCode::OK, app.packages.encoded(&opened, &document, encoding).await?.into())
    };
    describe(response.headers_mut(), &opened, form, encoding, validators, fresh);
    tell_dead_token(&actor, response.headers_mut());
    Ok(response)
}

/// `GET /{package}/{version}`: one version, by number or dist-tag.
pub(super) async fn version(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
) -> Result<Response> {
    let name = parameters.package().for_reading()?;
    let (actor, opened) = open(&app, actor, &name, Intent::READ).await?;
    let text = app.packages.version(&opened, parameters.get("version")).await?;
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    cache_policy(&opened).apply(headers);
    tell_dead_token(&actor, headers);
    Ok(response)
}

/// npm 7 and later print no notice of an answer that their cache may keep, so this one may not be kept. Tarballs may:
/// npm installs from its cache when offline, and a packument went before.
pub(super) fn tell_dead_token(actor: &Actor, headers: &mut HeaderMap) {
    notice_dead_token(actor, headers);
    if matches!(actor, Actor::Dead) {
        CachePolicy::NoStore.apply(headers);
    }
}

/// Opens a package for reading. When the database does not answer, what was public when this node last heard is still
/// served; for anything restricted there are no rights to go by, so that is 503 (`security.md` 6.8).
pub(super) async fn open(
    app: &App,
    actor: CurrentActor,
    name: &PackageName,
    intent: Intent<Read>,
) -> Result<(Actor, Opened)> {
    let outcome = match actor.known() {
        Ok(actor) => app.packages.open(&actor, name, intent).await.map(|opened| (actor, opened)),
        Err(outage) => Err(outage),
    };
    match outcome {
        Err(outage @ Error::Unavailable(_)) => {
            app.packages.open_public_from_memory(name).map(|opened| (Actor::Anonymous, opened)).ok_or(outage)
        }
        outcome => outcome,
    }
}

/// A packument that is read in order to change the package is no install: the ways out of a lapsed plan begin so.
fn intent(uri: &Uri, headers: &HeaderMap) -> Intent<Read> {
    let asks_to_write = uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "write=true"));
    if asks_to_write || matches!(command(headers), "owner" | "unpublish" | "access") {
        Intent::INSPECT
    } else {
        Intent::READ
    }
}

/// The npm command that a request belongs to. npm 6 has no header for it and says the whole command line in `referer`.
fn command(headers: &HeaderMap) -> &str {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let command_line = || text("referer").and_then(|line| line.split(' ').next());
    text("npm-command").or_else(command_line).unwrap_or_default()
}

/// The abbreviated form goes to who prefers it, or likes it no less (`protocol.md` 2.2).
fn form(headers: &HeaderMap) -> Form {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let weight = |media: &str| {
        accept.split(',').map(str::trim).find_map(|item| {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            (name.trim() == media).then(|| q_value(parameters))
        })
    };
    match weight(INSTALL_FORM) {
        Some(install) if Some(install) >= weight("application/json") => Form::Abbreviated,
        _ => Form::Full,
    }
}

fn describe(
    headers: &mut HeaderMap,
    opened: &Opened,
    form: Form,
    encoding: Encoding,
    validators: Validators,
    fresh: bool,
) {
    headers.insert(ETAG, validators.etag);
    if let Some(date) = validators.last_modified.and_then(HttpDate::to_header) {
        headers.insert(LAST_MODIFIED, date);
    }
    headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
    cache_policy(opened).apply(headers);
    if fresh {
        return;
    }
    let media = match form {
        Form::Full => "application/json",
        Form::Abbreviated => INSTALL_FORM,
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    if let Some(token) = encoding.token() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(token));
    }
}

pub(super) fn cache_policy(opened: &Opened) -> CachePolicy {
    match opened.visibility() {
        Visibility::Public => CachePolicy::PublicRevalidated,
        Visibility::Restricted => CachePolicy::PrivateRevalidated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_is_found_where_each_npm_puts_it() {
        for (name, value, expected) in [
            ("npm-command", "owner", "owner"),
            ("referer", "owner rm bob [REDACTED]", "owner"),
            ("referer", "install", "install"),
            ("user-agent", "npm/6.14.18", ""),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(command(&headers), expected, "{name}: {value}");
        }
    }

    #[test]
    fn who_resolves_gets_the_install_form_and_who_reads_gets_everything() {
        for (accept, expected) in [
            ("application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*", Form::Abbreviated),
            ("application/vnd.npm.install-v1+json", Form::Abbreviated),
            ("application/json", Form::Full),
            ("application/json; q=1.0, application/vnd.npm.install-v1+json; q=0.5", Form::Full),
            ("*/*", Form::Full),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(form(&headers), expected, "{accept}");
        }
        assert_eq!(form(&HeaderMap::new()), Form::Full);
    }
}
