//! How organizations come to be, and how they end.

use serde_json::json;
use sqlx::PgConnection;

use crate::audit::{self, By, Outcome};
use crate::clock::Time;
use crate::db::Change;
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, TeamName};
use crate::policy::{AccountPermit, OrganizationPermit, OrganizationRole};
use crate::users;

use super::{Organizations, Touched, store};

impl Organizations {
    /// Creates an organization with its first owner, who is then the one who can add others, and the team that every
    /// member is in. The operator's verb: npm has no call for it.
    ///
    /// # Errors
    /// `Conflict` where the name is taken, `NotFound` for an unknown owner.
    pub async fn create(&self, name: &AccountName, owner: &AccountName, by: &By) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let user = users::find_user(&mut transaction, owner).await?.ok_or_else(|| users::no_user(owner))?;
        let organization = self.insert(&mut transaction, name, (user, owner), by).await?;
        transaction.announce(Change::Account(organization));
        transaction.commit().await
    }

    /// The same by a user, for themselves. Its plan is what that of a new account is.
    ///
    /// # Errors
    /// `Conflict` where the name is taken, `Unprocessable` for who owns as many as one user may.
    pub async fn create_own(&self, permit: &AccountPermit, name: &AccountName) -> Result<()> {
        let account = permit.account();
        let mut transaction = self.db.begin().await?;
        // Whoever creates two at once is counted one after the other.
        store::lock(&mut transaction, account.id).await?;
        let owned = store::count_owned(&mut transaction, account.id).await?;
        if !account.administrator && owned >= i64::from(self.most_owned) {
            return Err(Error::Unprocessable(
                format!(
                    "You own {owned} organizations, and one user may own {}. Close one, or ask the operator.",
                    self.most_owned
                )
                .into(),
            ));
        }
        let by = By::from(permit);
        let organization = self.insert(&mut transaction, name, (account.id, &account.name), &by).await?;
        transaction.announce(Change::Account(organization));
        transaction.commit().await
    }

    async fn insert(
        &self,
        connection: &mut PgConnection,
        name: &AccountName,
        (owner, owner_name): (AccountId, &AccountName),
        by: &By,
    ) -> Result<AccountId> {
        let now: Time = self.clock.now();
        let organization = self.users.insert_organization(connection, name).await?;
        let team = store::insert_team(connection, organization, TeamName::DEVELOPERS, "", now).await?;
        store::upsert_member(connection, organization, owner, OrganizationRole::Owner, now).await?;
        store::insert_team_member(connection, team, owner, now).await?;
        let event = audit::Event {
            action: "organization.create",
            subject: name.as_str(),
            scope: Some(organization),
            outcome: Outcome::Done,
            detail: json!({ "owner": owner_name }),
        };
        audit::record(connection, by, &event, now).await?;
        Ok(organization)
    }

    /// Closes an organization that has no packages: nobody is a member any more, and its teams are gone. The account stays,
    /// switched off, and with it the name: whoever took it next could publish what others still depend on.
    ///
    /// # Errors
    /// `Conflict` where it has packages.
    pub async fn close(&self, permit: &OrganizationPermit) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let permit = self.lock(&mut transaction, permit).await?;
        let organization = permit.organization();
        let packages = store::list_packages(&mut transaction, organization.id, None).await?.len();
        if packages > 0 {
            return Err(Error::Conflict(
                format!(
                    "@{} has {packages} package{} still. Move or delete {} first.",
                    organization.name,
                    if packages == 1 { "" } else { "s" },
                    if packages == 1 { "it" } else { "them" },
                )
                .into(),
            ));
        }
        store::close(&mut transaction, organization.id, self.clock.now()).await?;
        self.finish(transaction, &permit, Touched::NoPackage, "organization.close", json!({})).await
    }
}
