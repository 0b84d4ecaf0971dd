//! Asking the payment service how an account stands, and acting on the answer.
//!
//! There is one way for whatever may have changed, here or there: the service is asked for the present state, and that
//! is written down. An event only says that there is something to ask ([`super::events`]); members who come or go do the
//! same through a trigger; and every account is asked for again now and then, so that what nobody heard of heals.
//!
//! Who asks takes a number first, and an answer is written down only if no later number's was. Whatever is asked after
//! a change sees the change, so the last word is always a true one, in whichever order events and answers arrive.

use chrono::TimeDelta;
use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::clock::Time;
use crate::db::{Change, Transaction};
use crate::error::Result;
use crate::names::AccountId;
use crate::policy::BillingFlag;

use super::entitlement::{Entitlement, entitlement};
use super::money::Money;
use super::plan::Receipt;
use super::store::{self, HeldAccount, Known, Turn};
use super::stripe::{Invoice, Stripe, StripeError, Subscription};
use super::{Billing, RECONCILE};

/// For how long who asks has the account for themselves: longer than all the requests together may take.
const HELD: TimeDelta = TimeDelta::minutes(3);

/// Accounts taken at a time.
const TAKEN: i64 = 8;

/// For how long events are remembered: the service sends one again for three days.
const EVENTS_KEPT: TimeDelta = TimeDelta::days(30);

/// What the service answered.
struct Answer {
    subscription: Option<Subscription>,
    invoices: Vec<Invoice>,
    /// The seats are as many as there have to be.
    seated: bool,
}

impl Billing {
    /// Asks for every account that is due: after an event, a change of members, a failure, or some hours.
    ///
    /// # Errors
    /// The database's. Where the payment service fails, the account is due again in a while.
    pub async fn ask_for_due(&self) -> Result<()> {
        let Ok(stripe) = self.provider.stripe() else { return Ok(()) };
        loop {
            let now = self.clock.now();
            let mut transaction = self.db.begin().await?;
            let turns = store::take_due_turns(&mut transaction, now, now + HELD, TAKEN).await?;
            transaction.commit().await?;
            if turns.is_empty() {
                return Ok(());
            }
            for turn in turns {
                if let Err(cause) = self.carry_out(stripe, &turn).await {
                    tracing::warn!(customer = turn.customer, %cause, "an account could not be asked for");
                }
            }
        }
    }

    /// Forgets events that nobody sends any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget_events(&self) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        store::delete_events_before(&mut transaction, self.clock.now() - EVENTS_KEPT).await?;
        transaction.commit().await
    }

    /// Asks for one account now. Nothing to do where the service does not know it.
    pub(super) async fn ask_for(&self, account: AccountId) -> Result<()> {
        let Ok(stripe) = self.provider.stripe() else { return Ok(()) };
        let mut transaction = self.db.begin().await?;
        let turn = store::take_turn(&mut transaction, account, self.clock.now() + HELD).await?;
        transaction.commit().await?;
        match turn {
            Some(turn) => self.carry_out(stripe, &turn).await,
            None => Ok(()),
        }
    }

    async fn carry_out(&self, stripe: &Stripe, turn: &Turn) -> Result<()> {
        match ask(stripe, turn).await {
            Ok(answer) => self.write_down(turn, &answer).await,
            Err(cause) => {
                let mut transaction = self.db.begin().await?;
                store::fail_turn(&mut transaction, turn, self.clock.now()).await?;
                transaction.commit().await?;
                Err(cause.into())
            }
        }
    }

    async fn write_down(&self, turn: &Turn, answer: &Answer) -> Result<()> {
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let Some(held) = store::hold_account(&mut transaction, turn.account, now).await? else { return Ok(()) };
        if !store::end_turn(&mut transaction, turn, now + RECONCILE, now).await? {
            return Ok(());
        }
        if !answer.seated {
            store::fail_turn(&mut transaction, turn, now).await?;
        }
        for invoice in &answer.invoices {
            store::upsert_invoice(&mut transaction, turn.account, &invoice.id, &receipt(invoice)).await?;
        }
        if let Some(subscription) = &answer.subscription {
            let before = store::find_before(&mut transaction, turn.account).await?;
            let worth = entitlement(subscription, before.as_ref(), self.grace, now);
            keep(&mut transaction, turn.account, subscription, worth, now).await?;
            if let Some(flag) = new_flag(&held, worth, now) {
                change_flag(&mut transaction, turn.account, &held, flag, subscription, now).await?;
            }
        }
        transaction.commit().await
    }
}

async fn ask(stripe: &Stripe, turn: &Turn) -> Result<Answer, StripeError> {
    let found = stripe.find_subscription(&turn.customer).await?;
    let (subscription, seated) = match found {
        Some(running) if running.status.is_live() && running.seats() != turn.seats => {
            let occasion = turn.number.to_string();
            match stripe.set_seats(&running, turn.seats, &occasion).await {
                Ok(changed) => (Some(changed), true),
                // The flag does not wait for the seats.
                Err(cause) => {
                    tracing::warn!(customer = turn.customer, seats = turn.seats, %cause, "seats could not be set");
                    (Some(running), false)
                }
            }
        }
        found => (found, true),
    };
    Ok(Answer { subscription, invoices: stripe.list_invoices(&turn.customer).await?, seated })
}

/// The flag, where it is another one than the present. An administrator's word stands over the service's; what the
/// service did not give it does not take; and what is over is not over again each time that one asks.
fn new_flag(held: &HeldAccount, worth: Entitlement, now: Time) -> Option<BillingFlag> {
    let flag = worth.flag.filter(|flag| *flag != held.flag && !held.overridden)?;
    let is_gift = held.flag == BillingFlag::Paid { until: None };
    let ends_it = held.flag.is_paid(now) && !is_gift;
    (flag.is_paid(now) || ends_it).then_some(flag)
}

async fn change_flag(
    transaction: &mut Transaction,
    account: AccountId,
    held: &HeldAccount,
    flag: BillingFlag,
    subscription: &Subscription,
    now: Time,
) -> Result<()> {
    store::set_flag(transaction, &held.name, flag, now).await?;
    let event = audit::Event {
        action: "billing.set",
        subject: held.name.as_str(),
        scope: Some(account),
        outcome: Outcome::Done,
        detail: json!({
            "flag": super::describe(flag),
            "subscription": subscription.id,
            "status": subscription.status.as_str(),
        }),
    };
    audit::record(transaction, &By { name: "stripe".into(), ..By::default() }, &event, now).await?;
    transaction.announce(Change::Account(account));
    Ok(())
}

async fn keep(
    transaction: &mut Transaction,
    account: AccountId,
    subscription: &Subscription,
    worth: Entitlement,
    now: Time,
) -> Result<()> {
    let rate = subscription.rate();
    let known = Known {
        subscription: &subscription.id,
        status: subscription.status.as_str(),
        price: rate.as_ref().map_or("", |rate| &rate.price),
        seats: subscription.seats(),
        seat_amount: rate.as_ref().and_then(|rate| rate.amount),
        currency: rate.as_ref().map_or("", |rate| &rate.currency),
        interval: rate.as_ref().map_or("", |rate| &rate.interval),
        period_end: subscription.period_end(),
        paid_through: worth.paid_through,
        cancels_at: subscription.cancels_at(),
        ended_at: subscription.ended_at,
    };
    store::upsert_subscription(transaction, account, &known, now).await
}

fn receipt(invoice: &Invoice) -> Receipt {
    Receipt {
        number: invoice.number.clone().unwrap_or_else(|| invoice.id.clone()),
        issued_at: invoice.created,
        total: Money { amount: invoice.total, currency: invoice.currency.clone() },
        status: invoice.status.clone().unwrap_or_else(|| "draft".into()),
        url: invoice.hosted_invoice_url.clone().filter(|url| url.starts_with("https://")),
    }
}
