//! Deeds on the instance itself, by those who administer it: accounts, plans, the work in the background. Never what is in
//! packages.

use super::action::Guard;
use super::actor::Actor;
use super::decide::{Decision, Lack, challenge};
use super::facts::PackageSecondFactor;

/// What an actor is about to do to the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InstanceAction {
    /// See accounts, names and sizes of packages, the log, how everything goes.
    See,
    /// Create accounts, switch them off and on, make administrators, help who lost their second factor.
    ChangeAccounts,
    /// Say who is paid.
    ChangePlans,
    /// Have background work done now.
    RunChores,
    /// Say something on every page.
    Announce,
}

impl InstanceAction {
    /// Every action once, for tables and tests.
    pub const ALL: [Self; 5] = [Self::See, Self::ChangeAccounts, Self::ChangePlans, Self::RunChores, Self::Announce];
}

/// Decides about a deed on the instance. Who does not administer it is told that there is no such thing; and an
/// administrator who has a second factor shows it for a mere look, too.
pub fn decide_instance(actor: &Actor, _action: InstanceAction) -> Decision {
    let principal = match actor {
        Actor::User(principal) => principal,
        Actor::Anonymous => return Decision::Unauthenticated,
        Actor::Dead => return Decision::DeadCredential,
        Actor::Operator => return Decision::Allow,
    };
    let token = &principal.narrowing;
    if !token.allows_address(principal.address) {
        return Decision::Forbidden(Lack::Network);
    }
    if !principal.account.administrator {
        return Decision::NotFound;
    }
    if token.bypasses_second_factor {
        return Decision::Forbidden(Lack::MachineToken);
    }
    if !token.is_whole() {
        return Decision::Forbidden(Lack::NarrowToken);
    }
    let asks = principal.account.second_factor.is_some();
    challenge(actor, if asks { Guard::Always } else { Guard::Open }, PackageSecondFactor::default())
}

/// Proof that an actor may do one thing to the instance. Only [`permit_instance`] makes one.
#[derive(Debug)]
pub struct InstancePermit {
    actor: Actor,
    action: InstanceAction,
}

impl InstancePermit {
    /// Who it was given to.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What it was given for.
    pub fn action(&self) -> InstanceAction {
        self.action
    }
}

/// Decides, and turns a yes into a proof.
///
/// # Errors
/// The [`Decision`] where it is not [`Decision::Allow`].
pub fn permit_instance(actor: &Actor, action: InstanceAction) -> Result<InstancePermit, Decision> {
    match decide_instance(actor, action) {
        Decision::Allow => Ok(InstancePermit { actor: actor.clone(), action }),
        refusal => Err(refusal),
    }
}
