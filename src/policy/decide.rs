//! The judgement itself: *hide, then explain, then charge, then ask for the second factor*.

use crate::clock::Time;

use super::action::{Action, Guard, Needs, Pays, Standing};
use super::actor::{Actor, Principal, TokenRight};
use super::facts::{
    AccountFacts, BillingFacts, Debtor, ExistingPackage, OrganizationRole, PackageFacts, PackageSecondFactor,
    Permission, SecondFactorMode, Visibility,
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
    PaymentRequired(Debtor),
    /// 401 with a challenge: would be done, if the request showed a second factor.
    SecondFactorRequired,
}

/// What is missing for a yes, told only to those who may know of the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// The token may not be used from this network.
    Network,
    /// The token is read-only.
    ReadOnlyToken,
    /// The token may only put versions up for approval, or do what a trusted publisher was given.
    NarrowToken,
    /// The token was narrowed to other packages.
    OtherPackagesToken,
    /// The token stands in for a second factor, which is not good enough here.
    MachineToken,
    /// The deed takes a second factor, and the account has none.
    SecondFactor,
    /// The organization asks its members for a second factor, and this one has none.
    MemberSecondFactor,
    /// The actor is no collaborator.
    Collaboration,
    /// The actor may read, and not write.
    Write,
    /// Only who owns the scope may do this.
    Administration,
    /// Only members of the organization may do this.
    Membership,
    /// Only members in this role, or a higher one, may do this.
    Role(OrganizationRole),
}

impl Lack {
    /// What is missing, as a word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::ReadOnlyToken | Self::NarrowToken => "token-right",
            Self::OtherPackagesToken => "token-reach",
            Self::MachineToken => "login",
            Self::SecondFactor | Self::MemberSecondFactor => "second-factor",
            Self::Collaboration => "access",
            Self::Write => "read-write",
            Self::Administration => "administration",
            Self::Membership => "membership",
            Self::Role(_) => "role",
        }
    }

    /// The stable code of the refusal (`protocol.md` 1.5).
    pub fn code(self) -> &'static str {
        match self {
            Self::Collaboration => "SR-ACCESS-01",
            Self::Write => "SR-ACCESS-02",
            Self::Administration => "SR-ACCESS-05",
            Self::Membership => "SR-ACCESS-06",
            Self::Role(_) => "SR-ACCESS-07",
            Self::SecondFactor | Self::MemberSecondFactor => "SR-AUTH-05",
            Self::Network => "SR-TOKEN-01",
            Self::ReadOnlyToken => "SR-TOKEN-02",
            Self::NarrowToken => "SR-TOKEN-03",
            Self::OtherPackagesToken => "SR-TOKEN-04",
            Self::MachineToken => "SR-TOKEN-05",
        }
    }
}

/// Decides. Rules: `domain.md`, "Who may do what" and "Billing".
pub fn decide(actor: &Actor, action: Action, facts: &PackageFacts, billing: &BillingFacts, now: Time) -> Decision {
    let needs = action.needs();
    if let Some(refusal) = refuse_credential(actor, action, &needs, facts) {
        return refusal;
    }
    let comes_before = action.may_precede() && facts.package.is_none();
    let to_create = action.creates() || comes_before;
    let standing = if to_create { standing_to_create(actor, facts) } else { standing_on(actor, facts, now) };
    if standing == Standing::Nothing {
        return Decision::NotFound;
    }
    if standing < needs.standing {
        return Decision::Forbidden(lack(needs.standing));
    }
    if needs.account && matches!(actor, Actor::Anonymous) {
        return Decision::Unauthenticated;
    }
    if misses_member_factor(actor, action, &needs, facts) {
        return Decision::Forbidden(Lack::MemberSecondFactor);
    }
    if let Some(payer) = charge(actor, &needs, standing, facts, billing, now) {
        return Decision::PaymentRequired(payer);
    }
    let package = facts.package.as_ref().map(|package| package.second_factor).unwrap_or_default();
    challenge(actor, needs.guard, package)
}

/// Refuses what the credential alone forbids, whatever the package: so these answers tell nothing about a name.
fn refuse_credential(actor: &Actor, action: Action, needs: &Needs, facts: &PackageFacts) -> Option<Decision> {
    let open_to_all = !needs.account && visibility(facts) == Some(Visibility::Public);
    match actor {
        Actor::Anonymous if needs.changes => Some(Decision::Unauthenticated),
        Actor::Dead if !open_to_all => Some(Decision::DeadCredential),
        Actor::User(principal) if !open_to_all => refuse_token(principal, action, facts),
        Actor::Anonymous | Actor::Dead | Actor::User(_) | Actor::Operator => None,
    }
}

fn refuse_token(principal: &Principal, action: Action, facts: &PackageFacts) -> Option<Decision> {
    let token = &principal.narrowing;
    if !token.allows_address(principal.address) {
        return Some(Decision::Forbidden(Lack::Network));
    }
    if !action.changes() {
        return None;
    }
    let lack = match token.right {
        right if right.allows(action) => (!token.covers(&facts.name)).then_some(Lack::OtherPackagesToken),
        TokenRight::ReadOnly => Some(Lack::ReadOnlyToken),
        _ => Some(Lack::NarrowToken),
    };
    lack.map(Decision::Forbidden)
}

/// How the actor stands to a package that exists; `Nothing` where it does not, or where they may not know.
fn standing_on(actor: &Actor, facts: &PackageFacts, now: Time) -> Standing {
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
            ownership(&principal.account, facts.owner.as_deref()).unwrap_or_else(|| granted(principal, package, now))
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

fn granted(principal: &Principal, package: &ExistingPackage, now: Time) -> Standing {
    match package.granted_to(principal.account.id, now) {
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
        Actor::User(principal) if !principal.narrowing.covers(&facts.name) => Standing::Nothing,
        Actor::User(principal) => ownership(&principal.account, Some(owner))
            .unwrap_or_else(|| owner.role_of(principal.account.id).map_or(Standing::Nothing, |_| Standing::Write)),
    }
}

/// Whether an organization shuts a member out for want of a second factor: from all but what anyone may read, being told
/// why, and leaving. A trusted publisher is no person.
fn misses_member_factor(actor: &Actor, action: Action, needs: &Needs, facts: &PackageFacts) -> bool {
    let (Actor::User(principal), Some(owner)) = (actor, facts.owner.as_deref()) else { return false };
    let open_to_all = !needs.account && visibility(facts) == Some(Visibility::Public);
    let stays_open = open_to_all || matches!(action, Action::Explain | Action::Leave);
    let is_trusted = matches!(principal.narrowing.right, TokenRight::Trusted(_));
    !stays_open && !is_trusted && owner.misses_second_factor_of(&principal.account)
}

fn lack(needed: Standing) -> Lack {
    match needed {
        Standing::Nothing | Standing::Read | Standing::Collaborate => Lack::Collaboration,
        Standing::Write => Lack::Write,
        Standing::Administer => Lack::Administration,
    }
}

/// Asks for the billing flag: only someone who may do the deed is told that it costs, and who has to pay.
fn charge(
    actor: &Actor,
    needs: &Needs,
    standing: Standing,
    facts: &PackageFacts,
    billing: &BillingFacts,
    now: Time,
) -> Option<Debtor> {
    let concerns_restricted = needs.visibility.or(visibility(facts)) == Some(Visibility::Restricted);
    let exempt = match needs.pays {
        Pays::Nobody => true,
        Pays::AllButAdministrators => standing == Standing::Administer,
        Pays::Everyone => matches!(actor, Actor::Operator),
    };
    if exempt || !concerns_restricted {
        return None;
    }
    match (&facts.owner, actor.account()) {
        (Some(owner), _) if !billing.owner.is_paid(now) => Some(Debtor::from(&**owner)),
        (_, Some(account)) if billing.actor.is_some_and(|flag| !flag.is_paid(now)) => Some(Debtor::from(account)),
        _ => None,
    }
}

/// Asks for the second factor, last: nobody types a code for what will be refused anyway.
pub(super) fn challenge(actor: &Actor, guard: Guard, package: PackageSecondFactor) -> Decision {
    let Actor::User(principal) = actor else { return Decision::Allow };
    let mode = principal.account.second_factor;
    let is_asked = match guard {
        Guard::Open => false,
        Guard::Change | Guard::Setting => mode == Some(SecondFactorMode::AuthAndWrites) || package.publish_requires,
        Guard::Always => true,
    };
    let is_trusted = matches!(principal.narrowing.right, TokenRight::Trusted(_));
    let stands_in = is_trusted
        || (principal.narrowing.bypasses_second_factor && (!package.publish_requires || package.automation_overrides));
    match guard {
        Guard::Setting | Guard::Always if principal.narrowing.bypasses_second_factor => {
            Decision::Forbidden(Lack::MachineToken)
        }
        Guard::Change if stands_in => Decision::Allow,
        _ if !is_asked || principal.confirmed => Decision::Allow,
        _ if mode.is_none() => Decision::Forbidden(Lack::SecondFactor),
        _ => Decision::SecondFactorRequired,
    }
}

fn visibility(facts: &PackageFacts) -> Option<Visibility> {
    facts.package.as_ref().map(|package| package.visibility)
}
