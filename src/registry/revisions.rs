//! Changes against a revision, `/{package}/-rev/{rev}`: unpublishing (`protocol.md` 3.5), owners (3.6), and the stars of
//! old clients. All but the first are small.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::access::OwnersChange;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{BodyStream, CurrentActor, Json, PackagePath, PathParameters, upload};
use crate::names::{AccountName, PackageName, TarballName};
use crate::packages::{EditedPackument, Incoming, Reach, parse_rev, rev_text};
use crate::policy::{Actor, Intent, PackageFacts};

use super::publish::{changed, no_such_revision, refuse_unread, star};

/// `PUT /{package}/-rev/{rev}`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    parameters: PathParameters,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let asked = match Asked::by(&app, actor, parameters).await {
        Ok(asked) => asked,
        Err(refusal) => return refuse_unread(refusal, body).await,
    };
    let mut body = match upload(&parts.headers, body, app.packages.publish_limits().body_bytes(asked.reach)) {
        Ok(body) => body,
        Err((refusal, body)) => return refuse_unread(asked.refusal(&app, refusal).await, body).await,
    };
    match asked.change(&app, &mut body).await {
        Ok(response) => response,
        Err(refusal) => {
            body.drain().await;
            refusal.into_response()
        }
    }
}

/// Who sends a change of which package, read at which revision.
struct Asked {
    actor: Actor,
    facts: PackageFacts,
    revision: Option<i64>,
    reach: Reach,
}

impl Asked {
    async fn by(app: &App, actor: CurrentActor, parameters: PathParameters) -> Result<Self> {
        let actor = actor.known()?;
        let name = parameters.package().for_writing(&actor)?;
        let facts = app.access.load_facts_for(&actor, &name).await?;
        let revision = parse_rev(&name, parameters.get("rev"));
        let unpublish = app.access.permit_on(&actor, &facts, Intent::UNPUBLISH);
        let reach = if unpublish.is_ok() {
            Reach::Packument
        } else if matches!(unpublish, Err(Error::SecondFactorRequired { .. })) && actor.offers_second_factor() {
            let permit = app.access.permit_known(&actor, &facts, Intent::UNPUBLISH).await?;
            return Ok(Self { actor: permit.actor().clone(), facts, revision, reach: Reach::Packument });
        } else {
            if app.access.permit_on(&actor, &facts, Intent::STAR).is_err() {
                app.access.permit_known(&actor, &facts, Intent::CHANGE_COLLABORATORS).await?;
            }
            Reach::Word
        };
        Ok(Self { actor, facts, revision, reach })
    }

    fn name(&self) -> &PackageName {
        &self.facts.name
    }

    fn revision(&self) -> Result<i64> {
        self.revision.ok_or_else(|| no_such_revision(self.name()))
    }

    /// Who may not unpublish, and sends a packument, is told that they may not unpublish.
    async fn refusal(&self, app: &App, cause: Error) -> Error {
        match cause {
            Error::TooLarge(_) if self.reach == Reach::Word => {
                let refused = app.access.permit_known(&self.actor, &self.facts, Intent::UNPUBLISH).await;
                refused.err().unwrap_or(cause)
            }
            cause => cause,
        }
    }

    async fn change(&self, app: &App, body: &mut BodyStream) -> Result<Response> {
        let incoming = match app.packages.take_in(self.actor.account_id(), body, self.reach).await {
            Ok(incoming) => incoming,
            Err(cause) => return Err(self.refusal(app, cause).await),
        };
        let Incoming::Edited(edited) = incoming else { return Err(misplaced_publish()) };
        match &edited.versions {
            Some(versions) => {
                let left_out = app.packages.are_left_out(self.name(), versions).await?;
                if !left_out && edited.has_stars() {
                    return star(app, &self.actor, &self.facts, &edited).await;
                }
                let permit = app.access.permit_known(&self.actor, &self.facts, Intent::UNPUBLISH).await?;
                let rev = app.packages.unpublish(&permit, self.revision()?, versions).await?;
                Ok(changed(self.name(), &rev))
            }
            None => match edited.maintainers()? {
                Some(names) => self.change_owners(app, names).await,
                None if edited.has_stars() => star(app, &self.actor, &self.facts, &edited).await,
                None => self.nothing(app, &edited).await,
            },
        }
    }

    async fn change_owners(&self, app: &App, names: Vec<String>) -> Result<Response> {
        let permit = app.access.permit_known(&self.actor, &self.facts, Intent::CHANGE_COLLABORATORS).await?;
        let wanted = names.into_iter().map(|name| name.parse::<AccountName>());
        let wanted = wanted.collect::<Result<BTreeSet<_>, _>>()?;
        if wanted.is_empty() {
            return Err(Error::Unprocessable("A package keeps at least one owner. Leave one in the list.".into()));
        }
        let change = OwnersChange { revision: self.revision()?, wanted };
        let revision = app.access.change_owners(permit.actor(), self.name(), &change).await?;
        Ok(changed(self.name(), &rev_text(self.name(), revision)))
    }

    async fn nothing(&self, app: &App, _edited: &EditedPackument) -> Result<Response> {
        app.access.permit_known(&self.actor, &self.facts, Intent::CHANGE_COLLABORATORS).await?;
        Err(Error::Malformed("The body names no change. Send versions, maintainers or users.".into()))
    }
}

fn misplaced_publish() -> Error {
    Error::Unprocessable("A publish goes to the package itself, not to a revision. Use npm publish.".into())
}

/// `DELETE /{package}/-rev/{rev}`: the whole package.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    let permit = app.access.permit(&actor, &name, Intent::DELETE).await?;
    let revision = parse_rev(&name, parameters.get("rev")).ok_or_else(|| no_such_revision(&name))?;
    app.packages.delete(&permit, revision).await?;
    Ok(Json(json!({ "ok": true })))
}

/// `DELETE /{package}/-/{file}/-rev/{rev}`: what npm sends after it has taken a version out of the packument.
pub(super) async fn delete_file(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    parameters: PathParameters,
) -> Result<Json<Value>> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    let permit = app.access.permit(&actor, &name, Intent::UNPUBLISH).await?;
    let file = TarballName::parse(&name, parameters.get("file"))
        .map_err(|_| Error::NotFound(format!("{name} has no such tarball. npm view lists its versions.").into()))?;
    app.packages.unpublish_one(&permit, parse_rev(&name, parameters.get("rev")), &file.version).await?;
    Ok(Json(json!({ "ok": true })))
}
