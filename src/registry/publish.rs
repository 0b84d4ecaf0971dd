//! `PUT /{package}`: publishing, and the other changes that come the same way (`protocol.md` 3.1 to 3.4, 3.7, 3.9).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{BodyStream, CurrentActor, Json, PackagePath, drain, require_account, upload};
use crate::names::PackageName;
use crate::packages::{
    Deprecations, EditedPackument, Incoming, Publication, Reach, Sender, intent_to_publish, parse_rev,
};
use crate::policy::{Actor, Intent, PackageFacts};

use super::notice;

/// `PUT /{package}`. What it is stands in the body; who may do none of what it could be is told so before it is read.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let asked = match Asked::by(&app, actor, path).await {
        Ok(asked) => asked,
        Err(refusal) => return refuse_unread(refusal, body).await,
    };
    let mut body = match upload(&parts.headers, body, app.packages.publish_limits().body_bytes(asked.reach)) {
        Ok(body) => body,
        Err((refusal, body)) => return refuse_unread(asked.refusal(&app, refusal).await, body).await,
    };
    match asked.change(&app, &mut body, &parts.headers).await {
        Ok(response) => response,
        Err(refusal) => {
            body.drain().await;
            refusal.into_response()
        }
    }
}

/// Who sends a body to which package, and how much of it is worth reading.
struct Asked {
    actor: Actor,
    facts: PackageFacts,
    reach: Reach,
}

impl Asked {
    async fn by(app: &App, actor: CurrentActor, path: PackagePath) -> Result<Self> {
        let actor = actor.known()?;
        let name = path.for_writing(&actor)?;
        let facts = app.access.load_facts_for(&actor, &name).await?;
        let publishes = intent_to_publish(&facts);
        let publish = app.access.permit_on(&actor, &facts, publishes);
        let reach = if publish.is_ok() {
            Reach::Publish
        } else if matches!(publish, Err(Error::SecondFactorRequired { .. })) && actor.offers_second_factor() {
            let permit = app.access.permit_known(&actor, &facts, publishes).await?;
            return Ok(Self { actor: permit.actor().clone(), facts, reach: Reach::Publish });
        } else if app.access.permit_on(&actor, &facts, Intent::DEPRECATE).is_ok() {
            Reach::Packument
        } else if app.access.permit_on(&actor, &facts, Intent::STAR).is_ok() {
            Reach::Word
        } else {
            app.access.permit_known(&actor, &facts, publishes).await?;
            Reach::Publish
        };
        Ok(Self { actor, facts, reach })
    }

    fn name(&self) -> &PackageName {
        &self.facts.name
    }

    /// Who may not publish, and sends more than they may, is told that they may not publish.
    async fn refusal(&self, app: &App, cause: Error) -> Error {
        if self.reach == Reach::Publish || !matches!(cause, Error::TooLarge(_) | Error::Unprocessable(_)) {
            return cause;
        }
        let publishes = intent_to_publish(&self.facts);
        app.access.permit_known(&self.actor, &self.facts, publishes).await.err().unwrap_or(cause)
    }

    async fn change(&self, app: &App, body: &mut BodyStream, headers: &HeaderMap) -> Result<Response> {
        let incoming = app.packages.take_in(self.actor.account_id(), body, self.reach).await;
        let incoming = match incoming {
            Ok(incoming) => incoming,
            Err(cause) => return Err(self.refusal(app, cause).await),
        };
        let publishes = intent_to_publish(&self.facts);
        match incoming {
            Incoming::Publish(parcel) => {
                let permit = app.access.permit_known(&self.actor, &self.facts, publishes).await?;
                let publication = app.packages.publish(&permit, *parcel, sender(headers)).await?;
                Ok(published(self.name(), publication))
            }
            Incoming::Edited(edited) if self.facts.package.is_some() && edited.versions.is_some() => {
                self.deprecate(app, edited).await
            }
            Incoming::Edited(edited) if self.facts.package.is_some() && edited.has_stars() => {
                star(app, &self.actor, &self.facts, &edited).await
            }
            Incoming::Edited(_) => {
                app.access.permit_known(&self.actor, &self.facts, publishes).await?;
                let how = "Publish with npm publish, pnpm publish, yarn npm publish or bun publish";
                Err(Error::Malformed(format!("This is not a publish document: it carries no tarball. {how}.").into()))
            }
        }
    }

    async fn deprecate(&self, app: &App, edited: EditedPackument) -> Result<Response> {
        let permit = app.access.permit_known(&self.actor, &self.facts, Intent::DEPRECATE).await?;
        let read = match edited.rev()? {
            Some(text) => Some(parse_rev(self.name(), &text).ok_or_else(|| no_such_revision(self.name()))?),
            None => None,
        };
        let wanted = Deprecations { read, versions: edited.versions.unwrap_or_default() };
        let rev = app.packages.deprecate(&permit, wanted).await?;
        Ok(changed(self.name(), &rev))
    }
}

/// A change of the sender's own star, in a packument that came back or in a piece of one.
pub(super) async fn star(app: &App, actor: &Actor, facts: &PackageFacts, edited: &EditedPackument) -> Result<Response> {
    let permit = app.access.permit_known(actor, facts, Intent::STAR).await?;
    let starred = edited.is_starred_by(&require_account(actor)?.name)?;
    let rev = app.packages.star(&permit, starred).await?;
    Ok(changed(&facts.name, &rev))
}

/// The answer to a change, which npm wants to be JSON.
pub(super) fn changed(name: &PackageName, rev: &str) -> Response {
    (StatusCode::CREATED, Json(json!({ "ok": true, "id": name, "rev": rev }))).into_response()
}

pub(super) fn no_such_revision(name: &PackageName) -> Error {
    Error::Conflict(format!("{name} has no such revision. Run the command again.").into())
}

fn published(name: &PackageName, publication: Publication) -> Response {
    let answer = json!({ "ok": true, "id": name, "rev": publication.rev, "success": true });
    let mut response = (StatusCode::CREATED, Json(answer)).into_response();
    if let Some(line) = publication.notice {
        notice(response.headers_mut(), &line);
    }
    response
}

/// `PUT /-/pnpr/v0/publish` and `PUT /-/pnpm/v1/publish`: many packages, all of them or none (`protocol.md` 3.10).
pub(super) async fn put_batch(State(app): State<Arc<App>>, actor: CurrentActor, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let actor = match actor.known().and_then(|actor| app.access.may_publish_at_all(&actor).map(|()| actor)) {
        Ok(actor) => actor,
        Err(refusal) => return refuse_unread(refusal, body).await,
    };
    let mut body = match upload(&parts.headers, body, app.packages.publish_limits().batch_bytes()) {
        Ok(body) => body,
        Err((refusal, body)) => return refuse_unread(refusal, body).await,
    };
    match app.packages.publish_batch(&actor, &mut body, sender(&parts.headers)).await {
        Ok(publications) => published_batch(publications),
        Err(refusal) => {
            body.drain().await;
            refusal.into_response()
        }
    }
}

fn published_batch(publications: Vec<(PackageName, Publication)>) -> Response {
    let notices: Vec<String> = publications.iter().filter_map(|(_, one)| one.notice.clone()).collect();
    let packages: Vec<Value> =
        publications.into_iter().map(|(name, one)| json!({ "ok": true, "id": name, "rev": one.rev })).collect();
    let mut response = (StatusCode::CREATED, Json(json!({ "ok": true, "packages": packages }))).into_response();
    if !notices.is_empty() {
        notice(response.headers_mut(), &notices.join(" "));
    }
    response
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
