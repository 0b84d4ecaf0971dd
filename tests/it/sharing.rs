//! Visibility, collaborators, owners and the billing flag.

use chrono::TimeDelta;
use serde_json::{Value, json};
use strongroom::policy::{BillingFlag, Permission};

use crate::support::app::{Answer, Package, Person, TestApp};

async fn change_owners(person: &Person<'_>, package: &str, owners: &[&str]) -> Answer {
    let path = format!("/{}", package.replace('/', "%2f"));
    let packument = person.get_with(&path, &[("npm-command", "owner")]).await.expect(200).json();
    let rev = packument["_rev"].as_str().expect("a rev").to_owned();
    let maintainers: Vec<Value> = owners.iter().map(|name| json!({ "name": name, "email": "x" })).collect();
    let body = json!({ "_id": package, "_rev": rev, "maintainers": maintainers });
    person.json("PUT", &format!("{path}/-rev/{rev}"), &body).await
}

async fn set_access(person: &Person<'_>, package: &str, access: &str) -> Answer {
    person.json("POST", &format!("/-/package/{package}/access"), &json!({ "access": access })).await
}

fn maintainers(packument: &Answer) -> Vec<String> {
    let list = packument.json()["maintainers"].clone();
    list.as_array().expect("a list").iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn owners_are_added_and_removed_as_npm_does_it() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    bob.get("/@alice/one").await.expect(404);

    change_owners(&alice, "@alice/one", &["alice", "bob"]).await.expect(201);
    let packument = bob.get("/@alice/one").await.expect(200);
    assert_eq!(maintainers(&packument), ["alice", "bob"]);
    bob.publish(&Package::new("@alice/one", "1.1.0")).await.expect(201);
    let listed = alice.get("/-/package/@alice%2fone/collaborators").await.expect(200).json();
    assert_eq!(listed, json!({ "alice": "write", "bob": "write" }));
    let pnpm = [("user-agent", "pnpm/12.21.0 npm/? node/? linux x64")];
    let listed = alice.get_with("/-/package/@alice%2fone/collaborators?format=cli&user=bob", &pnpm).await.expect(200);
    assert_eq!(listed.json()[0]["permissions"], "read-write");

    change_owners(&alice, "@alice/one", &["alice"]).await.expect(201);
    bob.get("/@alice/one").await.expect(404);
    bob.publish(&Package::new("@alice/one", "1.2.0")).await.expect(404);
}

#[tokio::test]
async fn owners_are_added_and_removed_as_pnpm_does_it() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let owners = "/-/package/@alice%2fone/owners";
    bob.json("PUT", owners, &json!({ "user": "bob" })).await.expect(404);
    alice.json("PUT", owners, &json!({ "user": "bob" })).await.expect(200);
    let listed = alice.get(owners).await.expect(200).json();
    assert_eq!(listed, json!([{ "username": "alice", "email": "" }, { "username": "bob", "email": "" }]));
    bob.publish(&Package::new("@alice/one", "1.1.0")).await.expect(201);
    bob.send("DELETE", &format!("{owners}/alice"), &[], "".into()).await.expect(403);
    bob.send("DELETE", &format!("{owners}/bob"), &[], "".into()).await.expect(200);
    bob.get("/@alice/one").await.expect(404);
    alice.send("DELETE", &format!("{owners}/bob"), &[], "".into()).await.expect(404);
    alice.send("DELETE", &format!("{owners}/%20"), &[], "".into()).await.expect(404);
    let own = alice.get("/-/-/package?format=cli").await.expect(200).json();
    assert_eq!(own, json!({ "@alice/one": "write" }));
}

#[tokio::test]
async fn a_collaborator_administers_nothing_but_may_leave() {
    let app = TestApp::new().await;
    let (alice, bob, carol) = (app.user("alice").await, app.user("bob").await, app.user("carol").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;

    change_owners(&bob, "@alice/one", &["alice", "bob", "carol"]).await.expect(403);
    change_owners(&bob, "@alice/one", &["bob"]).await.expect(403);
    set_access(&bob, "@alice/one", "public").await.expect(403);
    carol.get("/@alice/one").await.expect(404);
    change_owners(&bob, "@alice/one", &["alice"]).await.expect(201);
    bob.get("/@alice/one").await.expect(404);
}

#[tokio::test]
async fn the_scopes_owner_cannot_be_removed() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    app.user("bob").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    change_owners(&alice, "@alice/one", &["bob"]).await.expect(403);
    change_owners(&alice, "@alice/one", &[]).await.expect(422);
    let listed = alice.get("/-/package/@alice%2fone/collaborators").await.expect(200).json();
    assert_eq!(listed, json!({ "alice": "write" }), "all of the change or nothing of it");
}

#[tokio::test]
async fn a_stale_revision_changes_nothing() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    app.user("bob").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let rev = alice.get("/@alice/one").await.json()["_rev"].as_str().expect("a rev").to_owned();
    alice.publish(&Package::new("@alice/one", "1.1.0")).await.expect(201);
    let body = json!({ "maintainers": [{ "name": "alice" }, { "name": "bob" }] });
    for rev in [rev.as_str(), "undefined", "1-00"] {
        alice.json("PUT", &format!("/@alice%2fone/-rev/{rev}"), &body).await.expect(409);
    }
    assert_eq!(maintainers(&alice.get("/@alice/one").await), ["alice"]);
}

#[tokio::test]
async fn an_unknown_or_unpaid_user_cannot_be_added_to_a_private_package() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let free = app.user("free").await;
    app.set_billing("free", BillingFlag::Unpaid).await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let answer = change_owners(&alice, "@alice/one", &["alice", "free"]).await.expect(402);
    assert!(answer.error().contains("free"), "{}", answer.error());
    change_owners(&alice, "@alice/one", &["alice", "nobody"]).await.expect(404);

    set_access(&alice, "@alice/one", "public").await.expect(200);
    change_owners(&alice, "@alice/one", &["alice", "free"]).await.expect(201);
    free.publish(&Package::new("@alice/one", "1.1.0")).await.expect(201);
    set_access(&alice, "@alice/one", "restricted").await.expect(200);
    let answer = free.get("/@alice/one").await.expect(402);
    assert!(answer.error().contains("Account free has no plan"), "{}", answer.error());
}

#[tokio::test]
async fn read_only_becomes_read_write_while_a_package_is_public() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    app.grant("@alice/one", "bob", Permission::ReadOnly).await;
    bob.get("/@alice/one").await.expect(200);
    assert_eq!(maintainers(&alice.get("/@alice/one").await), ["alice"]);
    let answer = bob.publish(&Package::new("@alice/one", "1.1.0")).await.expect(403);
    assert!(answer.error().contains("read it only"), "{}", answer.error());
    set_access(&alice, "@alice/one", "public").await.expect(200);
    bob.publish(&Package::new("@alice/one", "1.1.0")).await.expect(201);
    assert_eq!(maintainers(&alice.get("/@alice/one").await), ["alice", "bob"]);
}

#[tokio::test]
async fn a_private_package_goes_public_and_back_at_the_next_request() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    for (access, status, public) in
        [("public", 200, true), ("restricted", 404, false), ("public", 200, true), ("private", 404, false)]
    {
        set_access(&alice, "@alice/one", access).await.expect(200);
        for path in ["/@alice/one", "/@alice/one/1.0.0", "/@alice/one/-/one-1.0.0.tgz"] {
            app.anonymous().get(path).await.expect(status);
        }
        let visibility = alice.get("/-/package/@alice%2fone/visibility").await.expect(200).json();
        assert_eq!(visibility, json!({ "public": public }));
    }
    set_access(&alice, "@alice/one", "ajar").await.expect(422);
    set_access(&alice, "@alice/nothing", "public").await.expect(404);
}

#[tokio::test]
async fn a_plan_lapses_by_the_clock_and_leaves_the_ways_out_open() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;
    let until = app.clock.now() + TimeDelta::hours(1);
    app.set_billing("alice", BillingFlag::Paid { until: Some(until) }).await;
    let paths = ["/@alice%2fone", "/@alice/one/-/one-1.0.0.tgz", "/@alice/one/1.0.0"];
    for path in paths {
        bob.get(path).await.expect(200);
    }

    app.clock.set(until);
    for path in paths {
        for person in [&alice, &bob] {
            let answer = person.get(path).await.expect(402);
            assert!(answer.error().contains("alice"), "{}", answer.error());
        }
        app.anonymous().get(path).await.expect(404);
    }
    alice.publish(&Package::new("@alice/one", "1.1.0")).await.expect(402);
    bob.publish(&Package::new("@alice/one", "1.1.0")).await.expect(402);
    alice.get("/-/package/@alice%2fone/collaborators").await.expect(200);
    alice.get("/-/package/@alice%2fone/access").await.expect(200);
    alice.get("/@alice%2fone?write=true").await.expect(200);
    bob.get("/@alice%2fone?write=true").await.expect(402);
    change_owners(&alice, "@alice/one", &["alice"]).await.expect(201);
    bob.get("/@alice%2fone").await.expect(404);
    set_access(&alice, "@alice/one", "public").await.expect(200);
    bob.get("/@alice%2fone").await.expect(200);
    set_access(&alice, "@alice/one", "restricted").await.expect(402);

    app.set_billing("alice", BillingFlag::Paid { until: None }).await;
    set_access(&alice, "@alice/one", "restricted").await.expect(200);
    alice.get("/@alice%2fone").await.expect(200);
}

#[tokio::test]
async fn lists_show_what_the_viewer_may_see() {
    let app = TestApp::new().await;
    let (alice, bob, carol) = (app.user("alice").await, app.user("bob").await, app.user("carol").await);
    alice.publish(&Package::new("@alice/private", "1.0.0")).await.expect(201);
    alice.publish(&Package::new("@alice/shared", "1.0.0")).await.expect(201);
    alice.publish(&Package::new("@alice/public", "1.0.0").access("public")).await.expect(201);
    app.grant("@alice/shared", "bob", Permission::ReadOnly).await;
    let list =
        async |person: &Person<'_>, user: &str| person.get(&format!("/-/user/{user}/package")).await.expect(200).json();
    let all = json!({ "@alice/private": "write", "@alice/public": "write", "@alice/shared": "write" });
    assert_eq!(list(&alice, "alice").await, all);
    assert_eq!(list(&bob, "alice").await, json!({ "@alice/public": "write", "@alice/shared": "write" }));
    assert_eq!(list(&bob, "bob").await, json!({ "@alice/shared": "read" }));
    assert_eq!(list(&carol, "bob").await, json!({}));
    alice.get("/-/org/alice/package").await.expect(404);
    alice.get("/-/user/nobody/package").await.expect(404);
}

/// What one node acknowledged, every other one acts on within a second: here at once, for the change was heard.
#[tokio::test]
async fn every_change_is_seen_on_every_node() {
    let app = TestApp::new().await;
    let other = app.second_node().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let bob_there = other.with_token(bob.token.as_deref().expect("a token"));
    bob_there.get("/@alice/one").await.expect(404);

    app.grant("@alice/one", "bob", Permission::ReadOnly).await;
    becomes(&bob_there, "/@alice/one", 200).await;
    app.set_billing("alice", BillingFlag::Unpaid).await;
    becomes(&bob_there, "/@alice/one", 402).await;
    app.set_billing("alice", BillingFlag::Paid { until: None }).await;
    becomes(&bob_there, "/@alice/one", 200).await;
    set_access(&alice, "@alice/one", "public").await.expect(200);
    becomes(&other.anonymous(), "/@alice/one", 200).await;
    set_access(&alice, "@alice/one", "restricted").await.expect(200);
    becomes(&other.anonymous(), "/@alice/one", 404).await;
    becomes(&bob_there, "/@alice/one", 200).await;
    app.anonymous()
        .send("DELETE", &format!("/-/user/token/{}", bob.token.as_deref().expect("a token")), &[], "".into())
        .await
        .expect(200);
    becomes(&bob_there, "/@alice/one", 401).await;
}

async fn becomes(person: &Person<'_>, path: &str, status: u16) {
    let began = std::time::Instant::now();
    loop {
        let answer = person.get(path).await;
        if answer.status.as_u16() == status {
            return;
        }
        assert!(began.elapsed().as_secs_f32() < 1.0, "{path} stays {}", answer.status);
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}
