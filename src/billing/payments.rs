//! What a payer does: buys a plan, changes card and address, ends the plan, or lets it go on.

use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::error::{Error, Result};
use crate::names::AccountName;
use crate::policy::{AccountKind, HolderPermit};

use super::payer::{page_for, require_change};
use super::stripe::{Purchase, Stripe, StripeError, Subscription};
use super::{Billing, store};

impl Billing {
    /// Opens a checkout, and gives the page of the payment service to go to.
    ///
    /// # Errors
    /// `Unprocessable` where nothing is for sale, `Conflict` where there is a plan, `Unavailable` where the payment service
    /// does not answer.
    pub async fn checkout(&self, payer: &HolderPermit<'_>) -> Result<String> {
        require_change(payer)?;
        let stripe = self.provider.stripe()?;
        let account = payer.account();
        let offer = self.provider.offer(account.kind).ok_or_else(|| nothing_for_sale(account.kind))?;
        if store::find_override(self.db.reads(), account.id, self.clock.now()).await?.is_some() {
            return Err(Error::Conflict(
                format!("An administrator of this registry has set the plan of {}. Ask one of them.", account.name)
                    .into(),
            ));
        }
        let (customer, closed) = self.buying_customer(stripe, payer).await?;
        let page = format!("{}{}", self.public_url, page_for(payer));
        let purchase = Purchase {
            customer: &customer,
            account: account.name.as_str(),
            price: &offer.price,
            seats: i64::try_from(account.members.len()).unwrap_or(i64::MAX).max(1),
            paid_url: &format!("{page}?checkout=done"),
            back_url: &page,
        };
        // What was closed is not opened again by the same words.
        let occasion = format!("{} {}", self.occasion(payer).await?, closed.join(" "));
        Ok(stripe.open_checkout(&purchase, &occasion).await?)
    }

    /// Opens the portal, and gives its page.
    ///
    /// # Errors
    /// `Unprocessable` for who never bought anything, `Unavailable` where the payment service does not answer.
    pub async fn portal(&self, payer: &HolderPermit<'_>) -> Result<String> {
        require_change(payer)?;
        let stripe = self.provider.stripe()?;
        let customer = self.customer(payer).await?;
        let page = format!("{}{}", self.public_url, page_for(payer));
        Ok(stripe.open_portal(&customer, &page, &self.occasion(payer).await?).await?)
    }

    /// Ends the plan with the period that is paid for. Until then everything goes on.
    ///
    /// # Errors
    /// `Unprocessable` where no plan runs, `Unavailable` where the payment service does not answer.
    pub async fn cancel(&self, payer: &HolderPermit<'_>) -> Result<()> {
        self.set_ending(payer, true).await
    }

    /// Lets a plan that was to end go on.
    ///
    /// # Errors
    /// As [`Billing::cancel`].
    pub async fn resume(&self, payer: &HolderPermit<'_>) -> Result<()> {
        self.set_ending(payer, false).await
    }

    /// Asks the payment service at once how the account stands: for who comes back from there.
    ///
    /// # Errors
    /// `Unavailable` where it does not answer.
    pub async fn refresh(&self, payer: &HolderPermit<'_>) -> Result<()> {
        self.ask_for(payer.account().id).await
    }

    async fn set_ending(&self, payer: &HolderPermit<'_>, ends: bool) -> Result<()> {
        require_change(payer)?;
        let stripe = self.provider.stripe()?;
        let account = payer.account();
        let customer = self.customer(payer).await?;
        let subscription = stripe.find_subscription(&customer).await?;
        let running = subscription.filter(|one| one.status.is_live()).ok_or_else(|| no_plan(&account.name))?;
        if running.cancels_at().is_some() != ends {
            stripe.set_ending(&running, ends, &self.occasion(payer).await?).await?;
            self.record_ending(payer, &running, ends).await?;
        }
        self.ask_for(account.id).await
    }

    async fn record_ending(&self, payer: &HolderPermit<'_>, subscription: &Subscription, ends: bool) -> Result<()> {
        let account = payer.account();
        let event = audit::Event {
            action: if ends { "billing.cancel" } else { "billing.resume" },
            subject: account.name.as_str(),
            scope: Some(account.id),
            outcome: Outcome::Done,
            detail: json!({ "subscription": subscription.id, "period_end": subscription.period_end() }),
        };
        let mut transaction = self.db.begin().await?;
        audit::record(&mut transaction, &By::from(&payer.actor()), &event, self.clock.now()).await?;
        transaction.commit().await
    }

    async fn customer(&self, payer: &HolderPermit<'_>) -> Result<String> {
        let found = store::find_customer(self.db.reads(), payer.account().id).await?;
        found.map(|(customer, _)| customer).ok_or_else(|| no_plan(&payer.account().name))
    }

    /// What was asked before is not asked again by the same words: every answer makes a new occasion.
    async fn occasion(&self, payer: &HolderPermit<'_>) -> Result<String> {
        let found = store::find_customer(self.db.reads(), payer.account().id).await?;
        Ok(format!("{} {}", self.public_url, found.map_or(0, |(_, turn)| turn)))
    }

    /// The customer of the account, with nothing bought and no checkout open, and the checkouts that were closed for that.
    /// One is made where there is none, or none any more: test and live keys of one payment service know different ones.
    async fn buying_customer(&self, stripe: &Stripe, payer: &HolderPermit<'_>) -> Result<(String, Vec<String>)> {
        let account = payer.account();
        let Some((customer, _)) = store::find_customer(self.db.reads(), account.id).await? else {
            return Ok((self.create_customer(stripe, payer, "").await?, Vec::new()));
        };
        let asked = async {
            let closed = stripe.close_checkouts(&customer).await?;
            Ok::<_, StripeError>((stripe.find_subscription(&customer).await?, closed))
        };
        match asked.await {
            Ok((Some(subscription), _)) if subscription.status.is_live() => {
                // A purchase of a moment ago, of which nothing was heard yet.
                self.ask_for(account.id).await?;
                Err(Error::Conflict(format!("{} has a plan already. Look at its billing page.", account.name).into()))
            }
            Ok((_, closed)) => Ok((customer, closed)),
            Err(cause) if cause.is_missing_customer() => {
                let mut transaction = self.db.begin().await?;
                store::delete_customer(&mut transaction, account.id, &customer).await?;
                transaction.commit().await?;
                Ok((self.create_customer(stripe, payer, &customer).await?, Vec::new()))
            }
            Err(cause) => Err(cause.into()),
        }
    }

    async fn create_customer(&self, stripe: &Stripe, payer: &HolderPermit<'_>, instead_of: &str) -> Result<String> {
        let account = payer.account();
        let receiver = By::from(&payer.actor()).account.unwrap_or(account.id);
        let email = store::find_email(self.db.reads(), receiver).await?;
        let occasion = format!("{} {} {instead_of}", self.public_url, account.name);
        let customer = stripe.create_customer(account.name.as_str(), email.as_deref(), &occasion).await?;
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let kept = store::insert_customer(&mut transaction, account.id, &customer, now + super::RECONCILE, now).await?;
        transaction.commit().await?;
        Ok(kept)
    }
}

fn nothing_for_sale(kind: AccountKind) -> Error {
    let whom = match kind {
        AccountKind::User => "a user",
        AccountKind::Organization => "an organization",
    };
    Error::Unprocessable(format!("This registry sells no plan for {whom}. Ask its administrators.").into())
}

fn no_plan(account: &AccountName) -> Error {
    Error::Unprocessable(format!("{account} has no plan that runs. Pick one first.").into())
}
