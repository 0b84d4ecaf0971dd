//! Deeds that concern every package of a scope at once.

use std::sync::Arc;

use crate::clock::Time;
use crate::names::{AccountId, PackageName};

use super::action::{Action, Administer, Intent};
use super::actor::Actor;
use super::decide::{Decision, Lack, decide};
use super::facts::{AccountFacts, BillingFacts, PackageFacts};

/// Proof that one actor may do one thing to every package of a scope. Only [`permit_scope`] makes one.
#[derive(Debug)]
pub struct ScopePermit {
    owner: Arc<AccountFacts>,
    actor: Actor,
    action: Action,
}

impl ScopePermit {
    /// The account that owns the scope.
    pub fn owner(&self) -> AccountId {
        self.owner.id
    }

    /// The scope with its `@`.
    pub fn scope(&self) -> String {
        format!("@{}", self.owner.name)
    }

    /// Who it was given to.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What it was given for.
    pub fn action(&self) -> Action {
        self.action
    }
}

/// Decides as about a package of the scope that does not exist yet: so it takes standing on the scope itself, and no
/// grant on any package helps. A token that was made for single packages is not enough either.
///
/// # Errors
/// The [`Decision`] where it is not [`Decision::Allow`].
pub fn permit_scope(
    actor: &Actor,
    intent: Intent<Administer>,
    owner: &Arc<AccountFacts>,
    now: Time,
) -> Result<ScopePermit, Decision> {
    let action = intent.action();
    // Any name of the scope will do: there is no such package, and the owner's standing is the same for all.
    let name: PackageName = format!("@{}/x", owner.name).parse().map_err(|_| Decision::NotFound)?;
    let facts = PackageFacts { name, owner: Some(owner.clone()), package: None };
    let billing = BillingFacts::of(Some(owner), actor.account());
    match decide(actor, action, &facts, &billing, now) {
        refusal @ (Decision::Unauthenticated | Decision::DeadCredential | Decision::NotFound) => Err(refusal),
        // The name above may be one of them.
        _ if is_for_single_packages(actor, owner) => Err(Decision::Forbidden(Lack::OtherPackagesToken)),
        Decision::Allow => Ok(ScopePermit { owner: owner.clone(), actor: actor.clone(), action }),
        refusal => Err(refusal),
    }
}

fn is_for_single_packages(actor: &Actor, owner: &AccountFacts) -> bool {
    let Actor::User(principal) = actor else { return false };
    let patterns = &principal.narrowing.packages;
    !patterns.is_empty() && !patterns.iter().any(|pattern| pattern.covers_scope(&owner.name))
}
