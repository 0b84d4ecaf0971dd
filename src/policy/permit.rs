//! The proof that [`decide`] said yes.

use std::marker::PhantomData;

use crate::clock::Time;
use crate::names::{AccountId, PackageId, PackageName};

use super::action::{Action, Intent, Right};
use super::actor::Actor;
use super::decide::{Decision, decide};
use super::facts::{BillingFacts, PackageFacts};

/// Proof that one actor may do one thing to one package. Only [`permit`] makes one, and what writes takes one.
///
/// It speaks of the moment of the decision: an upload may outlive it, so a publish asks again under the row lock.
#[derive(Debug)]
pub struct Permit<R: Right> {
    name: PackageName,
    package: Option<PackageId>,
    owner: Option<AccountId>,
    actor: Actor,
    action: Action,
    right: PhantomData<R>,
}

impl<R: Right> Permit<R> {
    /// The package it is for.
    pub fn name(&self) -> &PackageName {
        &self.name
    }

    /// The package's row, where the package existed at the time of the decision.
    pub fn package(&self) -> Option<PackageId> {
        self.package
    }

    /// The account that owns the scope.
    pub fn owner(&self) -> Option<AccountId> {
        self.owner
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

/// Decides, and turns a yes into a proof.
///
/// # Errors
/// The [`Decision`] where it is not [`Decision::Allow`].
pub fn permit<R: Right>(
    actor: &Actor,
    intent: Intent<R>,
    facts: &PackageFacts,
    now: Time,
) -> Result<Permit<R>, Decision> {
    let billing = BillingFacts::of(facts.owner.as_deref(), actor.account());
    match decide(actor, intent.action, facts, &billing, now) {
        Decision::Allow => Ok(Permit {
            name: facts.name.clone(),
            package: facts.package.as_ref().map(|package| package.id),
            owner: facts.owner.as_ref().map(|owner| owner.id),
            actor: actor.clone(),
            action: intent.action,
            right: PhantomData,
        }),
        refusal => Err(refusal),
    }
}
