//! `npm profile`, changes of passwords, and accounts that are switched off.

use serde_json::{Value, json};
use strongroom::policy::Narrowing;

use crate::support::app::{Answer, PASSWORD, TestApp};

const PROFILE: &str = "/-/npm/v1/user";

async fn log_in(app: &TestApp, name: &str, password: &str) -> Answer {
    let body = json!({ "name": name, "password": password });
    app.anonymous().json("PUT", &format!("/-/user/org.couchdb.user:{name}"), &body).await
}

#[tokio::test]
async fn a_profile_is_read_and_set_as_npm_does_it() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let shown = alice.get(PROFILE).await.expect(200);
    assert!(shown.header("cache-control").starts_with("no-store"));
    let shown = shown.json();
    assert_eq!((&shown["name"], &shown["email"]), (&json!("alice"), &json!("alice@example.com")));
    assert_eq!((&shown["tfa"], &shown["fullname"]), (&Value::Null, &Value::Null));

    // npm sends every field that it has read, and null for an empty one.
    let change =
        json!({ "email": "a@example.com", "fullname": "Alice A.", "homepage": "https://a.example", "github": null });
    let set = alice.json("POST", PROFILE, &change).await.expect(200).json();
    assert_eq!((&set["email"], &set["fullname"]), (&json!("a@example.com"), &json!("Alice A.")));
    assert_eq!((&set["homepage"], &set["github"]), (&json!("https://a.example"), &Value::Null));
    let set = alice.json("POST", PROFILE, &json!({ "github": "alice", "homepage": null })).await.expect(200).json();
    assert_eq!((&set["github"], &set["homepage"]), (&json!("alice"), &Value::Null));
    assert_eq!(set["fullname"], "Alice A.", "what is not sent stays");
    for wrong in [
        json!({ "email": "nowhere" }),
        json!({ "homepage": "javascript:alert(1)" }),
        json!({ "fullname": "x".repeat(257) }),
        json!({ "fullname": "two\nlines" }),
    ] {
        alice.json("POST", PROFILE, &wrong).await.expect(422);
    }
    alice.json("POST", PROFILE, &json!({ "fullname": 7 })).await.expect(400);
    assert_eq!(alice.get(PROFILE).await.json()["fullname"], "Alice A.");
}

#[tokio::test]
async fn a_new_password_ends_what_was_opened_with_the_old_one() {
    let app = TestApp::new().await;
    app.user("alice").await;
    let granular = app.token("alice", Narrowing::default(), None).await;
    let mut logins = Vec::new();
    for _ in 0..2 {
        let answer = log_in(&app, "alice", PASSWORD).await.expect(201).json();
        logins.push(app.with_token(answer["token"].as_str().expect("a token")));
    }
    let second = app.second_node().await;
    let elsewhere = second.with_token(logins[1].token.as_deref().expect("a token"));
    elsewhere.get("/-/whoami").await.expect(200);
    let change = |old: &str, new: &str| json!({ "password": { "old": old, "new": new } });
    logins[0].json("POST", PROFILE, &change("wrong password", "another good one")).await.expect(401);
    logins[0].json("POST", PROFILE, &change(PASSWORD, "short")).await.expect(422);
    logins[1].get("/-/whoami").await.expect(200);
    logins[0].json("POST", PROFILE, &change(PASSWORD, "another good one")).await.expect(200);
    logins[0].get("/-/whoami").await.expect(200);
    logins[1].get("/-/whoami").await.expect(401);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(1);
    while elsewhere.get("/-/whoami").await.status != 401 {
        assert!(std::time::Instant::now() < deadline, "the other node was not told within a second");
        tokio::task::yield_now().await;
    }
    granular.get("/-/whoami").await.expect(200);
    log_in(&app, "alice", PASSWORD).await.expect(401);
    log_in(&app, "alice", "another good one").await.expect(201);
    // Whoever asks for it ends the others too.
    let all = json!({ "password": { "old": "another good one", "new": PASSWORD, "revoke_tokens": true } });
    logins[0].json("POST", PROFILE, &all).await.expect(200);
    granular.get("/-/whoami").await.expect(401);
    logins[0].get("/-/whoami").await.expect(200);
}

#[tokio::test]
async fn who_holds_a_token_does_not_find_the_password_out_with_it() {
    let app = TestApp::with(|config| config.limits.login_per_minute = 3).await;
    let alice = app.user("alice").await;
    let guess = json!({ "password": { "old": "wrong password", "new": "another good one" } });
    for _ in 0..3 {
        alice.json("POST", PROFILE, &guess).await.expect(401);
    }
    alice.json("POST", PROFILE, &guess).await.expect(429);
    alice.get(PROFILE).await.expect(200);
}

#[tokio::test]
async fn an_account_that_is_switched_off_is_dead_until_it_is_on_again() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let name = "alice".parse().expect("a name");
    alice.get("/-/whoami").await.expect(200);
    app.app.users.set_disabled(&name, true).await.expect("a change");
    alice.get("/-/whoami").await.expect(401);
    log_in(&app, "alice", PASSWORD).await.expect(401);
    app.app.users.set_disabled(&name, false).await.expect("a change");
    alice.get("/-/whoami").await.expect(200);
    log_in(&app, "alice", PASSWORD).await.expect(201);
    let unknown = app.app.users.set_disabled(&"nobody".parse().expect("a name"), true).await;
    assert_eq!(unknown.expect_err("no such user").status(), 404);
}
