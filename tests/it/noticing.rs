//! Notices by mail, and the page on which one says of what.

use serde_json::json;
use strongroom::policy::Permission;

use crate::mail::by;
use crate::second_factor::enable;
use crate::session::log_in;
use crate::support::app::{PASSWORD, Package, TestApp};
use crate::support::browser::{FilledForm, Page};
use crate::support::smtp::{Received, Smtp};

/// Writes and sends what is due, and takes what came to somebody.
pub(crate) async fn letters_to(app: &TestApp, smtp: &Smtp, name: &str) -> Vec<Received> {
    app.run_chore("notices.tell").await;
    app.run_chore("mail.deliver").await;
    smtp.take_letters_to(&format!("{name}@example.com"))
}

/// The form with the boxes; before it there is one that asks for a proof of the address.
fn boxes(page: &Page) -> FilledForm {
    page.forms("/settings/notifications").pop().expect("a form")
}

pub(crate) fn subjects(letters: &[Received]) -> Vec<&str> {
    letters.iter().map(|letter| letter.line("Subject")).collect()
}

#[tokio::test]
async fn what_concerns_the_safety_of_an_account_is_told_in_any_case() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let ada = app.user("ada").await;
    let browser = app.session("ada").await;
    let form = boxes(&browser.get("/settings/notifications").await.expect(200));
    browser.submit(form.without("login").without("access").without("publish")).await.expect(303);
    letters_to(&app, &smtp, "ada").await;

    let token = json!({ "password": PASSWORD, "name": "ci http://evil.test", "packages_all": true,
        "packages_and_scopes_permission": "read-only" });
    ada.json("POST", "/-/npm/v1/tokens", &token).await.expect(201);
    let letters = letters_to(&app, &smtp, "ada").await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].body.contains("A token was made for ada") && !letters[0].body.contains("http://evil.test"));
    assert!(letters[0].body.contains("192.0.2.1") && letters[0].body.contains("http://registry.test/forgot"));

    enable(&app, &ada, "auth-only").await;
    let letters = letters_to(&app, &smtp, "ada").await;
    assert!(subjects(&letters).contains(&"The second factor of ada was changed"), "{letters:?}");

    let bob = app.user("bob").await;
    letters_to(&app, &smtp, "bob").await;
    let change = json!({ "password": { "old": PASSWORD, "new": "a better battery" } });
    bob.json("POST", "/-/npm/v1/user", &change).await.expect(200);
    assert_eq!(subjects(&letters_to(&app, &smtp, "bob").await), ["The password of bob was changed"]);
    // The address before is told where mail goes now, or rather that it goes elsewhere.
    bob.json("POST", "/-/npm/v1/user", &json!({ "email": "new@example.com" })).await.expect(200);
    let letters = letters_to(&app, &smtp, "bob").await;
    assert_eq!(subjects(&letters), ["Mail for bob goes to another address now"]);
    assert!(!letters[0].body.contains("new@example.com"));
}

#[tokio::test]
async fn logins_are_told_unless_that_is_not_wanted() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    app.user("ada").await;
    letters_to(&app, &smtp, "ada").await;
    log_in(&app, "ada", PASSWORD, None).await.expect(201);
    let letters = letters_to(&app, &smtp, "ada").await;
    assert_eq!(subjects(&letters), ["A terminal was logged in as ada"]);
    assert!(letters[0].body.contains("/settings/notifications"), "and how to switch it off");
    let browser = app.session("ada").await;
    let page = browser.get("/settings/notifications").await.expect(200);
    assert_eq!(page.attributes("input[type=checkbox][checked]", "id"), ["login", "access", "security"]);
    let page = browser.submit_and_follow(boxes(&page).without("login")).await.expect(200);
    assert_eq!(page.attributes("input[type=checkbox][checked]", "id"), ["access", "security"]);
    log_in(&app, "ada", PASSWORD, None).await.expect(201);
    assert!(letters_to(&app, &smtp, "ada").await.is_empty());
}

#[tokio::test]
async fn new_maintainers_are_told_and_so_are_those_who_administer() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let alice = app.user("alice").await;
    app.user("bob").await;
    app.user("carol").await;
    app.organization("acme", "alice", &[("carol", "owner")]).await;
    alice.publish(&Package::new("@acme/one", "1.0.0")).await.expect(201);
    for name in ["alice", "bob", "carol"] {
        letters_to(&app, &smtp, name).await;
    }
    let given = alice
        .json("PUT", "/-/strongroom/v1/package/@acme%2fone/access/bob", &json!({ "permission": "read-write" }))
        .await;
    assert!(given.status.is_success(), "{given:?}");
    assert_eq!(subjects(&letters_to(&app, &smtp, "bob").await), ["alice shares @acme/one with you"]);
    assert_eq!(subjects(&letters_to(&app, &smtp, "carol").await), ["bob can publish @acme/one now"]);
    assert!(letters_to(&app, &smtp, "alice").await.is_empty(), "who did it knows it");
    // What was taken back before the letter is written is told to nobody.
    app.grant("@acme/one", "bob", Permission::ReadOnly).await;
    alice.send("DELETE", "/-/strongroom/v1/package/@acme%2fone/access/bob", &[], axum::body::Body::empty()).await;
    assert!(letters_to(&app, &smtp, "bob").await.is_empty());
}

#[tokio::test]
async fn publishes_are_told_to_maintainers_who_want_that_and_may_read() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let alice = app.user("alice").await;
    for name in ["bob", "carol", "dave"] {
        app.user(name).await;
    }
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;
    app.grant("@alice/one", "carol", Permission::ReadWrite).await;
    app.grant("@alice/one", "dave", Permission::ReadOnly).await;
    for name in ["bob", "dave"] {
        let browser = app.session(name).await;
        let form = boxes(&browser.get("/settings/notifications").await.expect(200));
        browser.submit(form.fill("publish", "on").without("access").without("login")).await.expect(303);
    }
    for name in ["bob", "carol", "dave"] {
        letters_to(&app, &smtp, name).await;
    }
    alice.publish(&Package::new("@alice/one", "1.1.0")).await.expect(201);
    assert_eq!(subjects(&letters_to(&app, &smtp, "bob").await), ["@alice/one 1.1.0 was published"]);
    assert!(letters_to(&app, &smtp, "carol").await.is_empty(), "she did not ask for it");
    assert!(letters_to(&app, &smtp, "dave").await.is_empty(), "he only reads");
    // A right that is gone when the letter is written tells nothing, whatever it was when it happened.
    alice.publish(&Package::new("@alice/one", "1.2.0")).await.expect(201);
    app.set_billing("bob", strongroom::policy::BillingFlag::Unpaid).await;
    assert!(letters_to(&app, &smtp, "bob").await.is_empty());
}

#[tokio::test]
async fn the_address_can_be_proven_from_the_page() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    app.user("ada").await;
    let browser = app.session("ada").await;
    let page = browser.get("/settings/notifications").await.expect(200);
    let form = page.form("/settings/notifications").press("prove", "yes");
    let page = browser.submit_and_follow(form).await.expect(200);
    assert!(page.text(".bar").contains("on its way"));
    let letters = letters_to(&app, &smtp, "ada").await;
    assert!(letters.iter().any(|letter| letter.line("Subject") == "Is this the address of ada?"), "{letters:?}");
}
