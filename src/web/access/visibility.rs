//! Making a package public, with everything that can be known before; and private again.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::access::{Given, PersonAccess, TeamAccess};
use crate::app::App;
use crate::clock::Time;
use crate::error::Result;
use crate::http::PackagePath;
use crate::invitations::{Invitation, Offered, Place};
use crate::leaks::Report;
use crate::names::{AccountName, PackageName};
use crate::packages::Exposure;
use crate::policy::{Administer, Intent, Permission, Permit, Visibility};
use crate::web::package::Frame;
use crate::web::shell::{
    Form, FormErrors, Notice, PageResult, Problem, Size, Visitor, page, see_other, see_other_with,
};

use super::{Subject, address, not_the_name, require};

/// Someone who can only read, and could write.
struct Raised {
    name: AccountName,
    /// By whom they were added; `None` where a team brings them.
    given: Option<Given>,
    teams: Vec<String>,
}

impl Raised {
    fn of(subject: &Subject, person: &PersonAccess) -> Self {
        let team = |name| format!("{}:{name}", subject.name().scope());
        let teams = person.through.iter().filter_map(|share| share.team.as_ref()).map(team).collect();
        Self { name: person.name.clone(), given: person.given.clone(), teams }
    }
}

/// A team of readers that has more members than are named.
struct LargeTeam {
    name: String,
    size: usize,
}

/// Somebody who was asked, and can write as soon as they say yes.
struct Invited {
    invitation: Invitation,
    permission: Permission,
}

impl Invited {
    /// Who could still accept; one that has ended gives nothing unless it is sent again.
    fn of(invitation: Invitation, now: Time) -> Option<Self> {
        let Offered::Package { permission, .. } = invitation.offered else { return None };
        (invitation.expires_at > now).then_some(Self { invitation, permission })
    }
}

#[derive(Template)]
#[template(path = "access/open.html")]
struct OpenPage<'a> {
    visitor: &'a Visitor,
    name: &'a PackageName,
    frame: Frame,
    raised: Vec<Raised>,
    invited: Vec<Invited>,
    large_teams: Vec<LargeTeam>,
    exposure: Exposure,
    unpacked: Size,
    report: Report,
    looked_at: Size,
    /// Versions that nobody looked at.
    others: u64,
    command: String,
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "access/close.html")]
struct ClosePage<'a> {
    visitor: &'a Visitor,
    name: &'a PackageName,
    frame: Frame,
    /// Who will read only, as they were given.
    lowered: Vec<AccountName>,
    /// Who will not be able to install for want of a plan.
    unpaid: Vec<AccountName>,
    command: String,
    errors: FormErrors,
}

/// Loads the page's subject for who may do this and has shown lately who they are.
async fn prepare(
    app: &App,
    visitor: &Visitor,
    path: PackagePath,
    visibility: Visibility,
) -> Result<(Visitor, Permit<Administer>, Subject), Problem> {
    let name = path.for_reading()?;
    let intent = Intent::set_visibility(visibility);
    let facts = app.access.load_facts_for(visitor.actor(), &name).await?;
    // Who may not do it is told that, and not asked for a password first.
    require(app, visitor, &facts, intent)?;
    let visitor = match visibility {
        Visibility::Public => visitor.require_confirmed(app).await?,
        Visibility::Restricted => visitor.clone(),
    };
    let permit = app.access.permit(visitor.actor(), &name, intent).await?;
    let subject = Subject::load(app, &visitor, &name).await?;
    Ok((visitor, permit, subject))
}

/// `GET /package/{package}/access/public`.
pub(in crate::web) async fn page_to_open(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
) -> PageResult {
    let (visitor, permit, subject) = prepare(&app, &visitor, path, Visibility::Public).await?;
    if subject.is_public() {
        return Ok(see_other(&visitor, &address(subject.name())));
    }
    let report = app.leaks.scan(&permit).await?;
    show_open(&app, &visitor, &permit, &subject, report, FormErrors::default()).await
}

/// `POST /package/{package}/access/public`: the name was typed, and what was found was looked at.
pub(in crate::web) async fn open(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    form: Form,
) -> PageResult {
    let (visitor, permit, subject) = prepare(&app, &visitor, path, Visibility::Public).await?;
    let name = subject.name();
    // What was published since the page was shown is looked at, too; what was known is remembered.
    let report = app.leaks.scan(&permit).await?;
    let mut errors = FormErrors::default();
    if form.text("typed") != name.as_str() {
        errors.add("typed", not_the_name(name));
    }
    if !report.findings.is_empty() && !form.has("looked") {
        errors.add("looked", "Look at what was found, and say that it may go out.");
    }
    if !errors.is_empty() {
        return show_open(&app, &visitor, &permit, &subject, report, errors).await;
    }
    app.access.set_visibility(&permit, Visibility::Public).await?;
    let notice = Notice::new(format!("{name} is public: everyone can see and install it."));
    Ok(see_other_with(&visitor, &address(name), &notice))
}

async fn show_open(
    app: &App,
    visitor: &Visitor,
    permit: &Permit<Administer>,
    subject: &Subject,
    report: Report,
    errors: FormErrors,
) -> PageResult {
    let exposure = app.packages.exposure(permit).await?;
    let invitations = app.invitations.list(Place::Package(permit)).await?;
    let is_large = |team: &&TeamAccess| team.size > team.members.len() && team.given.permission == Permission::ReadOnly;
    let teams = subject.overview.teams.iter().filter(is_large);
    let template = OpenPage {
        visitor,
        name: subject.name(),
        frame: Frame::of_facts(app, visitor, &subject.facts, "access"),
        raised: subject.overview.readers().map(|person| Raised::of(subject, person)).collect(),
        invited: invitations.into_iter().filter_map(|one| Invited::of(one, visitor.now)).collect(),
        large_teams: teams
            .map(|team| LargeTeam { name: format!("{}:{}", subject.name().scope(), team.name), size: team.size })
            .collect(),
        unpacked: Size(exposure.unpacked_bytes),
        looked_at: Size(report.bytes),
        others: exposure.versions.saturating_sub((report.versions.len() + report.left_out.len()) as u64),
        exposure,
        report,
        command: command(subject.name(), "public"),
        errors,
    };
    page(visitor, template.errors.status(), &template)
}

/// `GET /package/{package}/access/private`.
pub(in crate::web) async fn page_to_close(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
) -> PageResult {
    let (visitor, _, subject) = prepare(&app, &visitor, path, Visibility::Restricted).await?;
    show_close(&app, &visitor, &subject)
}

fn show_close(app: &App, visitor: &Visitor, subject: &Subject) -> PageResult {
    if !subject.is_public() {
        return Ok(see_other(visitor, &address(subject.name())));
    }
    let people = &subject.overview.people;
    let named = |people: Vec<&PersonAccess>| people.into_iter().map(|person| person.name.clone()).collect();
    let template = ClosePage {
        visitor,
        name: subject.name(),
        frame: Frame::of_facts(app, visitor, &subject.facts, "access"),
        lowered: named(subject.overview.readers().collect()),
        unpaid: named(people.iter().filter(|person| person.has_plan == Some(false)).collect()),
        command: command(subject.name(), "private"),
        errors: FormErrors::default(),
    };
    page(visitor, StatusCode::OK, &template)
}

/// `POST /package/{package}/access/private`.
pub(in crate::web) async fn close(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    form: Form,
) -> PageResult {
    let (visitor, permit, subject) = prepare(&app, &visitor, path, Visibility::Restricted).await?;
    if !form.has("close") {
        return show_close(&app, &visitor, &subject);
    }
    app.access.set_visibility(&permit, Visibility::Restricted).await?;
    let name = subject.name();
    let sentence =
        format!("{name} is private: it has left search, listings and profiles for everyone not listed here.");
    Ok(see_other_with(&visitor, &address(name), &Notice::new(sentence)))
}

fn command(name: &PackageName, status: &str) -> String {
    format!("npm access set status={status} {name}")
}
