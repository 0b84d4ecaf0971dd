//! Events: signed, heard once, and harmless in whichever order they come.

use chrono::TimeDelta;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;
use strongroom::policy::{BillingFlag, HolderPermit};

use crate::place::{EVENTS, Place};
use crate::stand_in::{GOOD_CARD, SECRET};
use crate::support::app::{Package, TestApp};

fn sign(body: &[u8], at: i64, secret: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    let mac = mac.chain_update(format!("{at}.")).chain_update(body);
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn only_what_stripe_signed_a_moment_ago_is_heard() {
    let mut place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    place.buy(&HolderPermit::User(&permit), GOOD_CARD).await;
    let created = place.stripe.event("customer.subscription.created").await;
    let body = created.body.to_vec();
    let now = place.app.clock.now().timestamp();
    let other = {
        let mut body = body.clone();
        body.push(b' ');
        body
    };
    let strange = [
        ("", body.clone()),
        ("t=1", body.clone()),
        ("nonsense", body.clone()),
        (&*sign(&body, now, "whsec_other"), body.clone()),
        (&*sign(&body, now - 301, SECRET), body.clone()),
        (&*sign(&body, now + 301, SECRET), body.clone()),
        (&*created.signature, other),
        (&*sign(b"{}", now, SECRET), b"{}".to_vec()),
        (&*sign(b"not json", now, SECRET), b"not json".to_vec()),
    ];
    for (signature, body) in strange {
        place.post(signature, body).await.expect(400);
    }
    let headers = [("content-type", "application/json")];
    place.app.anonymous().send("POST", EVENTS, &headers, body.clone().into()).await.expect(400);
    let text = [("content-type", "text/plain"), ("stripe-signature", created.signature.as_str())];
    place.app.anonymous().send("POST", EVENTS, &text, body.clone().into()).await.expect(415);
    place.post(&created.signature, vec![b' '; 512 * 1024 + 1]).await.expect(413);
    assert_eq!(place.flag("ada").await, BillingFlag::Unpaid);
    assert!(place.stripe.take_asked().iter().all(|asked| !asked.path.starts_with("/v1/invoices")), "Stripe was asked");

    let both =
        format!("{},{}", sign(&body, now, "whsec_old"), sign(&body, now, SECRET).replace(&format!("t={now},"), ""));
    place.post(&both, body).await.expect(200);
    assert!(matches!(place.flag("ada").await, BillingFlag::Paid { .. }));
}

#[tokio::test]
async fn what_concerns_nobody_is_heard_and_nothing_is_done() {
    let place = Place::new().await;
    let now = place.app.clock.now().timestamp();
    let events = [
        json!({ "id": "evt_1", "type": "a.kind.of.the.future", "created": now, "data": { "object": {} } }),
        json!({ "id": "evt_2", "type": "customer.subscription.updated", "created": now,
            "data": { "object": { "customer": "cus_unknown" } } }),
        json!({ "id": "evt_3", "type": "invoice.paid", "created": now,
            "data": { "object": { "customer": { "id": "cus_unknown" } } } }),
        json!({ "id": "evt_4", "type": "customer.created", "created": now,
            "data": { "object": { "object": "customer", "id": "cus_unknown" } } }),
    ];
    for event in events {
        let body = event.to_string().into_bytes();
        place.post(&sign(&body, now, SECRET), body).await.expect(200);
    }
    assert!(place.stripe.take_asked().is_empty(), "Stripe was asked");
}

#[tokio::test]
async fn an_event_that_comes_again_is_not_acted_on_again() {
    let mut place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    place.buy(&HolderPermit::User(&permit), GOOD_CARD).await;
    let created = place.stripe.event("customer.subscription.created").await;
    place.deliver(&created).await.expect(200);
    place.stripe.take_asked();
    place.deliver(&created).await.expect(200);
    assert!(place.stripe.take_asked().is_empty(), "Stripe was asked again");
    assert_eq!(place.audited("ada").await, ["billing.set by stripe"]);
}

#[tokio::test]
async fn the_order_of_events_does_not_matter() {
    let mut place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    let payer = HolderPermit::User(&permit);
    let subscription = place.buy(&payer, GOOD_CARD).await;
    let path = format!("/v1/subscriptions/{}", subscription["id"].as_str().expect("an id"));
    let created = place.stripe.event("customer.subscription.created").await;
    let paid = place.stripe.event("invoice.payment_succeeded").await;
    place.stripe.stripe("DELETE", &path, &[]).await;
    let deleted = place.stripe.event("customer.subscription.deleted").await;

    // The end comes first; what speaks of the beginning brings nothing back.
    for delivery in [&deleted, &created, &paid, &deleted] {
        place.deliver(delivery).await.expect(200);
        ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(402);
    }

    // A new plan: the late end of the old one takes nothing away.
    place.buy(&payer, GOOD_CARD).await;
    let again = place.stripe.event("customer.subscription.created").await;
    place.deliver(&again).await.expect(200);
    let mut late = deleted.json();
    late["id"] = "evt_late".into();
    let body = late.to_string().into_bytes();
    place.post(&sign(&body, place.app.clock.now().timestamp(), SECRET), body).await.expect(200);
    ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);
}

#[tokio::test]
async fn an_event_that_cannot_be_acted_on_now_is_acted_on_later() {
    let mut place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    place.buy(&HolderPermit::User(&permit), GOOD_CARD).await;
    let created = place.stripe.event("customer.subscription.created").await;
    place.stripe.answer_with(500);
    place.deliver(&created).await.expect(200);
    place.app.run_chore("billing.ask").await;
    assert_eq!(place.flag("ada").await, BillingFlag::Unpaid);
    place.stripe.answer_with(0);
    place.app.run_chore("billing.ask").await;
    assert_eq!(place.flag("ada").await, BillingFlag::Unpaid, "not before its time");
    place.app.clock.set(place.app.clock.now() + TimeDelta::minutes(2));
    place.app.run_chore("billing.ask").await;
    assert!(matches!(place.flag("ada").await, BillingFlag::Paid { .. }));
}

#[tokio::test]
async fn what_nobody_heard_of_heals_by_itself() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    let payer = HolderPermit::User(&permit);
    let subscription = place.buy(&payer, GOOD_CARD).await;
    place.run_ask().await;
    ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);
    let path = format!("/v1/subscriptions/{}", subscription["id"].as_str().expect("an id"));
    place.stripe.stripe("DELETE", &path, &[]).await;
    place.app.run_chore("billing.ask").await;
    ada.get("/@ada%2fx").await.expect(200);
    place.run_ask().await;
    ada.get("/@ada%2fx").await.expect(402);
}

#[tokio::test]
async fn events_are_forgotten_when_nobody_sends_them_any_more() {
    let place = Place::new().await;
    let now = place.app.clock.now().timestamp();
    let event = json!({ "id": "evt_1", "type": "x", "created": now, "data": { "object": {} } });
    let body = event.to_string().into_bytes();
    place.post(&sign(&body, now, SECRET), body).await.expect(200);
    let count = async || {
        let count = sqlx::query_scalar::<_, i64>("select count(*) from billing_events");
        count.fetch_one(&place.app.pool().await).await.expect("a count")
    };
    place.app.run_chore("billing.forget").await;
    assert_eq!(count().await, 1);
    place.app.clock.set(place.app.clock.now() + TimeDelta::days(31));
    place.app.run_chore("billing.forget").await;
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn where_no_service_sends_events_there_is_nothing() {
    let app = TestApp::new().await;
    let headers = [("content-type", "application/json"), ("stripe-signature", "t=1,v1=00")];
    app.anonymous().send("POST", EVENTS, &headers, "{}".into()).await.expect(404);
}
