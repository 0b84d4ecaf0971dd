//! Publishing many packages at once.

use serde_json::{Value, json};
use strongroom::policy::{Narrowing, Permission, TokenRight};

use crate::support::app::{Answer, Package, Person, TestApp};

async fn publish(person: &Person<'_>, packages: &[Package]) -> Answer {
    let documents: Vec<Value> = packages.iter().map(Package::document).collect();
    person.json("PUT", "/-/pnpr/v0/publish", &json!({ "packages": documents })).await
}

fn three() -> [Package; 3] {
    ["@alice/b", "@alice/a", "@alice/c"].map(|name| Package::new(name, "1.0.0"))
}

#[tokio::test]
async fn a_monorepo_is_published_in_one_request() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/a", "0.9.0")).await.expect(201);
    let answer = publish(&alice, &three()).await.expect(201).json();
    assert_eq!(answer["packages"].as_array().expect("a list").len(), 3);
    for name in ["a", "b", "c"] {
        alice.get(&format!("/@alice%2f{name}/1.0.0")).await.expect(200);
        alice.get(&format!("/@alice/{name}/-/{name}-1.0.0.tgz")).await.expect(200);
        app.anonymous().get(&format!("/@alice%2f{name}")).await.expect(404);
    }
    publish(&alice, &three()).await.expect(201);
    let documents: Vec<Value> = three().iter().map(Package::document).collect();
    alice.json("PUT", "/-/pnpm/v1/publish", &json!({ "packages": documents })).await.expect(201);
}

#[tokio::test]
async fn one_package_that_is_refused_holds_all_of_them_back() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/theirs", "1.0.0").access("public")).await.expect(201);
    bob.publish(&Package::new("@bob/taken", "1.0.0")).await.expect(201);
    app.grant("@alice/theirs", "bob", Permission::ReadWrite).await;
    let mut broken = Package::new("@bob/broken", "1.0.0").document();
    broken["versions"]["1.0.0"]["dependencies"] = json!({ "smuggled": "1.0.0" });
    let other_bytes = Package { files: vec![("n".into(), vec![1])], ..Package::new("@bob/taken", "1.0.0") };
    let in_the_way = [
        (Package::new("@alice/new", "1.0.0").document(), 404, "@alice/new"),
        (other_bytes.document(), 409, "@bob/taken"),
        (broken, 422, "@bob/broken"),
        (Package::new("@bob/fine", "1.0.0").document(), 422, "@bob/fine"),
        (Package::new("lodash", "1.0.0").document(), 422, "lodash"),
        (json!({ "name": "@bob/bare" }), 400, "@bob/bare"),
        (json!({}), 400, "no name"),
    ];
    for (document, status, named) in in_the_way {
        let fine = Package::new("@bob/fine", "1.0.0").document();
        let shared = Package::new("@alice/theirs", "2.0.0").document();
        let body = json!({ "packages": [fine, shared, document] });
        let answer = bob.json("PUT", "/-/pnpr/v0/publish", &body).await.expect(status);
        assert!(answer.error().contains(named), "{named}: {}", answer.error());
        bob.get("/@bob%2ffine").await.expect(404);
        bob.get("/@alice%2ftheirs/2.0.0").await.expect(404);
    }
    for body in [json!({}), json!({ "packages": [] }), json!({ "packages": [1] }), json!([])] {
        bob.json("PUT", "/-/pnpr/v0/publish", &body).await.expect(400);
    }
}

#[tokio::test]
async fn a_batch_has_limits_and_takes_an_account() {
    let app = TestApp::with(|config| {
        config.limits.max_batch_packages = 2;
        config.limits.max_batch_bytes = 5_000;
    })
    .await;
    let alice = app.user("alice").await;
    publish(&app.anonymous(), &three()).await.expect(401);
    let read_only = Narrowing { right: TokenRight::ReadOnly, ..Narrowing::default() };
    publish(&app.token("alice", read_only, None).await, &three()).await.expect(403);
    publish(&alice, &three()).await.expect(413);
    let padded = json!({ "packages": [], "pad": "x".repeat(6_000) });
    alice.json("PUT", "/-/pnpr/v0/publish", &padded).await.expect(413);
    publish(&alice, &three()[..2]).await.expect(201);
}
