//! `npm owner add` and `npm owner rm` (`protocol.md` 3.6): the list of maintainers as it shall be, against a revision.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::access::OwnersChange;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, JsonBody, PackagePath, PathParameters};
use crate::names::AccountName;
use crate::packages::{parse_rev, rev_text};
use crate::policy::Intent;

/// What npm sends; the mail addresses in it are ignored.
#[derive(Deserialize)]
pub(super) struct OwnersDocument {
    maintainers: Vec<Maintainer>,
    /// A whole packument: an unpublish, which looks like a change of owners otherwise (`protocol.md` 3.9).
    versions: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Maintainer {
    name: String,
}

/// `PUT /{package}/-rev/{rev}`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    actor: CurrentActor,
    path: PackagePath,
    parameters: PathParameters,
    request: Request,
) -> Result<Response> {
    let actor = actor.known()?;
    let name = path.for_writing(&actor)?;
    let permit = app.access.permit(&actor, &name, Intent::CHANGE_COLLABORATORS).await?;
    let JsonBody(document): JsonBody<OwnersDocument> = crate::http::read_json(request).await?;
    if document.versions.is_some() {
        return Err(Error::Unprocessable("This registry cannot unpublish yet. Nothing was removed.".into()));
    }
    let wanted = document.maintainers.into_iter().map(|one| one.name.parse::<AccountName>());
    let wanted = wanted.collect::<Result<BTreeSet<_>, _>>()?;
    if wanted.is_empty() {
        return Err(Error::Unprocessable("A package keeps at least one owner. Leave one in the list.".into()));
    }
    let revision = parse_rev(&name, parameters.get("rev"))
        .ok_or_else(|| Error::Conflict(format!("{name} has no such revision. Run the command again.").into()))?;
    let revision = app.access.change_owners(permit.actor(), &name, &OwnersChange { revision, wanted }).await?;
    let answer = json!({ "ok": true, "id": name, "rev": rev_text(&name, revision) });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}
