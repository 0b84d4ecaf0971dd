//! `npm token`: lists, both forms of making one, and ending them.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use strongroom::policy::{Narrowing, OrganizationRight, TokenRight};

use crate::support::app::{PASSWORD, Package, Person, TestApp};

const TOKENS: &str = "/-/npm/v1/tokens";

async fn create(person: &Person<'_>, body: Value) -> Value {
    person.json("POST", TOKENS, &body).await.expect(201).json()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[tokio::test]
async fn a_list_comes_in_pages_and_shows_no_token() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    app.user("bob").await;
    for _ in 0..11 {
        app.token("alice", Narrowing::default(), None).await;
    }
    let first = alice.get(TOKENS).await.expect(200);
    assert!(first.header("cache-control").starts_with("no-store"));
    let first = first.json();
    assert_eq!((first["total"].as_i64(), first["objects"].as_array().map(Vec::len)), (Some(12), Some(10)));
    let second = alice.get(text(&first["urls"]["next"])).await.expect(200).json();
    assert_eq!(second["objects"].as_array().map(Vec::len), Some(2));
    assert_eq!(second["urls"]["next"], Value::Null, "npm goes on for as long as there is a next page");
    // npm finds the key of a whole token by its beginning, and shortens keys.
    let whole = alice.token.as_deref().expect("a token");
    let own = &second["objects"][1];
    assert!(whole.starts_with(text(&own["token"])) && text(&own["token"]).len() == 8);
    assert_eq!(text(&own["key"]).len(), 20);
    assert!(!second.to_string().contains(whole));
    for query in ["page=-1", "page=x", "perPage=1.5"] {
        alice.get(&format!("{TOKENS}?{query}")).await.expect(400);
    }
    assert_eq!(alice.get(&format!("{TOKENS}?page=0&perPage=0")).await.expect(200).json()["total"], 12);
}

#[tokio::test]
async fn the_old_form_makes_whole_tokens_and_reading_ones() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let made = create(&alice, json!({ "password": PASSWORD, "readonly": false, "cidr_whitelist": [] })).await;
    assert_eq!((&made["readonly"], &made["cidr_whitelist"]), (&json!(false), &Value::Null));
    let whole = app.with_token(text(&made["token"]));
    whole.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let reading =
        json!({ "password": PASSWORD, "readonly": true, "cidr_whitelist": ["192.0.2.0/24", "2001:db8::/32"] });
    let made = create(&whole, reading).await;
    assert_eq!(made["cidr_whitelist"], json!(["192.0.2.0/24", "2001:db8::/32"]));
    let reader = app.with_token(text(&made["token"]));
    reader.get("/@alice/one").await.expect(200);
    reader.publish(&Package::new("@alice/one", "1.1.0")).await.expect(403);
    reader.json("POST", TOKENS, &json!({ "password": PASSWORD, "readonly": true })).await.expect(403);
}

#[tokio::test]
async fn the_granular_form_says_what_a_token_may() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    for name in ["@alice/one", "@alice/two"] {
        alice.publish(&Package::new(name, "1.0.0")).await.expect(201);
    }
    let now = app.clock.now();
    let made = create(
        &alice,
        json!({
            "name": "ci", "password": PASSWORD, "description": "for the robot", "packages": ["@alice/one"],
            "scopes": ["@acme", "beta"], "orgs": ["acme"], "packages_and_scopes_permission": "read-write",
            "orgs_permission": "read-only", "expires": 90, "cidr_whitelist": ["192.0.2.1"], "bypass_2fa": true,
        }),
    )
    .await;
    let days = |days| strongroom::clock::to_npm_time(now + TimeDelta::days(days));
    assert_eq!((text(&made["name"]), text(&made["description"])), ("ci", "for the robot"));
    assert_eq!((text(&made["expiry"]), text(&made["expires"])), (&*days(90), &*days(90)));
    assert_eq!((&made["bypass_2fa"], &made["cidr_whitelist"]), (&json!(true), &json!(["192.0.2.1/32"])));
    assert_eq!(
        made["scopes"],
        json!([
            { "type": "package", "name": "@alice/one" },
            { "type": "scope", "name": "@acme" },
            { "type": "scope", "name": "@beta" },
            { "type": "org", "name": "acme" },
        ])
    );
    assert_eq!(
        made["permissions"],
        json!([{ "name": "package", "action": "write" }, { "name": "org", "action": "read" }])
    );
    let robot = app.with_token(text(&made["token"]));
    robot.publish(&Package::new("@alice/one", "1.1.0")).await.expect(201);
    robot.publish(&Package::new("@alice/two", "1.1.0")).await.expect(403);
    robot.get("/@alice/two").await.expect(404);
    app.clock.set(now + TimeDelta::days(90));
    robot.get("/@alice/one").await.expect(401);
    app.clock.set(now);

    // The other spellings, and what stands for what is not said.
    let made = create(
        &alice,
        json!({ "name": "reads", "password": PASSWORD, "token_description": "x", "cidr": ["192.0.2.0/24"] }),
    )
    .await;
    assert_eq!((text(&made["description"]), text(&made["expiry"])), ("x", &*days(30)));
    assert_eq!((&made["readonly"], &made["cidr_whitelist"]), (&json!(true), &json!(["192.0.2.0/24"])));
    let write = json!({ "name": "writes", "password": PASSWORD, "packages_and_scopes_permission": "read-write" });
    assert_eq!(text(&create(&alice, write).await["expiry"]), days(7));
    let long = json!({ "name": "forever", "password": PASSWORD, "packages_all": true, "expires": 3650 });
    assert_eq!(text(&create(&alice, long).await["expiry"]), days(3650));
}

#[tokio::test]
async fn a_token_for_organizations_alone_reaches_no_package() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let made = create(&alice, json!({ "name": "o", "password": PASSWORD, "orgs": ["acme"] })).await;
    assert_eq!(made["permissions"], json!([{ "name": "org", "action": "read" }]));
    let other = app.with_token(text(&made["token"]));
    other.get("/@alice/one").await.expect(404);
    other.publish(&Package::new("@alice/one", "1.1.0")).await.expect(403);
}

#[tokio::test]
async fn what_no_token_can_be_is_refused_with_the_rule() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let many: Vec<String> = (0..51).map(|at| format!("@alice/p{at}")).collect();
    let cases = [
        (json!({ "name": null }), 400, "Token name is required"),
        (json!({ "name": " " }), 400, "Token name is required"),
        (json!({ "name": "x", "expires": 0 }), 400, "1 to 36500 days"),
        (json!({ "name": "x", "expires": 91, "packages_and_scopes_permission": "read-write" }), 400, "1 to 90 days"),
        (json!({ "name": "x", "expires": 91, "orgs_permission": "read-write" }), 400, "1 to 90 days"),
        (json!({ "name": "x", "packages": many }), 400, "at most 50"),
        (json!({ "name": "x", "packages": ["lodash"] }), 400, "lodash"),
        (json!({ "name": "x", "packages_and_scopes_permission": "all" }), 400, "read-write-stage-only"),
        (json!({ "name": "x", "cidr_whitelist": ["10.0.0.0/33"] }), 400, "10.0.0.0/33"),
        (json!({ "name": "x", "packages_and_scopes_permission": "no-access" }), 422, "nothing at all"),
        (json!({ "name": "x", "bypass_2fa": true }), 422, "bypass-2fa"),
        (json!({ "name": "x".repeat(129) }), 422, "128"),
        (json!({ "name": 7 }), 400, "expected form"),
    ];
    for (mut body, status, words) in cases {
        body["password"] = PASSWORD.into();
        let answer = alice.json("POST", TOKENS, &body).await.expect(status);
        assert!(answer.error().contains(words), "{body}: {}", answer.error());
    }
    alice.json("POST", TOKENS, &json!({ "name": "x", "password": "wrong password" })).await.expect(401);
    alice.json("POST", TOKENS, &json!({ "name": "x" })).await.expect(401);
    assert_eq!(alice.get(TOKENS).await.json()["total"], 1, "nothing was made");
}

#[tokio::test]
async fn only_a_whole_token_makes_and_ends_tokens() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let mut narrow = vec![
        Narrowing::read_only(),
        Narrowing { bypasses_second_factor: true, ..Narrowing::default() },
        Narrowing { right: TokenRight::StageOnly, ..Narrowing::default() },
        Narrowing { packages: vec!["@alice/*".parse().expect("a pattern")], ..Narrowing::default() },
    ];
    let mut reading_organizations = Narrowing::default();
    reading_organizations.organizations.right = OrganizationRight::Read;
    narrow.push(reading_organizations);
    let listed = alice.get(TOKENS).await.json();
    let key = text(&listed["objects"][0]["key"]);
    for narrowing in narrow {
        let person = app.token("alice", narrowing.clone(), None).await;
        let wish = json!({ "name": "x", "password": PASSWORD });
        person.json("POST", TOKENS, &wish).await.expect(403);
        person.send("DELETE", &format!("{TOKENS}/token/{key}"), &[], Body::empty()).await.expect(403);
        person.json("POST", "/-/npm/v1/user", &json!({ "fullname": "x" })).await.expect(403);
        person.get(TOKENS).await.expect(200);
    }
    alice.get("/-/whoami").await.expect(200);
}

#[tokio::test]
async fn ending_a_token_is_seen_everywhere_at_once() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let bob = app.user("bob").await;
    let second = app.second_node().await;
    let by_key = app.token("alice", Narrowing::default(), None).await;
    let by_text = app.token("alice", Narrowing::default(), None).await;
    let listed = alice.get(TOKENS).await.json();
    let key = text(&listed["objects"][1]["key"]);
    let whole = by_text.token.clone().expect("a token");
    for (doomed, named) in [(&by_key, key), (&by_text, whole.as_str())] {
        let elsewhere = second.with_token(doomed.token.as_deref().expect("a token"));
        doomed.get("/-/whoami").await.expect(200);
        elsewhere.get("/-/whoami").await.expect(200);
        let path = format!("{TOKENS}/token/{named}");
        bob.send("DELETE", &path, &[], Body::empty()).await.expect(404);
        doomed.get("/-/whoami").await.expect(200);
        alice.send("DELETE", &path, &[], Body::empty()).await.expect(204);
        doomed.get("/-/whoami").await.expect(401);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(1);
        while elsewhere.get("/-/whoami").await.status != 401 {
            assert!(std::time::Instant::now() < deadline, "the other node was not told within a second");
            tokio::task::yield_now().await;
        }
    }
    alice.send("DELETE", &format!("{TOKENS}/token/{}", &key[..6]), &[], Body::empty()).await.expect(404);
    assert_eq!(alice.get(TOKENS).await.json()["total"], 1);
}

#[tokio::test]
async fn when_a_token_was_used_is_written_by_a_chore_and_by_no_request() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let used = app.clock.now() + TimeDelta::seconds(5);
    alice.get("/-/whoami").await.expect(200);
    app.clock.set(used);
    alice.get("/-/whoami").await.expect(200);
    let accessed = async || alice.get(TOKENS).await.json()["objects"][0]["accessed"].clone();
    assert_eq!(accessed().await, Value::Null);
    app.app.run_chore("tokens.last_uses").await.expect("a chore");
    assert_eq!(accessed().await, json!(strongroom::clock::to_npm_time(used)));
    // Another node that saw an older use does not turn it back.
    let second = app.second_node().await;
    app.clock.set(used - TimeDelta::seconds(2));
    second.with_token(alice.token.as_deref().expect("a token")).get("/-/whoami").await.expect(200);
    second.app.run_chore("tokens.last_uses").await.expect("a chore");
    app.clock.set(used);
    assert_eq!(accessed().await, json!(strongroom::clock::to_npm_time(used)));
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

async fn logins(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from audit_events where action = 'user.login'")
        .fetch_one(&app.pool().await)
        .await
        .expect("a count")
}

#[tokio::test]
async fn a_password_with_every_request_is_hashed_once() {
    let app = TestApp::with(|config| config.limits.login_per_minute = 3).await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let right = basic("alice", PASSWORD);
    let anyone = app.anonymous();
    let headers = [("authorization", right.as_str())];
    let at_once = (0..20).map(|_| anyone.get_with("/@alice/one", &headers));
    for answer in futures_util::future::join_all(at_once).await {
        answer.expect(200);
    }
    assert_eq!(logins(&app).await, 1);
    // A wrong one too, and in the end it has to wait, while what is known goes on.
    for password in ["wrong password", "wrong password", "wrong password", "wronger password"] {
        anyone.get_with("/@alice/one", &[("authorization", &basic("alice", password))]).await.expect(401);
    }
    assert_eq!(logins(&app).await, 3);
    anyone.get_with("/@alice/one", &[("authorization", &basic("alice", "wrongest password"))]).await.expect(429);
    anyone.get_with("/@alice/one", &[("authorization", &right)]).await.expect(200);
    anyone.get_with("/@alice/one", &[("authorization", &basic("Alice", PASSWORD))]).await.expect(401);
    anyone.get_with("/@alice/one", &[("authorization", &basic("nobody", ""))]).await.expect(401);
    // It is no token that anybody could see, and it is not in the list.
    assert_eq!(alice.get(TOKENS).await.json()["total"], 1);
}

#[tokio::test]
async fn a_password_becomes_a_token_and_ends_with_the_next_one() {
    let app = TestApp::new().await;
    app.user("alice").await;
    let anyone = app.anonymous();
    let json = ("content-type", "application/json");
    let old = basic("alice", PASSWORD);
    // What npm does before it sets up a second factor.
    let wish = json!({ "password": PASSWORD, "readonly": false, "cidr_whitelist": [] }).to_string();
    let headers = [("authorization", old.as_str()), json];
    let made = anyone.send("POST", TOKENS, &headers, Body::from(wish)).await.expect(201).json();
    let alice = app.with_token(text(&made["token"]));
    let change = json!({ "password": { "old": PASSWORD, "new": "another good password" } });
    alice.json("POST", "/-/npm/v1/user", &change).await.expect(200);
    anyone.get_with("/-/whoami", &[("authorization", &old)]).await.expect(401);
    let new = basic("alice", "another good password");
    anyone.get_with("/-/whoami", &[("authorization", &new)]).await.expect(200);
    app.app.users.set_disabled(&"alice".parse().expect("a name"), true).await.expect("a change");
    anyone.get_with("/-/whoami", &[("authorization", &new)]).await.expect(401);
}
