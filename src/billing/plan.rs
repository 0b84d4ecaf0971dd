//! What an account has, uses and pays: what pages show of it.

use crate::clock::Time;
use crate::config::BillingProvider;
use crate::error::Result;
use crate::names::{AccountId, AccountName};
use crate::policy::{AccountFacts, AccountKind, BillingFlag, HolderPermit};

use super::money::Money;
use super::{Billing, store};

/// Everything that the billing page of an account shows.
#[derive(Debug)]
pub struct Overview {
    /// Whose it is.
    pub account: AccountName,
    /// A user's or an organization's.
    pub kind: AccountKind,
    /// Where plans come from here.
    pub provider: BillingProvider,
    /// The flag as it is.
    pub flag: BillingFlag,
    /// What the flag means now.
    pub standing: Standing,
    /// What was subscribed to, running or over.
    pub subscribed: Option<Subscribed>,
    /// What can be bought; `None` where nothing is for sale.
    pub offer: Option<Offer>,
    /// What is used, and whom it concerns.
    pub usage: Usage,
    /// An administrator's word that stands over the payment service's.
    pub set_by: Option<Override>,
    /// Some of the administrators, whom one can ask.
    pub administrators: Vec<AccountName>,
    /// The newest invoices.
    pub receipts: Vec<Receipt>,
    /// Whether the payment service knows the account, so that it has a portal there.
    pub has_portal: bool,
}

impl Overview {
    /// How many seats there have to be: one for each member, and one for a user.
    pub fn seats(&self) -> i64 {
        match self.kind {
            AccountKind::User => 1,
            AccountKind::Organization => self.usage.members.max(1),
        }
    }

    /// The subscription, where it runs.
    pub fn running(&self) -> Option<&Subscribed> {
        self.subscribed.as_ref().filter(|subscribed| subscribed.is_running())
    }

    /// Whether a plan can be bought now.
    pub fn may_buy(&self) -> bool {
        self.offer.is_some() && self.running().is_none() && self.set_by.is_none()
    }
}

/// What the flag of an account means now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Paid, and nothing to be said about it.
    Paid,
    /// Paid, and it ends by itself.
    Ending {
        /// The first moment without it.
        at: Time,
    },
    /// A payment failed; it is paid for a while all the same.
    Overdue {
        /// The first moment without it.
        until: Time,
    },
    /// It was paid once.
    Lapsed {
        /// Since when it is not.
        since: Time,
    },
    /// It was never paid, or an administrator took it back.
    Unpaid,
}

impl Standing {
    /// Reads a flag, and what is known of the subscription behind it.
    pub fn of(flag: BillingFlag, subscribed: Option<&Subscribed>, now: Time) -> Self {
        let BillingFlag::Paid { until } = flag else { return Self::Unpaid };
        let Some(until) = until else { return Self::Paid };
        if until <= now {
            return Self::Lapsed { since: until };
        }
        match subscribed.filter(|subscribed| subscribed.is_running()) {
            Some(subscribed) if subscribed.status == "past_due" => Self::Overdue { until },
            Some(subscribed) if subscribed.cancels_at.is_some() => Self::Ending { at: until },
            Some(_) => Self::Paid,
            None => Self::Ending { at: until },
        }
    }
}

/// A subscription, as the payment service told of it last.
#[derive(Debug, Clone)]
pub struct Subscribed {
    /// The service's word for how it stands.
    pub status: String,
    /// For how many seats is paid.
    pub seats: i64,
    /// What one seat costs.
    pub seat_price: Option<Money>,
    /// How often it is charged: `month`, `year`.
    pub interval: String,
    /// When the present period ends, and the next charge is made.
    pub period_end: Option<Time>,
    /// The end of the last period that was paid for.
    pub paid_through: Option<Time>,
    /// When it ends by itself, where that was asked for.
    pub cancels_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
}

impl Subscribed {
    /// Whether it can still be used and changed.
    pub fn is_running(&self) -> bool {
        matches!(self.status.as_str(), "active" | "trialing" | "past_due")
    }

    /// What a period costs with the seats that are paid for.
    pub fn price(&self) -> Option<Money> {
        self.seat_price.as_ref().map(|money| money.times(self.seats))
    }
}

/// A plan that can be bought.
#[derive(Debug, Clone)]
pub struct Offer {
    pub(super) price: String,
    /// What one seat costs, where the operator says so.
    pub seat_price: Option<Money>,
    /// How often it is charged.
    pub interval: &'static str,
}

/// What an account uses.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Private packages in its scope.
    pub private_packages: i64,
    /// People besides the account itself who can read some of them.
    pub people: i64,
    /// What the files of these packages take.
    pub bytes: i64,
    /// Members, where it is an organization.
    pub members: i64,
}

/// An administrator's word.
#[derive(Debug, Clone)]
pub struct Override {
    /// Whose.
    pub set_by: String,
    /// Since when.
    pub set_at: Time,
    /// Until when, where it ends.
    pub ends_at: Option<Time>,
}

/// An invoice, as a line of a list.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The number that stands on it.
    pub number: String,
    /// Its date.
    pub issued_at: Time,
    /// What it asks for.
    pub total: Money,
    /// The service's word: `paid`, `open`, `void`, `uncollectible`.
    pub status: String,
    /// Where the payment service shows it.
    pub url: Option<String>,
}

impl Billing {
    /// What the billing page of an account shows.
    ///
    /// # Errors
    /// The database's.
    pub async fn overview(&self, payer: &HolderPermit<'_>) -> Result<Overview> {
        let account = payer.account();
        let (pool, now) = (self.db.reads(), self.clock.now());
        let subscribed = store::find_subscribed(pool, account.id).await?;
        // As it is now: the permit may be older than the last answer of the payment service.
        let flag = store::find_flag(pool, &account.name).await?.unwrap_or(account.billing);
        Ok(Overview {
            account: account.name.clone(),
            kind: account.kind,
            provider: self.provider.kind(),
            flag,
            standing: Standing::of(flag, subscribed.as_ref(), now),
            subscribed,
            offer: self.provider.offer(account.kind),
            usage: store::find_usage(pool, account.id, now).await?,
            set_by: store::find_override(pool, account.id, now).await?,
            administrators: store::list_administrators(pool).await?,
            receipts: store::list_receipts(pool, account.id).await?,
            has_portal: self.provider.stripe().is_ok() && store::find_customer(pool, account.id).await?.is_some(),
        })
    }

    /// The organizations whose plan is this user's business: those they own.
    ///
    /// # Errors
    /// The database's.
    pub async fn paid_for_by(&self, user: AccountId) -> Result<Vec<AccountName>> {
        store::list_owned(self.db.reads(), user).await
    }

    /// What the flag of an account means now, for a banner.
    ///
    /// # Errors
    /// The database's.
    pub async fn standing(&self, account: &AccountFacts) -> Result<Standing> {
        let subscribed = match account.billing {
            BillingFlag::Paid { until: Some(_) } => store::find_subscribed(self.db.reads(), account.id).await?,
            _ => None,
        };
        Ok(Standing::of(account.billing, subscribed.as_ref(), self.clock.now()))
    }
}
