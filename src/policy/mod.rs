//! The one decision: may this actor do this to this package, now?
//!
//! Pure: no I/O, no axum, no SQL, no configuration; the time comes in as a value. Every face asks [`decide`], and what
//! writes in a room takes the [`Permit`] that only a yes can make. The rules are `domain.md`'s, "Who may do what" and
//! "Billing"; the whole table is printed by `tests/it/policy_table.rs`.

mod action;
mod actor;
mod decide;
mod facts;
mod permit;

pub use action::Administer;
pub use action::{Action, Intent, Read, Right, Write};
pub use actor::{Actor, Narrowing, Principal};
pub use decide::{Decision, Lack, decide};
pub use facts::{
    AccountFacts, AccountKind, BillingFacts, BillingFlag, ExistingPackage, Grant, OrganizationRole, PackageFacts,
    Permission, Visibility,
};
pub use permit::{Permit, permit};
