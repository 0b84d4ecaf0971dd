//! What Stripe answers: of each object the members that are read here.

use serde::{Deserialize, Deserializer};

use crate::clock::Time;

/// A page of a list.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::billing) struct List<T> {
    pub(in crate::billing) data: Vec<T>,
}

/// Anything of which the id is enough.
#[derive(Debug, Deserialize)]
pub(in crate::billing) struct Named {
    pub(in crate::billing) id: String,
}

/// A page at Stripe's that a visitor is sent to.
#[derive(Debug, Deserialize)]
pub(in crate::billing) struct Session {
    pub(in crate::billing) url: Option<String>,
}

/// What a customer has subscribed to.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::billing) struct Subscription {
    pub(in crate::billing) id: String,
    pub(in crate::billing) status: Status,
    #[serde(deserialize_with = "moment")]
    pub(in crate::billing) created: Time,
    #[serde(default)]
    pub(in crate::billing) cancel_at_period_end: bool,
    #[serde(default, deserialize_with = "optional_moment")]
    pub(in crate::billing) cancel_at: Option<Time>,
    #[serde(default, deserialize_with = "optional_moment")]
    pub(in crate::billing) ended_at: Option<Time>,
    /// Where API versions before 2025-03-31 have it; later ones have it in the items.
    #[serde(default, deserialize_with = "optional_moment")]
    current_period_start: Option<Time>,
    #[serde(default, deserialize_with = "optional_moment")]
    current_period_end: Option<Time>,
    items: List<Item>,
}

/// How a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::billing) enum Status {
    Active,
    Trialing,
    /// A payment failed; Stripe tries again.
    PastDue,
    /// Payments failed, and Stripe tries no more.
    Unpaid,
    Paused,
    /// The first payment was not made yet.
    Incomplete,
    IncompleteExpired,
    Canceled,
    /// A status that was thought of after this was written: nothing is known of it.
    #[serde(other)]
    Unknown,
}

impl Status {
    pub(in crate::billing) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Trialing => "trialing",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Canceled => "canceled",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it can still be used and changed.
    pub(in crate::billing) fn is_live(self) -> bool {
        matches!(self, Self::Active | Self::Trialing | Self::PastDue)
    }

    /// Which of several counts: the higher one.
    fn weight(self) -> u8 {
        match self {
            Self::Active | Self::Trialing => 4,
            Self::PastDue => 3,
            Self::Unpaid | Self::Paused => 2,
            Self::Canceled => 1,
            Self::Incomplete | Self::IncompleteExpired | Self::Unknown => 0,
        }
    }
}

/// What is subscribed to, and how often.
#[derive(Debug, Clone, Deserialize)]
struct Item {
    id: String,
    #[serde(default = "one")]
    quantity: i64,
    price: Option<Price>,
    /// What a price was called before.
    plan: Option<Plan>,
    #[serde(default, deserialize_with = "optional_moment")]
    current_period_start: Option<Time>,
    #[serde(default, deserialize_with = "optional_moment")]
    current_period_end: Option<Time>,
}

#[derive(Debug, Clone, Deserialize)]
struct Price {
    id: String,
    unit_amount: Option<i64>,
    currency: String,
    recurring: Option<Recurring>,
}

#[derive(Debug, Clone, Deserialize)]
struct Recurring {
    interval: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Plan {
    id: String,
    amount: Option<i64>,
    currency: String,
    interval: String,
}

/// What one seat costs, how often.
#[derive(Debug, Clone)]
pub(in crate::billing) struct Rate {
    pub(in crate::billing) price: String,
    pub(in crate::billing) amount: Option<i64>,
    pub(in crate::billing) currency: String,
    pub(in crate::billing) interval: String,
}

impl Subscription {
    /// The one that counts: the most alive, and of these the newest.
    pub(in crate::billing) fn pick(all: Vec<Self>) -> Option<Self> {
        all.into_iter().max_by_key(|one| (one.status.weight(), one.created))
    }

    pub(in crate::billing) fn item(&self) -> Option<&str> {
        self.items.data.first().map(|item| item.id.as_str())
    }

    pub(in crate::billing) fn seats(&self) -> i64 {
        self.items.data.first().map_or(0, |item| item.quantity)
    }

    pub(in crate::billing) fn period_start(&self) -> Option<Time> {
        self.items.data.first().and_then(|item| item.current_period_start).or(self.current_period_start)
    }

    pub(in crate::billing) fn period_end(&self) -> Option<Time> {
        self.items.data.first().and_then(|item| item.current_period_end).or(self.current_period_end)
    }

    /// When it ends by itself, where that was asked for.
    pub(in crate::billing) fn cancels_at(&self) -> Option<Time> {
        self.cancel_at.or(if self.cancel_at_period_end { self.period_end() } else { None })
    }

    pub(in crate::billing) fn rate(&self) -> Option<Rate> {
        let item = self.items.data.first()?;
        match (&item.price, &item.plan) {
            (Some(price), _) => Some(Rate {
                price: price.id.clone(),
                amount: price.unit_amount,
                currency: price.currency.clone(),
                interval: price.recurring.as_ref().map(|recurring| recurring.interval.clone()).unwrap_or_default(),
            }),
            (None, Some(plan)) => Some(Rate {
                price: plan.id.clone(),
                amount: plan.amount,
                currency: plan.currency.clone(),
                interval: plan.interval.clone(),
            }),
            (None, None) => None,
        }
    }
}

/// An invoice, paid or not.
#[derive(Debug, Deserialize)]
pub(in crate::billing) struct Invoice {
    pub(in crate::billing) id: String,
    pub(in crate::billing) number: Option<String>,
    #[serde(deserialize_with = "moment")]
    pub(in crate::billing) created: Time,
    pub(in crate::billing) total: i64,
    pub(in crate::billing) currency: String,
    pub(in crate::billing) status: Option<String>,
    pub(in crate::billing) hosted_invoice_url: Option<String>,
}

/// Something that happened at Stripe. Of its object nothing is believed but whom it concerns.
#[derive(Debug, Deserialize)]
pub(in crate::billing) struct Event {
    pub(in crate::billing) id: String,
    #[serde(rename = "type")]
    pub(in crate::billing) kind: String,
    #[serde(deserialize_with = "moment")]
    pub(in crate::billing) created: Time,
    data: EventData,
}

#[derive(Debug, Deserialize)]
struct EventData {
    object: EventObject,
}

#[derive(Debug, Deserialize)]
struct EventObject {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    object: Option<String>,
    #[serde(default)]
    customer: Option<serde_json::Value>,
}

impl Event {
    /// The customer that it concerns.
    pub(in crate::billing) fn customer(&self) -> Option<&str> {
        let object = &self.data.object;
        if object.object.as_deref() == Some("customer") {
            return object.id.as_deref();
        }
        let customer = object.customer.as_ref()?;
        customer.as_str().or_else(|| customer.get("id")?.as_str())
    }

    /// Whether what happened can change how a customer stands. Others are heard, and nothing is done.
    pub(in crate::billing) fn is_relevant(&self) -> bool {
        ["customer.", "invoice.", "checkout.session."].iter().any(|family| self.kind.starts_with(family))
    }
}

/// A refusal.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) error: RefusalBody,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RefusalBody {
    #[serde(rename = "type", default)]
    pub(super) kind: Option<String>,
    pub(super) code: Option<String>,
    pub(super) param: Option<String>,
    pub(super) message: Option<String>,
}

fn one() -> i64 {
    1
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let seconds = i64::deserialize(deserializer)?;
    chrono::DateTime::from_timestamp(seconds, 0).ok_or_else(|| serde::de::Error::custom("a time beyond all years"))
}

fn optional_moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    let seconds = Option::<i64>::deserialize(deserializer)?;
    Ok(seconds.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0)))
}
