//! The first page: what this instance is, or what the visitor has here.

mod checklist;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::error::Result;
use crate::invitations::{Invitation, Offered};
use crate::names::AccountName;
use crate::organizations::Membership;
use crate::policy::{AccountAction, AccountPermit, PackageFacts};
use crate::tokens::Page;

use super::billing::Banner;
use super::package_list::{self, Line};
use super::shell::{Form, PageResult, Visitor, page, see_other};

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
    banner: Option<Banner>,
    checklist: Vec<Step>,
    own: Lines,
    shared: Lines,
    recent: Vec<Line>,
    organizations: Vec<Membership>,
    /// To what, by whom, of each invitation that waits.
    invitations: Vec<(String, String)>,
}

/// A list of packages, cut to what a page can show.
struct Lines {
    shown: Vec<Line>,
    total: usize,
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
    let lines = package_list::lines(&app, &visitor, facts).await?;
    let is_team = |line: &Line| organizations.iter().any(|one| line.name.scope() == one.organization);
    let recent = recent(&lines);
    let (own, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.name.scope() == account.name);
    let shared = others.into_iter().filter(|line| !is_team(line)).collect();
    let template = SignedIn {
        visitor: &visitor,
        name: &account.name,
        banner: Banner::of(account, app.billing.standing(account).await?, false),
        checklist,
        own: Lines::of(own),
        shared: Lines::of(shared),
        recent,
        organizations,
        invitations: invitations(&app, &permit).await?,
    };
    page(&visitor, StatusCode::OK, &template)
}

/// What waits for an answer, in words.
async fn invitations(app: &App, permit: &AccountPermit) -> Result<Vec<(String, String)>> {
    let list = app.invitations.list_own(permit).await?;
    let waiting = |one: Invitation| {
        let what = match one.offered {
            Offered::Account => "this registry".to_owned(),
            Offered::Package { name, permission } => format!("{name}, to {}", permission.as_npm_word()),
            Offered::Organization { name, role, .. } => format!("the organization {name}, as {}", role.as_str()),
        };
        let inviter = one.inviter.map_or_else(|| "the operator".to_owned(), |inviter| inviter.to_string());
        (what, inviter)
    };
    Ok(list.into_iter().map(waiting).collect())
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

/// What was published last, of all that concerns the user.
fn recent(lines: &[Line]) -> Vec<Line> {
    let mut recent: Vec<_> = lines.iter().filter(|line| line.latest.is_some()).cloned().collect();
    recent.sort_by_key(|line| line.latest.as_ref().map(|latest| std::cmp::Reverse(latest.moment.time())));
    recent.truncate(MOST_RECENT);
    recent
}
