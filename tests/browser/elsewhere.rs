//! Pages that no registry shows beside those of the [`catalogue`](crate::catalogue): before the first account, and where
//! plans are paid for.

use strongroom::config::{BillingProvider, Config, Secret};
use strongroom::policy::BillingFlag;

use crate::axe::Axe;
use crate::browser::Browser;
use crate::checks::{faults, trespasses};
use crate::house::House;

/// A browser, what looks for barriers, and what was found so far.
struct Inspection {
    browser: Browser,
    axe: Axe,
    wrong: Vec<String>,
}

impl Inspection {
    /// None where there is no browser.
    async fn begin() -> Option<Self> {
        let browser = Browser::open(None).await?;
        let axe = Axe::find().await.unwrap_or_else(|reason| panic!("axe: {reason}"));
        Some(Self { browser, axe, wrong: Vec::new() })
    }

    /// Opens a page, which says these words, and notes what is wrong with it.
    async fn look_at(&mut self, house: &House, path: &str, words: &str) {
        self.browser.visit(&format!("{}{path}", house.url)).await;
        self.look_here(house, path, words).await;
    }

    async fn look_here(&mut self, house: &House, name: &str, words: &str) {
        self.browser.says(words).await;
        let mut found = faults(&self.browser, &self.axe).await;
        found.extend(trespasses(&self.browser, &house.url).await);
        self.wrong.extend(found.into_iter().map(|fault| format!("{name} ({words}): {fault}")));
    }

    fn end(self) {
        assert!(self.wrong.is_empty(), "{} faults:\n{}", self.wrong.len(), self.wrong.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_is_accessible() {
    let Some(mut inspection) = Inspection::begin().await else { return };
    let house = House::at("127.0.0.1").await;
    let code = house.app.app.instance.open_setup().await.expect("an answer").expect("nobody has an account");
    let path = format!("/setup/{}", code.expose());
    inspection.look_at(&house, &path, "Set up").await;
    let browser = &inspection.browser;
    browser.fill("User name", "ada").await;
    browser.fill("Mail address", "ada@example.com").await;
    browser.fill("Password", "password").await;
    browser.press("Set up the registry").await;
    inspection.look_here(&house, &path, "This was not sent").await;
    inspection.end();
}

/// Where payments go; nothing listens there, as no page asks it anything.
fn with_payments(config: &mut Config) {
    config.billing.provider = BillingProvider::Stripe;
    config.stripe.api_url = "http://127.0.0.1:9".into();
    config.stripe.secret_key = Some(Secret::new("sk_test_nobody"));
    config.stripe.webhook_secret = Some(Secret::new("whsec_nobody"));
    config.stripe.personal_price = Some("price_personal".into());
    config.stripe.organization_price = Some("price_seat".into());
    config.stripe.personal_amount = 700;
    config.stripe.organization_amount = 700;
}

/// Tells the registry of a subscription, as it would have heard from the payment service.
async fn subscribe(house: &House, name: &str, status: &str, cancelled: bool) {
    let pool = house.app.pool().await;
    let now = house.app.clock.now();
    let end = now + chrono::TimeDelta::days(20);
    let statements = [
        "insert into billing_customers (account_id, customer, created_at, due_at)
             select id, 'cus_' || name, $2, 'infinity' from accounts where name = $1 and $3::timestamptz is not null",
        "insert into billing_subscriptions (account_id, subscription, status, price, seats, seat_amount, currency,
                 billing_interval, period_end, paid_through, updated_at)
             select id, 'sub_' || name, 'active', 'price', 2, 700, 'usd', 'month', $3, $3, $2 from accounts where name = $1",
        "insert into billing_invoices (invoice, account_id, number, issued_at, amount, currency, status, url)
             select 'in_' || name, id, 'R-0001', $2, 1400, 'usd', 'paid', 'https://invoice.stripe.com/i/1'
             from accounts where name = $1 and $3::timestamptz is not null",
    ];
    for statement in statements {
        sqlx::query(statement).bind(name).bind(now).bind(end).execute(&pool).await.expect("a row");
    }
    let change = "update billing_subscriptions set status = $2, cancels_at = case when $3 then period_end end
        where account_id = (select id from accounts where name = $1)";
    sqlx::query(change).bind(name).bind(status).bind(cancelled).execute(&pool).await.expect("a row");
    house.app.set_billing(name, BillingFlag::Paid { until: Some(end) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_payments_are_accessible() {
    let Some(mut inspection) = Inspection::begin().await else { return };
    let house = House::with("127.0.0.1", with_payments).await;
    for name in ["ada", "bob", "carol", "dave"] {
        house.app.user(name).await;
    }
    house.app.organization("acme", "ada", &[("bob", "developer")]).await;
    subscribe(&house, "acme", "active", false).await;
    subscribe(&house, "bob", "active", true).await;
    subscribe(&house, "carol", "past_due", false).await;

    house.sign_in(&inspection.browser, "ada").await;
    inspection.look_at(&house, "/settings/billing", "Pick personal plan").await;
    inspection.look_at(&house, "/org/acme/billing", "Next charge").await;
    inspection.look_at(&house, "/org/acme/billing/cancel", "Cancel").await;
    inspection.look_at(&house, "/org/acme/invite", "One person on each line").await;
    house.sign_in(&inspection.browser, "bob").await;
    inspection.look_at(&house, "/settings/billing", "Keep plan").await;
    house.sign_in(&inspection.browser, "carol").await;
    inspection.look_at(&house, "/settings/billing", "R-0001").await;
    inspection.look_at(&house, "/", "A payment failed").await;
    house.sign_in(&inspection.browser, "dave").await;
    inspection.look_at(&house, "/", "Your account has no plan").await;
    inspection.end();
}
