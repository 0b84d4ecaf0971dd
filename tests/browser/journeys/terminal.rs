//! Terminals that are let in by a page.

use serde_json::json;

use super::{confirm_if_asked, twice};
use crate::npm::Npm;
use crate::support::app::PASSWORD;

#[tokio::test(flavor = "multi_thread")]
async fn npm_logs_in_through_the_browser_publishes_and_a_colleague_installs() {
    twice(async |browser, house| {
        house.app.user("ada").await;
        house.app.user("bob").await;
        let ada = Npm::new(&house.url).await;
        let folder = ada.package("@ada/vault", "1.0.0", &json!({}));
        let log_in = ["login", "--scope=@ada"];
        let said = ada.run_with_browser(&folder, &log_in, async |address| {
            browser.visit(&address).await;
            browser.fill("User name", "ada").await;
            browser.fill("Password", PASSWORD).await;
            browser.press("Log in").await;
            browser.wait_for("Log a terminal in?").await;
            browser.says("npm 11").await;
            browser.press("Approve").await;
            confirm_if_asked(browser).await;
            browser.wait_for("You can close this page").await;
        });
        said.await.succeeds().saying("Logged in");
        ada.run(&["whoami"]).await.succeeds().saying("ada");
        ada.run_in(&folder, &["publish"]).await.succeeds();
        house.app.anonymous().get("/@ada%2fvault").await.expect(404);

        house.app.grant("@ada/vault", "bob", strongroom::policy::Permission::ReadOnly).await;
        let bob = Npm::new(&house.url).await;
        let project = bob.project("reads");
        bob.run_in(&project, &["install", "@ada/vault"]).await.fails();
        house.sign_in(browser, "bob").await;
        let said = bob.run_with_browser(&project, &log_in, async |address| {
            browser.visit(&address).await;
            browser.press("Approve").await;
            confirm_if_asked(browser).await;
            browser.wait_for("You can close this page").await;
        });
        said.await.succeeds();
        bob.run_in(&project, &["install", "@ada/vault"]).await.succeeds();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_refused_gives_up_and_holds_nothing() {
    twice(async |browser, house| {
        house.app.user("ada").await;
        house.sign_in(browser, "ada").await;
        let npm = Npm::new(&house.url).await;
        let folder = npm.project("nothing");
        let said = npm.run_with_browser(&folder, &["login", "--scope=@ada"], async |address| {
            browser.visit(&address).await;
            browser.press("Refuse").await;
            browser.wait_for("You can close this page").await;
        });
        said.await.fails();
        assert!(!npm.settings().contains("_authToken"), "{}", npm.settings());
    })
    .await;
}
