//! Who is told of what.

use std::sync::Arc;

use crate::db::Transaction;
use crate::error::Result;
use crate::mail::{Letter, Way};
use crate::names::{AccountId, AccountName, Email, PackageName};
use crate::policy::{AccountFacts, Intent, PackageFacts, Permission};
use crate::users;

use super::letters::Writer;
use super::store::{self, Happened};
use super::{Notices, Topic, reader, unless_outage};

/// Maintainers who are told of one publish; a package with more is followed by hooks.
const MOST_TOLD: usize = 100;

impl Notices {
    /// Writes the letters for what has happened, until there is nothing left.
    ///
    /// # Errors
    /// The database's.
    pub async fn tell(&self) -> Result<()> {
        loop {
            let mut transaction = self.db.begin().await?;
            let happened = store::take(&mut transaction).await?;
            if happened.is_empty() {
                return Ok(());
            }
            if self.mail.way() != Way::Nowhere {
                let writer = Writer { registry: self.instance.settings().await?.name, url: self.public_url.clone() };
                for one in &happened {
                    unless_outage(self.tell_one(&mut transaction, &writer, one).await)?;
                }
            }
            transaction.commit().await?;
        }
    }

    async fn tell_one(&self, transaction: &mut Transaction, writer: &Writer, happened: &Happened) -> Result<()> {
        match happened.action.as_deref() {
            None => self.tell_old_address(transaction, writer, happened).await,
            Some("user.password" | "second-factor.change" | "second-factor.key-add" | "second-factor.key-remove") => {
                self.tell_owner(transaction, writer, happened, None).await
            }
            Some("token.create") => match happened.word("kind") {
                Some("granular") => self.tell_owner(transaction, writer, happened, None).await,
                Some("login") => self.tell_owner(transaction, writer, happened, Some(Topic::Login)).await,
                _ => Ok(()),
            },
            Some("access.grant") => self.tell_of_grant(transaction, writer, happened).await,
            Some("access.remind") => self.tell_again(transaction, writer, happened).await,
            Some("invitation.accept") => self.tell_inviter(transaction, writer, happened).await,
            Some("organization.member") => self.tell_member(transaction, writer, happened).await,
            Some("package.publish") => self.tell_of_publish(transaction, writer, happened).await,
            Some(_) => Ok(()),
        }
    }

    async fn tell_old_address(
        &self,
        transaction: &mut Transaction,
        writer: &Writer,
        happened: &Happened,
    ) -> Result<()> {
        let (Some(account), Some(old)) = (happened.account, &happened.old_email) else { return Ok(()) };
        let (Some(facts), Ok(old)) = (users::load_account_facts(transaction, account).await?, old.parse::<Email>())
        else {
            return Ok(());
        };
        self.mail.enqueue(transaction, &writer.address_changed(old, &facts.name)).await
    }

    /// What concerns the account that the line is about.
    async fn tell_owner(
        &self,
        transaction: &mut Transaction,
        writer: &Writer,
        happened: &Happened,
        topic: Option<Topic>,
    ) -> Result<()> {
        let Some(account) = happened.scope else { return Ok(()) };
        self.send(transaction, account, topic, |to, facts| writer.of_account(to, &facts.name, happened)).await
    }

    /// Who was given something is told, and who administers the package where somebody else can write it now.
    async fn tell_of_grant(&self, transaction: &mut Transaction, writer: &Writer, happened: &Happened) -> Result<()> {
        let Ok(package) = happened.subject().parse::<PackageName>() else { return Ok(()) };
        let Some(user) = happened.word("user").and_then(|name| name.parse::<AccountName>().ok()) else {
            return Ok(());
        };
        let facts = self.access.load_facts(&package).await?;
        let Some(given) = users::find_user(transaction, &user).await? else { return Ok(()) };
        // What was taken back meanwhile is nobody's news.
        let now = self.clock.now();
        let Some(permission) = facts.permission_of(given, now) else { return Ok(()) };
        let by = &happened.actor;
        if !happened.is_accepted() {
            self.send_if_other(transaction, happened, given, Topic::Access, |to, _| {
                writer.access_given(to, &package, permission, by)
            })
            .await?;
        }
        if permission == Permission::ReadOnly {
            return Ok(());
        }
        for administrator in facts.administrators().into_iter().filter(|one| *one != given).take(MOST_TOLD) {
            self.send_if_other(transaction, happened, administrator, Topic::Access, |to, _| {
                writer.maintainer_added(to, &package, &user, by)
            })
            .await?;
        }
        Ok(())
    }

    /// Who has picked a plan since they were to be reminded of it, or lost what they were given, is told nothing.
    async fn tell_again(&self, transaction: &mut Transaction, writer: &Writer, happened: &Happened) -> Result<()> {
        let Ok(package) = happened.subject().parse::<PackageName>() else { return Ok(()) };
        let Some(user) = happened.word("user").and_then(|name| name.parse::<AccountName>().ok()) else {
            return Ok(());
        };
        let Some(account) = users::find_user(transaction, &user).await? else { return Ok(()) };
        let Some(account) = users::load_account_facts(transaction, account).await? else { return Ok(()) };
        let facts = self.access.load_facts(&package).await?;
        let still_has = facts.permission_of(account.id, self.clock.now()).is_some();
        if !still_has || !self.access.lacks_plan(&facts, &account)? {
            return Ok(());
        }
        self.send_if_other(transaction, happened, account.id, Topic::Access, |to, _| {
            writer.plan_missing(to, &package, happened.word("shared_by"), &happened.actor)
        })
        .await
    }

    /// Who invited hears of the yes, and from whom: an invitation by mail named nobody.
    async fn tell_inviter(&self, transaction: &mut Transaction, writer: &Writer, happened: &Happened) -> Result<()> {
        let Some(inviter) = happened.word("inviter").and_then(|name| name.parse::<AccountName>().ok()) else {
            return Ok(());
        };
        let Some(inviter) = users::find_user(transaction, &inviter).await? else { return Ok(()) };
        let Some(user) = happened.word("user") else { return Ok(()) };
        self.send_if_other(transaction, happened, inviter, Topic::Access, |to, _| {
            writer.accepted(to, user, happened.subject())
        })
        .await
    }

    async fn tell_member(&self, transaction: &mut Transaction, writer: &Writer, happened: &Happened) -> Result<()> {
        if happened.is_accepted() {
            return Ok(());
        }
        let Ok(organization) = happened.subject().parse::<AccountName>() else { return Ok(()) };
        let (Some(user), Some(role)) = (happened.word("user"), happened.word("role")) else { return Ok(()) };
        let Ok(user) = user.parse::<AccountName>() else { return Ok(()) };
        let Some(account) = users::find_user(transaction, &user).await? else { return Ok(()) };
        let by = &happened.actor;
        self.send_if_other(transaction, happened, account, Topic::Access, |to, _| {
            writer.member(to, &organization, role, by)
        })
        .await
    }

    /// Those who can write the package, as far as they wish it and may read it now.
    async fn tell_of_publish(&self, transaction: &mut Transaction, writer: &Writer, happened: &Happened) -> Result<()> {
        let Ok(package) = happened.subject().parse::<PackageName>() else { return Ok(()) };
        let Some(version) = happened.word("version").map(ToOwned::to_owned) else { return Ok(()) };
        let facts = self.access.load_facts(&package).await?;
        for account in self.maintainers(&facts).into_iter().take(MOST_TOLD) {
            let Some(reading) = users::load_account_facts(transaction, account).await? else { continue };
            if self.access.permit_on(&reader(reading), &facts, Intent::READ).is_err() {
                continue;
            }
            self.send_if_other(transaction, happened, account, Topic::Publish, |to, _| {
                writer.published(to, &package, &version, &happened.actor)
            })
            .await?;
        }
        Ok(())
    }

    fn maintainers(&self, facts: &PackageFacts) -> Vec<AccountId> {
        let now = self.clock.now();
        let granted = facts.package.iter().flat_map(|package| &package.grants).map(|grant| grant.user);
        let mut everyone: Vec<AccountId> = facts.administrators().into_iter().chain(granted).collect();
        everyone.sort_unstable();
        everyone.dedup();
        everyone.retain(|account| facts.permission_of(*account, now) == Some(Permission::ReadWrite));
        everyone
    }

    /// Who did it knows it.
    async fn send_if_other(
        &self,
        transaction: &mut Transaction,
        happened: &Happened,
        account: AccountId,
        topic: Topic,
        write: impl FnOnce(Email, &AccountFacts) -> Letter,
    ) -> Result<()> {
        if happened.actor_id == Some(account) {
            return Ok(());
        }
        self.send(transaction, account, Some(topic), write).await
    }

    async fn send(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        topic: Option<Topic>,
        write: impl FnOnce(Email, &AccountFacts) -> Letter,
    ) -> Result<()> {
        let facts: Option<Arc<AccountFacts>> = users::load_account_facts(transaction, account).await?;
        let Some(facts) = facts.filter(|account| !account.disabled) else { return Ok(()) };
        if let Some(topic) = topic
            && !self.wants(transaction, &facts, topic).await?
        {
            return Ok(());
        }
        let Some(to) = users::find_email(transaction, account).await? else { return Ok(()) };
        self.mail.enqueue(transaction, &write(to, &facts)).await
    }
}
