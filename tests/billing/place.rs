//! A registry that is paid through the stand-in.

use axum::body::Body;
use chrono::TimeDelta;
use strongroom::billing::Overview;
use strongroom::clock::{Clock, Time};
use strongroom::config::{BillingProvider, Secret};
use strongroom::names::AccountName;
use strongroom::policy::{
    AccountAction, AccountPermit, Actor, BillingFlag, HolderPermit, OrganizationAction, OrganizationPermit,
};

use crate::stand_in::{Delivery, KEY, SECRET, StandIn};
use crate::support::app::{ADDRESS, Answer, Person, TestApp};

/// The address that events are sent to.
pub(crate) const EVENTS: &str = "/-/strongroom/v1/billing/stripe";

pub(crate) struct Place {
    pub(crate) app: TestApp,
    pub(crate) stripe: StandIn,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let stripe = StandIn::start().await;
        let url = stripe.url().to_owned();
        let app = TestApp::with(|config| {
            config.billing.provider = BillingProvider::Stripe;
            let settings = &mut config.stripe;
            settings.api_url.clone_from(&url);
            settings.pages = vec![url];
            settings.secret_key = Some(Secret::new(KEY));
            settings.webhook_secret = Some(Secret::new(SECRET));
            settings.personal_price = Some("plan_personal".into());
            settings.organization_price = Some("plan_seat".into());
            settings.personal_amount = 700;
            settings.organization_amount = 700;
        });
        Self { app: app.await, stripe }
    }

    /// Who somebody is to policy.
    pub(crate) async fn actor(&self, person: &Person<'_>) -> Actor {
        let token = person.token.as_deref().expect("a token");
        self.app.app.tokens.authenticate(token, ADDRESS.into()).await.expect("an actor")
    }

    /// The right of somebody to change their own plan.
    pub(crate) async fn own(&self, person: &Person<'_>) -> AccountPermit {
        let actor = self.actor(person).await;
        self.app.app.second_factor.permit(&actor, AccountAction::ChangeBilling).await.expect("a permit")
    }

    /// The right of somebody to change the plan of an organization.
    pub(crate) async fn organization(&self, person: &Person<'_>, name: &str) -> OrganizationPermit {
        let actor = self.actor(person).await;
        let name = name.parse().expect("a name");
        let action = OrganizationAction::ChangeBilling;
        self.app.app.organizations.permit(&actor, &name, action).await.expect("a permit")
    }

    /// Buys a plan with a card, and gives the subscription; nothing was heard of it yet.
    pub(crate) async fn buy(&self, payer: &HolderPermit<'_>, card: &str) -> serde_json::Value {
        let page = self.app.app.billing.checkout(payer).await.expect("a checkout");
        self.stripe.pay(&page, card).await
    }

    pub(crate) async fn overview(&self, payer: &HolderPermit<'_>) -> Overview {
        self.app.app.billing.overview(payer).await.expect("an overview")
    }

    /// The clock stands still, and localstripe's does not: what happened there lies in the past here too.
    fn catch_up(&self) {
        let now = Clock::system().now() + TimeDelta::seconds(1);
        if self.app.clock.now() < now {
            self.app.clock.set(now);
        }
    }

    /// Has every customer asked for, as it happens when nothing was heard of them for some hours.
    pub(crate) async fn run_ask(&self) {
        self.catch_up();
        let due = "update billing_customers set due_at = 'epoch'";
        sqlx::query(due).execute(&self.app.pool().await).await.expect("an update");
        self.app.run_chore("billing.ask").await;
    }

    /// Hands an event on as it came.
    pub(crate) async fn deliver(&self, delivery: &Delivery) -> Answer {
        self.catch_up();
        self.post(&delivery.signature, delivery.body.to_vec()).await
    }

    pub(crate) async fn post(&self, signature: &str, body: Vec<u8>) -> Answer {
        let headers = [("stripe-signature", signature), ("content-type", "application/json; charset=utf-8")];
        self.app.anonymous().send("POST", EVENTS, &headers, Body::from(body)).await
    }

    pub(crate) async fn flag(&self, account: &str) -> BillingFlag {
        let account: AccountName = account.parse().expect("a name");
        self.app.app.billing.status(&account).await.expect("a flag")
    }

    /// Until when an account is paid.
    pub(crate) async fn until(&self, account: &str) -> Option<Time> {
        match self.flag(account).await {
            BillingFlag::Paid { until } => until,
            BillingFlag::Unpaid => None,
        }
    }

    /// What the audit log says was done to an account, oldest first, as `action by actor`.
    pub(crate) async fn audited(&self, account: &str) -> Vec<String> {
        let query = "select action || ' by ' || actor from audit_events
                     where subject = $1 and action like 'billing.%' order by id";
        sqlx::query_scalar(query).bind(account).fetch_all(&self.app.pool().await).await.expect("lines")
    }
}
