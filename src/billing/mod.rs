//! Plans: the billing flag of an account, who sets it, and what is paid for it.
//!
//! The flag is read in one place, `policy`'s decision, from the account's facts; this room only changes it and tells
//! it. Where it comes from is the operator's choice, `billing.provider` (`domain.md`, "Billing"). With a payment service
//! the flag follows what that says ([`asking`]); an administrator's word stands over it.

mod asking;
mod entitlement;
mod events;
mod money;
mod payer;
mod payments;
mod plan;
mod provider;
mod report;
mod seats;
mod store;
mod stripe;

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::clock::{Clock, to_npm_time};
use crate::config::Config;
use crate::db::{Change, Db};
use crate::error::{Error, Result};
use crate::names::AccountName;
use crate::outgoing::Outgoing;
use crate::policy::BillingFlag;

pub use events::Envelope;
pub use money::Money;
pub use payer::{address, page_for, page_of};
pub use plan::{Offer, Override, Overview, Receipt, Standing, Subscribed, Usage};
pub use provider::first_flag;
pub use report::{Plans, ReportLine};
pub use seats::{SeatPlan, Seats};

use provider::Provider;

/// After how long an account is asked for though nothing was heard of it: what was lost on the way heals.
const RECONCILE: TimeDelta = TimeDelta::hours(6);

/// Handle to plans and flags.
#[derive(Debug, Clone)]
pub struct Billing {
    db: Db,
    clock: Clock,
    provider: Provider,
    grace: TimeDelta,
    public_url: Arc<str>,
}

impl Billing {
    /// Sets the room up. Asks nobody yet.
    pub fn new(db: Db, clock: Clock, config: &Config, outgoing: &Outgoing, public_url: Arc<str>) -> Self {
        let grace = TimeDelta::days(config.billing.grace_days.into());
        Self { db, clock, provider: Provider::new(config, outgoing), grace, public_url }
    }

    /// Sets the flag of an account; every node acts on it at its next request. Where a payment service sets flags, this
    /// one stands over its word: until it ends by itself, or is taken back ([`Billing::release`]).
    ///
    /// # Errors
    /// `NotFound` when there is no such account.
    pub async fn set(&self, account: &AccountName, flag: BillingFlag, by: &By) -> Result<()> {
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let id = store::set_flag(&mut transaction, account, flag, now).await?.ok_or_else(|| no_account(account))?;
        let event = audit::Event {
            action: "billing.set",
            subject: account.as_str(),
            scope: Some(id),
            outcome: Outcome::Done,
            detail: json!({ "flag": describe(flag) }),
        };
        audit::record(&mut transaction, by, &event, now).await?;
        if self.provider.stripe().is_ok() {
            let ends_at = if let BillingFlag::Paid { until } = flag { until } else { None };
            store::upsert_override(&mut transaction, id, &by.name, ends_at, now).await?;
            if let Some(end) = ends_at {
                store::nudge_account(&mut transaction, id, end).await?;
            }
        }
        transaction.announce(Change::Account(id));
        transaction.commit().await
    }

    /// Takes an administrator's word back: the flag is the payment service's again.
    ///
    /// # Errors
    /// `NotFound` when there is no such account, or no word to take back.
    pub async fn release(&self, account: &AccountName, by: &By) -> Result<()> {
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let id = store::find_account(&mut transaction, account).await?.ok_or_else(|| no_account(account))?;
        store::hold_account(&mut transaction, id, now).await?;
        if !store::delete_override(&mut transaction, id).await? {
            return Err(Error::NotFound(
                format!("Nobody has set the plan of {account} over the payment service's.").into(),
            ));
        }
        store::nudge_account(&mut transaction, id, now).await?;
        let event = audit::Event {
            action: "billing.release",
            subject: account.as_str(),
            scope: Some(id),
            outcome: Outcome::Done,
            detail: json!({}),
        };
        audit::record(&mut transaction, by, &event, now).await?;
        transaction.commit().await?;
        self.ask_for(id).await
    }

    /// Where payment pages may be, for the header that says where a form may lead.
    pub fn payment_pages(&self) -> &[String] {
        self.provider.stripe().map_or(&[], |stripe| &stripe.settings.pages)
    }

    /// The flag of an account.
    ///
    /// # Errors
    /// `NotFound` when there is no such account.
    pub async fn status(&self, account: &AccountName) -> Result<BillingFlag> {
        store::find_flag(self.db.reads(), account).await?.ok_or_else(|| no_account(account))
    }

    /// The flag in words, read at the present time: `paid`, `paid until …`, `unpaid`, `lapsed since …`.
    pub fn in_words(&self, flag: BillingFlag) -> String {
        match flag {
            BillingFlag::Paid { until: Some(until) } if !flag.is_paid(self.clock.now()) => {
                format!("lapsed since {}", to_npm_time(until))
            }
            _ => describe(flag),
        }
    }
}

fn no_account(account: &AccountName) -> Error {
    Error::NotFound(format!("There is no account {account}. Check the name.").into())
}

fn describe(flag: BillingFlag) -> String {
    match flag {
        BillingFlag::Unpaid => "unpaid".into(),
        BillingFlag::Paid { until: None } => "paid".into(),
        BillingFlag::Paid { until: Some(until) } => format!("paid until {}", to_npm_time(until)),
    }
}
