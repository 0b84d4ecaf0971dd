//! Stripe's own client for Node, as the judge: it asks as we ask, reads what our stand-in answers, and signs what we
//! verify.

use std::io::Write as _;
use std::process::{Command, Stdio};

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use strongroom::config::Config;
use strongroom::policy::{BillingFlag, HolderPermit, OrganizationRole};

use crate::fetch;
use crate::place::Place;
use crate::stand_in::{Asked, GOOD_CARD, KEY, SECRET};

/// Has the client do something.
async fn official(mut wanted: Value) -> Value {
    let done = tokio::task::spawn_blocking(move || {
        wanted["folder"] = fetch::stripe().to_str().expect("text").into();
        wanted["key"] = KEY.into();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/billing/official.mjs");
        let mut node = Command::new("node");
        node.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = node.spawn().expect("node is needed for this test");
        child.stdin.take().expect("an input").write_all(wanted.to_string().as_bytes()).expect("a listener");
        let output = child.wait_with_output().expect("an end");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    });
    done.await.expect("an answer of the client")
}

fn port(place: &Place) -> u16 {
    place.stripe.url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// Method, path, fields, and the headers that matter.
type Essence = (String, String, Vec<(String, String)>, Vec<Option<String>>);

/// What of a request has to be the same, whoever makes it.
fn essence(asked: &Asked) -> Essence {
    let mut fields = asked.fields.clone();
    fields.sort();
    let header = |name: &str| asked.headers.get(name).map(|value| value.to_str().expect("text").to_owned());
    let headers = vec![
        header(AUTHORIZATION.as_str()),
        header("stripe-version"),
        header(CONTENT_TYPE.as_str()).filter(|_| asked.method == http::Method::POST),
    ];
    (asked.method.to_string(), asked.path.clone(), fields, headers)
}

#[tokio::test]
async fn we_ask_what_stripes_own_client_asks_and_it_reads_what_the_stand_in_answers() {
    let place = Place::new().await;
    let ada = place.app.user("ada").await;
    place.app.user("bob").await;
    place.app.organization("acme", "ada", &[]).await;
    let permit = place.organization(&ada, "acme").await;
    let payer = HolderPermit::Organization(&permit);
    let billing = &place.app.app.billing;

    let left = billing.checkout(&payer).await.expect("a checkout");
    let left = place.stripe.session(&left)["id"].as_str().expect("an id").to_owned();
    let page = billing.checkout(&payer).await.expect("another one");
    let customer = place.stripe.session(&page)["customer"].as_str().expect("a customer").to_owned();
    let bought = place.stripe.pay(&page, GOOD_CARD).await;
    let (bob, role) = ("bob".parse().expect("a name"), OrganizationRole::Member);
    let members = crate::seats::members(&place).await;
    place.app.app.organizations.set_member(&members, &bob, role).await.expect("a member");
    place.run_ask().await;
    billing.portal(&payer).await.expect("a portal");
    billing.cancel(&payer).await.expect("it ends");
    let ours = place.stripe.take_asked();
    for asked in ours.iter().filter(|asked| asked.method == http::Method::POST) {
        let key = asked.headers.get("idempotency-key").expect("a request that may be repeated");
        assert!(key.len() > 40, "{key:?}");
    }
    let mut ours: Vec<_> = ours.iter().map(essence).collect();
    ours.sort();
    ours.dedup();

    let id = bought["id"].as_str().expect("an id");
    let item = bought["items"]["data"][0]["id"].as_str().expect("an id");
    let back = "http://registry.test/org/acme/billing";
    let calls = json!([
        { "path": "customers.create", "args": [{
            "name": "acme", "email": "ada@example.com", "metadata": { "strongroom_account": "acme" },
        }] },
        { "path": "checkout.sessions.create", "args": [{
            "mode": "subscription",
            "customer": customer,
            "client_reference_id": "acme",
            "line_items": [{ "price": "plan_seat", "quantity": 1 }],
            "subscription_data": { "metadata": { "strongroom_account": "acme" } },
            "success_url": format!("{back}?checkout=done"),
            "cancel_url": back,
        }] },
        { "path": "subscriptions.list", "args": [{ "customer": customer, "status": "all", "limit": 100 }] },
        { "path": "subscriptions.update", "args": [id, { "items": [{ "id": item, "quantity": 2 }] }] },
        { "path": "invoices.list", "args": [{ "customer": customer, "limit": 24 }] },
        { "path": "billingPortal.sessions.create", "args": [{ "customer": customer, "return_url": back }] },
        { "path": "subscriptions.update", "args": [id, { "cancel_at_period_end": true }] },
        { "path": "checkout.sessions.list", "args": [{ "customer": customer, "status": "open", "limit": 100 }] },
        { "path": "checkout.sessions.expire", "args": [left], "refused": true },
    ]);
    let told = official(json!({ "port": port(&place), "calls": calls })).await;
    let mut theirs: Vec<_> = place.stripe.take_asked().iter().map(essence).collect();
    theirs.sort();
    assert_eq!(ours, theirs);
    assert_eq!(told["version"], Config::defaults().stripe.api_version);

    for (at, kind, parameters) in [(1, "checkout", "checkoutParameters"), (5, "portal", "portalParameters")] {
        let session = &told["answers"][at];
        assert!(session["url"].as_str().expect("an address").starts_with(place.stripe.url()));
        let declared = told[kind]["always"].as_array().expect("names");
        assert!(declared.len() > 8, "{declared:?}");
        let missing: Vec<_> =
            declared.iter().filter(|name| session.get(name.as_str().expect("a name")).is_none()).collect();
        assert!(missing.is_empty(), "the stand-in's {kind} lacks {missing:?}");
        // And no parameter is one that the client does not know.
        let known = told[parameters]["all"].as_array().expect("names");
        let path = if kind == "checkout" { "/v1/checkout/sessions" } else { "/v1/billing_portal/sessions" };
        let opens = |(method, asked, _, _): &&Essence| method == "POST" && asked == path;
        let (_, _, fields, _) = ours.iter().find(opens).expect("our request");
        for (name, _) in fields {
            let outer = name.split('[').next().expect("a name");
            assert!(known.iter().any(|one| one == outer), "{kind} has no parameter {outer}");
        }
    }
    assert_eq!(told["answers"][6]["cancel_at_period_end"], true);
    // Theirs is open, and ours was paid or closed before.
    assert_eq!(told["answers"][7]["data"][0]["id"], told["answers"][1]["id"]);
    assert_eq!(told["answers"][8]["type"], "StripeInvalidRequestError");
}

#[tokio::test]
async fn what_stripes_own_client_signs_is_heard_and_what_we_hear_it_believes() {
    let mut place = Place::new().await;
    let ada = place.app.user("ada").await;
    let permit = place.own(&ada).await;
    place.buy(&HolderPermit::User(&permit), GOOD_CARD).await;
    let created = place.stripe.event("customer.subscription.created").await;
    let payload = String::from_utf8(created.body.to_vec()).expect("text");
    let verify = json!({ "payload": payload, "header": created.signature, "secret": SECRET });
    let at = place.app.clock.now().timestamp();
    let sign = json!({ "payload": payload, "secret": SECRET, "timestamp": at });
    let told = official(json!({ "port": 1, "sign": sign, "verify": verify })).await;
    assert_eq!(told["event"]["id"], created.json()["id"]);

    let signed = told["signed"].as_str().expect("a header");
    place.post(&signed.replace("v1=", "v1=0"), payload.clone().into_bytes()).await.expect(400);
    assert_eq!(place.flag("ada").await, BillingFlag::Unpaid);
    place.post(signed, payload.into_bytes()).await.expect(200);
    assert!(matches!(place.flag("ada").await, BillingFlag::Paid { .. }));
}
