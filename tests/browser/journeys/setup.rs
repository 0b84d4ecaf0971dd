//! From nothing to a registry with an administrator.

use super::twice;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_sets_the_registry_up_and_nobody_does_again() {
    twice(async |browser, house| {
        let code = house.app.app.instance.open_setup().await.expect("an answer").expect("nobody has an account");
        let address = format!("{}/setup/{}", house.url, code.expose());
        browser.visit(&address).await;
        browser.fill("User name", "ada").await;
        browser.fill("Mail address", "ada@example.com").await;
        browser.fill("Password", "password").await;
        browser.press("Set up the registry").await;
        browser.wait_for("This was not sent").await;
        browser.fill("Password", "every strongroom has one door").await;
        browser.press("Set up the registry").await;
        browser.wait_until("document.querySelector('header').innerText.includes('ada')").await;
        browser.says("Admin").await;
        browser.visit(&address).await;
        browser.does_not_say("Set up the registry").await;
    })
    .await;
}
