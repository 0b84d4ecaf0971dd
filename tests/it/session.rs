//! Logging in and out, tokens and what narrows them.

use axum::body::Body;
use chrono::TimeDelta;
use serde_json::{Value, json};
use strongroom::config::{BillingProvider, Signup};
use strongroom::policy::{Narrowing, Permission};

use crate::support::app::{Answer, PASSWORD, Package, TestApp};

pub(crate) async fn log_in(app: &TestApp, name: &str, password: &str, email: Option<&str>) -> Answer {
    let mut body = json!({ "_id": format!("org.couchdb.user:{name}"), "name": name, "password": password, "type": "user", "roles": [], "date": "2026-01-01T00:00:00.000Z" });
    if let Some(email) = email {
        body["email"] = email.into();
    }
    app.anonymous().json("PUT", &format!("/-/user/org.couchdb.user:{name}"), &body).await
}

#[tokio::test]
async fn adduser_makes_an_account_and_login_finds_it_again() {
    let app = TestApp::new().await;
    log_in(&app, "alice", PASSWORD, None).await.expect(401);
    let made = log_in(&app, "alice", PASSWORD, Some("alice@example.com")).await.expect(201).json();
    assert_eq!(made["ok"], true);
    let again = log_in(&app, "alice", PASSWORD, None).await.expect(201).json();
    assert_ne!(made["token"], again["token"]);
    log_in(&app, "alice", "wrong password", None).await.expect(401);
    log_in(&app, "alice", "wrong password", Some("alice@example.com")).await.expect(401);

    let alice = app.with_token(again["token"].as_str().expect("a token"));
    let answer = alice.get("/-/whoami").await.expect(200);
    assert_eq!(answer.json(), json!({ "username": "alice" }));
    assert!(answer.header("cache-control").starts_with("no-store"));
    let document = alice.get("/-/user/org.couchdb.user:alice").await.expect(200).json();
    assert_eq!(document["email"], "alice@example.com");
    let seen = app.anonymous().get("/-/user/org.couchdb.user:alice").await.expect(200).json();
    assert_eq!((&seen["name"], &seen["email"]), (&"alice".into(), &"".into()));
    app.anonymous().get("/-/user/org.couchdb.user:nobody").await.expect(404);
}

#[tokio::test]
async fn sign_up_follows_the_configuration() {
    for signup in [Signup::Closed, Signup::Invite] {
        let app = TestApp::with(|config| config.auth.signup = Some(signup)).await;
        let answer = log_in(&app, "alice", PASSWORD, Some("alice@example.com")).await.expect(403);
        assert!(answer.error().contains("operator"), "{}", answer.error());
        app.user("bob").await;
        log_in(&app, "bob", PASSWORD, Some("bob@example.com")).await.expect(201);
    }
}

#[tokio::test]
async fn what_cannot_be_an_account_is_refused_with_a_sentence() {
    let app = TestApp::new().await;
    for (name, password, email) in [
        ("login", PASSWORD, "a@example.com"),
        ("alice", "short", "a@example.com"),
        ("alice", "password123", "a@example.com"),
        ("alice", PASSWORD, "not an address"),
        ("Alice", PASSWORD, "a@example.com"),
    ] {
        let answer = log_in(&app, name, password, Some(email)).await.expect(422);
        assert!(answer.error().len() > 20, "{}", answer.error());
    }
    let body = json!({ "name": "alice", "password": PASSWORD, "email": "a@example.com" });
    app.anonymous().json("PUT", "/-/user/org.couchdb.user:bob", &body).await.expect(400);
    let plain = [("content-type", "text/plain")];
    app.anonymous().send("PUT", "/-/user/org.couchdb.user:bob", &plain, body.to_string().into()).await.expect(415);
    let large = json!({ "name": "alice", "password": "x".repeat(70_000) });
    app.anonymous().json("PUT", "/-/user/org.couchdb.user:alice", &large).await.expect(413);
    for text in ["", "{", "[]", "null", "{\"name\":\"a\",\"name\":\"b\",\"password\":\"x\"}"] {
        let json = [("content-type", "application/json")];
        app.anonymous().send("PUT", "/-/user/org.couchdb.user:a", &json, Body::from(text)).await.expect(400);
    }
}

#[tokio::test]
async fn too_many_attempts_are_told_to_wait_and_tokens_go_on_working() {
    let app = TestApp::with(|config| config.limits.login_per_minute = 3).await;
    let alice = app.user("alice").await;
    for _ in 0..3 {
        log_in(&app, "alice", "wrong password", None).await.expect(401);
    }
    let answer = log_in(&app, "alice", PASSWORD, None).await.expect(429);
    assert!(answer.header("retry-after").parse::<u64>().expect("seconds") >= 1);
    alice.get("/-/whoami").await.expect(200);
}

#[tokio::test]
async fn logging_out_ends_the_token_at_once() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.get("/-/whoami").await.expect(200);
    let path = format!("/-/user/token/{}", alice.token.as_deref().expect("a token"));
    alice.send("DELETE", &path, &[], Body::empty()).await.expect(200);
    alice.get("/-/whoami").await.expect(401);
    alice.get("/@alice/missing").await.expect(401);
    alice.send("DELETE", &path, &[], Body::empty()).await.expect(200);
}

#[tokio::test]
async fn a_token_narrows_its_user() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    for name in ["@alice/one", "@alice/two"] {
        alice.publish(&Package::new(name, "1.0.0")).await.expect(201);
    }
    let one = Narrowing { packages: vec!["@alice/one".parse().expect("a pattern")], ..Narrowing::default() };
    let narrowed = app.token("alice", one, None).await;
    narrowed.get("/@alice/one").await.expect(200);
    narrowed.get("/@alice/two").await.expect(404);
    narrowed.publish(&Package::new("@alice/two", "1.1.0")).await.expect(403);
    narrowed.publish(&Package::new("@alice/three", "1.0.0")).await.expect(403);
    narrowed.publish(&Package::new("@alice/one", "1.1.0")).await.expect(201);

    let elsewhere = Narrowing { networks: vec!["10.0.0.0/8".parse().expect("a network")], ..Narrowing::default() };
    let elsewhere = app.token("alice", elsewhere, None).await;
    elsewhere.get("/@alice/one").await.expect(403);
    elsewhere.get("/@alice/missing").await.expect(403);
    elsewhere.get("/-/whoami").await.expect(403);
    let here = Narrowing { networks: vec!["192.0.2.0/24".parse().expect("a network")], ..Narrowing::default() };
    app.token("alice", here, None).await.get("/@alice/one").await.expect(200);
}

#[tokio::test]
async fn a_token_ends_by_the_clock_on_a_warm_cache() {
    let app = TestApp::new().await;
    app.user("alice").await;
    let end = app.clock.now() + TimeDelta::days(1);
    let alice = app.token("alice", Narrowing::default(), Some(end)).await;
    alice.get("/-/whoami").await.expect(200);
    app.clock.set(end);
    alice.get("/-/whoami").await.expect(401);
}

#[tokio::test]
async fn a_new_account_is_paid_unless_somebody_sells_plans() {
    for (provider, status) in
        [(BillingProvider::None, 201), (BillingProvider::Manual, 402), (BillingProvider::Stripe, 402)]
    {
        let app = TestApp::with(|config| config.billing.provider = provider).await;
        let alice = app.user("alice").await;
        alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(status);
    }
}

#[tokio::test]
async fn basic_credentials_may_carry_a_token() {
    use base64::Engine as _;
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let encode = |text: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
    let token = encode(&format!("whoever:{}", alice.token.as_deref().expect("a token")));
    app.anonymous().get_with("/-/whoami", &[("authorization", &token)]).await.expect(200);
    let dead = encode("alice:npm_000000000000000000000000000000000000");
    app.anonymous().get_with("/-/whoami", &[("authorization", &dead)]).await.expect(401);
}

/// Every login, right, publish and token leaves a line, none of them with a secret in it, and no line can be changed.
#[tokio::test]
async fn what_is_done_is_written_down_for_good() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    app.user("bob").await;
    log_in(&app, "alice", "wrong password", None).await.expect(401);
    log_in(&app, "alice", PASSWORD, None).await.expect(201);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    app.grant("@alice/one", "bob", Permission::ReadOnly).await;
    let bob = app.token("bob", Narrowing::default(), None).await;
    bob.publish(&Package::new("@alice/one", "1.1.0")).await.expect(403);
    let pool = app.pool().await;
    let lines: Vec<(String, String, String, Value)> =
        sqlx::query_as("select action, subject, outcome, detail from audit_events order by id")
            .fetch_all(&pool)
            .await
            .expect("lines");
    let has = |action: &str, subject: &str, outcome: &str| {
        lines.iter().any(|line| (line.0.as_str(), line.1.as_str(), line.2.as_str()) == (action, subject, outcome))
    };
    assert!(has("user.login", "alice", "refused") && has("user.login", "alice", "done"));
    assert!(has("package.publish", "@alice/one", "done") && has("access.grant", "@alice/one", "done"));
    assert!(has("package.publish", "@alice/one", "refused"));
    let text = format!("{lines:?}");
    assert!(!text.contains(PASSWORD) && !text.contains(alice.token.as_deref().expect("a token")));
    assert!(sqlx::query("delete from audit_events").execute(&pool).await.is_err());
    assert!(sqlx::query("update audit_events set outcome = 'done'").execute(&pool).await.is_err());
}
