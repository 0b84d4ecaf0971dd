//! `npm team` (`protocol.md` 6.7).

use serde_json::json;

use crate::access;
use crate::error::{Error, OnConstraint, Result};
use crate::names::{AccountName, TeamId, TeamName};
use crate::policy::OrganizationPermit;
use crate::users;

use super::{Organizations, Touched, store};

/// Words that stand in a team's place in paths.
const RESERVED: [&str; 3] = ["package", "team", "user"];

/// The longest description that is kept, in characters.
const DESCRIPTION_CHARACTERS: usize = 512;

/// A team as pages show it.
#[derive(Debug, Clone)]
pub struct TeamDetails {
    /// Its name.
    pub name: TeamName,
    /// What it is for.
    pub description: String,
    /// How many are in it.
    pub members: i64,
}

impl Organizations {
    /// All teams with what they are for, in the order of their names.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_team_details(&self, permit: &OrganizationPermit) -> Result<Vec<TeamDetails>> {
        store::list_team_details(self.db.reads(), permit.organization().id).await
    }

    /// One team with what it is for.
    ///
    /// # Errors
    /// `NotFound` for an unknown team.
    pub async fn team_details(&self, permit: &OrganizationPermit, team: &TeamName) -> Result<TeamDetails> {
        let teams = self.list_team_details(permit).await?;
        teams.into_iter().find(|one| one.name == *team).ok_or_else(|| no_team(permit, team))
    }

    /// Says what a team is for.
    ///
    /// # Errors
    /// `NotFound` for an unknown team.
    pub async fn describe_team(&self, permit: &OrganizationPermit, team: &TeamName, description: &str) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let permit = self.lock(&mut transaction, permit).await?;
        let id = self.team(&mut transaction, &permit, team).await?;
        store::describe_team(&mut transaction, id, &shortened(description)).await?;
        self.finish(transaction, &permit, Touched::NoPackage, "team.describe", json!({ "team": team })).await
    }

    /// The names of all teams, in their order.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_teams(&self, permit: &OrganizationPermit) -> Result<Vec<TeamName>> {
        store::list_teams(self.db.reads(), permit.organization().id).await
    }

    /// Creates a team with nobody in it.
    ///
    /// # Errors
    /// `Conflict` where the name is taken, `Unprocessable` for a name that paths use.
    pub async fn create_team(&self, permit: &OrganizationPermit, team: &TeamName, description: &str) -> Result<()> {
        if RESERVED.contains(&team.as_str()) {
            return Err(Error::Unprocessable(format!("No team can be called {team}. Choose another name.").into()));
        }
        let mut transaction = self.db.begin().await?;
        let permit = self.lock(&mut transaction, permit).await?;
        let organization = permit.organization();
        let description = shortened(description);
        let now = self.clock.now();
        store::insert_team(&mut transaction, organization.id, team.as_str(), &description, now)
            .await
            .on_constraint("teams_organization_id_name_key", || {
                Error::Conflict(format!("@{} has a team {team} already.", organization.name).into())
            })?;
        self.finish(transaction, &permit, Touched::NoPackage, "team.create", json!({ "team": team })).await
    }

    /// Removes a team, and with it all that was given through it.
    ///
    /// # Errors
    /// `NotFound` for an unknown team, `Forbidden` for the one that every member is in.
    pub async fn destroy_team(&self, permit: &OrganizationPermit, team: &TeamName) -> Result<()> {
        refuse_developers(team)?;
        let mut transaction = self.db.begin().await?;
        let permit = self.lock(&mut transaction, permit).await?;
        let id = self.team(&mut transaction, &permit, team).await?;
        // What is being given to the team right now is there before the packages are listed.
        store::lock_team(&mut transaction, id).await?;
        let packages = store::list_packages(&mut transaction, permit.organization().id, Some(id)).await?;
        store::delete_team(&mut transaction, id).await?;
        for (package, name) in packages {
            self.access.bump_revision(&mut transaction, &name, package).await?;
        }
        self.finish(transaction, &permit, Touched::NoPackage, "team.destroy", json!({ "team": team })).await
    }

    /// Who is in a team, in the order of their names.
    ///
    /// # Errors
    /// `NotFound` for an unknown team.
    pub async fn list_team_members(&self, permit: &OrganizationPermit, team: &TeamName) -> Result<Vec<AccountName>> {
        let mut connection = self.db.reads().acquire().await?;
        let id = self.team(&mut connection, permit, team).await?;
        drop(connection);
        store::list_team_members(self.db.reads(), id).await
    }

    /// Puts a member of the organization into a team.
    ///
    /// # Errors
    /// `NotFound` for an unknown team or user, `Unprocessable` for somebody who is no member of the organization.
    pub async fn add_to_team(&self, permit: &OrganizationPermit, team: &TeamName, user: &AccountName) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let permit = self.lock(&mut transaction, permit).await?;
        let organization = permit.organization();
        let id = self.team(&mut transaction, &permit, team).await?;
        let account = users::find_user(&mut transaction, user).await?.ok_or_else(|| users::no_user(user))?;
        if organization.role_of(account).is_none() {
            let name = &organization.name;
            return Err(Error::Unprocessable(
                format!("{user} is no member of @{name}. Add them first: npm org set {name} {user}").into(),
            ));
        }
        store::insert_team_member(&mut transaction, id, account, self.clock.now()).await?;
        let detail = json!({ "team": team, "user": user });
        self.finish(transaction, &permit, Touched::PackagesOf(id), "team.add", detail).await
    }

    /// Takes somebody out of a team.
    ///
    /// # Errors
    /// `NotFound` for an unknown team or somebody who is not in it, `Forbidden` for the team that every member is in.
    pub async fn remove_from_team(
        &self,
        permit: &OrganizationPermit,
        team: &TeamName,
        user: &AccountName,
    ) -> Result<()> {
        refuse_developers(team)?;
        let mut transaction = self.db.begin().await?;
        let permit = self.lock(&mut transaction, permit).await?;
        let id = self.team(&mut transaction, &permit, team).await?;
        let account = users::find_any_user(&mut transaction, user).await?.ok_or_else(|| users::no_user(user))?;
        if !store::delete_team_member(&mut transaction, id, account).await? {
            return Err(Error::NotFound(format!("{user} is not in team {team}.").into()));
        }
        let detail = json!({ "team": team, "user": user });
        self.finish(transaction, &permit, Touched::PackagesOf(id), "team.remove", detail).await
    }

    async fn team(
        &self,
        connection: &mut sqlx::PgConnection,
        permit: &OrganizationPermit,
        team: &TeamName,
    ) -> Result<TeamId> {
        let organization = permit.organization();
        let found = access::find_team(connection, organization.id, team).await?;
        found.ok_or_else(|| no_team(permit, team))
    }
}

pub(super) fn no_team(permit: &OrganizationPermit, team: &TeamName) -> Error {
    let name = &permit.organization().name;
    Error::NotFound(format!("@{name} has no team {team}. npm team ls lists them.").into())
}

fn shortened(description: &str) -> String {
    description.trim().chars().filter(|one| !one.is_control()).take(DESCRIPTION_CHARACTERS).collect()
}

fn refuse_developers(team: &TeamName) -> Result<()> {
    if team.is_developers() {
        let sentence =
            "The team developers holds every member of the organization, and stays. Use npm org to change it.";
        return Err(Error::Forbidden(sentence.into()));
    }
    Ok(())
}
