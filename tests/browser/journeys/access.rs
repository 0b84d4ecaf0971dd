//! Who may see a package, and who may publish it: the page that this product began with.

use serde_json::json;

use super::{confirm_if_asked, settle, twice};
use crate::house::House;

/// The packages that a search finds for somebody without an account.
async fn found(house: &House, words: &str) -> Vec<String> {
    let answer = house.app.anonymous().get(&format!("/-/v1/search?text={words}")).await.expect(200).json();
    let objects = answer["objects"].as_array().cloned().unwrap_or_default();
    objects.iter().map(|object| object["package"]["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_adds_someone_raises_them_removes_them_and_takes_that_back() {
    twice(async |browser, house| {
        let ada = settle(house, "ada").await;
        let bob = settle(house, "bob").await;
        let first = ada.package("@ada/vault", "1.0.0", &json!({}));
        ada.run_in(&first, &["publish"]).await.succeeds();
        bob.run(&["view", "@ada/vault"]).await.fails_with("E404");

        house.sign_in(browser, "ada").await;
        browser.visit(&format!("{}/package/@ada/vault/access", house.url)).await;
        browser.says("private").await;
        browser.fill("User name or e-mail", "bob").await;
        browser.press("Add").await;
        browser.wait_for("bob was added to @ada/vault: read-only").await;
        let project = bob.project("reads");
        bob.run_in(&project, &["install", "@ada/vault"]).await.succeeds();
        let second = bob.package("@ada/vault", "1.1.0", &json!({}));
        bob.run_in(&second, &["publish"]).await.fails_with("E403");

        browser.press_near("bob", "read-write").await;
        browser.wait_for("bob now has read-write access to @ada/vault").await;
        bob.run_in(&second, &["publish"]).await.succeeds();

        browser.press_near("bob", "Remove bob").await;
        browser.wait_for("bob no longer has access to @ada/vault").await;
        bob.run(&["view", "@ada/vault"]).await.fails_with("E404");
        let again = bob.project("reads-again");
        bob.run_in(&again, &["install", "@ada/vault", "--prefer-online"]).await.fails_with("E404");

        browser.press("Undo").await;
        let third = bob.package("@ada/vault", "1.2.0", &json!({}));
        bob.run_in(&third, &["publish"]).await.succeeds();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_made_public_with_open_eyes_and_private_again() {
    twice(async |browser, house| {
        let ada = settle(house, "ada").await;
        let bob = settle(house, "bob").await;
        let folder = ada.package("@ada/vault", "1.0.0", &json!({}));
        let secret = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIFHGuQkIYrWpWVnXyVZ8UZlG8KQxH4yJ0YzS2cR7dEaT\n-----END PRIVATE KEY-----\n";
        std::fs::write(folder.join("server.pem"), secret).expect("a file");
        ada.run_in(&folder, &["publish"]).await.succeeds();
        assert!(found(house, "vault").await.is_empty());

        house.sign_in(browser, "ada").await;
        browser.visit(&format!("{}/package/@ada/vault/access", house.url)).await;
        browser.fill("User name or e-mail", "bob").await;
        browser.press("Add").await;
        browser.wait_for("bob was added").await;
        let second = bob.package("@ada/vault", "1.1.0", &json!({}));
        bob.run_in(&second, &["publish"]).await.fails_with("E403");

        browser.press("Make public…").await;
        confirm_if_asked(browser).await;
        browser.wait_for("Who gains write access").await;
        browser.says("bob").await;
        browser.says("server.pem").await;
        browser.fill("Type", "@ada/vault").await;
        browser.press("Make public").await;
        browser.wait_for("This was not sent").await;
        assert!(found(house, "vault").await.is_empty(), "nobody said that the key may go out");
        browser.tick("I have looked").await;
        browser.fill("Type", "@ada/vault").await;
        browser.press("Make public").await;
        browser.wait_for("@ada/vault is public").await;
        assert_eq!(found(house, "vault").await, ["@ada/vault"]);
        bob.run_in(&second, &["publish"]).await.succeeds();

        browser.press("Make private…").await;
        browser.wait_for("leaves search").await;
        browser.says("bob").await;
        browser.press("Make private").await;
        browser.wait_for("@ada/vault is private").await;
        assert!(found(house, "vault").await.is_empty());
        house.app.anonymous().get("/@ada%2fvault").await.expect(404);
        let third = bob.package("@ada/vault", "1.2.0", &json!({}));
        bob.run_in(&third, &["publish"]).await.fails_with("E403");
    })
    .await;
}
