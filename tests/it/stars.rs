//! Stars, and who sees them.

use serde_json::{Value, json};
use strongroom::policy::Permission;

use crate::support::app::{Answer, Package, Person, TestApp};

/// As npm does it: who gave a star is read, changed and sent back.
async fn star(person: &Person<'_>, name: &str, starred: bool) -> Answer {
    let packument = person.get("/@alice%2fone?write=true").await.expect(200).json();
    let mut users = packument["users"].clone();
    if starred {
        users[name] = true.into();
    } else {
        users.as_object_mut().expect("an object").remove(name);
    }
    let body = json!({ "_id": packument["_id"], "_rev": packument["_rev"], "users": users });
    person.json("PUT", "/@alice%2fone", &body).await
}

async fn users(person: &Person<'_>) -> Value {
    person.get("/@alice%2fone").await.expect(200).json()["users"].clone()
}

#[tokio::test]
async fn who_may_read_may_give_a_star_and_only_their_own() {
    let app = TestApp::new().await;
    let (alice, bob, carol) = (app.user("alice").await, app.user("bob").await, app.user("carol").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    app.grant("@alice/one", "bob", Permission::ReadOnly).await;
    assert_eq!(star(&bob, "bob", true).await.expect(201).json()["ok"], true);
    assert_eq!(users(&alice).await, json!({ "bob": true }));
    // A map that forgets bob and names others is still a word of alice's alone.
    let forged = json!({ "users": { "alice": true, "carol": true, "mallory": true } });
    alice.json("PUT", "/@alice%2fone", &forged).await.expect(201);
    assert_eq!(users(&alice).await, json!({ "alice": true, "bob": true }));
    star(&bob, "bob", false).await.expect(201);
    assert_eq!(users(&alice).await, json!({ "alice": true }));
    carol.json("PUT", "/@alice%2fone", &json!({ "users": { "carol": true } })).await.expect(404);
    alice.json("PUT", "/@alice%2fone", &json!({ "users": ["alice"] })).await.expect(400);
}

#[tokio::test]
async fn pnpm_gives_stars_in_three_ways() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/one", "1.0.0").access("public")).await.expect(201);
    let body = json!({ "name": "@alice/one", "package": "@alice/one" });
    bob.json("PUT", "/-/user/v1/star", &body).await.expect(200);
    assert_eq!(users(&alice).await, json!({ "bob": true }));
    bob.json("DELETE", "/-/user/v1/star", &body).await.expect(200);
    assert_eq!(users(&alice).await, json!({}));
    bob.send("PUT", "/-/user/package/@alice%2fone/star", &[], "".into()).await.expect(200);
    assert_eq!(users(&alice).await, json!({ "bob": true }));
    let mut packument = bob.get("/@alice%2fone").await.json();
    packument["users"] = json!({});
    let path = format!("/@alice%2fone/-rev/{}", packument["_rev"].as_str().expect("a rev"));
    bob.json("PUT", &path, &packument).await.expect(201);
    assert_eq!(users(&alice).await, json!({}));
    // The same door does not let a stranger unpublish.
    packument["versions"] = json!({});
    bob.json("PUT", &path, &packument).await.expect(403);
    alice.get("/@alice%2fone/1.0.0").await.expect(200);
}

#[tokio::test]
async fn lists_of_stars_show_what_the_viewer_may_read() {
    let app = TestApp::new().await;
    let (alice, bob, carol) = (app.user("alice").await, app.user("bob").await, app.user("carol").await);
    for (name, access) in [("@alice/one", "restricted"), ("@alice/open", "public")] {
        alice.publish(&Package::new(name, "1.0.0").access(access)).await.expect(201);
    }
    app.grant("@alice/one", "bob", Permission::ReadOnly).await;
    for name in ["@alice/one", "@alice/open"] {
        bob.json("PUT", "/-/user/v1/star", &json!({ "name": name })).await.expect(200);
    }
    assert_eq!(bob.get("/-/user/v1/star").await.expect(200).json(), json!(["@alice/one", "@alice/open"]));
    let view = "/-/_view/starredByUser?key=%22bob%22";
    let rows = json!({ "rows": [{ "value": "@alice/one" }, { "value": "@alice/open" }] });
    assert_eq!(alice.get(view).await.expect(200).json(), rows);
    for person in [&carol, &app.anonymous()] {
        assert_eq!(person.get(view).await.expect(200).json(), json!({ "rows": [{ "value": "@alice/open" }] }));
        for path in ["/-/user/bob/stars", "/-/util/user/bob/stars"] {
            assert_eq!(person.get(path).await.expect(200).json(), json!({ "@alice/open": true }));
        }
    }
    let by_package = |name: &str| format!("/-/_view/starredByPackage?key=%22{name}%22");
    let rows = json!({ "rows": [{ "value": "bob" }] });
    assert_eq!(alice.get(&by_package("@alice/one")).await.expect(200).json(), rows);
    carol.get(&by_package("@alice/one")).await.expect(404);
    carol.get(&by_package("@alice/nothing")).await.expect(404);
    alice.get("/-/user/nobody/stars").await.expect(404);
    assert_eq!(alice.get("/-/_view/starredByUser?key=nobody").await.expect(200).json(), json!({ "rows": [] }));
    // A star stays when access is taken, and tells nothing then.
    alice.send("DELETE", "/-/package/@alice%2fone/owners/bob", &[], "".into()).await.expect(200);
    assert_eq!(bob.get("/-/user/v1/star").await.expect(200).json(), json!(["@alice/open"]));
}
