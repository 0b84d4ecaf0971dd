//! What the operator is told: plans, and the accounts of a month.

use crate::clock::Time;
use crate::config::BillingProvider;
use crate::error::Result;
use crate::names::AccountName;
use crate::policy::{AccountKind, BillingFlag};

use super::money::Money;
use super::plan::Offer;
use super::{Billing, store};

/// An account in a month, for each currency in which it paid.
#[derive(Debug)]
pub struct ReportLine {
    /// Which account.
    pub name: AccountName,
    /// A user or an organization.
    pub kind: AccountKind,
    /// Its flag as it is now.
    pub flag: BillingFlag,
    /// Its members now, where it is an organization.
    pub members: i64,
    /// Its private packages now.
    pub private_packages: i64,
    /// What was paid in that time, where the payment service told of it.
    pub income: Option<Money>,
    /// With how many invoices.
    pub invoices: i64,
}

/// What there is to be bought, and how many accounts are paid.
#[derive(Debug)]
pub struct Plans {
    /// Where the flag comes from.
    pub provider: BillingProvider,
    /// What a user can buy.
    pub personal: Option<Offer>,
    /// What an organization can buy, for each member.
    pub organization: Option<Offer>,
    /// Users that are paid now.
    pub paid_users: i64,
    /// Organizations that are paid now.
    pub paid_organizations: i64,
}

impl Billing {
    /// Every account, with what it paid between two moments.
    ///
    /// # Errors
    /// The database's.
    pub async fn report(&self, from: Time, to: Time) -> Result<Vec<ReportLine>> {
        store::list_report(self.db.reads(), from, to).await
    }

    /// What there is to be bought.
    ///
    /// # Errors
    /// The database's.
    pub async fn plans(&self) -> Result<Plans> {
        let (paid_users, paid_organizations) = store::count_paid(self.db.reads(), self.clock.now()).await?;
        Ok(Plans {
            provider: self.provider.kind(),
            personal: self.provider.offer(AccountKind::User),
            organization: self.provider.offer(AccountKind::Organization),
            paid_users,
            paid_organizations,
        })
    }
}
