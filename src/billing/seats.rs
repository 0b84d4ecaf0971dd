//! What another member costs an organization.

use crate::error::Result;
use crate::policy::{AccountKind, OrganizationPermit};

use super::money::Money;
use super::plan::Subscribed;
use super::{Billing, store};

/// What a further seat costs, where seats are sold here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seats {
    /// The price of one, where it is known.
    pub price: Option<Money>,
    /// How often it is charged: `month`, `year`.
    pub interval: String,
    /// What a seat is added to.
    pub plan: SeatPlan,
}

/// What there is that seats could be added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatPlan {
    /// A subscription: seats follow the members.
    Running,
    /// A plan that an administrator has set, and nobody is charged for.
    Given,
    /// None yet.
    Missing,
}

impl Billing {
    /// What further members of an organization cost; nothing is said where this registry sells no seats.
    ///
    /// # Errors
    /// The database's.
    pub async fn seats(&self, permit: &OrganizationPermit) -> Result<Option<Seats>> {
        let Some(offer) = self.provider.offer(AccountKind::Organization) else { return Ok(None) };
        let organization = permit.organization();
        let subscribed = store::find_subscribed(self.db.reads(), organization.id).await?;
        if let Some(running) = subscribed.filter(Subscribed::is_running) {
            // What was agreed on, which may be another price than that of today.
            let (price, interval) = (running.seat_price, running.interval);
            return Ok(Some(Seats { price, interval, plan: SeatPlan::Running }));
        }
        let is_given = organization.billing.is_paid(self.clock.now());
        let plan = if is_given { SeatPlan::Given } else { SeatPlan::Missing };
        Ok(Some(Seats { price: offer.seat_price, interval: offer.interval.to_owned(), plan }))
    }
}
