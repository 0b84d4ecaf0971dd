//! Dist-tags and deprecations.

use serde_json::{Value, json};
use strongroom::policy::Permission;

use crate::support::app::{Answer, Package, Person, TestApp};

const TAGS: &str = "/-/package/@alice%2fone/dist-tags";

async fn set_tag(person: &Person<'_>, tag: &str, version: &str) -> Answer {
    person.json("PUT", &format!("{TAGS}/{tag}"), &version.into()).await
}

async fn remove_tag(person: &Person<'_>, tag: &str) -> Answer {
    person.send("DELETE", &format!("{TAGS}/{tag}"), &[], "".into()).await
}

async fn publish(person: &Person<'_>, versions: &[&str]) {
    for version in versions {
        person.publish(&Package::new("@alice/one", version)).await.expect(201);
    }
}

#[tokio::test]
async fn tags_are_moved_and_removed_and_installs_follow_at_once() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    publish(&alice, &["1.0.0", "1.1.0", "2.0.0-rc.1"]).await;
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;
    alice.get("/@alice/one").await.expect(200);

    set_tag(&bob, "beta", "2.0.0-rc.1").await.expect(200);
    set_tag(&alice, "latest", "1.0.0").await.expect(200);
    for path in [TAGS, "/-/package/@alice/one/dist-tags", "/-/package/%40alice%2Fone/dist-tags"] {
        let listed = bob.get(path).await.expect(200);
        assert_eq!(listed.json(), json!({ "beta": "2.0.0-rc.1", "latest": "1.0.0" }), "{path}");
        assert!(listed.header("cache-control").starts_with("private, no-cache"));
    }
    let packument = alice.get("/@alice/one").await.expect(200).json();
    assert_eq!(packument["dist-tags"], json!({ "beta": "2.0.0-rc.1", "latest": "1.0.0" }));
    assert_eq!(alice.get("/@alice/one/latest").await.expect(200).json()["version"], "1.0.0");

    remove_tag(&bob, "beta").await.expect(200);
    remove_tag(&bob, "beta").await.expect(404);
    remove_tag(&alice, "latest").await.expect(403);
    assert_eq!(alice.get(TAGS).await.json(), json!({ "latest": "1.0.0" }));
}

#[tokio::test]
async fn what_cannot_be_a_tag_or_is_no_version_is_refused() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    publish(&alice, &["1.0.0"]).await;
    let before = alice.get("/@alice/one").await.json()["_rev"].clone();
    for tag in ["1", "1.x", "v1.2", "%2e%2e", "a%20b", "1.0.0"] {
        set_tag(&alice, tag, "1.0.0").await.expect(400);
    }
    for version in ["2.0.0", "latest", "", "^1"] {
        set_tag(&alice, "beta", version).await.expect(404);
    }
    alice.json("PUT", &format!("{TAGS}/beta"), &json!({ "version": "1.0.0" })).await.expect(400);
    set_tag(&alice, "latest", "1.0.0").await.expect(200);
    assert_eq!(alice.get("/@alice/one").await.json()["_rev"], before, "nothing was changed");
}

#[tokio::test]
async fn a_whole_map_is_all_or_nothing() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    publish(&alice, &["1.0.0", "1.1.0"]).await;
    alice.json("POST", TAGS, &json!({ "old": "1.0.0", "new": "1.1.0", "_etag": "x" })).await.expect(200);
    alice.json("POST", TAGS, &json!({ "older": "1.0.0", "newer": "9.9.9" })).await.expect(404);
    assert_eq!(alice.get(TAGS).await.json(), json!({ "latest": "1.1.0", "new": "1.1.0", "old": "1.0.0" }));
    alice.json("PUT", TAGS, &json!({ "old": "1.1.0" })).await.expect(200);
    assert_eq!(alice.get(TAGS).await.json(), json!({ "latest": "1.1.0", "old": "1.1.0" }));
}

/// As npm does it: the packument is read, changed and sent back.
async fn deprecate(person: &Person<'_>, messages: &[(&str, &str)]) -> Answer {
    let mut packument = person.get("/@alice%2fone?write=true").await.expect(200).json();
    for (version, message) in messages {
        packument["versions"][version]["deprecated"] = (*message).into();
    }
    person.json("PUT", "/@alice%2fone", &packument).await
}

async fn deprecated(person: &Person<'_>, version: &str) -> Value {
    person.get("/@alice%2fone").await.expect(200).json()["versions"][version]["deprecated"].clone()
}

#[tokio::test]
async fn a_version_is_deprecated_and_the_word_is_taken_back() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    publish(&alice, &["1.0.0", "1.1.0"]).await;
    app.grant("@alice/one", "bob", Permission::ReadOnly).await;
    deprecate(&bob, &[("1.0.0", "mine now")]).await.expect(403);
    deprecate(&alice, &[("1.0.0", "use \u{1f511} 1.1.0"), ("1.1.0", "")]).await.expect(201);
    assert_eq!(deprecated(&bob, "1.0.0").await, "use \u{1f511} 1.1.0");
    assert_eq!(deprecated(&bob, "1.1.0").await, Value::Null);
    let install = [("accept", "application/vnd.npm.install-v1+json")];
    let abbreviated = bob.get_with("/@alice%2fone", &install).await.expect(200).json();
    assert_eq!(abbreviated["versions"]["1.0.0"]["deprecated"], "use \u{1f511} 1.1.0");
    deprecate(&alice, &[("1.0.0", "")]).await.expect(201);
    let versions = alice.get("/@alice%2fone").await.json()["versions"].clone();
    assert!(versions["1.0.0"].get("deprecated").is_none(), "absent, not empty");
    deprecate(&alice, &[("1.0.0", &"x".repeat(5000))]).await.expect(422);
}

#[tokio::test]
async fn of_a_packument_that_comes_back_only_the_messages_count() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    publish(&alice, &["1.0.0", "1.1.0"]).await;
    let before = alice.get("/@alice%2fone").await.json();
    let mut edited = before.clone();
    edited["versions"]["1.0.0"]["deprecated"] = "old".into();
    edited["versions"]["1.0.0"]["dist"]["tarball"] = "http://evil.test/x.tgz".into();
    edited["versions"]["1.0.0"]["dependencies"] = json!({ "evil": "1.0.0" });
    edited["versions"].as_object_mut().expect("an object").remove("1.1.0");
    edited["dist-tags"]["latest"] = "1.0.0".into();
    edited["maintainers"] = json!([{ "name": "mallory" }]);
    edited["readme"] = "evil".into();
    alice.json("PUT", "/@alice%2fone", &edited).await.expect(201);
    let mut after = alice.get("/@alice%2fone").await.json();
    assert_eq!(after["versions"]["1.0.0"]["deprecated"], "old");
    after["versions"]["1.0.0"].as_object_mut().expect("an object").remove("deprecated");
    for member in ["versions", "dist-tags", "maintainers", "readme", "users"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    // A publish that lost its tarball must not read as done.
    edited["versions"]["2.0.0"] = json!({ "name": "@alice/one", "version": "2.0.0" });
    alice.json("PUT", "/@alice%2fone", &edited).await.expect(422);
    edited["name"] = "@alice/new".into();
    alice.json("PUT", "/@alice%2fnew", &edited).await.expect(400);
}

/// Two people read the package; the one who writes last does not undo what the other said.
#[tokio::test]
async fn an_old_copy_takes_nobodys_words_back() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    publish(&alice, &["1.0.0", "1.1.0"]).await;
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;
    let mut copy = bob.get("/@alice%2fone?write=true").await.expect(200).json();
    copy["versions"]["1.0.0"]["deprecated"] = "bob says so".into();
    deprecate(&alice, &[("1.0.0", "alice says so")]).await.expect(201);
    bob.json("PUT", "/@alice%2fone", &copy).await.expect(409);
    assert_eq!(deprecated(&alice, "1.0.0").await, "alice says so");
    // What others did to other versions is no conflict, and neither is a publish.
    publish(&alice, &["1.2.0"]).await;
    copy["versions"]["1.0.0"].as_object_mut().expect("an object").remove("deprecated");
    copy["versions"]["1.1.0"]["deprecated"] = "bob says so".into();
    bob.json("PUT", "/@alice%2fone", &copy).await.expect(201);
    assert_eq!(deprecated(&alice, "1.0.0").await, "alice says so");
    assert_eq!(deprecated(&alice, "1.1.0").await, "bob says so");
    bob.json("PUT", "/@alice%2fone", &json!({ "_rev": "1-00", "versions": {} })).await.expect(409);
}

/// Larger than what a publish may say beside its tarball, and smaller than what packuments may be.
#[tokio::test]
async fn a_large_packument_comes_back_and_a_large_word_of_a_reader_does_not() {
    let app = TestApp::with(|config| config.limits.max_document_bytes = 20_000).await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    for minor in 0..4 {
        let manifest = json!({ "description": "d".repeat(10_000) });
        alice.publish(&Package { manifest, ..Package::new("@alice/one", &format!("1.{minor}.0")) }).await.expect(201);
    }
    app.grant("@alice/one", "bob", Permission::ReadOnly).await;
    deprecate(&alice, &[("1.2.0", "old")]).await.expect(201);
    assert_eq!(deprecated(&bob, "1.2.0").await, "old");
    let pad = json!({ "users": {}, "pad": "x".repeat(2 << 20) });
    let refused = bob.json("PUT", "/@alice%2fone", &pad).await.expect(403);
    assert!(refused.error().contains("read it only"), "{}", refused.error());
    bob.publish(&Package::new("@alice/one", "9.0.0")).await.expect(403);
}
