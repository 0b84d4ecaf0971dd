//! The one decision: may this actor do this to this package, now?
//!
//! Pure: no I/O, no axum, no SQL, no configuration; the time comes in as a value. Every face asks [`decide`], and what
//! writes in a room takes the [`Permit`] that only a yes can make. The rules are `domain.md`'s, "Who may do what" and
//! "Billing"; the whole table is printed by `tests/it/policy_table.rs`.

mod account;
mod action;
mod actor;
mod decide;
mod explain;
mod facts;
mod holder;
mod instance;
mod permit;
mod scope;

pub use account::{
    AccountAction, AccountPermit, OrganizationAction, OrganizationPermit, decide_account, decide_organization,
    decide_publishing, permit_account, permit_organization,
};
pub use action::Administer;
pub use action::{Action, Intent, Read, Right, Write};
pub use actor::{Actor, Narrowing, Offer, OrganizationReach, OrganizationRight, Principal, TokenRight, TrustedDeeds};
pub use decide::{Decision, Lack, decide};
pub use explain::{Ground, grounds};
pub use facts::{
    AccountFacts, AccountKind, BillingFacts, BillingFlag, Debtor, ExistingPackage, Grant, OrganizationRole,
    PackageFacts, PackageSecondFactor, Permission, SecondFactorMode, Visibility,
};
pub use holder::HolderPermit;
pub use instance::{InstanceAction, InstancePermit, decide_instance, permit_instance};
pub use permit::{Permit, permit};
pub use scope::{ScopePermit, permit_scope};
