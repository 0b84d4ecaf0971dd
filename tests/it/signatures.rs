//! Registry signatures (`protocol.md` 7.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{DerSignature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use serde_json::Value;
use strongroom::audit::By;
use strongroom::clock::Time;

use crate::support::app::{Answer, Package, Person, TestApp};

const ABBREVIATED: (&str, &str) = ("accept", "application/vnd.npm.install-v1+json");

async fn keys(person: &Person<'_>) -> Vec<Value> {
    person.get("/-/npm/v1/keys").await.expect(200).json()["keys"].as_array().expect("keys").clone()
}

/// Checks a version as npm does: each signature by its key, whose end must be later than the version.
fn verify(packument: &Value, version: &str, keys: &[Value]) -> usize {
    let manifest = &packument["versions"][version];
    let name = packument["name"].as_str().expect("a name");
    let message = format!("{name}@{version}:{}", manifest["dist"]["integrity"].as_str().expect("an integrity"));
    let signatures = manifest["dist"]["signatures"].as_array().expect("signatures");
    for signature in signatures {
        let key = keys.iter().find(|key| key["keyid"] == signature["keyid"]).expect("the key");
        assert_eq!(key["keytype"], "ecdsa-sha2-nistp256");
        assert_eq!(key["scheme"], "ecdsa-sha2-nistp256");
        if let Some(expires) = key["expires"].as_str() {
            let time = |text: &str| text.parse::<Time>().expect("a time");
            let published = packument["time"][version].as_str().expect("a time");
            assert!(time(published) < time(expires), "{published} {expires}");
        }
        let public = STANDARD.decode(key["key"].as_str().expect("a key")).expect("base64");
        let public = VerifyingKey::from_public_key_der(&public).expect("a key on P-256");
        let bytes = STANDARD.decode(signature["sig"].as_str().expect("text")).expect("base64");
        let signature = DerSignature::from_bytes(&bytes).expect("DER");
        public.verify(message.as_bytes(), &signature).expect("a good signature");
    }
    signatures.len()
}

async fn packument(person: &Person<'_>, name: &str) -> Answer {
    person.get(&format!("/{name}")).await.expect(200)
}

#[tokio::test]
async fn every_version_is_signed_by_a_key_that_is_served() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    assert_eq!(keys(&app.anonymous()).await, Vec::<Value>::new());
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let keys = keys(&app.anonymous()).await;
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["expires"], Value::Null);
    let full = packument(&alice, "@alice/one").await.json();
    assert_eq!(verify(&full, "1.0.0", &keys), 1);
    let abbreviated = alice.get_with("/@alice%2fone", &[ABBREVIATED]).await.expect(200).json();
    assert_eq!(abbreviated["versions"]["1.0.0"]["dist"], full["versions"]["1.0.0"]["dist"]);
    let version = alice.get("/@alice%2fone/1.0.0").await.expect(200).json();
    assert_eq!(version["dist"], full["versions"]["1.0.0"]["dist"]);
}

#[tokio::test]
async fn nodes_that_start_at_once_end_with_one_key() {
    let app = TestApp::new().await;
    let other = app.second_node().await;
    let alice = app.user("alice").await;
    let bob = other.with_token(alice.token.as_deref().expect("a token"));
    let (one, two) = (Package::new("@alice/one", "1.0.0"), Package::new("@alice/two", "1.0.0"));
    let (first, second) = tokio::join!(alice.publish(&one), bob.publish(&two));
    first.expect(201);
    second.expect(201);
    let keys = keys(&bob).await;
    assert_eq!(keys.len(), 1);
    for name in ["@alice/one", "@alice/two"] {
        assert_eq!(verify(&packument(&bob, name).await.json(), "1.0.0", &keys), 1);
    }
}

#[tokio::test]
async fn after_a_rotation_both_keys_are_good_and_the_new_one_signs() {
    let app = TestApp::new().await;
    let other = app.second_node().await;
    let alice = app.user("alice").await;
    let elsewhere = other.with_token(alice.token.as_deref().expect("a token"));
    // Published by a node whose clock is ahead, and rotated by one whose clock is not.
    let now = app.clock.now();
    app.clock.set(now + TimeDelta::seconds(2));
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    app.clock.set(now);
    let new = app.app.signatures.rotate(&By::default()).await.expect("a new key");
    elsewhere.publish(&Package::new("@alice/one", "1.0.1")).await.expect(201);
    let keys = keys(&alice).await;
    assert_eq!(keys.len(), 2);
    assert_eq!((&keys[0]["keyid"], &keys[0]["expires"]), (&Value::from(new), &Value::Null));
    assert!(keys[1]["expires"].is_string());
    let document = packument(&elsewhere, "@alice/one").await.json();
    for (version, key) in [("1.0.0", &keys[1]), ("1.0.1", &keys[0])] {
        assert_eq!(verify(&document, version, &keys), 1);
        assert_eq!(document["versions"][version]["dist"]["signatures"][0]["keyid"], key["keyid"]);
    }
}

#[tokio::test]
async fn rotations_at_once_leave_one_key_that_signs() {
    let app = TestApp::new().await;
    let other = app.second_node().await;
    let by = By::default();
    let (one, two) = tokio::join!(app.app.signatures.rotate(&by), other.app.signatures.rotate(&by));
    assert_ne!(one.expect("a key"), two.expect("a key"));
    let keys = keys(&app.anonymous()).await;
    assert_eq!(keys.iter().filter(|key| key["expires"].is_null()).count(), 1);
    assert_eq!(keys.len(), 2);
}

#[tokio::test]
async fn what_was_published_unsigned_is_signed_afterwards_and_seen_on_every_node() {
    let app = TestApp::new().await;
    let other = app.second_node().await;
    let alice = app.user("alice").await;
    for version in ["1.0.0", "1.1.0"] {
        alice.publish(&Package::new("@alice/one", version)).await.expect(201);
    }
    // As a release left it that did not sign.
    let pool = app.pool().await;
    sqlx::query("delete from version_signatures").execute(&pool).await.expect("a table");
    sqlx::query("update packages set revision = revision + 1").execute(&pool).await.expect("a table");
    let third = app.second_node().await;
    let there = third.with_token(alice.token.as_deref().expect("a token"));
    let before = packument(&there, "@alice/one").await;
    assert_eq!(before.json()["versions"]["1.0.0"]["dist"]["signatures"], Value::Array(Vec::new()));
    assert_eq!(other.app.signatures.sign_missing().await.expect("signatures"), 2);
    assert_eq!(other.app.signatures.sign_missing().await.expect("signatures"), 0);
    let keys = keys(&there).await;
    let here = other.with_token(alice.token.as_deref().expect("a token"));
    for version in ["1.0.0", "1.1.0"] {
        assert_eq!(verify(&packument(&here, "@alice/one").await.json(), version, &keys), 1);
    }
}

#[tokio::test]
async fn the_keys_are_open_to_caches_that_ask_each_time() {
    let app = TestApp::new().await;
    app.app.signatures.rotate(&By::default()).await.expect("a key");
    let answer = app.anonymous().get("/-/npm/v1/keys").await.expect(200);
    assert!(answer.header("cache-control").starts_with("public, no-cache"));
    let tag = answer.header("etag").to_owned();
    app.anonymous().get_with("/-/npm/v1/keys", &[("if-none-match", &tag)]).await.expect(304);
    app.app.signatures.rotate(&By::default()).await.expect("a key");
    app.anonymous().get_with("/-/npm/v1/keys", &[("if-none-match", &tag)]).await.expect(200);
}
