//! Moving a package to another scope: what there is to do, who is told, and who is still missing there.

use crate::access::Collaborator;
use crate::app::App;
use crate::error::Result;
use crate::names::PackageName;
use crate::packages::{ListedVersion, moved_to};
use crate::policy::Intent;
use crate::web::shell::{Form, Problem, Visitor};

use super::change::Done;

/// People who are named; a package with more is looked at on its access page.
const NAMED: usize = 50;

/// Where a package has moved to.
pub(super) struct Moved {
    pub(super) to: PackageName,
    /// Who has less access there than here, or none; `None` where the visitor may not know who has any there.
    pub(super) missing: Option<Vec<Collaborator>>,
    /// How many more there are.
    pub(super) more: usize,
}

/// What one types, for a name that is not known yet.
pub(super) fn commands(name: &PackageName) -> [String; 3] {
    let new = format!("@NEW/{}", name.unscoped());
    [format!("npm pkg set name={new}"), "npm publish".into(), format!("npm deprecate {name} \"Moved to {new}.\"")]
}

/// Says to everyone who installs the package where it went.
pub(super) async fn announce(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> Result<Done, Problem> {
    let permit = app.access.permit(visitor.actor(), name, Intent::TRANSFER).await?;
    let to = match form.text("to").parse::<PackageName>() {
        Ok(to) => to,
        Err(cause) => return Ok(Err(("to", cause.into()))),
    };
    let sentence = format!("Whoever installs {name} is told that it has moved to {to}.");
    Ok(app.packages.announce_move(&permit, &to).await.map(|_| sentence).map_err(|problem| ("to", problem)))
}

/// Where the latest version says that the package has moved to, and who has not come along.
pub(super) async fn load(
    app: &App,
    visitor: &Visitor,
    name: &PackageName,
    versions: &[ListedVersion],
) -> Result<Option<Moved>> {
    let latest = versions.iter().find(|version| version.tags.iter().any(|tag| tag == "latest"));
    let message = latest.and_then(|version| version.deprecated.as_deref());
    let Some(to) = message.and_then(moved_to) else { return Ok(None) };
    let missing = match missing(app, visitor, name, &to).await {
        Ok(missing) => Some(missing),
        Err(outage) if outage.status() >= 500 => return Err(outage),
        Err(_) => None,
    };
    let more = missing.as_ref().map_or(0, Vec::len).saturating_sub(NAMED);
    let missing = missing.map(|missing| missing.into_iter().take(NAMED).collect());
    Ok(Some(Moved { to, missing, more }))
}

async fn missing(app: &App, visitor: &Visitor, from: &PackageName, to: &PackageName) -> Result<Vec<Collaborator>> {
    let there = app.access.permit(visitor.actor(), to, Intent::LIST_COLLABORATORS).await?;
    let there = app.access.list_collaborators(&there).await?;
    let here = app.access.permit(visitor.actor(), from, Intent::LIST_COLLABORATORS).await?;
    let mut missing = app.access.list_collaborators(&here).await?;
    missing.retain(|one| !there.iter().any(|other| other.name == one.name && other.permission >= one.permission));
    Ok(missing)
}
