//! The pages of organizations: what they hold, who is in them, and what was done there.

pub(super) mod create;
pub(super) mod export;
pub(super) mod invite;
pub(super) mod log;
pub(super) mod members;
pub(super) mod overview;
mod seats;
pub(super) mod settings;
pub(super) mod team;
pub(super) mod teams;

use std::sync::Arc;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::PathParameters;
use crate::names::{AccountName, TeamName};
use crate::policy::{AccountFacts, OrganizationAction, OrganizationPermit, OrganizationRole};

use super::billing::Banner;
use super::shell::{Problem, Visitor};

/// The pages of an organization: their word, what they are called, and what who sees the tab may do.
const TABS: [(&str, &str, OrganizationAction); 7] = [
    ("packages", "Packages", OrganizationAction::See),
    ("members", "Members", OrganizationAction::See),
    ("teams", "Teams", OrganizationAction::See),
    ("billing", "Billing", OrganizationAction::SeeBilling),
    ("settings", "Settings", OrganizationAction::See),
    ("export", "Export", OrganizationAction::Export),
    ("audit", "Audit log", OrganizationAction::SeeLog),
];

/// A tab above a page.
#[derive(Debug)]
pub(super) struct Tab {
    pub(super) path: String,
    pub(super) label: String,
    pub(super) is_current: bool,
}

/// The tabs above a page of an organization, as who looks has them: none, for who is not in it.
pub(super) fn tabs(app: &App, visitor: &Visitor, facts: &AccountFacts, current: &str) -> Vec<Tab> {
    let may = |(_, _, action): &(_, _, OrganizationAction)| app.organizations.may(visitor.actor(), facts, *action);
    let tab = |(word, title, _): (&str, &str, _)| Tab {
        path: if word == "packages" { format!("/org/{}", facts.name) } else { format!("/org/{}/{word}", facts.name) },
        label: if word == "members" { format!("{title} {}", facts.members.len()) } else { title.to_owned() },
        is_current: word == current,
    };
    TABS.into_iter().filter(may).map(tab).collect()
}

/// What is around every page of one organization.
#[expect(clippy::struct_excessive_bools, reason = "what a page offers, each by itself")]
pub(super) struct Frame {
    tabs: Vec<Tab>,
    facts: Arc<AccountFacts>,
    /// The role of who looks.
    role: Option<OrganizationRole>,
    /// What its members are told of its plan.
    banner: Option<Banner>,
    /// What who looks may do, as far as buttons and tabs go: it is decided when it is done.
    may_change_teams: bool,
    may_change_members: bool,
    may_change_settings: bool,
    /// Members who have no second factor where one is asked for.
    shut_out: bool,
}

impl Frame {
    /// The organization of a path. That there is one is public knowledge, as accounts are.
    async fn of(app: &App, visitor: &Visitor, path: &PathParameters, tab: &'static str) -> Result<Self, Problem> {
        let name: AccountName = path.get("organization").parse().map_err(|_| missing())?;
        let facts = app.organizations.find(&name).await?.ok_or_else(missing)?;
        let may = |action| app.organizations.may(visitor.actor(), &facts, action);
        let account = visitor.account();
        let standing = app.billing.standing(&facts).await?;
        let pays = may(OrganizationAction::SeeBilling);
        Ok(Self {
            tabs: tabs(app, visitor, &facts, tab),
            role: account.and_then(|account| facts.role_of(account.id)),
            banner: if pays { Banner::of(&facts, standing, false) } else { Banner::for_members(&facts, standing) },
            may_change_teams: may(OrganizationAction::ChangeTeams),
            may_change_members: may(OrganizationAction::ChangeMembers),
            may_change_settings: may(OrganizationAction::ChangeSettings),
            shut_out: account.is_some_and(|account| facts.misses_second_factor_of(account)),
            facts,
        })
    }

    /// Below the organization.
    fn path(&self, rest: &str) -> String {
        format!("/org/{}{rest}", self.facts.name)
    }
}

fn missing() -> Error {
    Error::NotFound("There is no such organization. Check the name.".into())
}

/// Asks whether the visitor may do this to the organization of the path.
async fn permit(
    app: &App,
    visitor: &Visitor,
    path: &PathParameters,
    action: OrganizationAction,
) -> Result<OrganizationPermit, Problem> {
    let name: AccountName = path.get("organization").parse().map_err(|_| missing())?;
    Ok(app.organizations.permit(visitor.actor(), &name, action).await?)
}

fn team_of(path: &PathParameters) -> Result<TeamName> {
    path.get("team").parse().map_err(|_| Error::NotFound("There is no such team. Check the name.".into()))
}

/// `1 member`, `2 members`.
pub(super) fn count(number: i64, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}
