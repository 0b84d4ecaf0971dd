//! Many people at once: what a list says, looked at before anything is done, and then done in one go.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::access;
use crate::error::Result;
use crate::names::{AccountName, TeamName};
use crate::policy::{OrganizationPermit, OrganizationRole};
use crate::users;

use super::members::no_owner;
use super::{Organizations, Touched, store};

/// One of many who are to be members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMember {
    /// Who: the name of a user.
    pub user: AccountName,
    /// In which role.
    pub role: OrganizationRole,
    /// Into which teams.
    pub teams: Vec<TeamName>,
}

/// What becomes of one line if the list is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// Becomes a member.
    Joins,
    /// Is a member, and gets another role.
    Changes(OrganizationRole),
    /// Is a member in this role already.
    Stays,
    /// What is wrong.
    Wrong(String),
}

impl Organizations {
    /// What would become of each of these people, line by line.
    ///
    /// # Errors
    /// The database's.
    pub async fn preview_people(&self, permit: &OrganizationPermit, people: &[NewMember]) -> Result<Vec<Preview>> {
        let organization = permit.organization();
        let names: Vec<_> = people.iter().map(|one| one.user.clone()).collect();
        let found = users::list_users(self.db.reads(), &names).await?;
        let teams: BTreeSet<_> = store::list_teams(self.db.reads(), organization.id).await?.into_iter().collect();
        let preview = |one: &NewMember| {
            let Some(account) = found.get(&one.user) else {
                return Preview::Wrong(format!("there is no user {}", one.user));
            };
            if let Some(team) = one.teams.iter().find(|team| !teams.contains(team)) {
                return Preview::Wrong(format!("there is no team {team}"));
            }
            match organization.role_of(*account) {
                None => Preview::Joins,
                Some(role) if role == one.role => Preview::Stays,
                Some(role) => Preview::Changes(role),
            }
        };
        Ok(people.iter().map(preview).collect())
    }

    /// Makes all of these people members, in their roles and teams: all of it or nothing. Returns how many members there
    /// now are.
    ///
    /// # Errors
    /// `NotFound` for an unknown user or team, `Unprocessable` where no owner would be left.
    pub async fn add_people(&self, permit: &OrganizationPermit, people: &[NewMember]) -> Result<usize> {
        let mut transaction = self.db.begin().await?;
        let permit = self.lock(&mut transaction, permit).await?;
        let organization = permit.organization();
        let mut size = organization.members.len();
        let now = self.clock.now();
        for one in people {
            let found = users::find_user(&mut transaction, &one.user).await?;
            let account = found.ok_or_else(|| users::no_user(&one.user))?;
            size += usize::from(organization.role_of(account).is_none());
            store::upsert_member(&mut transaction, organization.id, account, one.role, now).await?;
            let developers: TeamName = TeamName::DEVELOPERS.parse()?;
            for name in std::iter::once(&developers).chain(&one.teams) {
                match access::find_team(&mut transaction, organization.id, name).await? {
                    Some(team) => store::insert_team_member(&mut transaction, team, account, now).await?,
                    None if *name == developers => {}
                    None => return Err(super::teams::no_team(&permit, name)),
                }
            }
        }
        let after = store::load_facts(&mut transaction, organization.id).await?;
        if !after.is_some_and(|facts| facts.members.iter().any(|(_, role)| *role == OrganizationRole::Owner)) {
            return Err(no_owner(&organization.name));
        }
        let roles: BTreeMap<_, _> = people.iter().map(|one| (one.user.as_str(), one.role.as_npm_word())).collect();
        let detail = json!({ "users": roles });
        self.finish(transaction, &permit, Touched::EveryPackage, "organization.members", detail).await?;
        Ok(size)
    }
}
