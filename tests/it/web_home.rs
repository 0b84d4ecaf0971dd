//! The first page of somebody who is logged in, and of somebody who is not.

use strongroom::policy::{BillingFlag, Permission};

use crate::support::app::{Package, TestApp};

#[tokio::test]
async fn who_is_logged_out_is_told_what_this_is_and_how_to_begin() {
    let app = TestApp::new().await;
    let page = app.browser().get("/").await.expect(200);
    assert!(page.text("main").contains("registry.test"));
    assert!(page.text("main").contains("npm login --scope=@you --registry=http://registry.test/"));
    assert!(page.attributes("main a", "href").contains(&"/login".to_owned()));
    assert_eq!(page.attributes("main form", "action"), ["/search"]);
}

#[tokio::test]
async fn the_first_steps_go_away_one_by_one() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    app.user("bob").await;
    let browser = app.session("ada").await;
    let page = browser.get("/").await.expect(200);
    // The tests' own users have a token already.
    assert!(page.text("section.panel").contains("npm owner add THEIR-NAME @ada/my-package"));
    assert_eq!(page.texts("section.panel .badge").len(), 1);
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    let page = browser.get("/").await.expect(200);
    assert_eq!(page.texts("section.panel .badge").len(), 2);
    assert!(page.attributes("section.panel a", "href").contains(&"/package/@ada/one/access".to_owned()));
    app.grant("@ada/one", "bob", Permission::ReadOnly).await;
    assert_eq!(browser.get("/").await.texts("section.panel .badge").len(), 3);
    // Bob has a list of his own.
    let bob = app.session("bob").await;
    assert_eq!(bob.get("/").await.texts("section.panel .badge").len(), 1);
}

#[tokio::test]
async fn the_first_steps_can_be_put_away() {
    let app = TestApp::new().await;
    app.user("ada").await;
    app.user("bob").await;
    let browser = app.session("ada").await;
    let page = browser.get("/").await.expect(200);
    let page = browser.submit_and_follow(page.form("/checklist")).await.expect(200);
    assert!(page.texts("section.panel").is_empty());
    // For good, on whichever browser, and for nobody else.
    assert!(app.session("ada").await.get("/").await.texts("section.panel").is_empty());
    assert_eq!(app.session("bob").await.get("/").await.texts("section.panel").len(), 1);
}

#[tokio::test]
async fn home_lists_what_is_mine_what_is_shared_and_by_whom() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let bob = app.user("bob").await;
    app.organization("crew", "bob", &[("ada", "developer")]).await;
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    ada.publish(&Package::new("@ada/two", "2.0.0").access("public")).await.expect(201);
    bob.publish(&Package::new("@bob/shared", "3.0.0")).await.expect(201);
    bob.publish(&Package::new("@bob/secret", "4.0.0")).await.expect(201);
    bob.publish(&Package::new("@crew/tool", "5.0.0")).await.expect(201);
    let grant = serde_json::json!({ "permission": "read-only" });
    bob.json("PUT", "/-/strongroom/v1/package/@bob%2fshared/access/ada", &grant).await.expect(200);
    let page = app.session("ada").await.get("/").await.expect(200);
    let rows = page.texts("table tbody tr");
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(rows[0].starts_with("@ada/one private 1.0.0"), "{rows:?}");
    assert!(rows[1].starts_with("@ada/two public 2.0.0"), "{rows:?}");
    assert!(rows[2].starts_with("@bob/shared private 3.0.0"), "{rows:?}");
    assert!(rows[2].ends_with("read, shared by bob"), "{rows:?}");
    assert!(page.text("main").contains("crew member 2 members"));
    // What is the organization's stands there, and among what was published last.
    assert!(page.text("main").contains("@crew/tool 5.0.0 by bob"));
    assert!(!page.html().contains("secret"));
}

#[tokio::test]
async fn home_is_there_for_who_has_no_plan() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    app.set_billing("ada", BillingFlag::Unpaid).await;
    let page = app.session("ada").await.get("/").await.expect(200);
    assert!(page.text(".bar.warn").contains("has no plan"));
    assert!(page.text("table").contains("@ada/one"));
}
