//! What people hold in their hands: a passkey, and an authenticator app.

use serde_json::json;

use super::{confirm_if_asked, twice};
use crate::browser::Browser;
use crate::house::House;
use crate::support::app::PASSWORD;
use crate::support::authenticator::App;

/// From the page of security on; a wrong code is shown to be one on the way.
pub(super) async fn set_up_authenticator(browser: &Browser, house: &House) -> App {
    browser.press("Set up an authenticator app").await;
    confirm_if_asked(browser).await;
    browser.wait_for("Scan this").await;
    let secret = browser.evaluate("document.querySelector('.command code').textContent").await;
    let app = App::scan(&format!("otpauth://totp/x?secret={}", secret.as_str().unwrap_or_default().replace(' ', "")));
    browser.fill("Six digits", "000000").await;
    browser.press("Confirm code").await;
    browser.wait_for("This was not sent").await;
    browser.fill("Six digits", &app.code(house.app.clock.now())).await;
    browser.press("Confirm code").await;
    browser.wait_for("recovery codes").await;
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authenticator_app_is_set_up_and_asked_for_at_the_next_login() {
    twice(async |browser, house| {
        house.app.user("ada").await;
        house.sign_in(browser, "ada").await;
        browser.visit(&format!("{}/settings/security", house.url)).await;
        let app = set_up_authenticator(browser, house).await;
        browser.press("Log out").await;

        house.app.clock.set(house.app.clock.now() + chrono::TimeDelta::seconds(60));
        browser.visit(&format!("{}/login", house.url)).await;
        browser.fill("User name", "ada").await;
        browser.fill("Password", PASSWORD).await;
        browser.press("Log in").await;
        browser.fill("One-time code", &app.code(house.app.clock.now())).await;
        browser.press("Log in").await;
        browser.wait_until("location.pathname === '/'").await;
    })
    .await;
}

/// Passkeys are the browser's own, and take script; the host is a name, since they belong to none that is a number.
#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_added_and_logs_in_without_a_password() {
    let Some(browser) = Browser::open(None).await else { return };
    let house = House::at("localhost").await;
    house.app.user("ada").await;
    browser.command("WebAuthn.enable", json!({ "enableUI": false })).await;
    let authenticator = json!({
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
        "isUserVerified": true, "automaticPresenceSimulation": true,
    });
    browser.command("WebAuthn.addVirtualAuthenticator", json!({ "options": authenticator })).await;
    house.sign_in(&browser, "ada").await;
    browser.visit(&format!("{}/settings/security", house.url)).await;
    browser.press("Add a passkey").await;
    confirm_if_asked(&browser).await;
    browser.fill("Name", "this laptop").await;
    browser.press("Add it").await;
    browser.wait_for("recovery codes").await;
    browser.visit(&format!("{}/settings/security", house.url)).await;
    browser.says("this laptop").await;
    browser.press("Log out").await;

    // The browser offers what it knows in the field for the name; the virtual finger takes the offer at once.
    browser.visit(&format!("{}/login", house.url)).await;
    browser.wait_until("document.querySelector('header').innerText.includes('ada')").await;
}
