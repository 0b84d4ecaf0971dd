//! The judgement itself: *hide, then explain, then charge*.

use crate::clock::Time;
use crate::names::AccountName;

use super::action::{Action, Needs, Pays, Standing};
use super::actor::{Actor, Principal};
use super::facts::{
    AccountFacts, BillingFacts, ExistingPackage, OrganizationRole, PackageFacts, Permission, Visibility,
};

/// The answer to "may this actor do this to this package?". Statuses are `domain.md`'s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Allow,
    /// 401: needs an account, and the request carries none.
    Unauthenticated,
    /// 401: the request carries a credential that is unknown, expired or revoked.
    DeadCredential,
    /// 404: does not exist, or the actor may not know that it does.
    NotFound,
    /// 403: may be known, may not be done.
    Forbidden(Lack),
    /// 402: would be allowed, if this account were paid.
    PaymentRequired(AccountName),
}

/// What is missing for a yes, told only to those who may know of the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// The token may not be used from this network.
    Network,
    /// The token is read-only.
    ReadOnlyToken,
    /// The token was narrowed to other packages.
    OtherPackagesToken,
    /// The actor is no collaborator.
    Collaboration,
    /// The actor may read, and not write.
    Write,
    /// Only who owns the scope may do this.
    Administration,
}

/// Decides. Rules: `domain.md`, "Who may do what" and "Billing".
pub fn decide(actor: &Actor, action: Action, facts: &PackageFacts, billing: &BillingFacts, now: Time) -> Decision {
    let needs = action.needs();
    if let Some(refusal) = refuse_credential(actor, &needs, facts) {
        return refusal;
    }
    let standing = if action.creates() { standing_to_create(actor, facts) } else { standing_on(actor, facts) };
    if standing == Standing::Nothing {
        return Decision::NotFound;
    }
    if standing < needs.standing {
        return Decision::Forbidden(lack(needs.standing));
    }
    if needs.account && matches!(actor, Actor::Anonymous) {
        return Decision::Unauthenticated;
    }
    charge(actor, &needs, standing, facts, billing, now)
}

/// Refuses what the credential alone forbids, whatever the package: so these answers tell nothing about a name.
fn refuse_credential(actor: &Actor, needs: &Needs, facts: &PackageFacts) -> Option<Decision> {
    let open_to_all = !needs.account && visibility(facts) == Some(Visibility::Public);
    match actor {
        Actor::Anonymous if needs.changes => Some(Decision::Unauthenticated),
        Actor::Dead if !open_to_all => Some(Decision::DeadCredential),
        Actor::User(principal) if !open_to_all => refuse_token(principal, needs, facts),
        Actor::Anonymous | Actor::Dead | Actor::User(_) | Actor::Operator => None,
    }
}

fn refuse_token(principal: &Principal, needs: &Needs, facts: &PackageFacts) -> Option<Decision> {
    let token = &principal.narrowing;
    if !token.allows_address(principal.address) {
        return Some(Decision::Forbidden(Lack::Network));
    }
    if needs.changes && token.read_only {
        return Some(Decision::Forbidden(Lack::ReadOnlyToken));
    }
    if needs.changes && !token.covers(&facts.name) {
        return Some(Decision::Forbidden(Lack::OtherPackagesToken));
    }
    None
}

/// How the actor stands to a package that exists; `Nothing` where it does not, or where they may not know.
fn standing_on(actor: &Actor, facts: &PackageFacts) -> Standing {
    let Some(package) = &facts.package else { return Standing::Nothing };
    let by_nature = match package.visibility {
        Visibility::Public => Standing::Read,
        Visibility::Restricted => Standing::Nothing,
    };
    let by_right = match actor {
        Actor::Anonymous | Actor::Dead => Standing::Nothing,
        Actor::Operator => Standing::Administer,
        Actor::User(principal) if !principal.narrowing.covers(&facts.name) => Standing::Nothing,
        Actor::User(principal) => {
            ownership(&principal.account, facts.owner.as_deref()).unwrap_or_else(|| granted(principal, package))
        }
    };
    by_nature.max(by_right)
}

/// Administration by owning the scope, or by leading the organization that does.
fn ownership(account: &AccountFacts, owner: Option<&AccountFacts>) -> Option<Standing> {
    let owner = owner?;
    let leads = owner.role_of(account.id) >= Some(OrganizationRole::Admin);
    (owner.id == account.id || leads).then_some(Standing::Administer)
}

fn granted(principal: &Principal, package: &ExistingPackage) -> Standing {
    match package.granted_to(principal.account.id) {
        None => Standing::Nothing,
        Some(Permission::ReadOnly) => Standing::Collaborate,
        Some(Permission::ReadWrite) => Standing::Write,
    }
}

/// A missing package may be created by the scope's user, or by any member of the organization that owns it.
fn standing_to_create(actor: &Actor, facts: &PackageFacts) -> Standing {
    let Some(owner) = facts.owner.as_deref() else { return Standing::Nothing };
    match actor {
        Actor::Anonymous | Actor::Dead => Standing::Nothing,
        Actor::Operator => Standing::Administer,
        Actor::User(principal) if owner.id == principal.account.id => Standing::Administer,
        Actor::User(principal) => owner.role_of(principal.account.id).map_or(Standing::Nothing, |_| Standing::Write),
    }
}

fn lack(needed: Standing) -> Lack {
    match needed {
        Standing::Nothing | Standing::Read | Standing::Collaborate => Lack::Collaboration,
        Standing::Write => Lack::Write,
        Standing::Administer => Lack::Administration,
    }
}

/// Asks for the billing flag, last: only someone who may do the deed is told that it costs.
fn charge(
    actor: &Actor,
    needs: &Needs,
    standing: Standing,
    facts: &PackageFacts,
    billing: &BillingFacts,
    now: Time,
) -> Decision {
    let concerns_restricted = needs.visibility.or(visibility(facts)) == Some(Visibility::Restricted);
    let exempt = match needs.pays {
        Pays::Nobody => true,
        Pays::AllButAdministrators => standing == Standing::Administer,
        Pays::Everyone => matches!(actor, Actor::Operator),
    };
    if exempt || !concerns_restricted {
        return Decision::Allow;
    }
    match (&facts.owner, actor.account()) {
        (Some(owner), _) if !billing.owner.is_paid(now) => Decision::PaymentRequired(owner.name.clone()),
        (_, Some(account)) if billing.actor.is_some_and(|flag| !flag.is_paid(now)) => {
            Decision::PaymentRequired(account.name.clone())
        }
        _ => Decision::Allow,
    }
}

fn visibility(facts: &PackageFacts) -> Option<Visibility> {
    facts.package.as_ref().map(|package| package.visibility)
}
