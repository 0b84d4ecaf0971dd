//! What teams were given (`protocol.md` 6.8), and what has ended by itself.

use std::collections::HashSet;

use chrono::Datelike as _;
use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::names::{AccountId, PackageId, PackageName, TeamName};
use crate::policy::{AccountKind, Actor, Administer, Intent, OrganizationPermit, PackageFacts, Permission, Permit};

use super::collaborators::Term;
use super::{Access, existing, store};

/// Years with more digits are read by few programs.
const LAST_YEAR: i32 = 9999;

impl Access {
    /// Gives a team of the organization that owns the scope access to a package, or changes what it has.
    ///
    /// # Errors
    /// `NotFound` for an unknown team, `Unprocessable` where no organization owns the scope.
    pub async fn grant_team(&self, permit: &Permit<Administer>, team: &TeamName, term: Term) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let (permit, facts) =
            self.lock_and_permit(&mut transaction, permit.actor(), permit.name(), Intent::GRANT).await?;
        self.insert_team_grant(&mut transaction, &permit, &facts, team, term).await?;
        transaction.commit().await
    }

    pub(super) async fn insert_team_grant(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<Administer>,
        facts: &PackageFacts,
        team: &TeamName,
        term: Term,
    ) -> Result<()> {
        let organization = organization(facts)?;
        let id = store::find_team(transaction, organization, team).await?.ok_or_else(|| no_team(facts, team))?;
        let gift = self.gift(permit, existing(facts)?.id, term)?;
        store::upsert_team_grant(transaction, id, &gift).await?;
        let detail = json!({ "team": team, "permission": term.permission.as_str(), "until": term.until });
        self.record(transaction, permit, facts, detail).await
    }

    /// Takes a team's access to a package.
    ///
    /// # Errors
    /// `NotFound` for an unknown team, or one that has none.
    pub async fn revoke_team(&self, permit: &Permit<Administer>, team: &TeamName) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let (permit, facts) =
            self.lock_and_permit(&mut transaction, permit.actor(), permit.name(), Intent::REVOKE).await?;
        let organization = organization(&facts)?;
        let id = store::find_team(&mut transaction, organization, team).await?.ok_or_else(|| no_team(&facts, team))?;
        if !store::delete_team_grant(&mut transaction, existing(&facts)?.id, id).await? {
            return Err(Error::NotFound(format!("Team {team} has no access to {}.", facts.name).into()));
        }
        self.record(&mut transaction, &permit, &facts, json!({ "team": team })).await?;
        transaction.commit().await
    }

    /// What a team was given, as far as the viewer may see it.
    ///
    /// # Errors
    /// `NotFound` for an unknown team; the database's.
    pub async fn list_packages_of_team(
        &self,
        permit: &OrganizationPermit,
        team: &TeamName,
    ) -> Result<Vec<(PackageName, Permission)>> {
        let organization = permit.organization();
        let mut connection = self.db.reads().acquire().await?;
        let id = store::find_team(&mut connection, organization.id, team).await?;
        drop(connection);
        let id = id.ok_or_else(|| {
            Error::NotFound(format!("@{} has no team {team}. npm team ls lists them.", organization.name).into())
        })?;
        let given = store::list_team_grants(self.db.reads(), id, self.clock.now()).await?;
        let seen = self.list_packages(organization.id, permit.actor()).await?;
        let seen: HashSet<PackageName> = seen.into_iter().map(|(name, _)| name).collect();
        Ok(given.into_iter().filter(|(name, _)| seen.contains(name)).collect())
    }

    /// Gives the team that every member is in access to a package that was just created in the scope of an organization:
    /// read-write as npm does, unless its settings say otherwise. For a user's scope there is nothing to do.
    ///
    /// # Errors
    /// The database's.
    pub async fn welcome_developers(
        &self,
        connection: &mut sqlx::PgConnection,
        facts: &PackageFacts,
        package: PackageId,
        by: &Actor,
    ) -> Result<()> {
        let Ok(organization) = organization(facts) else { return Ok(()) };
        let developers: TeamName = TeamName::DEVELOPERS.parse()?;
        let gift =
            |permission| store::Gift { package, permission, by: by.account_id(), until: None, now: self.clock.now() };
        let get = store::find_developers_get(connection, organization).await?;
        let team = store::find_team(connection, organization, &developers).await?;
        if let (Some(team), Some(permission)) = (team, get) {
            store::upsert_team_grant(connection, team, &gift(permission)).await?;
        }
        // Who made it can go on with it, whatever the others get.
        let creator = by.account_id().filter(|creator| !facts.administrators().contains(creator));
        if let (Some(creator), true) = (creator, get != Some(Permission::ReadWrite)) {
            store::upsert_grant(connection, creator, &gift(Permission::ReadWrite)).await?;
        }
        Ok(())
    }

    /// Removes grants whose time has come. The decision takes no notice of them anyway; this is for the maintainers that
    /// packuments show, and for the log. Returns how many packages changed.
    ///
    /// # Errors
    /// The database's.
    pub async fn remove_ended_grants(&self) -> Result<usize> {
        let names = store::list_packages_with_ended_grants(self.db.reads(), self.clock.now()).await?;
        for name in &names {
            self.remove_ended_grants_on(name).await?;
        }
        Ok(names.len())
    }

    async fn remove_ended_grants_on(&self, name: &PackageName) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let locked = self.lock(&mut transaction, &Actor::Operator, name).await?;
        let Some(package) = &locked.facts.package else { return Ok(()) };
        let now = self.clock.now();
        let whom = store::delete_ended_grants(&mut transaction, package.id, now).await?;
        if whom.is_empty() {
            return Ok(());
        }
        self.bump_revision(&mut transaction, name, package.id).await?;
        let event = audit::Event {
            action: "access.expire",
            subject: name.as_str(),
            scope: locked.facts.owner.as_ref().map(|owner| owner.id),
            outcome: Outcome::Done,
            detail: json!({ "ended": whom }),
        };
        let by = By { name: "the clock".into(), ..By::default() };
        audit::record(&mut transaction, &by, &event, now).await?;
        transaction.commit().await
    }

    /// A gift by the holder of a permit. An end that has passed already would be a gift of nothing.
    pub(super) fn gift(&self, permit: &Permit<Administer>, package: PackageId, term: Term) -> Result<store::Gift> {
        let now = self.clock.now();
        if term.until.is_some_and(|until| until <= now || until.year() > LAST_YEAR) {
            let sentence =
                "The end given for the access has passed, or is not before the year 10000. Give another one.";
            return Err(Error::Unprocessable(sentence.into()));
        }
        let by = permit.actor().account_id();
        Ok(store::Gift { package, permission: term.permission, by, until: term.until, now })
    }
}

pub(super) fn organization(facts: &PackageFacts) -> Result<AccountId> {
    let owner = facts.owner.as_ref().filter(|owner| owner.kind == AccountKind::Organization);
    owner.map(|owner| owner.id).ok_or_else(|| {
        let scope = facts.name.scope();
        Error::Unprocessable(
            format!("@{scope} is no organization, so it has no teams. Add users: npm owner add").into(),
        )
    })
}

pub(super) fn no_team(facts: &PackageFacts, team: &TeamName) -> Error {
    let scope = facts.name.scope();
    Error::NotFound(format!("@{scope} has no team {team}. npm team ls {scope} lists them.").into())
}
