//! The rows of the access page, and what the visitor may do with them.

use crate::access::{Given, Overview, PersonAccess, TeamAccess, ThroughTeam};
use crate::app::App;
use crate::clock::Time;
use crate::error::Error;
use crate::names::AccountName;
use crate::policy::{AccountKind, Intent, Lack, OrganizationRole, PackageFacts, Permission};
use crate::web::shell::Visitor;

use super::{Subject, may};

/// What a visitor may do on the page.
#[derive(Debug, Clone)]
pub(super) enum Rights {
    /// Everything.
    Everything,
    /// Take access and make the package public, until somebody pays; with the sentence that says so.
    LapsedOwner(String),
    /// Look; with the sentence that says why no more.
    Nothing(String),
}

impl Rights {
    pub(super) fn of(app: &App, visitor: &Visitor, facts: &PackageFacts, overview: &Overview) -> Self {
        match app.access.permit_on(visitor.actor(), facts, Intent::GRANT) {
            Ok(_) | Err(Error::SecondFactorRequired { .. }) => Self::Everything,
            Err(refusal @ Error::PaymentRequired { .. }) if may(app, visitor, facts, Intent::REVOKE) => {
                Self::LapsedOwner(refusal.to_string())
            }
            Err(
                Error::Lacking { lack: Lack::Administration | Lack::Collaboration, .. } | Error::PaymentRequired { .. },
            ) => Self::Nothing(who_can(facts, overview)),
            Err(refusal) => Self::Nothing(refusal.to_string()),
        }
    }

    pub(super) fn may_grant(&self) -> bool {
        matches!(self, Self::Everything)
    }

    pub(super) fn administers(&self) -> bool {
        !matches!(self, Self::Nothing(_))
    }
}

/// Who may change a package, told to who may not.
pub(in crate::web) fn who_can(facts: &PackageFacts, overview: &Overview) -> String {
    let names: Vec<&str> = overview.administrators.iter().map(|one| one.name.as_str()).collect();
    let names = names.join(", ");
    if is_organizations(facts) {
        format!("Only admins of @{} can change this: {names}", facts.name.scope())
    } else {
        format!("Only {names} can change this.")
    }
}

pub(super) fn is_organizations(facts: &PackageFacts) -> bool {
    facts.owner.as_ref().is_some_and(|owner| owner.kind == AccountKind::Organization)
}

/// Why somebody has access.
pub(super) enum Ground {
    OwnsScope,
    Leads(&'static str),
    Given(Given),
    TeamsAlone,
}

/// What can be said about the level, and done to it.
pub(super) enum Level {
    Administers,
    Fixed(&'static str),
    Choice(&'static str),
}

/// That somebody cannot install yet, and what can be done about it.
pub(super) struct MissingPlan {
    pub(super) may_be_reminded: bool,
    pub(super) reminded_at: Option<Time>,
}

/// A line of the table.
pub(super) struct Row {
    pub(super) who: String,
    pub(super) link: String,
    pub(super) is_self: bool,
    pub(super) ground: Ground,
    pub(super) through: Vec<ThroughTeam>,
    pub(super) level: Level,
    pub(super) is_off: bool,
    pub(super) missing_plan: Option<MissingPlan>,
    pub(super) removable: bool,
    /// Said where there is no X.
    pub(super) kept_because: &'static str,
    /// How many are in the team.
    pub(super) size: Option<usize>,
    pub(super) members: Vec<AccountName>,
    pub(super) more_members: usize,
}

impl Row {
    fn new(who: &str, link: String, ground: Ground, level: Level) -> Self {
        Self {
            who: who.to_owned(),
            link,
            is_self: false,
            ground,
            through: Vec::new(),
            level,
            is_off: false,
            missing_plan: None,
            removable: false,
            kept_because: "",
            size: None,
            members: Vec::new(),
            more_members: 0,
        }
    }
}

/// Who administers, then the teams, then everyone else.
pub(super) fn rows(visitor: &Visitor, subject: &Subject) -> Vec<Row> {
    let overview = &subject.overview;
    let administrators = overview.administrators.iter().map(|one| {
        let ground = match one.role {
            None => Ground::OwnsScope,
            Some(OrganizationRole::Owner) => Ground::Leads("owner"),
            Some(_) => Ground::Leads("admin"),
        };
        let row = Row::new(one.name.as_str(), profile(&one.name), ground, Level::Administers);
        Row { is_self: visitor.is(one.name.as_str()), kept_because: "stays", ..row }
    });
    let teams = overview.teams.iter().map(|team| team_row(subject, team));
    // Who comes through a team that is named with its members stands there.
    let people = overview.people.iter().filter(|person| person.given.is_some() || overview.teams.is_empty());
    let people = people.map(|person| person_row(visitor, subject, person));
    administrators.chain(teams).chain(people).collect()
}

fn team_row(subject: &Subject, team: &TeamAccess) -> Row {
    let scope = subject.name().scope();
    let level = level(subject, team.given.permission);
    let link = format!("/org/{scope}/teams/{}", team.name);
    let row = Row::new(&format!("{scope}:{}", team.name), link, Ground::Given(team.given.clone()), level);
    Row {
        removable: subject.rights.administers(),
        size: Some(team.size),
        members: team.members.clone(),
        more_members: team.size - team.members.len().min(team.size),
        ..row
    }
}

fn person_row(visitor: &Visitor, subject: &Subject, person: &PersonAccess) -> Row {
    let is_self = visitor.is(person.name.as_str());
    let (ground, level) = match &person.given {
        // Who is switched off can be given no other level.
        Some(given) if person.disabled => (Ground::Given(given.clone()), Level::Fixed(given.permission.as_str())),
        Some(given) => (Ground::Given(given.clone()), level(subject, given.permission)),
        None => (Ground::TeamsAlone, Level::Fixed(person.permission().as_str())),
    };
    let row = Row::new(person.name.as_str(), profile(&person.name), ground, level);
    let lacks_plan = person.has_plan == Some(false) && !subject.is_public();
    let missing_plan = lacks_plan.then(|| MissingPlan {
        may_be_reminded: subject.rights.may_grant() && person.may_be_reminded(visitor.now),
        reminded_at: person.reminded_at,
    });
    Row {
        is_self,
        removable: person.given.is_some() && (is_self || subject.rights.administers()),
        kept_because: if person.given.is_none() { "by the team" } else { "" },
        through: person.through.clone(),
        is_off: person.disabled,
        missing_plan,
        ..row
    }
}

fn level(subject: &Subject, permission: Permission) -> Level {
    if subject.rights.may_grant() && !subject.is_public() {
        Level::Choice(permission.as_str())
    } else {
        Level::Fixed(permission.as_str())
    }
}

fn profile(name: &AccountName) -> String {
    format!("/~{name}")
}

/// What the field takes.
pub(super) fn who_label(facts: &PackageFacts) -> &'static str {
    if is_organizations(facts) { "User name, team (org:team) or e-mail" } else { "User name or e-mail" }
}

/// The same by npm.
pub(super) fn commands(facts: &PackageFacts, public: bool) -> Vec<String> {
    let (name, scope) = (&facts.name, facts.name.scope());
    let status = if public { "private" } else { "public" };
    let mut commands = vec![
        format!("npm access list collaborators {name}"),
        format!("npm owner add USER {name}"),
        format!("npm owner rm USER {name}"),
        format!("npm access set status={status} {name}"),
    ];
    if is_organizations(facts) {
        commands.insert(1, format!("npm access grant read-only @{scope}:TEAM {name}"));
        commands.insert(2, format!("npm access revoke @{scope}:TEAM {name}"));
    }
    commands
}
