//! Who has access to a package, why, since when and until when: what its access page shows.

mod store;

use std::collections::BTreeMap;

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{AccountName, TeamName};
use crate::policy::{
    Actor, Decision, Intent, OrganizationAction, OrganizationRole, PackageFacts, Permission, Permit, Read, Visibility,
    decide_organization,
};

use super::{Access, existing, reminders};
use store::{Kind, Row};

/// The members of one team that are named; the rest is counted.
const NAMED_MEMBERS: i64 = 100;

/// Everybody with access to a package, as far as who asks may know.
#[derive(Debug)]
pub struct Overview {
    /// How visible the package is.
    pub visibility: Visibility,
    /// Those who administer it by owning the scope.
    pub administrators: Vec<Administrator>,
    /// The teams that were given something; empty where who asks may not know which teams there are.
    pub teams: Vec<TeamAccess>,
    /// Everyone else with access, be it through a team alone, in the order of their names.
    pub people: Vec<PersonAccess>,
}

/// Somebody who administers.
#[derive(Debug, Clone)]
pub struct Administrator {
    /// Who.
    pub name: AccountName,
    /// Their role in the organization that owns the scope; `None` for the user who owns it.
    pub role: Option<OrganizationRole>,
}

/// What was given, by whom and for how long.
#[derive(Debug, Clone)]
pub struct Given {
    /// What.
    pub permission: Permission,
    /// By whom, where that is known and the account is still there.
    pub by: Option<AccountName>,
    /// When it was given first.
    pub at: Time,
    /// The first moment at which it no longer holds.
    pub until: Option<Time>,
}

/// A team with access.
#[derive(Debug)]
pub struct TeamAccess {
    /// Which.
    pub name: TeamName,
    /// What it was given.
    pub given: Given,
    /// How many are in it.
    pub size: usize,
    /// Some of them, in the order of their names.
    pub members: Vec<AccountName>,
}

/// Somebody with access who does not administer.
#[derive(Debug)]
pub struct PersonAccess {
    /// Who.
    pub name: AccountName,
    /// What they were given by name.
    pub given: Option<Given>,
    /// What they have through teams.
    pub through: Vec<ThroughTeam>,
    /// Whether a plan covers what they do with private packages; `None` where who asks may not know.
    pub has_plan: Option<bool>,
    /// When they were last reminded that they have none; `None` also where who asks may not know.
    pub reminded_at: Option<Time>,
    /// Whether their account was switched off: they can do nothing, and be given nothing.
    pub disabled: bool,
}

/// A part in what a team was given.
#[derive(Debug, Clone)]
pub struct ThroughTeam {
    /// The team; `None` where who asks may not know which teams there are.
    pub team: Option<TeamName>,
    /// What it was given.
    pub permission: Permission,
}

impl PersonAccess {
    /// The best of what they were given, as a restricted package counts it.
    pub fn permission(&self) -> Permission {
        let own = self.given.iter().map(|given| given.permission);
        own.chain(self.through.iter().map(|share| share.permission)).max().unwrap_or(Permission::ReadOnly)
    }

    /// Whether they can be reminded at `now` that they have no plan: they were named, can log in, and were
    /// not reminded lately.
    pub fn may_be_reminded(&self, now: Time) -> bool {
        self.has_plan == Some(false)
            && self.given.is_some()
            && !self.disabled
            && reminders::is_due(self.reminded_at, now)
    }
}

impl Overview {
    /// Who can read now, and could also write if the package were public (`domain.md`, "Adding collaborators").
    pub fn readers(&self) -> impl Iterator<Item = &PersonAccess> {
        self.people.iter().filter(|person| person.permission() == Permission::ReadOnly)
    }

    /// What one person has.
    pub fn person(&self, name: &AccountName) -> Option<&PersonAccess> {
        self.people.iter().find(|person| person.name == *name)
    }

    /// What one team has.
    pub fn team(&self, name: &TeamName) -> Option<&TeamAccess> {
        self.teams.iter().find(|team| team.name == *name)
    }
}

/// What the viewer may know beside who has access.
#[derive(Debug, Clone, Copy)]
struct Knows {
    teams: bool,
    plans: bool,
}

impl Access {
    /// Everybody with access. Which teams there are, only members of the organization are told, and who has a plan, only
    /// those who administer; everybody is told their own.
    ///
    /// # Errors
    /// The database's.
    pub async fn overview(&self, permit: &Permit<Read>) -> Result<Overview> {
        let actor = permit.actor();
        let facts = self.load_facts_for(actor, permit.name()).await?;
        let knows = Knows { teams: sees_teams(actor, &facts), plans: self.administers(actor, &facts) };
        self.load_overview(actor, &facts, knows).await
    }

    /// The same of the actor alone, for who may not see the others: they have no plan, say.
    ///
    /// # Errors
    /// The database's.
    pub async fn own_access(&self, permit: &Permit<Read>) -> Result<Option<PersonAccess>> {
        let (actor, Some(account)) = (permit.actor(), permit.actor().account()) else { return Ok(None) };
        let facts = self.load_facts_for(actor, permit.name()).await?;
        let knows = Knows { teams: sees_teams(actor, &facts), plans: false };
        let overview = self.load_overview(actor, &facts, knows).await?;
        Ok(overview.people.into_iter().find(|person| person.name == account.name))
    }

    /// Whether the actor administers the package, be it after showing a second factor.
    fn administers(&self, actor: &Actor, facts: &PackageFacts) -> bool {
        matches!(self.permit_on(actor, facts, Intent::REVOKE), Ok(_) | Err(Error::SecondFactorRequired { .. }))
    }

    async fn load_overview(&self, actor: &Actor, facts: &PackageFacts, knows: Knows) -> Result<Overview> {
        let package = existing(facts)?;
        let owner = facts.owner.as_ref().ok_or_else(|| Error::internal("a package without a scope"))?;
        let now = self.clock.now();
        let rows = store::list(self.db.reads(), package.id, owner.id, now, NAMED_MEMBERS).await?;
        let mut overview = sort(rows, package.visibility, now)?;
        let is_own = |name: &AccountName| actor.account().is_some_and(|account| account.name == *name);
        for person in &mut overview.people {
            person.has_plan = person.has_plan.filter(|_| knows.plans || is_own(&person.name));
            person.reminded_at = person.reminded_at.filter(|_| knows.plans);
            if !knows.teams {
                person.through.iter_mut().for_each(|share| share.team = None);
            }
        }
        if !knows.teams {
            overview.teams.clear();
        }
        Ok(overview)
    }
}

fn sees_teams(actor: &Actor, facts: &PackageFacts) -> bool {
    decide_organization(actor, OrganizationAction::See, facts.owner.as_deref()) == Decision::Allow
}

/// Puts the lines in their places. Who administers has every right already, so that what was given to them says nothing.
fn sort(rows: Vec<Row>, visibility: Visibility, now: Time) -> Result<Overview> {
    let mut overview = Overview { visibility, administrators: Vec::new(), teams: Vec::new(), people: Vec::new() };
    let mut people: BTreeMap<AccountName, PersonAccess> = BTreeMap::new();
    for row in rows {
        match row.kind()? {
            Kind::Administrator => {
                overview.administrators.push(Administrator { name: row.account()?, role: row.role()? });
            }
            Kind::Team => {
                let (name, size) = (row.name.parse()?, usize::try_from(row.size).unwrap_or_default());
                overview.teams.push(TeamAccess { name, given: row.given()?, size, members: Vec::new() });
            }
            Kind::Person => {
                let person = person(&mut people, &row, now)?;
                person.given = Some(row.given()?);
                person.reminded_at = row.reminded_at;
            }
            Kind::Member => {
                let (team, permission) = (row.team()?, row.permission()?);
                if let Some(listed) = overview.teams.iter_mut().find(|listed| listed.name == team) {
                    listed.members.push(row.account()?);
                }
                person(&mut people, &row, now)?.through.push(ThroughTeam { team: Some(team), permission });
            }
        }
    }
    for administrator in &overview.administrators {
        people.remove(&administrator.name);
    }
    overview.people = people.into_values().collect();
    Ok(overview)
}

fn person<'a>(
    people: &'a mut BTreeMap<AccountName, PersonAccess>,
    row: &Row,
    now: Time,
) -> Result<&'a mut PersonAccess> {
    let name = row.account()?;
    let has_plan = Some(row.has_plan(now));
    let nothing = PersonAccess {
        name: name.clone(),
        given: None,
        through: Vec::new(),
        has_plan,
        reminded_at: None,
        disabled: row.disabled,
    };
    Ok(people.entry(name).or_insert(nothing))
}
