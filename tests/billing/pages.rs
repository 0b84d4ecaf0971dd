//! The pages of plans, in a browser without script.

use chrono::TimeDelta;
use serde_json::json;
use strongroom::config::BillingProvider;
use strongroom::names::{AccountName, PackageName};
use strongroom::policy::{Actor, BillingFlag, HolderPermit, Intent, Permission};

use crate::place::Place;
use crate::seats::members;
use crate::stand_in::GOOD_CARD;
use crate::support::app::{PASSWORD, Package, TestApp};
use crate::support::authenticator;
use crate::support::browser::{Browser, Page};

const OWN: &str = "/settings/billing";

async fn billing(browser: &Browser<'_>, path: &str) -> Page {
    browser.get(path).await.expect(200)
}

fn form_targets(page: &Page) -> String {
    let policy = page.answer.header("content-security-policy").to_owned();
    policy.split(';').find(|part| part.trim().starts_with("form-action")).unwrap_or_default().trim().to_owned()
}

#[tokio::test]
async fn a_plan_is_bought_seen_cancelled_and_kept() {
    let place = Place::new().await;
    place.app.user("ada").await;
    let browser = place.app.logged_in("ada").await;
    let page = billing(&browser, OWN).await;
    assert!(page.text(".bar.warn").contains("Your account has no plan"), "{}", page.text("main"));
    assert!(page.text(".panel").contains("7.00 USD each month"));
    assert!(page.text("main").contains("Receipts appear here"));
    assert_eq!(form_targets(&page), format!("form-action 'self' {}", place.stripe.url()));

    let sent = browser.submit(page.form("/settings/billing/checkout")).await.expect(303);
    assert!(sent.location().starts_with(place.stripe.url()), "{}", sent.location());
    place.stripe.pay(&sent.location(), GOOD_CARD).await;
    place.run_ask().await;
    let back = browser.get("/settings/billing?checkout=done").await.expect(303);
    assert_eq!(back.location(), OWN);
    let page = billing(&browser, OWN).await;
    assert!(page.text("[role=status]").contains("Your payment has arrived"), "{}", page.text("main"));
    assert!(page.text("dl.facts").contains("7.00 USD each month Next charge"), "{}", page.text("dl.facts"));
    assert!(page.text("tbody").contains("7.00 USD paid"), "{}", page.text("tbody"));
    assert!(page.texts(".bar.warn").is_empty());
    let portal = browser.submit(page.form("/settings/billing/portal")).await.expect(303);
    assert!(place.stripe.session(&portal.location())["customer"].is_string());

    let asked = browser.get("/settings/billing/cancel").await.expect(200);
    assert!(asked.text("main").contains("private installs and publishes stop for you. Until then everything goes on."));
    let page = browser.submit_and_follow(asked.form("/settings/billing/cancel")).await.expect(200);
    assert!(page.text(".bar.ok").contains("The plan ends on"), "{}", page.text("main"));
    assert!(page.text(".bar.warn").contains("Your plan ends on"));
    assert!(billing(&browser, "/settings/billing/cancel").await.text("main").contains("There is no plan"));
    let page = browser.submit_and_follow(page.form("/settings/billing/resume")).await.expect(200);
    assert!(page.text(".bar.ok").contains("The plan goes on"));
    assert!(page.text("dl.facts").contains("Next charge"));
}

#[tokio::test]
async fn the_preview_of_a_list_of_people_says_what_they_cost() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    for user in ["bob", "carol", "dora"] {
        place.app.user(user).await;
    }
    place.app.organization("acme", "ada", &[("bob", "developer")]).await;
    let browser = place.app.session("ada").await;
    let invite = "/org/acme/invite";
    let preview = async |people: &str| {
        let form = browser.get(invite).await.expect(200).form(invite).fill("people", people);
        browser.submit(form).await.expect(200).text("form.panel")
    };
    let shown = preview("carol\ndora").await;
    assert!(
        shown.contains("@acme has no plan yet. With one, each member takes a seat, at 7.00 USD each month."),
        "{shown}"
    );
    let permit = place.organization(&ada, "acme").await;
    place.buy(&HolderPermit::Organization(&permit), GOOD_CARD).await;
    place.run_ask().await;
    let shown = preview("bob,admin\ncarol\ndora\nnew@example.com").await;
    assert!(shown.contains("2 seats are added: 14.00 USD more each month, pro rata from today."), "{shown}");
    assert!(shown.contains("Who accepts the invitation takes one more: 7.00 USD more each month."), "{shown}");
    for provider in [BillingProvider::None, BillingProvider::Manual] {
        let app = TestApp::with(|config| config.billing.provider = provider).await;
        app.user("ada").await;
        app.user("bob").await;
        app.organization("acme", "ada", &[]).await;
        let browser = app.session("ada").await;
        let form = browser.get(invite).await.expect(200).form(invite).fill("people", "bob");
        let shown = browser.submit(form).await.expect(200).text("form.panel");
        assert!(shown.contains("1 join") && !shown.contains("seat") && !shown.contains("USD"), "{shown}");
    }
}

#[tokio::test]
async fn who_comes_back_before_the_event_sees_the_plan() {
    let place = Place::new().await;
    place.app.user("ada").await;
    let browser = place.app.logged_in("ada").await;
    let sent = browser.submit(billing(&browser, OWN).await.form("/settings/billing/checkout")).await.expect(303);
    browser.get("/settings/billing?checkout=done").await.expect(303);
    let waiting = billing(&browser, OWN).await;
    assert!(waiting.text(".bar.ok").contains("has not confirmed the payment yet"), "{}", waiting.text("main"));
    place.stripe.pay(&sent.location(), GOOD_CARD).await;
    browser.get("/settings/billing?checkout=done").await.expect(303);
    assert!(billing(&browser, OWN).await.text(".bar.ok").contains("Your payment has arrived"));
}

#[tokio::test]
async fn the_sentence_about_cancelling_counts_the_people_it_concerns() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    place.app.user("bob").await;
    let permit = place.own(&ada).await;
    place.buy(&HolderPermit::User(&permit), GOOD_CARD).await;
    place.run_ask().await;
    ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);
    place.app.set_billing("bob", BillingFlag::Paid { until: None }).await;
    place.app.grant("@ada/x", "bob", Permission::ReadOnly).await;
    let browser = place.app.logged_in("ada").await;
    let page = billing(&browser, OWN).await;
    let text = page.text("main");
    assert!(text.contains("stop for you and for 1 person."), "{text}");
    assert!(text.contains("1 private package, 1 person besides you with access"), "{text}");
    // A package that is public is nobody's loss.
    let name: PackageName = "@ada/x".parse().expect("a name");
    let intent = Intent::set_visibility(strongroom::policy::Visibility::Public);
    let permit = place.app.app.access.permit(&Actor::Operator, &name, intent).await.expect("a permit");
    place.app.app.access.set_visibility(&permit, strongroom::policy::Visibility::Public).await.expect("public");
    assert!(billing(&browser, OWN).await.text("main").contains("stop for you. Until then"));
}

#[tokio::test]
async fn owners_pay_for_every_member_and_nobody_else_sees_it() {
    let place = Place::new().await;
    for name in ["ada", "bob", "carol", "stranger"] {
        place.app.user(name).await;
    }
    place.app.organization("acme", "ada", &[("bob", "admin"), ("carol", "developer")]).await;
    let browser = place.app.logged_in("ada").await;
    let own = billing(&browser, OWN).await;
    assert!(own.attributes("main a", "href").contains(&"/org/acme/billing".to_owned()));
    let path = "/org/acme/billing";
    let page = billing(&browser, path).await;
    assert!(page.text(".panel").contains("3 members at 7.00 USD, 21.00 USD each month"), "{}", page.text(".panel"));
    let sent = browser.submit(page.form("/org/acme/billing/checkout")).await.expect(303);
    assert_eq!(place.stripe.session(&sent.location())["line_items_asked"]["quantity"], "3");
    place.stripe.pay(&sent.location(), GOOD_CARD).await;
    browser.get("/org/acme/billing?checkout=done").await.expect(303);
    let page = billing(&browser, path).await;
    assert!(page.text("dl.facts").contains("3 members at 7.00 USD, 21.00 USD each month"), "{}", page.text("dl.facts"));
    assert!(page.text("main").contains("3 people who can read packages of @acme"), "{}", page.text("main"));
    let carol: AccountName = "carol".parse().expect("a name");
    place.app.app.organizations.remove_member(&members(&place).await, &carol).await.expect("gone");
    assert!(billing(&browser, path).await.text("dl.facts").contains("2 members now, 3 paid for"));

    for (name, see) in [("bob", 403), ("carol", 403), ("stranger", 403)] {
        let other = place.app.logged_in(name).await;
        other.get(path).await.expect(see);
        other.get("/org/acme/billing/cancel").await.expect(see);
        let code = other.get("/").await.form("/logout");
        for verb in ["checkout", "portal", "cancel", "resume"] {
            let mut form = code.clone();
            form.action = format!("{path}/{verb}");
            other.submit(form).await.expect(403);
        }
        other.get("/org/nobody/billing").await.expect(404);
        other.get("/org/ada/billing").await.expect(404);
    }
    let nobody = place.app.browser();
    for path in [path, OWN, "/org/nobody/billing", "/settings/billing/cancel"] {
        assert!(nobody.get(path).await.expect(303).location().starts_with("/login?then="), "{path}");
    }
}

#[tokio::test]
async fn a_second_factor_is_asked_for_before_the_way_leads_to_another_host() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    let browser = place.app.logged_in("ada").await;
    let wish = json!({ "tfa": { "mode": "auth-only", "password": PASSWORD } });
    let begun = ada.json("POST", "/-/npm/v1/user", &wish).await.expect(200).json();
    let phone = authenticator::App::scan(begun["tfa"].as_str().expect("a URL"));
    let shown = json!({ "tfa": [phone.code(place.app.clock.now())] });
    ada.json("POST", "/-/npm/v1/user", &shown).await.expect(200);
    place.app.clock.set(place.app.clock.now() + TimeDelta::minutes(20));
    let page = billing(&browser, OWN).await;
    let sent = browser.submit(page.form("/settings/billing/checkout")).await.expect(303);
    assert_eq!(sent.location(), "/settings/billing?confirm=first");
    let asked = browser.get(&sent.location()).await.expect(200);
    let form = asked.form("/confirm").fill("_code", &phone.code(place.app.clock.now()));
    let back = browser.submit(form).await.expect(303);
    assert_eq!(back.location(), "/settings/billing?confirm=first");
    let page = billing(&browser, &back.location()).await;
    assert!(page.text("main").contains("Press the button below once more"), "{}", page.text("main"));
    let sent = browser.submit(page.form("/settings/billing/checkout")).await.expect(303);
    assert!(sent.location().starts_with(place.stripe.url()), "{}", sent.location());
}

#[tokio::test]
async fn a_payment_that_failed_and_a_plan_that_lapsed_are_told_in_amber() {
    let mut place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    let subscription = place.buy(&HolderPermit::User(&permit), GOOD_CARD).await;
    place.run_ask().await;
    place.stripe.fail_to_renew(&subscription).await;
    let failed = place.stripe.event("invoice.payment_failed").await;
    place.deliver(&failed).await.expect(200);
    let browser = place.app.logged_in("ada").await;
    let page = billing(&browser, OWN).await;
    assert!(page.text(".bar.warn").contains("A payment failed. Private packages go on working until"));
    assert!(page.text("tbody").contains("7.00 USD open"), "{}", page.text("tbody"));

    place.app.clock.set(place.until("ada").await.expect("an end"));
    // The session of before has ended by then.
    let browser = place.app.logged_in("ada").await;
    let page = billing(&browser, OWN).await;
    assert!(page.text(".bar.warn").contains("Your plan lapsed on"), "{}", page.text("main"));
}

#[tokio::test]
async fn what_an_administrator_set_is_told_and_not_sold() {
    let place = Place::new().await;
    place.app.user("ada").await;
    place.app.set_billing("ada", BillingFlag::Paid { until: None }).await;
    let browser = place.app.logged_in("ada").await;
    let page = billing(&browser, OWN).await;
    assert!(page.text(".panel").contains("An administrator set this plan on"), "{}", page.text("main"));
    assert!(page.forms("/settings/billing/checkout").is_empty());
    let mut form = page.form("/logout");
    form.action = "/settings/billing/checkout".into();
    browser.submit(form).await.expect(409);
}

#[tokio::test]
async fn where_nothing_is_paid_the_page_says_who_sets_plans() {
    for (provider, paid, unpaid) in [
        (
            BillingProvider::None,
            "This registry takes no payments",
            "An administrator has taken this one back. Ask root",
        ),
        (BillingProvider::Manual, "Your account has one", "Your account has none. Ask root"),
    ] {
        let app = TestApp::with(|config| config.billing.provider = provider).await;
        app.user("ada").await;
        app.user("root").await;
        let root = "update accounts set administrator = true where name = 'root'";
        sqlx::query(root).execute(&app.pool().await).await.expect("an update");
        let browser = app.logged_in("ada").await;
        app.set_billing("ada", BillingFlag::Paid { until: None }).await;
        let page = billing(&browser, OWN).await;
        assert!(page.text("main").contains(paid), "{}", page.text("main"));
        assert!(page.texts(".bar.warn").is_empty() && page.forms("/settings/billing/checkout").is_empty());
        assert_eq!(form_targets(&page), "form-action 'self'");
        assert!(!page.text("main").contains("Receipts"));
        app.set_billing("ada", BillingFlag::Unpaid).await;
        let page = billing(&browser, OWN).await;
        assert!(page.text("main").contains(unpaid), "{}", page.text("main"));
        assert!(page.text(".bar.warn").contains("Your account has no plan"));
        assert!(billing(&browser, "/settings/billing/cancel").await.text("main").contains("There is no plan"));
        for verb in ["checkout", "portal", "cancel", "resume"] {
            let mut form = page.form("/logout");
            form.action = format!("{OWN}/{verb}");
            browser.submit(form).await.expect(422);
        }
    }
}

#[tokio::test]
async fn a_form_of_another_page_buys_and_cancels_nothing() {
    let place = Place::new().await;
    place.app.user("ada").await;
    let browser = place.app.logged_in("ada").await;
    place.stripe.take_asked();
    for verb in ["checkout", "portal", "cancel", "resume"] {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
        browser.send("POST", &format!("{OWN}/{verb}"), &headers, axum::body::Body::empty()).await.expect(403);
    }
    assert!(place.stripe.take_asked().is_empty(), "Stripe was asked");
}
