//! Coming in and going out.

use super::twice;
use crate::support::app::PASSWORD;

#[tokio::test(flavor = "multi_thread")]
async fn somebody_logs_in_to_the_page_they_wanted_and_out_again() {
    twice(async |browser, house| {
        house.app.user("ada").await;
        browser.visit(&format!("{}/confirm", house.url)).await;
        browser.fill("User name", "ada").await;
        browser.fill("Password", "not the password").await;
        browser.press("Log in").await;
        browser.wait_for("Incorrect user name or password").await;
        browser.fill("Password", PASSWORD).await;
        browser.press("Log in").await;
        browser.wait_for("Confirm that it is you").await;
        browser.press("Log out").await;
        browser.wait_for("shared with whom you choose").await;
        browser.does_not_say("ada").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_theme_is_as_one_wants_it() {
    twice(async |browser, house| {
        let background = "getComputedStyle(document.body).backgroundColor";
        browser.visit(&format!("{}/docs", house.url)).await;
        for (theme, colour) in [("dark", "rgb(15, 18, 22)"), ("light", "rgb(255, 255, 255)")] {
            browser.press(theme).await;
            browser.wait_until(&format!("{background} === '{colour}'")).await;
            assert!(browser.address().await.ends_with("/docs"));
        }
    })
    .await;
}
