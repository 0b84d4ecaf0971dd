//! A user's plan from the first purchase to the end, and what it opens and closes.

use chrono::{DateTime, TimeDelta};
use strongroom::audit::By;
use strongroom::billing::Standing;
use strongroom::clock::Time;
use strongroom::policy::{BillingFlag, HolderPermit};

use crate::place::Place;
use crate::stand_in::{FAILING_CARD, GOOD_CARD};
use crate::support::app::Package;

fn at(seconds: &serde_json::Value) -> Time {
    DateTime::from_timestamp(seconds.as_i64().expect("a number"), 0).expect("a time")
}

#[tokio::test]
async fn a_purchase_opens_private_packages_and_nothing_else_does() {
    let mut place = Place::new().await;
    let ada = place.app.user("ada").await;
    ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(402);
    let permit = place.own(&ada).await;
    let payer = HolderPermit::User(&permit);

    let page = place.app.app.billing.checkout(&payer).await.expect("a checkout");
    let session = place.stripe.session(&page);
    assert_eq!(session["success_url"], "http://registry.test/settings/billing?checkout=done");
    assert_eq!(session["cancel_url"], "http://registry.test/settings/billing");
    assert_eq!(session["line_items_asked"]["price"], "plan_personal");
    assert_eq!(session["line_items_asked"]["quantity"], "1");
    let customer = session["customer"].as_str().expect("a customer");
    let known = place.stripe.stripe("GET", &format!("/v1/customers/{customer}"), &[]).await;
    assert_eq!((&known["name"], &known["email"]), (&"ada".into(), &"ada@example.com".into()));
    assert_eq!(known["metadata"]["strongroom_account"], "ada");
    ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(402);

    let subscription = place.stripe.pay(&page, GOOD_CARD).await;
    let created = place.stripe.event("customer.subscription.created").await;
    place.deliver(&created).await.expect(200);
    ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);

    let period_end = at(&subscription["current_period_end"]);
    assert_eq!(place.until("ada").await, Some(period_end + TimeDelta::days(7)));
    let overview = place.overview(&payer).await;
    assert_eq!(overview.standing, Standing::Paid);
    let running = overview.running().expect("a plan");
    assert_eq!(running.price().expect("a price").to_string(), "7.00 USD");
    assert_eq!((running.interval.as_str(), running.period_end), ("month", Some(period_end)));
    assert_eq!(overview.receipts.len(), 1);
    assert_eq!((overview.receipts[0].status.as_str(), overview.receipts[0].total.amount), ("paid", 700));
    assert_eq!(overview.usage.private_packages, 1);
    assert_eq!(place.audited("ada").await, ["billing.set by stripe"]);

    let twice = place.app.app.billing.checkout(&payer).await.expect_err("one plan is enough");
    assert_eq!(twice.status(), 409, "{twice}");
    let page = place.app.app.billing.portal(&payer).await.expect("a portal");
    assert_eq!(place.stripe.session(&page)["customer"], customer);
    assert_eq!(place.stripe.session(&page)["return_url"], "http://registry.test/settings/billing");
}

#[tokio::test]
async fn of_several_checkouts_only_the_last_can_be_paid() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    let payer = HolderPermit::User(&permit);
    let mut pages = Vec::new();
    for _ in 0..3 {
        pages.push(place.app.app.billing.checkout(&payer).await.expect("a checkout"));
    }
    let open = place.stripe.open_pages();
    assert_eq!(open, pages[2..], "{pages:?}");
    place.stripe.pay(&pages[2], GOOD_CARD).await;
    let twice = place.app.app.billing.checkout(&payer).await.expect_err("one plan is enough");
    assert_eq!(twice.status(), 409, "{twice}");
    ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);
}

#[tokio::test]
async fn a_card_that_fails_at_the_checkout_opens_nothing() {
    let mut place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    let subscription = place.buy(&HolderPermit::User(&permit), FAILING_CARD).await;
    assert_eq!(subscription["status"], "incomplete");
    let created = place.stripe.event("customer.subscription.created").await;
    place.deliver(&created).await.expect(200);
    assert_eq!(place.flag("ada").await, BillingFlag::Unpaid);
    ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(402);
    assert!(place.audited("ada").await.is_empty());
}

#[tokio::test]
async fn who_comes_back_from_paying_is_served_before_any_event_arrives() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    place.buy(&HolderPermit::User(&permit), GOOD_CARD).await;
    place.app.app.billing.refresh(&HolderPermit::User(&permit)).await.expect("an answer");
    ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);
}

#[tokio::test]
async fn a_renewal_that_fails_has_its_grace_and_then_closes_what_it_opened() {
    let mut place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    let subscription = place.buy(&HolderPermit::User(&permit), GOOD_CARD).await;
    place.run_ask().await;
    ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);

    let invoice = place.stripe.fail_to_renew(&subscription).await;
    let failed = place.stripe.event("invoice.payment_failed").await;
    place.deliver(&failed).await.expect(200);

    let until = at(&subscription["current_period_end"]) + TimeDelta::days(7);
    let overview = place.overview(&HolderPermit::User(&permit)).await;
    assert_eq!(overview.standing, Standing::Overdue { until });
    assert!(overview.receipts.iter().any(|receipt| receipt.status == "open"));
    ada.get("/@ada%2fx").await.expect(200);

    let bought = place.app.clock.now();
    place.app.clock.set(until);
    ada.get("/@ada%2fx").await.expect(402);
    assert_eq!(place.overview(&HolderPermit::User(&permit)).await.standing, Standing::Lapsed { since: until });
    let is_public = place.app.anonymous().get("/@ada%2fx").await;
    assert_eq!(is_public.status.as_u16(), 404, "a plan that lapsed shows nothing to anybody");

    // Another card, and Stripe tries again: everything is back at once.
    place.app.clock.set(bought);
    place.stripe.change_card(subscription["customer"].as_str().expect("a customer"), GOOD_CARD).await;
    place.stripe.stripe("POST", &format!("/v1/invoices/{invoice}/pay"), &[]).await;
    let paid = place.stripe.event("invoice.payment_succeeded").await;
    place.deliver(&paid).await.expect(200);
    assert_eq!(place.overview(&HolderPermit::User(&permit)).await.standing, Standing::Paid);
    ada.get("/@ada%2fx").await.expect(200);
}

#[tokio::test]
async fn who_cancels_keeps_what_is_paid_for_and_may_change_their_mind() {
    let mut place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    let payer = HolderPermit::User(&permit);
    let nothing = place.app.app.billing.cancel(&payer).await.expect_err("there is no plan");
    assert_eq!(nothing.status(), 422);
    let subscription = place.buy(&payer, GOOD_CARD).await;
    place.run_ask().await;
    let period_end = at(&subscription["current_period_end"]);
    ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);

    place.app.app.billing.cancel(&payer).await.expect("it ends");
    assert_eq!(place.overview(&payer).await.standing, Standing::Ending { at: period_end });
    assert_eq!(place.until("ada").await, Some(period_end), "who cancels has no grace");
    ada.get("/@ada%2fx").await.expect(200);
    place.app.app.billing.resume(&payer).await.expect("it goes on");
    assert_eq!(place.overview(&payer).await.standing, Standing::Paid);
    place.app.app.billing.cancel(&payer).await.expect("it ends");
    place.app.app.billing.cancel(&payer).await.expect("it ends already");

    let path = format!("/v1/subscriptions/{}", subscription["id"].as_str().expect("an id"));
    place.stripe.stripe("DELETE", &path, &[]).await;
    let deleted = place.stripe.event("customer.subscription.deleted").await;
    place.deliver(&deleted).await.expect(200);
    assert!(matches!(place.overview(&payer).await.standing, Standing::Lapsed { .. }));
    ada.get("/@ada%2fx").await.expect(402);
    assert!(place.overview(&payer).await.may_buy(), "paying again restores everything");
    assert_eq!(
        place.audited("ada").await,
        [
            "billing.set by stripe",
            "billing.cancel by ada",
            "billing.set by stripe",
            "billing.resume by ada",
            "billing.set by stripe",
            "billing.cancel by ada",
            "billing.set by stripe",
            "billing.set by stripe",
        ]
    );

    place.buy(&payer, GOOD_CARD).await;
    place.run_ask().await;
    ada.get("/@ada%2fx").await.expect(200);
}

#[tokio::test]
async fn an_administrators_word_stands_over_the_services_until_it_is_taken_back() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    let payer = HolderPermit::User(&permit);
    place.app.set_billing("ada", BillingFlag::Paid { until: None }).await;
    let given = place.app.app.billing.checkout(&payer).await.expect_err("it was given");
    assert_eq!(given.status(), 409);
    place.app.app.billing.release(&"ada".parse().expect("a name"), &By::default()).await.expect("taken back");

    place.buy(&payer, GOOD_CARD).await;
    place.run_ask().await;
    let paid = place.flag("ada").await;
    place.app.set_billing("ada", BillingFlag::Unpaid).await;
    place.app.app.billing.refresh(&payer).await.expect("an answer");
    assert_eq!(place.flag("ada").await, BillingFlag::Unpaid, "Stripe says paid, the administrator does not");
    place.app.app.billing.release(&"ada".parse().expect("a name"), &By::default()).await.expect("taken back");
    assert_eq!(place.flag("ada").await, paid);
    let nothing = place.app.app.billing.release(&"ada".parse().expect("a name"), &By::default()).await;
    assert_eq!(nothing.expect_err("nothing to take back").status(), 404);

    // A word with an end gives way by itself.
    let end = at(&(place.app.clock.now().timestamp() + 3600).into());
    place.app.set_billing("ada", BillingFlag::Paid { until: Some(end) }).await;
    place.run_ask().await;
    assert_eq!(place.until("ada").await, Some(end));
    place.app.clock.set(end);
    place.run_ask().await;
    assert_eq!(place.flag("ada").await, paid);
}

#[tokio::test]
async fn nobody_is_sent_to_a_page_that_the_operator_did_not_name() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    let elsewhere = crate::support::app::TestApp::with(|config| {
        config.billing.provider = strongroom::config::BillingProvider::Stripe;
        config.stripe.api_url = place.stripe.url().to_owned();
        config.stripe.secret_key = Some(strongroom::config::Secret::new(crate::stand_in::KEY));
        config.stripe.personal_price = Some("plan_personal".into());
    })
    .await;
    elsewhere.user("ada").await;
    let refused = elsewhere.app.billing.checkout(&HolderPermit::User(&permit)).await.expect_err("a strange page");
    assert_eq!(refused.status(), 503, "{refused}");
}

#[tokio::test]
async fn a_service_that_is_down_is_a_503_and_changes_nothing() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    let payer = HolderPermit::User(&permit);
    for status in [401, 402, 429, 500, 503] {
        place.stripe.answer_with(status);
        let refused = place.app.app.billing.checkout(&payer).await.expect_err("no answer");
        assert_eq!(refused.status(), 503, "{refused}");
        assert!(!refused.to_string().contains("sk_test"), "{refused}");
    }
    place.stripe.answer_with(0);
    place.buy(&payer, GOOD_CARD).await;
    place.run_ask().await;
    let paid = place.flag("ada").await;
    place.stripe.answer_with(500);
    assert_eq!(place.app.app.billing.cancel(&payer).await.expect_err("no answer").status(), 503);
    assert_eq!(place.app.app.billing.refresh(&payer).await.expect_err("no answer").status(), 503);
    assert_eq!(place.flag("ada").await, paid);
    assert_eq!(place.audited("ada").await, ["billing.set by stripe"]);
}

#[tokio::test]
async fn a_customer_of_another_key_is_replaced_and_takes_no_plan_away() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    let payer = HolderPermit::User(&permit);
    place.buy(&payer, GOOD_CARD).await;
    place.run_ask().await;
    let paid = place.flag("ada").await;
    let pool = place.app.pool().await;
    let other = "update billing_customers set customer = 'cus_of_another_key', due_at = 'epoch'";
    sqlx::query(other).execute(&pool).await.expect("an update");
    place.run_ask().await;
    assert_eq!(place.flag("ada").await, paid, "nobody lapses because a key was changed");
}
