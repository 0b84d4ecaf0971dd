//! Plans that an administrator gives and takes.

use serde_json::json;
use strongroom::config::BillingProvider;
use strongroom::policy::{BillingFlag, Permission};

use super::{settle, twice_with};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_plan_nothing_private_works_and_nothing_becomes_public() {
    let by_hand = |config: &mut strongroom::config::Config| config.billing.provider = BillingProvider::Manual;
    twice_with(by_hand, async |browser, house| {
        let ada = settle(house, "ada").await;
        let folder = ada.package("@ada/vault", "1.0.0", &json!({}));
        ada.run_in(&folder, &["publish"]).await.fails_with("E402");
        house.sign_in(browser, "ada").await;
        browser.says("Your account has no plan").await;
        browser.press("See plans").await;
        browser.says("set by its administrators").await;

        house.app.set_billing("ada", BillingFlag::Paid { until: None }).await;
        ada.run_in(&folder, &["publish"]).await.succeeds();
        let bob = settle(house, "bob").await;
        house.app.set_billing("bob", BillingFlag::Paid { until: None }).await;
        house.app.grant("@ada/vault", "bob", Permission::ReadOnly).await;
        house.app.set_billing("bob", BillingFlag::Unpaid).await;

        // The owner sees whom it does not work for, and they see why.
        browser.visit(&format!("{}/package/@ada/vault/access", house.url)).await;
        browser.says("no plan: cannot install yet").await;
        bob.run_in(&bob.project("uses"), &["install", "@ada/vault"]).await.fails_with("E402");
        house.sign_in(browser, "bob").await;
        browser.visit(&format!("{}/package/@ada/vault", house.url)).await;
        browser.says("has no plan").await;
        browser.does_not_say("Keeps what is dear").await;

        house.app.set_billing("ada", BillingFlag::Unpaid).await;
        house.app.anonymous().get("/@ada%2fvault").await.expect(404);
        ada.run_in(&ada.project("uses"), &["install", "@ada/vault"]).await.fails_with("E402");
        house.sign_in(browser, "ada").await;
        browser.visit(&format!("{}/package/@ada/vault/access", house.url)).await;
        browser.press_near("bob", "Remove bob").await;
        browser.says("bob no longer has access").await;

        house.app.set_billing("ada", BillingFlag::Paid { until: None }).await;
        ada.run_in(&ada.project("uses"), &["install", "@ada/vault"]).await.succeeds();
    })
    .await;
}
