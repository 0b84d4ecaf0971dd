//! Unpublishing, the trash, and what comes back.

use chrono::TimeDelta;
use serde_json::{Value, json};
use strongroom::names::PackageName;
use strongroom::policy::{Actor, BillingFlag, Intent, Permission};

use crate::support::app::{Answer, Package, Person, TestApp};

async fn publish(person: &Person<'_>, versions: &[&str]) {
    for version in versions {
        person.publish(&Package::new("@alice/one", version)).await.expect(201);
    }
}

async fn read(person: &Person<'_>) -> Value {
    person.get("/@alice%2fone?write=true").await.expect(200).json()
}

/// What npm and pnpm send: the packument without the version, then the tarball.
async fn unpublish(person: &Person<'_>, versions: &[&str]) -> Answer {
    let mut packument = read(person).await;
    let rev = packument["_rev"].as_str().expect("a rev").to_owned();
    for version in versions {
        packument["versions"].as_object_mut().expect("an object").remove(*version);
    }
    person.json("PUT", &format!("/@alice%2fone/-rev/{rev}"), &packument).await
}

async fn delete(person: &Person<'_>, path: &str) -> Answer {
    person.send("DELETE", path, &[], "".into()).await
}

async fn delete_package(person: &Person<'_>) -> Answer {
    let rev = read(person).await["_rev"].as_str().expect("a rev").to_owned();
    delete(person, &format!("/@alice%2fone/-rev/{rev}")).await
}

async fn restore(person: &Person<'_>, body: &Value) -> Answer {
    person.json("POST", "/-/strongroom/v1/package/@alice%2fone/restore", body).await
}

#[tokio::test]
async fn one_version_goes_and_its_number_stays() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    publish(&alice, &["1.0.0", "1.1.0", "2.0.0-rc.1"]).await;
    alice.json("PUT", "/-/package/@alice%2fone/dist-tags/latest", &"1.1.0".into()).await.expect(200);
    alice.json("PUT", "/-/package/@alice%2fone/dist-tags/stable", &"1.1.0".into()).await.expect(200);
    unpublish(&alice, &["1.1.0"]).await.expect(201);

    let packument = read(&alice).await;
    assert!(packument["versions"].get("1.1.0").is_none() && packument["time"].get("1.1.0").is_none());
    // Not the prerelease, which is higher; and the tag that had nothing else to point at is gone.
    assert_eq!(packument["dist-tags"], json!({ "latest": "1.0.0" }));
    for path in ["/@alice%2fone/1.1.0", "/@alice/one/-/one-1.1.0.tgz"] {
        alice.get(path).await.expect(404);
    }
    let rev = packument["_rev"].as_str().expect("a rev");
    let tarball = "/@alice/one/-/one-1.1.0.tgz/-rev";
    delete(&alice, &format!("{tarball}/{rev}")).await.expect(200);
    delete(&alice, &format!("{tarball}/1-stale")).await.expect(200);
    delete(&alice, "/@alice/one/-/one-7.0.0.tgz/-rev/1-x").await.expect(404);
    delete(&alice, "/@alice/one/-/one-1.0.0.tgz/-rev/1-x").await.expect(409);

    let again = Package { files: vec![("n".into(), vec![1])], ..Package::new("@alice/one", "1.1.0") };
    for package in [Package::new("@alice/one", "1.1.0"), again] {
        let answer = alice.publish(&package).await.expect(409);
        assert!(answer.error().contains("cannot publish over"), "{}", answer.error());
    }
    unpublish(&alice, &["1.0.0"]).await.expect(201);
    assert_eq!(read(&alice).await["dist-tags"], json!({ "latest": "2.0.0-rc.1" }), "a package has a latest");
}

#[tokio::test]
async fn a_packument_that_comes_back_only_ever_removes() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    publish(&alice, &["1.0.0", "1.1.0", "1.2.0"]).await;
    let old = read(&alice).await;
    unpublish(&alice, &["1.2.0"]).await.expect(201);
    let rev = |packument: &Value| format!("/@alice%2fone/-rev/{}", packument["_rev"].as_str().expect("a rev"));
    // An old copy neither brings a version back nor takes one that it does not know.
    alice.json("PUT", &rev(&old), &old).await.expect(201);
    let mut stale = old.clone();
    stale["versions"].as_object_mut().expect("an object").remove("1.0.0");
    alice.json("PUT", &rev(&old), &stale).await.expect(409);
    alice.json("PUT", "/@alice%2fone/-rev/undefined", &stale).await.expect(409);
    let mut edited = read(&alice).await;
    edited["versions"].as_object_mut().expect("an object").remove("1.0.0");
    edited["versions"]["3.0.0"] = json!({});
    alice.json("PUT", &rev(&edited), &edited).await.expect(422);
    for versions in [json!([]), json!(null), json!("x")] {
        let body = json!({ "versions": versions });
        alice.json("PUT", &rev(&edited), &body).await.expect(400);
    }
    let now = read(&alice).await;
    assert_eq!(now["versions"].as_object().expect("an object").keys().collect::<Vec<_>>(), ["1.0.0", "1.1.0"]);
    assert_eq!(now["versions"]["1.0.0"], old["versions"]["1.0.0"]);
}

#[tokio::test]
async fn a_writer_unpublishes_and_only_who_administers_removes_the_last_version() {
    let app = TestApp::new().await;
    let (alice, bob, carol) = (app.user("alice").await, app.user("bob").await, app.user("carol").await);
    publish(&alice, &["1.0.0", "1.1.0"]).await;
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;
    app.grant("@alice/one", "carol", Permission::ReadOnly).await;
    unpublish(&carol, &["1.0.0"]).await.expect(403);
    unpublish(&bob, &["1.0.0"]).await.expect(201);
    unpublish(&bob, &["1.1.0"]).await.expect(403);
    delete_package(&bob).await.expect(403);
    delete(&bob, "/@alice/one/-/one-1.1.0.tgz/-rev/1-x").await.expect(409);
    unpublish(&alice, &["1.1.0"]).await.expect(201);
    alice.get("/@alice%2fone").await.expect(404);
}

#[tokio::test]
async fn the_window_binds_writers_and_not_administrators() {
    let app = TestApp::with(|config| config.packages.unpublish_window_hours = 72).await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    publish(&alice, &["1.0.0", "1.1.0", "1.2.0"]).await;
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;
    app.clock.set(app.clock.now() + TimeDelta::hours(71));
    unpublish(&bob, &["1.0.0"]).await.expect(201);
    app.clock.set(app.clock.now() + TimeDelta::hours(1));
    let refused = unpublish(&bob, &["1.1.0"]).await.expect(405);
    assert!(refused.error().contains("72 hours"), "{}", refused.error());
    unpublish(&alice, &["1.1.0"]).await.expect(201);
}

#[tokio::test]
async fn a_removed_package_is_missing_on_every_route_and_its_name_rests() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    publish(&alice, &["1.0.0", "1.1.0"]).await;
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;
    alice.json("POST", "/-/package/@alice%2fone/access", &json!({ "access": "public" })).await.expect(200);
    bob.json("PUT", "/-/user/v1/star", &json!({ "name": "@alice/one" })).await.expect(200);
    for person in [&alice, &bob] {
        person.get("/@alice%2fone").await.expect(200);
    }
    delete(&alice, "/@alice%2fone/-rev/1-x").await.expect(409);
    delete_package(&alice).await.expect(200);

    for person in [&alice, &bob, &app.anonymous()] {
        for path in [
            "/@alice%2f{}",
            "/@alice%2f{}/1.0.0",
            "/@alice/{}/-/{}-1.0.0.tgz",
            "/-/package/@alice%2f{}/dist-tags",
            "/-/package/@alice%2f{}/access",
            "/-/package/@alice%2f{}/collaborators",
            "/-/package/@alice%2f{}/owners",
        ] {
            let (removed, never) = (path.replace("{}", "one"), path.replace("{}", "two"));
            let (removed, never) = (person.get(&removed).await, person.get(&never).await);
            assert_eq!(removed.status, never.status, "{path}");
            let text = String::from_utf8_lossy(&removed.bytes).replace("one", "two");
            assert_eq!(text, String::from_utf8_lossy(&never.bytes), "{path}");
        }
    }
    delete(&alice, "/@alice%2fone/-rev/1-x").await.expect(404);
    assert_eq!(alice.get("/-/user/alice/package").await.json(), json!({}));
    assert_eq!(bob.get("/-/user/v1/star").await.json(), json!([]));
    let refused = alice.publish(&Package::new("@alice/one", "2.0.0")).await.expect(403);
    assert!(refused.error().contains("rests until"), "{}", refused.error());
    bob.publish(&Package::new("@alice/one", "2.0.0")).await.expect(404);
}

#[tokio::test]
async fn a_name_begins_anew_with_nothing_of_the_old_but_its_numbers() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    publish(&alice, &["1.0.0", "1.1.0"]).await;
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;
    alice.json("POST", "/-/package/@alice%2fone/access", &json!({ "access": "public" })).await.expect(200);
    alice.json("PUT", "/-/package/@alice%2fone/dist-tags/beta", &"1.0.0".into()).await.expect(200);
    bob.json("PUT", "/-/user/v1/star", &json!({ "name": "@alice/one" })).await.expect(200);
    delete_package(&alice).await.expect(200);
    app.clock.set(app.clock.now() + TimeDelta::hours(24));

    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(409);
    alice.get("/@alice%2fone").await.expect(404);
    publish(&alice, &["2.0.0"]).await;
    let packument = read(&alice).await;
    assert_eq!(packument["dist-tags"], json!({ "latest": "2.0.0" }));
    assert_eq!(packument["users"], json!({}));
    assert_eq!(packument["versions"].as_object().expect("an object").len(), 1);
    assert_eq!(packument["time"]["created"], packument["time"]["2.0.0"]);
    for person in [&bob, &app.anonymous()] {
        person.get("/@alice%2fone").await.expect(404);
    }
    alice.publish(&Package::new("@alice/one", "1.1.0")).await.expect(409);
    restore(&alice, &json!({})).await.expect(409);
    restore(&alice, &json!({ "version": "1.1.0" })).await.expect(200);
    assert_eq!(read(&alice).await["dist-tags"], json!({ "latest": "2.0.0" }));
}

#[tokio::test]
async fn a_package_comes_back_as_it_was() {
    let app = TestApp::new().await;
    let other = app.second_node().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    publish(&alice, &["0.9.0", "1.0.0", "1.1.0"]).await;
    unpublish(&alice, &["0.9.0"]).await.expect(201);
    app.grant("@alice/one", "bob", Permission::ReadOnly).await;
    alice.json("PUT", "/-/package/@alice%2fone/dist-tags/beta", &"1.0.0".into()).await.expect(200);
    bob.json("PUT", "/-/user/v1/star", &json!({ "name": "@alice/one" })).await.expect(200);
    let before = read(&alice).await;
    let there = other.with_token(bob.token.as_deref().expect("a token"));
    there.get("/@alice%2fone").await.expect(200);
    app.clock.set(app.clock.now() + TimeDelta::seconds(1));
    delete_package(&alice).await.expect(200);
    let listed = alice.get("/-/strongroom/v1/trash").await.expect(200).json();
    let items = listed["items"].as_array().expect("a list");
    assert_eq!(items.len(), 2, "{listed}");
    assert_eq!(
        (&items[0]["package"], &items[0]["version"], &items[0]["by"]),
        (&json!("@alice/one"), &json!(null), &json!("alice"))
    );
    assert_eq!(items[1]["version"], "0.9.0");
    assert_eq!(bob.get("/-/strongroom/v1/trash").await.expect(200).json(), json!({ "items": [] }));
    restore(&bob, &json!({})).await.expect(404);
    restore(&alice, &json!({ "version": "1.0.0" })).await.expect(409);

    app.clock.set(app.clock.now() + TimeDelta::days(29));
    assert_eq!(restore(&alice, &json!({})).await.expect(200).json()["versions"], 2);
    let after = read(&alice).await;
    for member in ["versions", "dist-tags", "users", "maintainers", "readme"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    bob.get("/@alice/one/-/one-1.1.0.tgz").await.expect(200);
    app.anonymous().get("/@alice%2fone").await.expect(404);
    restore(&alice, &json!({ "version": "0.9.0" })).await.expect(200);
    restore(&alice, &json!({ "version": "0.9.0" })).await.expect(409);
    restore(&alice, &json!({ "version": "7.0.0" })).await.expect(404);
    alice.get("/@alice%2fone/0.9.0").await.expect(200);
    restore(&alice, &json!({ "version": "x" })).await.expect(422);
}

#[tokio::test]
async fn the_trash_is_emptied_in_time_and_not_before() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    publish(&alice, &["1.0.0"]).await;
    let large = Package { files: vec![("n".into(), vec![1])], ..Package::new("@alice/one", "1.1.0") };
    alice.publish(&large).await.expect(201);
    unpublish(&alice, &["1.1.0"]).await.expect(201);
    let files = || {
        let folders = std::fs::read_dir(app.folder().join("blobs/sha512")).expect("folders");
        folders.map(|one| std::fs::read_dir(one.expect("one").path()).expect("a folder").count()).sum::<usize>()
    };
    let age = "update blobs set touched_at = touched_at - interval '2 days'";
    sqlx::query(age).execute(&app.pool().await).await.expect("an update");
    let sweep = async |days| {
        app.clock.set(app.clock.now() + TimeDelta::days(days));
        app.run_chore("packages.empty_trash").await;
        app.run_chore("blobs.sweep").await;
        let kept: i64 =
            sqlx::query_scalar("select count(*) from blobs").fetch_one(&app.pool().await).await.expect("a count");
        kept
    };
    assert_eq!(sweep(29).await, 2);
    assert_eq!(files(), 2);
    restore(&alice, &json!({ "version": "1.1.0" })).await.expect(200);
    unpublish(&alice, &["1.1.0"]).await.expect(201);
    assert_eq!(sweep(29).await, 2);
    assert_eq!(sweep(1).await, 1, "the version that is there keeps its file");
    restore(&alice, &json!({ "version": "1.1.0" })).await.expect(404);
    alice.publish(&large).await.expect(409);
    delete(&alice, "/@alice/one/-/one-1.1.0.tgz/-rev/1-x").await.expect(200);
    alice.get("/@alice/one/-/one-1.0.0.tgz").await.expect(200);
}

#[tokio::test]
async fn the_operator_restores_and_a_lapsed_owner_may_leave_and_come_back() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    publish(&alice, &["1.0.0", "1.1.0"]).await;
    app.set_billing("alice", BillingFlag::Unpaid).await;
    unpublish(&alice, &["1.0.0"]).await.expect(201);
    app.clock.set(app.clock.now() + TimeDelta::seconds(1));
    delete_package(&alice).await.expect(200);
    let name: PackageName = "@alice/one".parse().expect("a name");
    let listed = app.app.packages.list_trash(&Actor::Operator, Some(&name)).await.expect("a list");
    assert_eq!(listed.len(), 2);
    let permit = app.app.access.permit(&Actor::Operator, &name, Intent::RESTORE).await.expect("a permit");
    assert_eq!(app.app.packages.restore_package(&permit).await.expect("a package").versions, 1);
    alice.get("/@alice%2fone?write=true").await.expect(200);
    alice.get("/@alice%2fone").await.expect(402);
}
