//! Stripe, spoken to over its HTTP API: the few requests that this product makes of it.
//!
//! Nothing is decided and nothing stored here. The secret key goes into one header and nowhere else, and what Stripe says
//! of a key it refuses is not logged.

mod answers;
mod form;
mod signature;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::config;
use crate::error::Error;
use crate::outgoing::{Outgoing, OutgoingError};

pub(super) use answers::{Event, Invoice, Status, Subscription};
use answers::{List, Named, Refusal, RefusalBody, Session};
use form::Form;
pub(super) use signature::Signature;

/// The most that an answer may be: a hundred subscriptions take a tenth of it.
const LARGEST_ANSWER: usize = 4 << 20;

/// How many invoices are shown.
const INVOICES: &str = "24";

/// Stripe, as configured. Cheap to clone.
#[derive(Clone)]
pub(super) struct Stripe {
    outgoing: Outgoing,
    pub(super) settings: Arc<config::Stripe>,
}

impl std::fmt::Debug for Stripe {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Stripe").field("api_url", &self.settings.api_url).finish_non_exhaustive()
    }
}

/// Why Stripe did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum StripeError {
    #[error("Stripe did not answer: {0}")]
    NoAnswer(#[from] OutgoingError),
    #[error("Stripe answered with status {status}: {kind} {code} {param} {message}")]
    Refused { status: u16, kind: String, code: String, param: String, message: String },
    #[error("Stripe's answer could not be read: {0}")]
    Unreadable(serde_json::Error),
    #[error("Stripe sends visitors to an address that stripe.pages does not name")]
    StrangePage,
    #[error("the secret key cannot be sent in a header")]
    UnusableKey,
}

impl StripeError {
    /// Whether Stripe knows no such customer: one of another key, or deleted there.
    pub(super) fn is_missing_customer(&self) -> bool {
        matches!(self, Self::Refused { code, param, .. } if code == "resource_missing" && param == "customer")
    }
}

impl From<StripeError> for Error {
    /// Nobody who asks this registry can do anything about it but try again; its operator finds the cause in the log.
    fn from(cause: StripeError) -> Self {
        tracing::error!(%cause, "the payment service did not do what it was asked for");
        Self::Unavailable("the payment service does not answer as it should".into())
    }
}

/// What a checkout is for.
pub(super) struct Purchase<'a> {
    pub(super) customer: &'a str,
    pub(super) account: &'a str,
    pub(super) price: &'a str,
    pub(super) seats: i64,
    /// Where the visitor comes back to, having paid or not.
    pub(super) paid_url: &'a str,
    pub(super) back_url: &'a str,
}

impl Stripe {
    pub(super) fn new(outgoing: &Outgoing, settings: &config::Stripe) -> Self {
        Self { outgoing: outgoing.for_operator(), settings: Arc::new(settings.clone()) }
    }

    /// Creates the customer for an account. With the same `occasion` it is the same one.
    pub(super) async fn create_customer(
        &self,
        account: &str,
        email: Option<&str>,
        occasion: &str,
    ) -> Result<String, StripeError> {
        let form = Form::default().with("name", account);
        let form = match email {
            Some(email) => form.with("email", email),
            None => form,
        };
        let form = form.with("metadata[strongroom_account]", account);
        let customer: Named = self.post("/v1/customers", &form, occasion).await?;
        Ok(customer.id)
    }

    /// Opens a checkout and gives its page.
    pub(super) async fn open_checkout(&self, purchase: &Purchase<'_>, occasion: &str) -> Result<String, StripeError> {
        let form = Form::default()
            .with("mode", "subscription")
            .with("customer", purchase.customer)
            .with("client_reference_id", purchase.account)
            .with("line_items[0][price]", purchase.price)
            .with("line_items[0][quantity]", purchase.seats.to_string())
            .with("subscription_data[metadata][strongroom_account]", purchase.account)
            .with("success_url", purchase.paid_url)
            .with("cancel_url", purchase.back_url);
        self.page(self.post("/v1/checkout/sessions", &form, occasion).await?)
    }

    /// Closes the checkouts of a customer that are open, and tells which: of several each could be paid.
    pub(super) async fn close_checkouts(&self, customer: &str) -> Result<Vec<String>, StripeError> {
        let query = Form::default().with("customer", customer).with("status", "open").with("limit", "100");
        let open: List<Named> = self.get("/v1/checkout/sessions", &query).await?;
        let mut closed = Vec::new();
        for session in open.data {
            let path = format!("/v1/checkout/sessions/{}/expire", session.id);
            match self.post::<Named>(&path, &Form::default(), &session.id).await {
                // One that was paid in this moment cannot be closed: whether there is a plan now is asked next.
                Ok(_) | Err(StripeError::Refused { status: 400, .. }) => closed.push(session.id),
                Err(cause) => return Err(cause),
            }
        }
        Ok(closed)
    }

    /// Opens the portal, where a customer changes card and address, and gives its page.
    pub(super) async fn open_portal(
        &self,
        customer: &str,
        back_url: &str,
        occasion: &str,
    ) -> Result<String, StripeError> {
        let form = Form::default().with("customer", customer).with("return_url", back_url);
        self.page(self.post("/v1/billing_portal/sessions", &form, occasion).await?)
    }

    /// The subscription of a customer that counts.
    pub(super) async fn find_subscription(&self, customer: &str) -> Result<Option<Subscription>, StripeError> {
        let query = Form::default().with("customer", customer).with("status", "all").with("limit", "100");
        let list: List<Subscription> = self.get("/v1/subscriptions", &query).await?;
        Ok(Subscription::pick(list.data))
    }

    /// Says for how many seats is paid from now on. What has begun is settled with the next invoice.
    pub(super) async fn set_seats(
        &self,
        subscription: &Subscription,
        seats: i64,
        occasion: &str,
    ) -> Result<Subscription, StripeError> {
        let form = Form::default()
            .with("items[0][id]", subscription.item().unwrap_or_default())
            .with("items[0][quantity]", seats.to_string());
        self.post(&format!("/v1/subscriptions/{}", subscription.id), &form, occasion).await
    }

    /// Lets a subscription end with the period that is paid for, or go on after all.
    pub(super) async fn set_ending(
        &self,
        subscription: &Subscription,
        ends: bool,
        occasion: &str,
    ) -> Result<Subscription, StripeError> {
        let form = match subscription.cancel_at {
            // A date of its own, which the portal or the dashboard gave it.
            Some(_) if !ends && !subscription.cancel_at_period_end => Form::default().with("cancel_at", ""),
            _ => Form::default().with("cancel_at_period_end", ends.to_string()),
        };
        self.post(&format!("/v1/subscriptions/{}", subscription.id), &form, occasion).await
    }

    /// The newest invoices of a customer.
    pub(super) async fn list_invoices(&self, customer: &str) -> Result<Vec<Invoice>, StripeError> {
        let query = Form::default().with("customer", customer).with("limit", INVOICES);
        let list: List<Invoice> = self.get("/v1/invoices", &query).await?;
        Ok(list.data)
    }

    /// A visitor is sent to pages of the payment service and to no others, whoever answered.
    fn page(&self, session: Session) -> Result<String, StripeError> {
        let is_known = |url: &String| {
            let rest = |page: &String| url.strip_prefix(page.as_str()).map(|rest| rest.starts_with('/'));
            self.settings.pages.iter().any(|page| rest(page) == Some(true))
        };
        session.url.filter(is_known).ok_or(StripeError::StrangePage)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &Form) -> Result<T, StripeError> {
        let path = format!("{path}?{}", query.encode());
        self.ask(Method::GET, &path, self.headers()?, Bytes::new()).await
    }

    /// The same request for the same occasion is carried out once, however often it arrives.
    async fn post<T: DeserializeOwned>(&self, path: &str, form: &Form, occasion: &str) -> Result<T, StripeError> {
        let body = form.encode();
        let mut headers = self.headers()?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let digest = Sha256::new().chain_update(path).chain_update([0]).chain_update(&body).chain_update([0]);
        let key = hex::encode(digest.chain_update(occasion).finalize());
        if let Ok(key) = HeaderValue::from_str(&format!("strongroom-{key}")) {
            headers.insert("idempotency-key", key);
        }
        self.ask(Method::POST, path, headers, body.into()).await
    }

    fn headers(&self) -> Result<HeaderMap, StripeError> {
        let key = self.settings.secret_key.as_ref().map_or("", |key| key.expose());
        let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| StripeError::UnusableKey)?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
        if let Ok(version) = HeaderValue::from_str(&self.settings.api_version) {
            headers.insert("stripe-version", version);
        }
        Ok(headers)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<T, StripeError> {
        let url = format!("{}{path}", self.settings.api_url.trim_end_matches('/'));
        let (status, body) = self.outgoing.ask(method, &url, headers, body, LARGEST_ANSWER).await?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(StripeError::Unreadable);
        }
        let refusal =
            serde_json::from_slice(&body).map_or_else(|_| RefusalBody::default(), |refusal: Refusal| refusal.error);
        // What is said of a key that is not good may hold a part of it.
        let message = refusal.message.filter(|_| status != StatusCode::UNAUTHORIZED).unwrap_or_default();
        Err(StripeError::Refused {
            status: status.as_u16(),
            kind: refusal.kind.unwrap_or_default(),
            code: refusal.code.unwrap_or_default(),
            param: refusal.param.unwrap_or_default(),
            message: message.chars().take(300).collect(),
        })
    }
}
