//! A team of many, from a list that was pasted.

use serde_json::json;

use super::{settle, twice};

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_made_of_a_pasted_list_and_its_members_install() {
    twice(async |browser, house| {
        let ada = settle(house, "ada").await;
        let bob = settle(house, "bob").await;
        for name in ["carol", "dave", "erin"] {
            house.app.user(name).await;
        }
        house.sign_in(browser, "ada").await;
        browser.press("Create an organization").await;
        browser.fill("Name", "acme").await;
        browser.press("Create organization").await;
        browser.says("acme").await;
        browser.visit(&format!("{}/org/acme/members", house.url)).await;
        browser.press("Add many…").await;
        browser.fill("One person on each line", "bob\nnobody-of-this-name").await;
        browser.press("Look at the list").await;
        browser.says("not taken").await;
        browser.does_not_say("Add them").await;
        browser.fill("One person on each line", "bob\ncarol,admin\ndave\nerin").await;
        browser.press("Look at the list").await;
        browser.says("4 join").await;
        browser.press("Add them").await;
        browser.says("carol").await;

        for npm in [&ada, &bob] {
            npm.knows("@acme");
        }
        ada.run_in(&ada.package("@acme/widgets", "1.0.0", &json!({})), &["publish"]).await.succeeds();
        bob.run_in(&bob.project("uses"), &["install", "@acme/widgets"]).await.succeeds();
        browser.visit(&format!("{}/org/acme/members", house.url)).await;
        browser.press_near("bob", "Remove bob").await;
        bob.run(&["view", "@acme/widgets"]).await.fails_with("E404");
    })
    .await;
}
