//! Accounts as administrators see them, and what they do to them.

use serde_json::json;
use sqlx::PgConnection;

use crate::audit::{self, By, Outcome};
use crate::clock::Time;
use crate::db::Change;
use crate::error::{Error, Result};
use crate::names::AccountName;
use crate::policy::{AccountKind, Actor, BillingFlag, Decision, InstancePermit, Principal, permit_instance};

use super::{Users, no_user, store};

/// A line of the list of accounts.
#[derive(Debug, Clone)]
pub struct ListedAccount {
    /// Its name.
    pub name: AccountName,
    /// Where mail goes; empty for an organization.
    pub email: String,
    /// When it was made.
    pub created_at: Time,
    /// Since when it is off.
    pub disabled_at: Option<Time>,
    /// Whether it administers the instance.
    pub administrator: bool,
    /// Whether it has a second factor.
    pub has_second_factor: bool,
    /// Its plan.
    pub flag: BillingFlag,
    /// How many packages are in its scope.
    pub packages: i64,
    /// How many members it has.
    pub members: i64,
    /// When a session or token of it was last used.
    pub last_seen: Option<Time>,
}

/// Which part of a list is wanted, and of whom.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Users or organizations.
    pub kind: AccountKind,
    /// What stands in the name or mail address.
    pub sought: &'a str,
    /// From 1.
    pub page: u32,
    /// How many on a page.
    pub size: u32,
}

impl Users {
    /// A page of the accounts, in the order of their names, and how many there are.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_accounts(
        &self,
        _permit: &InstancePermit,
        wanted: Wanted<'_>,
    ) -> Result<(Vec<ListedAccount>, i64)> {
        let total = store::count_accounts(self.db.reads(), wanted).await?;
        Ok((store::list_accounts(self.db.reads(), wanted).await?, total))
    }

    /// Switches a user off, or on again, as [`Users::set_disabled`] does for the operator.
    ///
    /// # Errors
    /// `NotFound` for an unknown user; `Unprocessable` for oneself, and for the last administrator; `Forbidden` for who
    /// administers the instance no longer.
    pub async fn switch(&self, permit: &InstancePermit, name: &AccountName, disabled: bool) -> Result<()> {
        refuse_oneself(permit, name)?;
        let mut transaction = self.db.begin().await?;
        let by = By::from(decide_again(&mut transaction, permit, name).await?.actor());
        self.set_disabled_within(&mut transaction, name, disabled, &by).await?;
        require_administrator(&mut transaction).await?;
        transaction.commit().await
    }

    /// Makes a user an administrator, or no longer.
    ///
    /// # Errors
    /// `NotFound` for an unknown user; `Unprocessable` for oneself, and for the last administrator; `Forbidden` for who
    /// administers the instance no longer.
    pub async fn set_administrator(&self, permit: &InstancePermit, name: &AccountName, is_one: bool) -> Result<()> {
        refuse_oneself(permit, name)?;
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let permit = decide_again(&mut transaction, permit, name).await?;
        let id = store::set_administrator(&mut transaction, name, is_one, now).await?.ok_or_else(|| no_user(name))?;
        require_administrator(&mut transaction).await?;
        let event = audit::Event {
            action: "user.administrator",
            subject: name.as_str(),
            scope: Some(id),
            outcome: Outcome::Done,
            detail: json!({ "administrator": is_one }),
        };
        audit::record(&mut transaction, &By::from(permit.actor()), &event, now).await?;
        transaction.announce(Change::Account(id));
        transaction.commit().await
    }
}

fn refuse_oneself(permit: &InstancePermit, name: &AccountName) -> Result<()> {
    if permit.actor().account().is_some_and(|account| account.name == *name) {
        return Err(Error::Unprocessable(
            "This is your own account, and the instance keeps an administrator. Have another one do it.".into(),
        ));
    }
    Ok(())
}

/// The permit once more, of the actor as they are now, while every administrator and the user in question are held: of two
/// administrators who take the right from each other in the same moment, the second one finds that they have it no longer.
async fn decide_again(
    connection: &mut PgConnection,
    permit: &InstancePermit,
    name: &AccountName,
) -> Result<InstancePermit> {
    store::hold_administrators(connection, name).await?;
    let actor = match permit.actor() {
        Actor::User(principal) => {
            let account = store::load_facts(connection, principal.account.id).await?;
            let living = account.filter(|account| !account.disabled).ok_or(Error::DeadCredential)?;
            Actor::User(Principal { account: living, ..principal.clone() })
        }
        other => other.clone(),
    };
    permit_instance(&actor, permit.action()).map_err(|refusal| match refusal {
        Decision::SecondFactorRequired => Error::SecondFactorRequired { web: None },
        _ => Error::Forbidden(
            "You administer this instance no longer: somebody took it from you a moment ago. Nothing was changed."
                .into(),
        ),
    })
}

/// Whatever was changed, somebody is left who can change it back.
async fn require_administrator(connection: &mut PgConnection) -> Result<()> {
    if store::has_administrator(connection).await? {
        return Ok(());
    }
    Err(Error::Unprocessable(
        "This is the last administrator, and the instance keeps one. Make somebody else an administrator first.".into(),
    ))
}
