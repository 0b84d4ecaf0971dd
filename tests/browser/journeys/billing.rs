//! Plans that an administrator gives and takes.

use serde_json::json;
use strongroom::config::BillingProvider;
use strongroom::policy::{BillingFlag, Permission};

use super::{confirm_if_asked, settle, twice_with};
use crate::browser::Browser;
use crate::house::House;

/// An administrator sets a plan on their page, and who was there before them is signed out.
async fn administrator_presses(browser: &Browser, house: &House, button: &str, outcome: &str) {
    house.sign_in(browser, "keeper").await;
    browser.visit(&format!("{}/admin/plans", house.url)).await;
    confirm_if_asked(browser).await;
    browser.press(button).await;
    browser.wait_for(outcome).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_plan_nothing_private_works_and_nothing_becomes_public() {
    let by_hand = |config: &mut strongroom::config::Config| config.billing.provider = BillingProvider::Manual;
    twice_with(by_hand, async |browser, house| {
        house.app.administrator("keeper").await;
        let ada = settle(house, "ada").await;
        let folder = ada.package("@ada/vault", "1.0.0", &json!({}));
        ada.run_in(&folder, &["publish"]).await.fails_with("E402");
        house.sign_in(browser, "ada").await;
        browser.says("Your account has no plan").await;
        browser.press("See plans").await;
        browser.says("set by its administrators").await;

        administrator_presses(browser, house, "Make ada paid", "ada is paid").await;
        ada.run_in(&folder, &["publish"]).await.succeeds();
        let bob = settle(house, "bob").await;
        house.app.set_billing("bob", BillingFlag::Paid { until: None }).await;
        house.app.grant("@ada/vault", "bob", Permission::ReadOnly).await;
        house.app.set_billing("bob", BillingFlag::Unpaid).await;

        // The owner sees whom it does not work for, and they see why.
        house.sign_in(browser, "ada").await;
        browser.visit(&format!("{}/package/@ada/vault/access", house.url)).await;
        browser.says("no plan: cannot install yet").await;
        bob.run_in(&bob.project("uses"), &["install", "@ada/vault"]).await.fails_with("E402");
        house.sign_in(browser, "bob").await;
        browser.visit(&format!("{}/package/@ada/vault", house.url)).await;
        browser.says("has no plan").await;
        browser.does_not_say("Keeps what is dear").await;

        administrator_presses(browser, house, "Make ada unpaid", "ada is unpaid").await;
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
