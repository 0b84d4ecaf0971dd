//! Events that a payment service sends: who sent them, whether they came before, and whom they concern.
//!
//! What an event says of the state of things is not believed: it may be late, come twice, or overtake another. It is a
//! reason to ask ([`super::asking`]), noted in the transaction that remembers the event. So an event that was answered
//! with 200 is acted on, now or by the chore.

use crate::clock::Time;
use crate::error::{Error, Result};

use super::stripe::{Event, Signature};
use super::{Billing, store};

/// The signature of an event, as the request has it. It says nothing until the body is there.
#[derive(Debug)]
pub struct Envelope(Signature);

impl Billing {
    /// Reads the signature of an event, before its body.
    ///
    /// # Errors
    /// `NotFound` where no service sends events, `Malformed` for what cannot be a signature.
    pub fn envelope(&self, signature: Option<&str>) -> Result<Envelope> {
        if self.provider.stripe().is_err() {
            return Err(Error::NotFound("This registry takes no payments, so nobody sends events here.".into()));
        }
        signature.and_then(Signature::parse).map(Envelope).ok_or_else(not_signed)
    }

    /// Hears an event: once, however often it comes, and in whichever order.
    ///
    /// # Errors
    /// `Malformed` where the signature does not vouch for these bytes now, or they are no event.
    pub async fn hear(&self, envelope: &Envelope, body: &[u8]) -> Result<()> {
        let now = self.clock.now();
        let secret = self.provider.stripe()?.settings.webhook_secret.as_ref();
        if !secret.is_some_and(|secret| envelope.0.vouches_for(body, secret, now)) {
            return Err(not_signed());
        }
        let event: Event = serde_json::from_slice(body)
            .map_err(|cause| Error::Malformed(format!("The body is not an event of Stripe: {cause}.").into()))?;
        self.act_on(&event, now).await
    }

    async fn act_on(&self, event: &Event, now: Time) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let is_new = store::insert_event(&mut transaction, &event.id, &event.kind, event.created, now).await?;
        let customer = event.customer().filter(|_| is_new && event.is_relevant());
        let account = match customer {
            Some(customer) => store::nudge_customer(&mut transaction, customer).await?,
            None => None,
        };
        transaction.commit().await?;
        if let Some(account) = account
            && let Err(cause) = self.ask_for(account).await
        {
            tracing::warn!(event = event.id, kind = event.kind, %cause, "an event is left to be acted on later");
        }
        Ok(())
    }
}

fn not_signed() -> Error {
    Error::Malformed(
        "The signature does not vouch for this event. Check stripe.webhook_secret, and the clock of this machine."
            .into(),
    )
}
