//! Whom something is given to: a user or a team, by one name, and what a page does to what they have.

use std::fmt;

use serde_json::json;

use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::names::{AccountName, PackageName, TeamName};
use crate::policy::{Administer, Intent, PackageFacts, Permission, Permit};
use crate::users;

use super::collaborators::{Term, Way};
use super::store::Holder;
use super::teams::{no_team, organization};
use super::{Access, existing, store};

/// A user, or a team of the organization that owns the package's scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grantee {
    /// A user.
    User(AccountName),
    /// A team.
    Team(TeamName),
}

impl Grantee {
    /// Reads a user's name, or a team as `org:team` or `@org:team`.
    ///
    /// # Errors
    /// `Unprocessable` for what is no name, and for a team of another organization.
    pub fn read(text: &str, package: &PackageName) -> Result<Self> {
        let text = text.trim_start_matches('@');
        match text.split_once(':') {
            None => Ok(Self::User(text.parse()?)),
            Some((organization, team)) if organization == package.scope().as_str() => Ok(Self::Team(team.parse()?)),
            Some((organization, _)) => Err(Error::Unprocessable(
                format!("{package} is not in the scope of @{organization}, so its teams cannot have access.").into(),
            )),
        }
    }

    /// The name as [`Grantee::read`] reads it.
    pub fn name_on(&self, package: &PackageName) -> String {
        match self {
            Self::User(user) => user.to_string(),
            Self::Team(team) => format!("{}:{team}", package.scope()),
        }
    }

    fn detail(&self, permission: Permission) -> serde_json::Value {
        match self {
            Self::User(user) => json!({ "user": user, "permission": permission.as_str() }),
            Self::Team(team) => json!({ "team": team, "permission": permission.as_str() }),
        }
    }
}

impl fmt::Display for Grantee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(formatter, "{user}"),
            Self::Team(team) => write!(formatter, "team {team}"),
        }
    }
}

impl Access {
    /// Gives access to whom nothing was given yet: unlike [`Access::grant`], it never changes what somebody has.
    ///
    /// # Errors
    /// `Conflict` for somebody who was given access before, else those of [`Access::grant`] and [`Access::grant_team`].
    pub async fn add(&self, permit: &Permit<Administer>, whom: &Grantee, term: Term) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let (permit, facts) =
            self.lock_and_permit(&mut transaction, permit.actor(), permit.name(), Intent::GRANT).await?;
        let holder = holder(&mut transaction, &facts, whom).await?;
        let held = store::find_level(&mut transaction, existing(&facts)?.id, holder, self.clock.now()).await?;
        if let Some(held) = held {
            let sentence = format!("{whom} has {} access already. Change it in the list.", held.as_str());
            return Err(Error::Conflict(sentence.into()));
        }
        match whom {
            Grantee::User(user) => self.insert_grant(&mut transaction, &permit, &facts, user, term, Way::Named).await?,
            Grantee::Team(team) => self.insert_team_grant(&mut transaction, &permit, &facts, team, term).await?,
        }
        transaction.commit().await
    }

    /// Raises or lowers what somebody was given; who gave it and until when stays as it is.
    ///
    /// # Errors
    /// `Conflict` for somebody who has nothing any more: what was taken meanwhile must not come back with a click.
    /// `PaymentRequired` as [`Access::grant`].
    pub async fn change_level(
        &self,
        permit: &Permit<Administer>,
        whom: &Grantee,
        permission: Permission,
    ) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let (permit, facts) =
            self.lock_and_permit(&mut transaction, permit.actor(), permit.name(), Intent::GRANT).await?;
        let package = existing(&facts)?.id;
        let holder = holder(&mut transaction, &facts, whom).await?;
        let held = store::find_level(&mut transaction, package, holder, self.clock.now()).await?;
        let Some(held) = held else {
            let sentence = format!("{whom} has no access any more: somebody took it meanwhile. Nothing was changed.");
            return Err(Error::Conflict(sentence.into()));
        };
        if held == permission {
            return Ok(());
        }
        if let (Grantee::User(user), true) = (whom, permission > held) {
            let account = store::find_user(&mut transaction, user).await?.ok_or_else(|| users::no_user(user))?;
            self.require_plan(&facts, &account)?;
        }
        store::set_level(&mut transaction, package, holder, permission).await?;
        self.record(&mut transaction, &permit, &facts, whom.detail(permission)).await?;
        transaction.commit().await
    }
}

async fn holder(transaction: &mut Transaction, facts: &PackageFacts, whom: &Grantee) -> Result<Holder> {
    match whom {
        Grantee::User(user) => {
            let found = users::find_user(transaction, user).await?;
            found.map(Holder::User).ok_or_else(|| users::no_user(user))
        }
        Grantee::Team(team) => {
            let found = store::find_team(transaction, organization(facts)?, team).await?;
            found.map(Holder::Team).ok_or_else(|| no_team(facts, team))
        }
    }
}
