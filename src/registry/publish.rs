//! `PUT /{package}`: publishing (`protocol.md` 3.1 and 3.2).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, PackagePath, drain, upload};
use crate::names::PackageName;
use crate::packages::Sender;
use crate::policy::{Actor, Intent, Permit, Write};

use super::notice;

/// `PUT /{package}`. Who may not publish is told so before the body is read.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let permit = match permit(&app, actor, path).await {
        Ok(permit) => permit,
        Err(refusal) => return refuse_unread(refusal, body).await,
    };
    let body = match upload(&parts.headers, body, app.packages.publish_limits().body_bytes()) {
        Ok(body) => body,
        Err((refusal, body)) => return refuse_unread(refusal, body).await,
    };
    match app.packages.publish(&permit, body, sender(&parts.headers)).await {
        Ok(publication) => {
            let answer = json!({ "ok": true, "id": permit.name(), "rev": publication.rev, "success": true });
            let mut response = (StatusCode::CREATED, Json(answer)).into_response();
            if let Some(line) = publication.notice {
                notice(response.headers_mut(), &line);
            }
            response
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn permit(app: &App, actor: CurrentActor, path: PackagePath) -> Result<Permit<Write>> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    permit_to_publish(app, &actor, &name).await
}

/// A package that does not exist is to be created; how visible, the body will say.
async fn permit_to_publish(app: &App, actor: &Actor, name: &PackageName) -> Result<Permit<Write>> {
    let facts = app.access.load_facts_for(actor, name).await?;
    let intent = if facts.package.is_some() { Intent::PUBLISH } else { Intent::CREATE };
    app.access.permit_known(actor, &facts, intent).await
}

pub(super) async fn refuse_unread(refusal: Error, body: Body) -> Response {
    drain(body).await;
    let mut response = refusal.into_response();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

pub(super) fn sender(headers: &HeaderMap) -> Sender {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Sender { says_restricted_by_default: is_modern_yarn(agent) }
}

/// Yarn 2 and later do not name themselves: they send the name of their HTTP library (`protocol.md` 1.3).
fn is_modern_yarn(agent: &str) -> bool {
    let major = agent.strip_prefix("yarn/").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    agent.starts_with("got ") || agent.starts_with("got/") || major.is_some_and(|major| major >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yarn_is_told_apart_by_its_agent() {
        assert!(is_modern_yarn("got (https://github.com/sindresorhus/got)"));
        assert!(is_modern_yarn("yarn/4.18.1 npm/? node/v20.0.0 linux x64"));
        assert!(!is_modern_yarn("yarn/1.22.22 npm/? node/v20.0.0 linux x64"));
        assert!(!is_modern_yarn("npm/11.19.1 node/v20.20.2 linux x64 workspaces/false"));
    }
}
