//! The billing flag of an account: who sets it, and what it is.
//!
//! The flag is read in one place, `policy`'s decision, from the account's facts; this room only changes it and tells
//! it. Where it comes from is the operator's choice, `billing.provider` (`domain.md`, "Billing").

mod store;

use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::clock::{Clock, to_npm_time};
use crate::config::BillingProvider;
use crate::db::{Change, Db};
use crate::error::{Error, Result};
use crate::names::AccountName;
use crate::policy::BillingFlag;

/// Handle to the flags.
#[derive(Debug, Clone)]
pub struct Billing {
    db: Db,
    clock: Clock,
}

/// The flag that a new account begins with.
pub fn first_flag(provider: BillingProvider) -> BillingFlag {
    match provider {
        BillingProvider::None => BillingFlag::Paid { until: None },
        BillingProvider::Manual | BillingProvider::Stripe => BillingFlag::Unpaid,
    }
}

impl Billing {
    /// Sets the room up.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Sets the flag of an account; every node acts on it at its next request.
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
        transaction.announce(Change::Account(id));
        transaction.commit().await
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
