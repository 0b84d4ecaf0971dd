//! Tokens for machines, and what to do when one leaks.

use std::fs;

use serde_json::json;

use super::{confirm_if_asked, settle, twice};
use crate::npm::Npm;

#[tokio::test(flavor = "multi_thread")]
async fn ci_installs_with_a_token_that_reads_until_it_leaks() {
    twice(async |browser, house| {
        let ada = settle(house, "ada").await;
        ada.run_in(&ada.package("@ada/vault", "1.0.0", &json!({})), &["publish"]).await.succeeds();

        house.sign_in(browser, "ada").await;
        browser.visit(&format!("{}/settings/tokens", house.url)).await;
        browser.press("New token").await;
        browser.press("CI or a server that installs").await;
        browser.fill("Name", "our ci").await;
        browser.fill("Which packages", "@ada/*").await;
        browser.press("Look over").await;
        browser.press("Make token").await;
        confirm_if_asked(browser).await;
        browser.wait_for("It is shown this once").await;
        let secret = browser.evaluate("document.getElementById('token').textContent.trim()").await;
        let secret = secret.as_str().expect("a token").to_owned();
        let lines = browser.evaluate("[...document.querySelectorAll('.command code')][1].textContent").await;
        let lines = lines.as_str().expect("lines for .npmrc").to_owned();

        // A machine that knows nothing but these lines and the secret that it was given.
        let machine = Npm::new(&house.url).await.with("NPM_TOKEN", &secret);
        let project = machine.project("build");
        fs::write(project.join(".npmrc"), format!("{lines}\n")).expect("a file");
        machine.run_in(&project, &["install", "@ada/vault"]).await.succeeds();
        let folder = machine.package("@ada/vault", "1.1.0", &json!({}));
        fs::write(folder.join(".npmrc"), format!("{lines}\n")).expect("a file");
        machine.run_in(&folder, &["publish"]).await.fails_with("E403");

        // Who finds it need not be anybody.
        house.sign_in(browser, "").await;
        browser.press("Revoke a leaked token").await;
        browser.fill("Token", &format!("//somewhere/:_authToken={secret}")).await;
        browser.press("Revoke token").await;
        browser.wait_for("it works no more").await;
        browser.says("our ci").await;
        fs::remove_dir_all(project.join("node_modules")).expect("a folder");
        machine.run_in(&project, &["install", "--prefer-online"]).await.fails_with("E401");
    })
    .await;
}
