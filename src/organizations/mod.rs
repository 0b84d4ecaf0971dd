//! Organizations: who their members are, and which teams they stand in.
//!
//! What a team was given on a package is `access`'s business, like every other grant. A change of members shows in the
//! maintainers of packuments, so it grows the revisions of the packages it concerns.

mod admit;
mod batch;
mod creation;
mod members;
mod refusal;
mod settings;
mod store;
mod teams;

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::access::Access;
use crate::audit::{self, By, Outcome};
use crate::clock::Clock;
use crate::db::{Change, Db, Transaction};
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, PackageName, TeamId};
use crate::policy::{
    AccountFacts, AccountKind, Actor, Decision, OrganizationAction, OrganizationPermit, decide_organization,
    permit_organization,
};
use crate::second_factor::SecondFactor;
use crate::tokens::Tokens;
use crate::users::Users;

pub use batch::{NewMember, Preview};
pub use members::{Member, MemberDetails, Membership, Removal};
pub use settings::{DevelopersGet, ROLES, Settings};
pub use teams::TeamDetails;

/// Handle to organizations and teams.
#[derive(Debug, Clone)]
pub struct Organizations {
    db: Db,
    clock: Clock,
    users: Users,
    second_factor: SecondFactor,
    tokens: Tokens,
    access: Access,
    /// How many organizations one user may own.
    most_owned: u32,
}

/// An organization, as the operator's list shows it.
#[derive(Debug)]
pub struct ListedOrganization {
    /// Its name.
    pub name: AccountName,
    /// How many members it has.
    pub members: i64,
    /// How many packages are in its scope.
    pub packages: i64,
}

impl Organizations {
    /// Sets the room up.
    pub fn new(
        db: Db,
        clock: Clock,
        users: Users,
        second_factor: SecondFactor,
        tokens: Tokens,
        access: Access,
        most_owned: u32,
    ) -> Self {
        Self { db, clock, users, second_factor, tokens, access, most_owned }
    }

    /// The organization of a name. Accounts are public knowledge; one that was closed is none.
    ///
    /// # Errors
    /// The database's.
    pub async fn find(&self, name: &AccountName) -> Result<Option<Arc<AccountFacts>>> {
        let facts = match self.users.find_account(name).await? {
            Some((id, AccountKind::Organization)) => self.users.facts(id).await?,
            _ => None,
        };
        Ok(facts.filter(|facts| !facts.disabled))
    }

    /// Whether a page should offer this to the actor: they may, or may once they show their second factor. Nothing is
    /// decided by it.
    pub fn may(&self, actor: &Actor, organization: &AccountFacts, action: OrganizationAction) -> bool {
        let decision = decide_organization(actor, action, Some(organization));
        matches!(decision, Decision::Allow | Decision::SecondFactorRequired)
    }

    /// Every organization, in the order of their names.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self) -> Result<Vec<ListedOrganization>> {
        let rows = store::list_organizations(self.db.reads()).await?;
        let listed = |row: store::ListedOrganization| ListedOrganization {
            name: row.name,
            members: row.members,
            packages: row.packages,
        };
        Ok(rows.into_iter().map(listed).collect())
    }

    /// Asks whether `actor` may do this to the organization. A change that is refused to a user is written down.
    ///
    /// # Errors
    /// The refusal, with the status that its decision has.
    pub async fn permit(
        &self,
        actor: &Actor,
        name: &AccountName,
        action: OrganizationAction,
    ) -> Result<OrganizationPermit> {
        let organization = match self.users.find_account(name).await? {
            Some((id, _)) => self.users.facts(id).await?,
            None => None,
        };
        let scope = organization.as_ref().map(|organization| organization.id);
        let asked = permit_organization(actor, action, organization.clone());
        let answer = if matches!(asked, Err(Decision::SecondFactorRequired)) {
            let confirmed = self.second_factor.confirm(actor, &format!("@{name}")).await?;
            permit_organization(&confirmed, action, organization)
        } else {
            asked
        };
        match answer {
            Ok(permit) => Ok(permit),
            Err(decision) => {
                let refusal = refusal::explain(&decision, actor, name);
                let is_change = action.changes() && matches!(actor, Actor::User(_));
                if is_change {
                    self.record_refusal(actor, name, scope, &refusal).await;
                }
                Err(refusal)
            }
        }
    }

    async fn record_refusal(&self, actor: &Actor, name: &AccountName, scope: Option<AccountId>, refusal: &Error) {
        let event = audit::Event {
            action: "organization.change",
            subject: name.as_str(),
            scope,
            outcome: Outcome::Refused,
            detail: json!({ "code": refusal.code() }),
        };
        let write = async {
            let mut transaction = self.db.begin().await?;
            audit::record(&mut transaction, &By::from(actor), &event, self.clock.now()).await?;
            transaction.commit().await
        };
        if let Err(cause) = write.await {
            tracing::warn!(%cause, "a refusal could not be written down");
        }
    }

    /// Locks the organization and decides again, as it is now.
    async fn lock(&self, transaction: &mut Transaction, permit: &OrganizationPermit) -> Result<OrganizationPermit> {
        let organization = permit.organization();
        store::lock(transaction, organization.id).await?;
        let actor = self.tokens.refresh(transaction, permit.actor()).await?;
        let facts = store::load_facts(transaction, organization.id).await?;
        permit_organization(&actor, permit.action(), facts)
            .map_err(|decision| refusal::explain(&decision, &actor, &organization.name))
    }

    /// Finishes a change: packuments show the new maintainers, caches hear of it, and the log has its line.
    async fn finish(
        &self,
        mut transaction: Transaction,
        permit: &OrganizationPermit,
        touched: Touched,
        action: &'static str,
        detail: Value,
    ) -> Result<()> {
        let organization = permit.organization();
        let team = match touched {
            Touched::EveryPackage => Some(None),
            Touched::PackagesOf(team) => Some(Some(team)),
            Touched::NoPackage => None,
        };
        let mut bumped = HashSet::new();
        if let Some(team) = team {
            for (id, name) in store::list_packages(&mut transaction, organization.id, team).await? {
                self.access.bump_revision(&mut transaction, &name, id).await?;
                bumped.insert(name);
            }
        }
        let event = audit::Event {
            action,
            subject: organization.name.as_str(),
            scope: Some(organization.id),
            outcome: Outcome::Done,
            detail,
        };
        audit::record(&mut transaction, &By::from(permit.actor()), &event, self.clock.now()).await?;
        transaction.announce(Change::Account(organization.id));
        transaction.commit().await?;
        // The change is made: what fails from here on is no answer to it.
        if let Some(team) = team
            && let Err(cause) = self.announce_late_packages(organization.id, team, &bumped).await
        {
            tracing::warn!(%cause, "packages that came during a change of members were not announced again");
        }
        Ok(())
    }

    /// A package that was published, or given to the team, while the change was under way was not there to be bumped. Who
    /// read it before the commit may have kept the old members in memory: this has them forgotten.
    async fn announce_late_packages(
        &self,
        organization: AccountId,
        team: Option<TeamId>,
        bumped: &HashSet<PackageName>,
    ) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let present = store::list_names(&mut transaction, organization, team).await?;
        let late: Vec<_> = present.into_iter().filter(|name| !bumped.contains(name)).collect();
        if late.is_empty() {
            return Ok(());
        }
        for name in late {
            transaction.announce(Change::Package(name));
        }
        transaction.commit().await
    }
}

/// Which packages show a change.
#[derive(Debug, Clone, Copy)]
enum Touched {
    EveryPackage,
    PackagesOf(TeamId),
    NoPackage,
}
