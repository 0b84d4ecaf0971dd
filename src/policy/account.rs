//! Deeds that concern no package: on one's own account, and on an organization.

use std::sync::Arc;

use super::action::{Action, Guard};
use super::actor::{Actor, OrganizationRight, Principal, TokenRight};
use super::decide::{Decision, Lack, challenge};
use super::facts::{AccountFacts, AccountKind, OrganizationRole, PackageSecondFactor, SecondFactorMode};

/// What an actor is about to do to their own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountAction {
    /// See profile, tokens or hooks.
    See,
    /// Change what follows the account around without widening it: hooks, stars.
    Follow,
    /// End a token: always allowed to who has the whole account in hand.
    EndToken,
    /// Pick a plan, change or end it.
    ChangeBilling,
    /// Change profile, password, tokens or the second factor itself.
    Change,
    /// Create an organization, and own it.
    CreateOrganization,
    /// Take everything of the account away.
    Export,
}

impl AccountAction {
    /// Every action once, for tables and tests.
    pub const ALL: [Self; 7] = [
        Self::See,
        Self::Follow,
        Self::EndToken,
        Self::ChangeBilling,
        Self::Change,
        Self::CreateOrganization,
        Self::Export,
    ];
}

/// Decides about a deed on the actor's own account. Only a token that is worth its whole user changes the account; and
/// an account with a second factor, in whichever mode, is asked for it (`protocol.md` 1.7, `security.md` 2.3).
pub fn decide_account(actor: &Actor, action: AccountAction) -> Decision {
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
    // It is the owner's of a scope only in name: a job of some CI has no business in anybody's profile.
    if matches!(token.right, TokenRight::Trusted(_)) {
        return Decision::Forbidden(Lack::NarrowToken);
    }
    if action == AccountAction::See {
        return Decision::Allow;
    }
    match token.right {
        TokenRight::Everything => {}
        TokenRight::ReadOnly => return Decision::Forbidden(Lack::ReadOnlyToken),
        _ => return Decision::Forbidden(Lack::NarrowToken),
    }
    if token.bypasses_second_factor {
        return Decision::Forbidden(Lack::MachineToken);
    }
    if !token.is_whole() {
        return Decision::Forbidden(Lack::NarrowToken);
    }
    let asks = action != AccountAction::Follow && principal.account.second_factor.is_some();
    challenge(actor, if asks { Guard::Always } else { Guard::Open }, PackageSecondFactor::default())
}

/// Proof that an actor may do one thing to their own account. Only [`permit_account`] makes one, and what writes takes one.
#[derive(Debug)]
pub struct AccountPermit {
    principal: Principal,
    action: AccountAction,
}

impl AccountPermit {
    /// The account.
    pub fn account(&self) -> &Arc<AccountFacts> {
        &self.principal.account
    }

    /// Who acts: the account, through a token.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What it was given for.
    pub fn action(&self) -> AccountAction {
        self.action
    }
}

/// Decides, and turns a yes into a proof.
///
/// # Errors
/// The [`Decision`] where it is not [`Decision::Allow`]; [`Decision::Unauthenticated`] for the operator, who has no
/// account and doors of their own.
pub fn permit_account(actor: &Actor, action: AccountAction) -> Result<AccountPermit, Decision> {
    match (decide_account(actor, action), actor) {
        (Decision::Allow, Actor::User(principal)) => Ok(AccountPermit { principal: principal.clone(), action }),
        (Decision::Allow, _) => Err(Decision::Unauthenticated),
        (refusal, _) => Err(refusal),
    }
}

/// Decides whether the credential allows publishing at all, before anything is known of what: each package is decided
/// about once it is.
pub fn decide_publishing(actor: &Actor) -> Decision {
    let principal = match actor {
        Actor::User(principal) => principal,
        Actor::Dead => return Decision::DeadCredential,
        // A version has an author, and the operator is none.
        Actor::Anonymous | Actor::Operator => return Decision::Unauthenticated,
    };
    let token = &principal.narrowing;
    if !token.allows_address(principal.address) {
        return Decision::Forbidden(Lack::Network);
    }
    match token.right {
        right if right.allows(Action::Publish) => Decision::Allow,
        TokenRight::ReadOnly => Decision::Forbidden(Lack::ReadOnlyToken),
        _ => Decision::Forbidden(Lack::NarrowToken),
    }
}

/// What an actor is about to do to an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrganizationAction {
    /// See members and teams.
    See,
    /// Create teams, remove them, and say who is in them.
    ChangeTeams,
    /// Say who is a member, and in which role.
    ChangeMembers,
    /// See what it pays, and for how many.
    SeeBilling,
    /// Pick a plan for it, change or end it.
    ChangeBilling,
    /// Take oneself out.
    Leave,
    /// Read the log of what was done in it.
    SeeLog,
    /// Change its settings.
    ChangeSettings,
    /// Close it for good.
    Close,
    /// Take everything of it away.
    Export,
}

impl OrganizationAction {
    /// Every action once, for tables and tests.
    pub const ALL: [Self; 10] = [
        Self::See,
        Self::ChangeTeams,
        Self::ChangeMembers,
        Self::SeeBilling,
        Self::ChangeBilling,
        Self::Leave,
        Self::SeeLog,
        Self::ChangeSettings,
        Self::Close,
        Self::Export,
    ];

    fn needed_role(self) -> OrganizationRole {
        match self {
            Self::See | Self::Leave => OrganizationRole::Member,
            Self::ChangeTeams => OrganizationRole::Admin,
            Self::ChangeMembers
            | Self::SeeBilling
            | Self::ChangeBilling
            | Self::SeeLog
            | Self::ChangeSettings
            | Self::Close
            | Self::Export => OrganizationRole::Owner,
        }
    }

    /// Whether it changes something, or weighs as much: what takes everything away is no mere look.
    pub fn changes(self) -> bool {
        !matches!(self, Self::See | Self::SeeBilling | Self::SeeLog)
    }
}

/// Decides about a deed on an organization, by npm's table of roles (`protocol.md` 6.6 and 6.7). Accounts are public
/// knowledge, so that an organization is not hidden; who its members are, is.
pub fn decide_organization(actor: &Actor, action: OrganizationAction, organization: Option<&AccountFacts>) -> Decision {
    let organization = organization.filter(|account| account.kind == AccountKind::Organization);
    let principal = match actor {
        Actor::User(principal) => principal,
        Actor::Anonymous => return Decision::Unauthenticated,
        Actor::Dead => return Decision::DeadCredential,
        Actor::Operator => return organization.map_or(Decision::NotFound, |_| Decision::Allow),
    };
    let token = &principal.narrowing;
    if !token.allows_address(principal.address) {
        return Decision::Forbidden(Lack::Network);
    }
    let changes = action.changes();
    if changes && token.organizations.right == OrganizationRight::Read {
        return Decision::Forbidden(Lack::ReadOnlyToken);
    }
    if changes && token.bypasses_second_factor {
        return Decision::Forbidden(Lack::MachineToken);
    }
    let Some(organization) = organization else { return Decision::NotFound };
    let right = if changes { OrganizationRight::Write } else { OrganizationRight::Read };
    if !token.reaches_organization(&organization.name, right) {
        return Decision::Forbidden(Lack::NarrowToken);
    }
    match organization.role_of(principal.account.id) {
        None => return Decision::Forbidden(Lack::Membership),
        Some(role) if role < action.needed_role() => return Decision::Forbidden(Lack::Role(action.needed_role())),
        Some(_) => {}
    }
    let stays_open = matches!(action, OrganizationAction::See | OrganizationAction::Leave);
    if !stays_open && organization.misses_second_factor_of(&principal.account) {
        return Decision::Forbidden(Lack::MemberSecondFactor);
    }
    let mode = principal.account.second_factor;
    let asks = if action == OrganizationAction::Export {
        mode.is_some()
    } else {
        changes && mode == Some(SecondFactorMode::AuthAndWrites)
    };
    challenge(actor, if asks { Guard::Always } else { Guard::Open }, PackageSecondFactor::default())
}

/// Proof that one actor may do one thing to one organization. Only [`permit_organization`] makes one.
#[derive(Debug)]
pub struct OrganizationPermit {
    organization: Arc<AccountFacts>,
    actor: Actor,
    action: OrganizationAction,
}

impl OrganizationPermit {
    /// The organization, as it was at the time of the decision.
    pub fn organization(&self) -> &Arc<AccountFacts> {
        &self.organization
    }

    /// Who it was given to.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What it was given for.
    pub fn action(&self) -> OrganizationAction {
        self.action
    }
}

/// Decides, and turns a yes into a proof.
///
/// # Errors
/// The [`Decision`] where it is not [`Decision::Allow`].
pub fn permit_organization(
    actor: &Actor,
    action: OrganizationAction,
    organization: Option<Arc<AccountFacts>>,
) -> Result<OrganizationPermit, Decision> {
    match (decide_organization(actor, action, organization.as_deref()), organization) {
        (Decision::Allow, Some(organization)) => Ok(OrganizationPermit { organization, actor: actor.clone(), action }),
        (Decision::Allow, None) => Err(Decision::NotFound),
        (refusal, _) => Err(refusal),
    }
}
