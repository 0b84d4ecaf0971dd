//! The first page: what this instance is, or what the visitor has here.

mod checklist;

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::access::Share;
use crate::app::App;
use crate::error::Result;
use crate::names::{AccountName, PackageId, PackageName};
use crate::organizations::Membership;
use crate::policy::{AccountAction, AccountPermit, PackageFacts, Permission, Visibility};
use crate::search::Latest;
use crate::tokens::Page;

use super::shell::{Form, Moment, PageResult, Visitor, page, see_other};

use checklist::Step;

/// The longest lists that are shown; the profile has the rest.
const MOST_PACKAGES: usize = 25;
const MOST_RECENT: usize = 8;

#[derive(Template)]
#[template(path = "home/signed_out.html")]
struct SignedOut<'a> {
    visitor: &'a Visitor,
}

#[derive(Template)]
#[template(path = "home/signed_in.html")]
struct SignedIn<'a> {
    visitor: &'a Visitor,
    name: &'a AccountName,
    paid: bool,
    checklist: Vec<Step>,
    own: Lines,
    shared: Lines,
    recent: Vec<Line>,
    organizations: Vec<Membership>,
}

/// A list of packages, cut to what a page can show.
struct Lines {
    shown: Vec<Line>,
    total: usize,
}

/// A package in a list.
#[derive(Clone)]
struct Line {
    name: PackageName,
    visibility: Visibility,
    permission: Option<Permission>,
    latest: Option<LatestLine>,
    /// Who shared it, in words.
    given: String,
}

#[derive(Clone)]
struct LatestLine {
    version: String,
    publisher: String,
    moment: Moment,
    deprecated: bool,
}

/// `GET /`.
pub(super) async fn home_page(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let Some(account) = visitor.account() else {
        return page(&visitor, StatusCode::OK, &SignedOut { visitor: &visitor });
    };
    let permit = app.second_factor.permit(visitor.actor(), AccountAction::See).await?;
    let organizations = app.organizations.list_memberships(&permit).await?;
    let facts = app.access.list_facts_of(account.id, visitor.actor()).await?;
    let checklist = open_steps(&app, &visitor, &permit, &facts, &organizations).await?;
    let lines = lines(&app, &visitor, &permit, facts).await?;
    let is_team = |line: &Line| organizations.iter().any(|one| line.name.scope() == one.organization);
    let recent = recent(&lines);
    let (own, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.name.scope() == account.name);
    let shared = others.into_iter().filter(|line| !is_team(line)).collect();
    let template = SignedIn {
        visitor: &visitor,
        name: &account.name,
        paid: account.billing.is_paid(visitor.now),
        checklist,
        own: Lines::of(own),
        shared: Lines::of(shared),
        recent,
        organizations,
    };
    page(&visitor, StatusCode::OK, &template)
}

/// What somebody who has an account types first.
pub(super) fn first_command(visitor: &Visitor) -> String {
    let url = &visitor.public_url;
    format!("npm config set @you:registry {url}/ && npm login --scope=@you --registry={url}/")
}

/// `POST /checklist`: puts the first steps away.
pub(super) async fn dismiss_checklist(State(app): State<Arc<App>>, visitor: Visitor, _form: Form) -> PageResult {
    let permit = app.second_factor.permit(visitor.actor(), AccountAction::Follow).await?;
    app.users.dismiss_checklist(&permit).await?;
    Ok(see_other(&visitor, "/"))
}

impl Lines {
    fn of(mut all: Vec<Line>) -> Self {
        let total = all.len();
        all.truncate(MOST_PACKAGES);
        Self { shown: all, total }
    }
}

/// The first steps, until all are done or the user has seen enough of them.
async fn open_steps(
    app: &App,
    visitor: &Visitor,
    permit: &AccountPermit,
    facts: &[PackageFacts],
    organizations: &[Membership],
) -> Result<Vec<Step>> {
    if app.users.has_dismissed_checklist(permit).await? {
        return Ok(Vec::new());
    }
    let (_, tokens) = app.tokens.list_own(permit, Page { limit: 1, offset: 0 }).await?;
    let steps = checklist::steps(visitor, permit.account(), tokens > 0, facts, organizations);
    let all_done = steps.iter().all(|step| step.done);
    Ok(if all_done { Vec::new() } else { steps })
}

async fn lines(app: &App, visitor: &Visitor, permit: &AccountPermit, listed: Vec<PackageFacts>) -> Result<Vec<Line>> {
    let ids: Vec<PackageId> = listed.iter().filter_map(|facts| Some(facts.package.as_ref()?.id)).collect();
    let latest = app.search.latest_of(&ids).await?;
    let mut latest: HashMap<_, _> = latest.into_iter().map(|latest| (latest.package, latest)).collect();
    let mut shares: HashMap<PackageId, Share> = HashMap::new();
    for share in app.access.list_shares(permit).await? {
        shares.entry(share.package).or_insert(share);
    }
    let line = |facts: PackageFacts| {
        let package = facts.package.as_deref()?;
        Some(Line {
            visibility: package.visibility,
            permission: facts.permission_of(permit.account().id, visitor.now),
            latest: latest.remove(&package.id).map(|latest| LatestLine::of(visitor, latest)),
            given: shares.remove(&package.id).map(given).unwrap_or_default(),
            name: facts.name,
        })
    };
    Ok(listed.into_iter().filter_map(line).collect())
}

impl LatestLine {
    fn of(visitor: &Visitor, latest: Latest) -> Self {
        Self {
            moment: visitor.moment(latest.published_at),
            version: latest.version,
            publisher: latest.publisher,
            deprecated: latest.deprecated,
        }
    }
}

fn given(share: Share) -> String {
    match (share.team, share.by) {
        (Some(team), _) => format!("via team {team}"),
        (None, Some(by)) => format!("shared by {by}"),
        (None, None) => "shared by the operator".to_owned(),
    }
}

/// What was published last, of all that concerns the user.
fn recent(lines: &[Line]) -> Vec<Line> {
    let mut recent: Vec<_> = lines.iter().filter(|line| line.latest.is_some()).cloned().collect();
    recent.sort_by_key(|line| line.latest.as_ref().map(|latest| std::cmp::Reverse(latest.moment.time())));
    recent.truncate(MOST_RECENT);
    recent
}
