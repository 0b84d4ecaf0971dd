//! Who may see and change a package: visibility, collaborators, and the permits that other rooms ask for.
//!
//! This room loads what a decision needs to know and asks `policy`; it decides nothing itself.

mod collaborators;
mod explain;
mod grantee;
mod overview;
mod refusal;
mod reminders;
mod shares;
mod store;
mod teams;
mod within;

use std::sync::Arc;

use serde_json::json;
use sqlx::PgConnection;

use crate::audit::{self, By, Outcome};
use crate::clock::Clock;
use crate::db::{Change, Db, Transaction};
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, PackageId, PackageName};
use crate::policy::{
    Actor, Administer, Decision, ExistingPackage, Intent, PackageFacts, PackageSecondFactor, Permission, Permit, Right,
    ScopePermit, Visibility, permit_scope,
};
use crate::second_factor::SecondFactor;
use crate::tokens::Tokens;

use store::{Grants, Listed};

pub use collaborators::{Collaborator, OwnersChange, Term, removal_intent};
pub use explain::{Explanation, Verdict};
pub use grantee::Grantee;
pub use overview::{Administrator, Given, Overview, PersonAccess, TeamAccess, ThroughTeam};
pub use shares::Share;
pub(crate) use store::find_team;

/// Handle to visibility and collaborators.
#[derive(Debug, Clone)]
pub struct Access {
    db: Db,
    clock: Clock,
    tokens: Tokens,
    second_factor: SecondFactor,
    public_url: Arc<str>,
}

/// A package held by a transaction, with everything a decision needs as it is now.
#[derive(Debug)]
pub struct Locked {
    /// Who asks; dead, if their token was revoked meanwhile.
    pub actor: Actor,
    /// What is known of the package.
    pub facts: PackageFacts,
}

impl Access {
    /// Sets the room up; refusals name pages below `public_url`.
    pub fn new(db: Db, clock: Clock, tokens: Tokens, second_factor: SecondFactor, public_url: Arc<str>) -> Self {
        Self { db, clock, tokens, second_factor, public_url }
    }

    /// Loads all that is known of a name.
    ///
    /// # Errors
    /// The database's.
    pub async fn load_facts(&self, name: &PackageName) -> Result<PackageFacts> {
        store::load_facts(self.db.reads(), name, Grants::All).await
    }

    /// Loads what a decision about one actor needs: one query and the same work, whether there is such a package or
    /// not, and however many others it is shared with.
    ///
    /// # Errors
    /// The database's.
    pub async fn load_facts_for(&self, actor: &Actor, name: &PackageName) -> Result<PackageFacts> {
        store::load_facts(self.db.reads(), name, Grants::Of(actor.account_id())).await
    }

    /// Loads the same of many names at once, and of those only whose scope somebody has; the names of other scopes are
    /// left out.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_facts_for(&self, actor: &Actor, names: &[PackageName]) -> Result<Vec<PackageFacts>> {
        store::list_facts_named(self.db.reads(), names, actor.account_id()).await
    }

    /// Asks whether `actor` may do what `intent` says, as the database knows it now.
    ///
    /// # Errors
    /// The refusal, with the status that its decision has.
    pub async fn permit<R: Right>(&self, actor: &Actor, name: &PackageName, intent: Intent<R>) -> Result<Permit<R>> {
        let facts = self.load_facts_for(actor, name).await?;
        self.permit_known(actor, &facts, intent).await
    }

    /// Asks the same of facts that were just loaded for this actor. Where the answer is to ask for the second factor, what
    /// the request offers is looked at, and the actor of the permit is confirmed: go on with that one. A change that is
    /// refused to a user is written down.
    ///
    /// # Errors
    /// As [`Access::permit`].
    pub async fn permit_known<R: Right>(
        &self,
        actor: &Actor,
        facts: &PackageFacts,
        intent: Intent<R>,
    ) -> Result<Permit<R>> {
        self.permit_for(actor, facts, intent, facts.name.as_str()).await
    }

    /// The same as part of a change of more than this package: `subject` is what somebody who is asked for their second
    /// factor is told that they confirm.
    ///
    /// # Errors
    /// As [`Access::permit`].
    pub async fn permit_for<R: Right>(
        &self,
        actor: &Actor,
        facts: &PackageFacts,
        intent: Intent<R>,
        subject: &str,
    ) -> Result<Permit<R>> {
        let outcome = match crate::policy::permit(actor, intent, facts, self.clock.now()) {
            Err(Decision::SecondFactorRequired) => {
                let confirmed = self.second_factor.confirm(actor, subject).await?;
                self.permit_on(&confirmed, facts, intent)
            }
            Ok(permit) => Ok(permit),
            Err(refusal) => Err(self.refusal(&refusal, actor, &facts.name)),
        };
        if let (Err(refusal), Actor::User(_), true) = (&outcome, actor, intent.action().changes()) {
            let (action, code) = (intent.action().audit_name(), refusal.code());
            if let Err(cause) = self.record_refusal(actor, facts, action, code).await {
                tracing::warn!(%cause, "a refusal could not be written down");
            }
        }
        outcome
    }

    async fn record_refusal(
        &self,
        actor: &Actor,
        facts: &PackageFacts,
        action: &'static str,
        code: &'static str,
    ) -> Result<()> {
        let event = audit::Event {
            action,
            subject: facts.name.as_str(),
            scope: facts.owner.as_ref().map(|owner| owner.id),
            outcome: Outcome::Refused,
            detail: json!({ "code": code }),
        };
        let mut transaction = self.db.begin().await?;
        audit::record(&mut transaction, &By::from(actor), &event, self.clock.now()).await?;
        transaction.commit().await
    }

    /// Asks the same of facts that were loaded before, and writes nothing down.
    ///
    /// # Errors
    /// As [`Access::permit`].
    pub fn permit_on<R: Right>(&self, actor: &Actor, facts: &PackageFacts, intent: Intent<R>) -> Result<Permit<R>> {
        crate::policy::permit(actor, intent, facts, self.clock.now())
            .map_err(|decision| self.refusal(&decision, actor, &facts.name))
    }

    /// Whether who asks may publish at all, before it is known what.
    ///
    /// # Errors
    /// What the credential alone forbids.
    pub fn may_publish_at_all(&self, actor: &Actor) -> Result<()> {
        match crate::policy::decide_publishing(actor) {
            Decision::Allow => Ok(()),
            refusal => Err(refusal::explain_credential(&refusal, &self.public_url)),
        }
    }

    /// Asks whether `actor` may do this to every package of a scope.
    ///
    /// # Errors
    /// The refusal, with the status that its decision has; `NotFound` for a scope that nobody owns.
    pub async fn permit_scope(
        &self,
        actor: &Actor,
        scope: &AccountName,
        intent: Intent<Administer>,
    ) -> Result<ScopePermit> {
        let missing = || Error::NotFound(format!("There is no scope @{scope}, or you do not administer it.").into());
        let mut connection = self.db.reads().acquire().await?;
        let owner = store::find_owner(&mut connection, scope).await?.ok_or_else(missing)?;
        let owner = crate::users::load_account_facts(&mut connection, owner).await?.ok_or_else(missing)?;
        drop(connection);
        let explain = |decision: Decision| match decision {
            Decision::NotFound => missing(),
            decision => refusal::explain_scope(&decision, actor, scope),
        };
        match permit_scope(actor, intent, &owner, self.clock.now()) {
            Err(Decision::SecondFactorRequired) => {
                let confirmed = self.second_factor.confirm(actor, &format!("@{scope}")).await?;
                permit_scope(&confirmed, intent, &owner, self.clock.now()).map_err(explain)
            }
            outcome => outcome.map_err(explain),
        }
    }

    /// The error that a refusal is.
    pub fn refusal(&self, decision: &Decision, actor: &Actor, name: &PackageName) -> Error {
        refusal::explain(decision, actor, name, &self.public_url)
    }

    /// Locks the package for a change, and loads the actor and the facts as they are now: a decision from before an
    /// upload, or from before someone else's change, is not good enough to write by.
    ///
    /// # Errors
    /// The database's.
    pub async fn lock(&self, transaction: &mut PgConnection, actor: &Actor, name: &PackageName) -> Result<Locked> {
        store::lock(transaction, name).await?;
        let actor = self.tokens.refresh(transaction, actor).await?;
        let facts = store::load_facts(&mut *transaction, name, Grants::All).await?;
        Ok(Locked { actor, facts })
    }

    /// The actor as the database has them now, for a change that is no package's: what began before a slow body must not
    /// be done by a token that was revoked meanwhile.
    ///
    /// # Errors
    /// `DeadCredential`; the database's.
    pub async fn refresh(&self, connection: &mut PgConnection, actor: &Actor) -> Result<Actor> {
        self.tokens.refresh_living(connection, actor).await
    }

    /// Locks the package, and asks for a permit by what is known then.
    ///
    /// # Errors
    /// The refusal, with the status that its decision has.
    pub async fn lock_and_permit<R: Right>(
        &self,
        transaction: &mut PgConnection,
        actor: &Actor,
        name: &PackageName,
        intent: Intent<R>,
    ) -> Result<(Permit<R>, PackageFacts)> {
        let Locked { actor, facts } = self.lock(transaction, actor, name).await?;
        let permit = self.permit_on(&actor, &facts, intent)?;
        Ok((permit, facts))
    }

    /// Grows the package's revision and announces the change; every change of a package ends with it. Returns the new
    /// revision.
    ///
    /// # Errors
    /// The database's.
    pub async fn bump_revision(
        &self,
        transaction: &mut Transaction,
        name: &PackageName,
        package: PackageId,
    ) -> Result<i64> {
        transaction.announce(Change::Package(name.clone()));
        store::bump_revision(transaction, package, self.clock.now()).await
    }

    /// Makes a package public or restricted.
    ///
    /// # Errors
    /// The refusal, where the permit no longer holds.
    pub async fn set_visibility(&self, permit: &Permit<Administer>, visibility: Visibility) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let intent = Intent::set_visibility(visibility);
        let (permit, facts) = self.lock_and_permit(&mut transaction, permit.actor(), permit.name(), intent).await?;
        self.change_visibility(&mut transaction, &permit, &facts, visibility).await?;
        transaction.commit().await
    }

    /// Says whether publishing the package asks for a second factor.
    ///
    /// # Errors
    /// The refusal, where the permit no longer holds; `Unprocessable` for who has no second factor themselves.
    pub async fn set_second_factor(&self, permit: &Permit<Administer>, wanted: PackageSecondFactor) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let intent = Intent::REQUIRE_SECOND_FACTOR;
        let (permit, facts) = self.lock_and_permit(&mut transaction, permit.actor(), permit.name(), intent).await?;
        let package = existing(&facts)?;
        if package.second_factor == wanted {
            return Ok(());
        }
        require_own_second_factor(&permit, wanted)?;
        store::set_second_factor(&mut transaction, package.id, wanted).await?;
        let detail = json!({
            "publish_requires": wanted.publish_requires,
            "automation_overrides": wanted.automation_overrides,
        });
        self.record(&mut transaction, &permit, &facts, detail).await?;
        transaction.commit().await
    }

    /// The same inside a caller's transaction that has locked the package, for a publish that says `access`.
    ///
    /// # Errors
    /// The database's.
    pub async fn change_visibility(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<Administer>,
        facts: &PackageFacts,
        visibility: Visibility,
    ) -> Result<()> {
        let package = existing(facts)?;
        if package.visibility == visibility {
            return Ok(());
        }
        store::set_visibility(transaction, package.id, visibility).await?;
        let detail = json!({ "visibility": visibility.as_str() });
        self.record(transaction, permit, facts, detail).await
    }

    /// The packages in the scope of `account`, and those shared with it, that `viewer` may see; with what `account` may
    /// do there. For `npm access list packages`.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_packages(&self, account: AccountId, viewer: &Actor) -> Result<Vec<(PackageName, Permission)>> {
        let listed = self.list_facts_of(account, viewer).await?;
        let now = self.clock.now();
        let level = |facts: PackageFacts| facts.permission_of(account, now).map(|level| (facts.name, level));
        Ok(listed.into_iter().filter_map(level).collect())
    }

    /// The same packages with all that is known of each.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_facts_of(&self, account: AccountId, viewer: &Actor) -> Result<Vec<PackageFacts>> {
        let mut listed = store::list_facts(self.db.reads(), Listed::Of(account), viewer.account_id()).await?;
        listed.retain(|facts| self.permit_on(viewer, facts, Intent::INSPECT).is_ok());
        Ok(listed)
    }

    /// Of these packages those that `viewer` may see, in the order of their names.
    ///
    /// # Errors
    /// The database's.
    pub async fn visible_among(&self, packages: &[PackageId], viewer: &Actor) -> Result<Vec<PackageName>> {
        let listed = store::list_facts(self.db.reads(), Listed::Among(packages), viewer.account_id()).await?;
        let visible = listed.into_iter().filter(|facts| self.permit_on(viewer, facts, Intent::INSPECT).is_ok());
        Ok(visible.map(|facts| facts.name).collect())
    }

    /// Bumps the revision and writes the audit line: what every change of access has in common.
    async fn record<R: Right>(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<R>,
        facts: &PackageFacts,
        detail: serde_json::Value,
    ) -> Result<()> {
        self.bump_revision(transaction, &facts.name, existing(facts)?.id).await?;
        let event = audit::Event {
            action: permit.action().audit_name(),
            subject: facts.name.as_str(),
            scope: permit.owner(),
            outcome: Outcome::Done,
            detail,
        };
        audit::record(transaction, &By::from(permit.actor()), &event, self.clock.now()).await
    }
}

/// Who asks others for what they have not themselves could neither publish any more nor take it back.
fn require_own_second_factor(permit: &Permit<Administer>, wanted: PackageSecondFactor) -> Result<()> {
    let has_none = permit.actor().account().is_some_and(|account| account.second_factor.is_none());
    if !wanted.publish_requires || !has_none {
        return Ok(());
    }
    Err(Error::Unprocessable(
        format!(
            "Your account has no second factor, so you would lock yourself out of {}. Set one up first: npm profile \
             enable-2fa.",
            permit.name()
        )
        .into(),
    ))
}

/// A permit for anything but creating is only given where the package exists.
fn existing(facts: &PackageFacts) -> Result<&ExistingPackage> {
    facts.package.as_deref().ok_or_else(|| Error::internal("a permit was given for a package that does not exist"))
}
