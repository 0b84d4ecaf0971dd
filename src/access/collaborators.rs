//! Giving, raising and taking access of single users.

use std::collections::BTreeSet;

use serde_json::json;

use crate::billing;
use crate::clock::Time;
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, PackageName};
use crate::policy::{
    AccountFacts, Actor, Administer, BillingFacts, Debtor, Intent, PackageFacts, Permission, Permit, Read, Visibility,
};
use crate::users;

use super::{Access, Locked, existing, store};

/// Someone with access to a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collaborator {
    /// Who.
    pub name: AccountName,
    /// What they can do, by a grant or by owning the scope; on a public package that is to write.
    pub permission: Permission,
    /// Whether they administer by owning the scope, and cannot be removed.
    pub owns: bool,
}

/// What is given, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// What.
    pub permission: Permission,
    /// The first moment at which it no longer holds.
    pub until: Option<Time>,
}

impl From<Permission> for Term {
    /// For good.
    fn from(permission: Permission) -> Self {
        Self { permission, until: None }
    }
}

/// How somebody comes to what they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Somebody named them, and they hear of it.
    Named,
    /// They said yes to an invitation, and know.
    Invited,
}

/// A change of owners as `npm owner` sends it: the list as it shall be, against a revision (`protocol.md` 3.6).
#[derive(Debug)]
pub struct OwnersChange {
    /// The revision that the client had read.
    pub revision: i64,
    /// Who shall be able to write.
    pub wanted: BTreeSet<AccountName>,
}

impl Access {
    /// Everyone with access, in the order of their names.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_collaborators(&self, permit: &Permit<Read>) -> Result<Vec<Collaborator>> {
        let facts = self.load_facts(permit.name()).await?;
        self.collaborators(&facts).await
    }

    /// Gives a user access, or changes what they have; until a moment, where that is given.
    ///
    /// # Errors
    /// `NotFound` for an unknown user, `PaymentRequired` for one without a plan on a restricted package, `Unprocessable`
    /// for the scope's owner, who has every right already.
    pub async fn grant(&self, permit: &Permit<Administer>, user: &AccountName, term: Term) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let (permit, facts) =
            self.lock_and_permit(&mut transaction, permit.actor(), permit.name(), Intent::GRANT).await?;
        self.insert_grant(&mut transaction, &permit, &facts, user, term, Way::Named).await?;
        transaction.commit().await
    }

    /// Takes a user's access, also of one whose account was switched off.
    ///
    /// # Errors
    /// `NotFound` for somebody who has none, `Forbidden` for the scope's owner.
    pub async fn revoke(&self, permit: &Permit<Administer>, user: &AccountName) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let intent = removal_intent(permit.actor(), user);
        let (permit, facts) = self.lock_and_permit(&mut transaction, permit.actor(), permit.name(), intent).await?;
        self.delete_grant(&mut transaction, &permit, &facts, user).await?;
        transaction.commit().await
    }

    /// Takes a user's access on behalf of somebody who may touch collaborators at all: who administers takes anybody's,
    /// everyone else their own.
    ///
    /// # Errors
    /// As [`Access::revoke`], and the refusal.
    pub async fn remove(&self, actor: &Actor, name: &PackageName, user: &AccountName) -> Result<()> {
        let permit = self.permit(actor, name, removal_intent(actor, user)).await?;
        self.revoke(&permit, user).await
    }

    /// Makes the list of those who may write what the client wants it to be, all of it or nothing. Returns the new
    /// revision.
    ///
    /// # Errors
    /// `Conflict` for a stale revision, else those of [`Access::grant`] and [`Access::revoke`].
    pub async fn change_owners(&self, actor: &Actor, name: &PackageName, change: &OwnersChange) -> Result<i64> {
        let mut transaction = self.db.begin().await?;
        let Locked { actor, facts } = self.lock(&mut transaction, actor, name).await?;
        self.permit_on(&actor, &facts, Intent::CHANGE_COLLABORATORS)?;
        if existing(&facts)?.revision != change.revision {
            return Err(Error::Conflict(format!("{name} changed meanwhile. Run the command again.").into()));
        }
        let everyone = self.collaborators(&facts).await?;
        let present: BTreeSet<_> =
            everyone.iter().filter(|one| one.permission == Permission::ReadWrite).map(|one| one.name.clone()).collect();
        for user in change.wanted.difference(&present) {
            let permit = self.permit_on(&actor, &facts, Intent::GRANT)?;
            let term = Permission::ReadWrite.into();
            self.insert_grant(&mut transaction, &permit, &facts, user, term, Way::Named).await?;
        }
        for user in present.difference(&change.wanted) {
            let permit = self.permit_on(&actor, &facts, removal_intent(&actor, user))?;
            self.delete_grant(&mut transaction, &permit, &facts, user).await?;
        }
        let revision = store::find_revision(&mut transaction, existing(&facts)?.id).await?;
        transaction.commit().await?;
        Ok(revision)
    }

    async fn collaborators(&self, facts: &PackageFacts) -> Result<Vec<Collaborator>> {
        let owners = facts.administrators();
        let grants = facts.package.iter().flat_map(|package| &package.grants).map(|grant| grant.user);
        let ids: Vec<AccountId> = owners.iter().copied().chain(grants).collect();
        let accounts = store::list_accounts(self.db.reads(), &ids).await?;
        let now = self.clock.now();
        Ok(accounts
            .into_iter()
            .filter_map(|account| {
                let permission = facts.permission_of(account.id, now)?;
                Some(Collaborator { owns: owners.contains(&account.id), name: account.name, permission })
            })
            .collect())
    }

    pub(super) async fn insert_grant(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<Administer>,
        facts: &PackageFacts,
        user: &AccountName,
        term: Term,
        way: Way,
    ) -> Result<()> {
        let package = existing(facts)?;
        let account = store::find_user(transaction, user).await?.ok_or_else(|| users::no_user(user))?;
        if facts.administrators().contains(&account.id) {
            return Err(Error::Unprocessable(
                format!("{user} owns @{}, so {} has every right on it already.", facts.name.scope(), user).into(),
            ));
        }
        self.require_plan(facts, &account)?;
        let gift = self.gift(permit, package.id, term)?;
        store::upsert_grant(transaction, account.id, &gift).await?;
        let detail = json!({
            "user": user, "permission": term.permission.as_str(), "until": term.until, "invited": way == Way::Invited,
        });
        self.record(transaction, permit, facts, detail).await
    }

    /// Whether an account can make no use of what it is given on the package for want of a plan of its own.
    ///
    /// # Errors
    /// `Internal` for a package that does not exist.
    pub fn lacks_plan(&self, facts: &PackageFacts, account: &AccountFacts) -> Result<bool> {
        let billing = BillingFacts::of(facts.owner.as_deref(), Some(account));
        let is_unpaid = billing.actor.is_some_and(|flag| !flag.is_paid(self.clock.now()));
        Ok(is_unpaid && existing(facts)?.visibility == Visibility::Restricted)
    }

    /// Refuses to give anything of a restricted package to who could make no use of it for want of a plan.
    pub(super) fn require_plan(&self, facts: &PackageFacts, account: &AccountFacts) -> Result<()> {
        if !self.lacks_plan(facts, account)? {
            return Ok(());
        }
        let debtor = Debtor::from(account);
        let sentence = format!(
            "Account {} has no plan, so it cannot be given access to a private package. It can pick one at {}",
            debtor.name,
            billing::address(&debtor, &self.public_url)
        );
        Err(Error::PaymentRequired { debtor: Box::new(debtor), sentence: sentence.into() })
    }

    async fn delete_grant(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<Administer>,
        facts: &PackageFacts,
        user: &AccountName,
    ) -> Result<()> {
        let account = users::find_any_user(transaction, user).await?.ok_or_else(|| users::no_user(user))?;
        if facts.administrators().contains(&account) {
            return Err(Error::Forbidden(
                format!("{user} owns @{} and cannot be removed from its packages.", facts.name.scope()).into(),
            ));
        }
        if !store::delete_grant(transaction, existing(facts)?.id, account).await? {
            return Err(no_collaborator(facts, account, user));
        }
        self.record(transaction, permit, facts, json!({ "user": user })).await
    }
}

/// Any collaborator may remove themselves; everyone else is removed by who administers.
pub fn removal_intent(actor: &Actor, user: &AccountName) -> Intent<Administer> {
    let removes_themselves = actor.account().is_some_and(|account| account.name == *user);
    if removes_themselves { Intent::LEAVE } else { Intent::REVOKE }
}

/// Nothing was given to the user by name; what a team has, only the team can lose.
fn no_collaborator(facts: &PackageFacts, account: AccountId, user: &AccountName) -> Error {
    let name = &facts.name;
    let mut grants = facts.package.iter().flat_map(|package| &package.grants);
    let team = grants.find_map(|grant| grant.team.as_ref().filter(|_| grant.user == account));
    match team {
        None => Error::NotFound(format!("{user} is no collaborator of {name}.").into()),
        Some(team) => Error::Unprocessable(
            format!(
                "{user} has access to {name} through team {scope}:{team}. Take them out of it: npm team rm {scope}:{team} {user}",
                scope = name.scope(),
            )
            .into(),
        ),
    }
}
