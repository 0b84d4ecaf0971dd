//! Letting somebody in who accepts an invitation: in the caller's transaction.

use serde_json::json;

use crate::access;
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::names::{AccountName, TeamName};
use crate::policy::{Actor, OrganizationAction, OrganizationPermit, OrganizationRole, permit_organization};
use crate::users;

use super::{Organizations, Touched, refusal, store};

impl Organizations {
    /// Locks the organization in a caller's transaction, and decides again, as it is now.
    ///
    /// # Errors
    /// The refusal, with the status that its decision has.
    pub async fn lock_and_permit(
        &self,
        transaction: &mut Transaction,
        permit: &OrganizationPermit,
    ) -> Result<OrganizationPermit> {
        self.lock(transaction, permit).await
    }

    /// Asks whether the organization has all of these teams.
    ///
    /// # Errors
    /// `NotFound` with the first that it has not.
    pub async fn require_teams(
        &self,
        transaction: &mut Transaction,
        permit: &OrganizationPermit,
        teams: &[TeamName],
    ) -> Result<()> {
        let organization = permit.organization();
        for team in teams {
            if access::find_team(transaction, organization.id, team).await?.is_none() {
                return Err(Error::NotFound(
                    format!("@{} has no team {team}. npm team ls lists them.", organization.name).into(),
                ));
            }
        }
        Ok(())
    }

    /// Makes a user who said yes to it a member as `actor`, decided here, in a caller's transaction, which this commits. Who is a member in a
    /// stronger role keeps it; teams that are gone are left out.
    ///
    /// # Errors
    /// The refusal; `NotFound` where organization or user are gone.
    pub async fn admit(
        &self,
        mut transaction: Transaction,
        actor: &Actor,
        name: &AccountName,
        user: &AccountName,
        role: OrganizationRole,
        teams: &[TeamName],
    ) -> Result<()> {
        let found = self.users.find_account(name).await?;
        let (id, _) = found.ok_or_else(|| refusal::no_organization(name))?;
        store::lock(&mut transaction, id).await?;
        let actor = self.tokens.refresh(&mut transaction, actor).await?;
        let facts = store::load_facts(&mut transaction, id).await?;
        let permit = permit_organization(&actor, OrganizationAction::ChangeMembers, facts)
            .map_err(|decision| refusal::explain(&decision, &actor, name))?;
        let account = users::find_user(&mut transaction, user).await?.ok_or_else(|| users::no_user(user))?;
        let organization = permit.organization();
        let role = organization.role_of(account).map_or(role, |present| present.max(role));
        let now = self.clock.now();
        store::upsert_member(&mut transaction, id, account, role, now).await?;
        let developers = TeamName::DEVELOPERS.parse()?;
        for team in teams.iter().chain([&developers]) {
            if let Some(team) = access::find_team(&mut transaction, id, team).await? {
                store::insert_team_member(&mut transaction, team, account, now).await?;
            }
        }
        let detail = json!({ "user": user, "role": role.as_npm_word(), "teams": teams, "invited": true });
        self.finish(transaction, &permit, Touched::EveryPackage, "organization.member", detail).await
    }
}
