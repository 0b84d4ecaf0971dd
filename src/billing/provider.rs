//! Where the flag comes from: the operator's choice.

use crate::config::{self, BillingProvider, Config};
use crate::error::{Error, Result};
use crate::outgoing::Outgoing;
use crate::policy::{AccountKind, BillingFlag};

use super::money::Money;
use super::plan::Offer;
use super::stripe::Stripe;

/// The provider. The first two have nobody to ask: whatever concerns a payment is refused, in words.
#[derive(Debug, Clone)]
pub(super) enum Provider {
    /// Everybody is paid, until an administrator says otherwise.
    None,
    /// An administrator says who is paid.
    Manual,
    /// Stripe says who is paid, where no administrator does.
    Stripe(Box<Stripe>),
}

impl Provider {
    pub(super) fn new(config: &Config, outgoing: &Outgoing) -> Self {
        match config.billing.provider {
            BillingProvider::None => Self::None,
            BillingProvider::Manual => Self::Manual,
            BillingProvider::Stripe => Self::Stripe(Box::new(Stripe::new(outgoing, &config.stripe))),
        }
    }

    pub(super) fn kind(&self) -> BillingProvider {
        match self {
            Self::None => BillingProvider::None,
            Self::Manual => BillingProvider::Manual,
            Self::Stripe(_) => BillingProvider::Stripe,
        }
    }

    /// Whom payments go through.
    ///
    /// # Errors
    /// `Unprocessable` where there are no payments.
    pub(super) fn stripe(&self) -> Result<&Stripe> {
        match self {
            Self::Stripe(stripe) => Ok(stripe),
            Self::None | Self::Manual => Err(Error::Unprocessable(
                "This registry takes no payments: its administrators set plans. Ask one of them.".into(),
            )),
        }
    }

    /// What can be bought here.
    pub(super) fn offer(&self, kind: AccountKind) -> Option<Offer> {
        let Self::Stripe(stripe) = self else { return None };
        let config::Stripe { personal_price, organization_price, personal_amount, organization_amount, .. } =
            &*stripe.settings;
        let (price, amount) = match kind {
            AccountKind::User => (personal_price, personal_amount),
            AccountKind::Organization => (organization_price, organization_amount),
        };
        Some(Offer {
            price: price.clone()?,
            seat_price: Some(Money { amount: *amount, currency: stripe.settings.currency.clone() })
                .filter(|money| money.amount > 0),
            interval: stripe.settings.interval.as_str(),
        })
    }
}

/// The flag that a new account begins with.
pub fn first_flag(provider: BillingProvider) -> BillingFlag {
    match provider {
        BillingProvider::None => BillingFlag::Paid { until: None },
        BillingProvider::Manual | BillingProvider::Stripe => BillingFlag::Unpaid,
    }
}
