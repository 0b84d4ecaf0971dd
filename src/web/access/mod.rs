//! The access page of a package: who has access and why, adding, raising and removing people and teams, and who can see
//! the package at all (`ux.md` 6 B).

mod change;
mod invitations;
mod view;
mod visibility;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::access::{Overview, PersonAccess};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::PackagePath;
use crate::names::PackageName;
use crate::policy::{Debtor, Intent, PackageFacts, Right, Visibility};

use super::billing::plans_page;
use super::package::Frame;
use super::shell::{FormErrors, PageResult, Typed, Visitor, page};
use invitations::Waiting;
use view::{Ground, Level, Rights, Row};

pub(super) use change::change;
pub(super) use view::who_can;
pub(super) use visibility::{close, open, page_to_close, page_to_open};

#[derive(Template)]
#[template(path = "access/page.html")]
struct AccessPage<'a> {
    visitor: &'a Visitor,
    name: &'a PackageName,
    frame: Frame,
    public: bool,
    rights: Rights,
    /// Whether the visitor may change how visible it is.
    may_turn: bool,
    /// Where the visitor can do something about a plan that is missing.
    plans: Option<String>,
    who_label: &'static str,
    /// Into the form that adds somebody.
    typed: Typed<'a>,
    rows: Vec<Row>,
    waiting: Waiting,
    nobody_else: bool,
    commands: Vec<String>,
    errors: FormErrors,
}

/// What a collaborator sees for want of a plan.
#[derive(Template)]
#[template(path = "access/unpaid.html")]
struct UnpaidPage<'a> {
    visitor: &'a Visitor,
    name: &'a PackageName,
    /// What they were given; `None` for who was given nothing.
    own: Option<PersonAccess>,
    may_leave: bool,
    plans: Option<String>,
    sentence: String,
}

/// A package whose access page the visitor may see.
struct Subject {
    facts: PackageFacts,
    overview: Overview,
    rights: Rights,
}

impl Subject {
    async fn load(app: &App, visitor: &Visitor, name: &PackageName) -> Result<Self> {
        let actor = visitor.actor();
        let facts = app.access.load_facts_for(actor, name).await?;
        let permit = app.access.permit_known(actor, &facts, Intent::LIST_COLLABORATORS).await?;
        let overview = app.access.overview(&permit).await?;
        let rights = Rights::of(app, visitor, &facts, &overview);
        Ok(Self { facts, overview, rights })
    }

    fn name(&self) -> &PackageName {
        &self.facts.name
    }

    fn is_public(&self) -> bool {
        self.overview.visibility == Visibility::Public
    }

    fn other_visibility(&self) -> Visibility {
        if self.is_public() { Visibility::Restricted } else { Visibility::Public }
    }
}

/// Refuses what would be refused even after a second factor was shown: nobody is asked for one in vain.
pub(super) fn require<R: Right>(app: &App, visitor: &Visitor, facts: &PackageFacts, intent: Intent<R>) -> Result<()> {
    match app.access.permit_on(visitor.actor(), facts, intent) {
        Ok(_) | Err(Error::SecondFactorRequired { .. }) => Ok(()),
        Err(refusal) => Err(refusal),
    }
}

/// Whether a button for this is shown: it would be done, be it after a second factor was shown.
pub(super) fn may<R: Right>(app: &App, visitor: &Visitor, facts: &PackageFacts, intent: Intent<R>) -> bool {
    require(app, visitor, facts, intent).is_ok()
}

/// What is said to who was to type the name of a package, and typed something else.
pub(super) fn not_the_name(name: &PackageName) -> String {
    format!("That is not the name. Type {name}.")
}

/// `GET /package/{package}/access`.
pub(super) async fn access_page(State(app): State<Arc<App>>, visitor: Visitor, path: PackagePath) -> PageResult {
    let name = path.for_reading()?;
    match Subject::load(&app, &visitor, &name).await {
        Ok(subject) => show(&app, &visitor, &subject, Typed::default(), FormErrors::default()).await,
        Err(Error::PaymentRequired { debtor, sentence }) => {
            show_unpaid(&app, &visitor, &name, (&debtor, sentence.to_string())).await
        }
        Err(refusal) => Err(refusal.into()),
    }
}

async fn show(app: &App, visitor: &Visitor, subject: &Subject, typed: Typed<'_>, errors: FormErrors) -> PageResult {
    let (facts, name) = (&subject.facts, subject.name());
    let status = errors.status();
    let rows = view::rows(visitor, subject);
    let template = AccessPage {
        visitor,
        name,
        frame: Frame::of_facts(app, visitor, facts, "access"),
        public: subject.is_public(),
        may_turn: may(app, visitor, facts, Intent::set_visibility(subject.other_visibility())),
        plans: facts.owner.as_deref().and_then(|owner| plans_page(app, visitor, &owner.into(), facts)),
        who_label: view::who_label(facts),
        typed,
        nobody_else: subject.overview.people.is_empty() && subject.overview.teams.is_empty(),
        commands: view::commands(facts, subject.is_public()),
        rights: subject.rights.clone(),
        waiting: invitations::load(app, visitor, name).await?,
        rows,
        errors,
    };
    page(visitor, status, &template)
}

/// Who has no plan is told who shared it and what a plan gives, and may give the access back.
async fn show_unpaid(
    app: &App,
    visitor: &Visitor,
    name: &PackageName,
    (debtor, sentence): (&Debtor, String),
) -> PageResult {
    let permit = app.access.permit(visitor.actor(), name, Intent::EXPLAIN).await?;
    let own = app.access.own_access(&permit).await?;
    let facts = app.access.load_facts_for(visitor.actor(), name).await?;
    let plans = plans_page(app, visitor, debtor, &facts);
    let may_leave = own.as_ref().is_some_and(|own| own.given.is_some());
    let template = UnpaidPage { visitor, name, own, may_leave, plans, sentence };
    page(visitor, StatusCode::PAYMENT_REQUIRED, &template)
}

fn address(name: &PackageName) -> String {
    format!("/package/{name}/access")
}
