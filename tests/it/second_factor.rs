//! The second factor: setting it up, being asked for it, and what is good enough.

use axum::body::Body;
use chrono::TimeDelta;
use serde_json::{Value, json};
use strongroom::policy::{Narrowing, SecondFactorMode};

use crate::support::app::{Answer, PASSWORD, Package, Person, TestApp};
use crate::support::authenticator::{App, Key};
use crate::support::browser::Page;

const PROFILE: &str = "/-/npm/v1/user";
const WEB: [(&str, &str); 2] = [("npm-auth-type", "web"), ("npm-command", "publish")];

/// Sends JSON with a code beside it.
pub(crate) async fn with_code(person: &Person<'_>, method: &str, path: &str, body: &Value, code: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("npm-otp", code)];
    person.send(method, path, &headers, Body::from(body.to_string())).await
}

async fn publish_with_code(person: &Person<'_>, package: &Package, code: &str) -> Answer {
    with_code(person, "PUT", &format!("/{}", package.name.replace('/', "%2f")), &package.document(), code).await
}

/// Turns it on as npm does; the clock then stands in a step whose code nobody has used.
pub(crate) async fn enable(app: &TestApp, person: &Person<'_>, mode: &str) -> (App, Vec<String>) {
    let wish = json!({ "tfa": { "mode": mode, "password": PASSWORD } });
    let begun = person.json("POST", PROFILE, &wish).await.expect(200).json();
    let phone = App::scan(begun["tfa"].as_str().expect("a URL"));
    let code = phone.code(app.clock.now());
    let done = person.json("POST", PROFILE, &json!({ "tfa": [code] })).await.expect(200).json();
    let codes = done["tfa"].as_array().expect("codes").iter().map(|code| code.as_str().expect("text").to_owned());
    let codes = codes.collect();
    wait(app, 90);
    (phone, codes)
}

pub(crate) fn wait(app: &TestApp, seconds: i64) {
    app.clock.set(app.clock.now() + TimeDelta::seconds(seconds));
}

#[track_caller]
pub(crate) fn assert_asks(answer: Answer) -> Value {
    let answer = answer.expect(401);
    assert_eq!(answer.header("www-authenticate"), "OTP");
    assert!(answer.error().contains("one-time pass"), "{}", answer.error());
    answer.json()
}

#[tokio::test]
async fn guessing_the_first_code_is_counted_too() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let wish = json!({ "tfa": { "mode": "auth-and-writes", "password": PASSWORD } });
    ada.json("POST", PROFILE, &wish).await.expect(200);
    let mut statuses = Vec::new();
    for guess in 0..8 {
        let guess = json!({ "tfa": [format!("{guess:06}")] });
        statuses.push(ada.json("POST", PROFILE, &guess).await.status.as_u16());
    }
    assert_eq!(statuses[..6], [401; 6]);
    assert_eq!(statuses[6..], [429; 2]);
}

#[tokio::test]
async fn what_a_password_confirmed_is_not_confirmed_by_a_second_factor_that_came_later() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let page = browser.get("/confirm").await.expect(200);
    browser.submit(page.form("/confirm").fill("_password", PASSWORD)).await.expect(303);
    enable(&app, &ada, "auth-and-writes").await;
    // Well within the quarter of an hour, a code is asked for all the same.
    let again = browser.submit(browser.get("/confirm").await.form("/confirm")).await.expect(200);
    assert!(again.html().contains("one-time-code"), "{}", again.html());
}

#[tokio::test]
async fn it_is_set_up_as_npm_does_it_and_given_up_again() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    assert_eq!(alice.get(PROFILE).await.expect(200).json()["tfa"], Value::Null);

    let wish = |mode: &str, password: &str| json!({ "tfa": { "mode": mode, "password": password } });
    alice.json("POST", PROFILE, &wish("auth-only", "wrong password")).await.expect(401);
    alice.json("POST", PROFILE, &wish("always", PASSWORD)).await.expect(422);
    let begun = alice.json("POST", PROFILE, &wish("auth-only", PASSWORD)).await.expect(200).json();
    let url = begun["tfa"].as_str().expect("a URL");
    assert!(url.starts_with("otpauth://totp/registry.test:alice?secret="), "{url}");
    // Nothing is asked for until the first code was shown.
    assert_eq!(alice.get(PROFILE).await.json()["tfa"], json!({ "pending": true, "mode": "auth-only" }));
    alice.json("POST", PROFILE, &json!({ "tfa": ["000000"] })).await.expect(401);
    alice.json("POST", PROFILE, &json!({ "fullname": "Alice" })).await.expect(200);

    let (phone, codes) = enable(&app, &alice, "auth-only").await;
    assert_eq!(codes.len(), 5);
    assert!(codes.iter().all(|code| code.len() == 64 && code.bytes().all(|byte| byte.is_ascii_hexdigit())));
    assert_eq!(alice.get(PROFILE).await.json()["tfa"], json!({ "pending": false, "mode": "auth-only" }));

    let mode = wish("auth-and-writes", PASSWORD);
    assert_asks(alice.json("POST", PROFILE, &mode).await);
    let changed = with_code(&alice, "POST", PROFILE, &mode, &phone.code(app.clock.now())).await.expect(200).json();
    assert_eq!(changed["tfa"]["mode"], "auth-and-writes");

    wait(&app, 90);
    let off = wish("disable", PASSWORD);
    assert_asks(alice.json("POST", PROFILE, &off).await);
    let gone = with_code(&alice, "POST", PROFILE, &off, &phone.code(app.clock.now())).await.expect(200).json();
    assert_eq!(gone, json!({ "tfa": null }));
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
}

#[tokio::test]
async fn the_mode_says_when_it_is_asked_for() {
    let app = TestApp::new().await;
    for (name, mode, publish) in [("alice", "auth-only", 201), ("bob", "auth-and-writes", 401)] {
        let person = app.user(name).await;
        let (phone, _) = enable(&app, &person, mode).await;
        person.publish(&Package::new(&format!("@{name}/one"), "1.0.0")).await.expect(publish);
        let login = json!({ "name": name, "password": PASSWORD });
        let path = format!("/-/user/org.couchdb.user:{name}");
        assert_asks(app.anonymous().json("PUT", &path, &login).await);
        let wrong = json!({ "name": name, "password": "wrong password" });
        let refused = with_code(&app.anonymous(), "PUT", &path, &wrong, &phone.code(app.clock.now())).await.expect(401);
        assert_ne!(refused.header("www-authenticate"), "OTP", "a wrong password is told before any code is looked at");
        with_code(&app.anonymous(), "PUT", &path, &login, &phone.code(app.clock.now())).await.expect(201);
        assert_asks(person.json("POST", "/-/npm/v1/tokens", &json!({ "readonly": false })).await);
    }
}

/// Each command that changes a package or an organization is asked, and goes through with one code for all its requests.
#[tokio::test]
async fn every_change_asks_and_takes_the_code_of_its_command() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    app.organization("acme", "alice", &[]).await;
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        alice.publish(&Package::new("@alice/one", version)).await.expect(201);
    }
    let (phone, _) = enable(&app, &alice, "auth-and-writes").await;
    let packument = async || alice.get("/@alice%2fone?write=true").await.expect(200).json();
    let rev = async || packument().await["_rev"].as_str().expect("a rev").to_owned();
    let mut deprecated = packument().await;
    deprecated["versions"]["1.0.0"]["deprecated"] = "old".into();
    let batch = json!({ "packages": [Package::new("@alice/two", "1.0.0").document()] });
    let maintainers = json!({ "maintainers": [{ "name": "alice" }, { "name": "bob" }] });
    let bob_in = json!({ "user": "bob", "role": "developer" });
    let changes = [
        ("PUT", "/-/package/@alice%2fone/dist-tags/latest".to_owned(), json!("1.1.0")),
        ("PUT", "/@alice%2fone".to_owned(), deprecated),
        ("PUT", "/-/pnpr/v0/publish".to_owned(), batch),
        ("POST", "/-/package/@alice%2fone/access".to_owned(), json!({ "access": "public" })),
        ("PUT", "/-/org/acme/user".to_owned(), bob_in.clone()),
        ("PUT", "/-/org/acme/team".to_owned(), json!({ "name": "ops" })),
        ("PUT", "/-/team/acme/ops/user".to_owned(), bob_in),
        ("PUT", "/-/strongroom/v1/package/@alice%2fone/access/bob".to_owned(), json!({ "permission": "read-only" })),
    ];
    for (method, path, body) in changes {
        wait(&app, 90);
        assert_asks(alice.json(method, &path, &body).await);
        let done = with_code(&alice, method, &path, &body, &phone.code(app.clock.now())).await;
        assert!(done.status.is_success(), "{method} {path}: {done:?}");
    }

    wait(&app, 90);
    let owners = format!("/@alice%2fone/-rev/{}", rev().await);
    assert_asks(alice.json("PUT", &owners, &maintainers).await);
    with_code(&alice, "PUT", &owners, &maintainers, &phone.code(app.clock.now())).await.expect(201);

    // npm unpublish sends two changes with one code.
    wait(&app, 90);
    let code = phone.code(app.clock.now());
    let mut without = packument().await;
    without["versions"].as_object_mut().expect("versions").remove("1.2.0");
    let path = format!("/@alice%2fone/-rev/{}", rev().await);
    assert_asks(alice.json("PUT", &path, &without).await);
    assert!(with_code(&alice, "PUT", &path, &without, &code).await.status.is_success());
    let tarball = format!("/@alice/one/-/one-1.2.0.tgz/-rev/{}", rev().await);
    assert!(with_code(&alice, "DELETE", &tarball, &Value::Null, &code).await.status.is_success());
    // To look at the trash takes no code; to take something out of it does.
    let trash = alice.get("/-/strongroom/v1/trash").await.expect(200).json();
    assert_eq!(trash["items"].as_array().map(Vec::len), Some(1), "{trash}");
    let back = json!({ "version": "1.2.0" });
    assert_asks(alice.json("POST", "/-/strongroom/v1/package/@alice%2fone/restore", &back).await);
    let whole = format!("/@alice%2fone/-rev/{}", rev().await);
    assert_asks(alice.json("DELETE", &whole, &Value::Null).await);

    // What npm never asks for: stars, and tags that no install follows by itself.
    alice.json("PUT", "/-/user/v1/star", &json!({ "name": "@alice/one" })).await.expect(200);
    alice.json("PUT", "/-/package/@alice%2fone/dist-tags/beta", &json!("1.0.0")).await.expect(200);
    bob.get("/@alice%2fone").await.expect(200);
}

#[tokio::test]
async fn a_code_is_good_for_whoever_used_it_first_and_for_nobody_else() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let (phone, _) = enable(&app, &alice, "auth-and-writes").await;
    let other = app.token("alice", Narrowing::default(), None).await;
    let code = phone.code(app.clock.now());
    // A read burns nothing.
    alice.get_with("/-/whoami", &[("npm-otp", &code)]).await.expect(200);
    other.get_with("/@alice/one", &[("npm-otp", &code)]).await.expect(404);

    publish_with_code(&alice, &Package::new("@alice/one", "1.0.0"), &code).await.expect(201);
    publish_with_code(&alice, &Package::new("@alice/one", "1.1.0"), &code).await.expect(201);
    assert_asks(publish_with_code(&other, &Package::new("@alice/one", "1.2.0"), &code).await);
    let login = json!({ "name": "alice", "password": PASSWORD });
    let path = "/-/user/org.couchdb.user:alice";
    assert_asks(with_code(&app.anonymous(), "PUT", path, &login, &code).await);

    // A login has no credential yet that a code could be bound to: there it is good once.
    wait(&app, 30);
    let code = phone.code(app.clock.now());
    with_code(&app.anonymous(), "PUT", path, &login, &code).await.expect(201);
    assert_asks(with_code(&app.anonymous(), "PUT", path, &login, &code).await);
    assert_asks(publish_with_code(&alice, &Package::new("@alice/one", "1.2.0"), &code).await);

    // On another node too, and no longer when its time is over.
    wait(&app, 60);
    let code = phone.code(app.clock.now());
    publish_with_code(&alice, &Package::new("@alice/one", "1.2.0"), &code).await.expect(201);
    let second = app.second_node().await;
    let elsewhere = second.with_token(other.token.as_deref().expect("a token"));
    assert_asks(publish_with_code(&elsewhere, &Package::new("@alice/one", "1.3.0"), &code).await);
    wait(&app, 90);
    assert_asks(publish_with_code(&alice, &Package::new("@alice/one", "1.3.0"), &code).await);
}

#[tokio::test]
async fn a_recovery_code_is_good_once() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let (_, codes) = enable(&app, &alice, "auth-and-writes").await;
    let other = app.token("alice", Narrowing::default(), None).await;
    publish_with_code(&alice, &Package::new("@alice/one", "1.0.0"), &codes[0]).await.expect(201);
    // The next request of the same command, and nobody else's.
    publish_with_code(&alice, &Package::new("@alice/one", "1.1.0"), &codes[0]).await.expect(201);
    assert_asks(publish_with_code(&other, &Package::new("@alice/one", "1.2.0"), &codes[0]).await);
    wait(&app, 61);
    assert_asks(publish_with_code(&alice, &Package::new("@alice/one", "1.2.0"), &codes[0]).await);
    publish_with_code(&other, &Package::new("@alice/one", "1.2.0"), &codes[1].to_uppercase()).await.expect(201);
    let pool = app.pool().await;
    let stored: String = sqlx::query_scalar("select string_agg(recovery_codes::text, ' ') from recovery_codes")
        .fetch_one(&pool)
        .await
        .expect("rows");
    assert!(codes.iter().all(|code| !stored.contains(code.as_str())), "codes are stored as hashes only");
}

#[tokio::test]
async fn guessing_codes_leads_nowhere_and_locks_nobody_out() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let (phone, codes) = enable(&app, &alice, "auth-and-writes").await;
    let package = Package::new("@alice/one", "1.0.0");
    let right = phone.code(app.clock.now());
    let wrong = if right == "123456" { "123457" } else { "123456" };
    let mut waits = Vec::new();
    for _ in 0..6 {
        publish_with_code(&alice, &package, wrong).await.expect(401);
    }
    for _ in 0..3 {
        let closed = publish_with_code(&alice, &package, &right).await.expect(429);
        let seconds: i64 = closed.header("retry-after").parse().expect("seconds");
        waits.push(seconds);
        wait(&app, seconds);
        publish_with_code(&alice, &package, wrong).await.expect(401);
    }
    assert!(waits[0] < waits[1] && waits[1] < waits[2], "{waits:?}");
    publish_with_code(&alice, &package, &right).await.expect(429);
    // Another node counts the same, a token reads on, and what cannot be guessed is looked at.
    let second = app.second_node().await;
    let elsewhere = second.with_token(alice.token.as_deref().expect("a token"));
    publish_with_code(&elsewhere, &package, &right).await.expect(429);
    alice.get("/-/whoami").await.expect(200);
    publish_with_code(&alice, &package, &codes[0]).await.expect(201);
    // A right code is the end of it.
    wait(&app, 3600);
    let next = Package::new("@alice/one", "1.1.0");
    publish_with_code(&alice, &next, &phone.code(app.clock.now())).await.expect(201);
    wait(&app, 90);
    publish_with_code(&alice, &next, wrong).await.expect(401);
    publish_with_code(&alice, &Package::new("@alice/one", "1.2.0"), &phone.code(app.clock.now())).await.expect(201);
}

/// The path of a URL of ours.
fn path_of(url: &Value) -> String {
    url.as_str().expect("a URL").strip_prefix("http://registry.test").expect("our URL").to_owned()
}

async fn ask_for_a_page(person: &Person<'_>, package: &Package) -> (String, String) {
    let path = format!("/{}", package.name.replace('/', "%2f"));
    let headers = [("content-type", "application/json"), WEB[0], WEB[1]];
    let body = assert_asks(person.send("PUT", &path, &headers, Body::from(package.document().to_string())).await);
    (path_of(&body["authUrl"]), path_of(&body["doneUrl"]))
}

async fn send_form(app: &TestApp, page: &str, form: &str) -> Page {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    app.browser().send("POST", page, &headers, Body::from(form.to_owned())).await
}

#[tokio::test]
async fn a_terminal_waits_for_a_page() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let (phone, _) = enable(&app, &alice, "auth-and-writes").await;
    let package = Package::new("@alice/one", "1.0.0");
    let (page, done) = ask_for_a_page(&alice, &package).await;
    for method in ["GET", "PUT", "DELETE", "POST"] {
        let pending = alice.send(method, &done, &[], Body::from("\"1.0.0\"")).await.expect(202);
        assert_eq!((pending.json(), pending.header("retry-after")), (json!({}), "1"), "{method}");
    }
    // Whoever has the page is shown what is confirmed; it takes a second factor to do so, and no session.
    let shown = app.browser().get(&page).await.expect(200);
    assert_eq!(shown.texts("main strong"), ["@alice/one", "alice"]);
    assert!(shown.text("dl.facts").contains("192.0.2.1"));
    let form = shown.form(&page).fill("code", "000000").press("decision", "approve");
    let wrong = app.browser().submit(form).await.expect(422);
    assert!(wrong.text(".summary").contains("wrong"), "{}", wrong.html());
    alice.get(&done).await.expect(202);

    // Any node shows the page, and any node tells the terminal.
    let second = app.second_node().await;
    let code = phone.code(app.clock.now());
    let sent = send_form(&second, &page, &format!("code={code}&decision=approve")).await.expect(303);
    assert_eq!(sent.location(), page);
    assert!(app.browser().get(&page).await.expect(200).text("main").contains("You can close this page"));
    send_form(&app, &page, &format!("code={code}&decision=approve")).await.expect(409);
    let token = alice.send("PUT", &done, &[], Body::from("\"1.0.0\"")).await.expect(200).json();
    let token = token["token"].as_str().expect("a token");

    // It is good for this credential and this package, and for one command.
    let other = app.token("alice", Narrowing::default(), None).await;
    assert_asks(publish_with_code(&other, &package, token).await);
    assert_asks(publish_with_code(&alice, &Package::new("@alice/two", "1.0.0"), token).await);
    publish_with_code(&alice, &package, token).await.expect(201);
    publish_with_code(&alice, &Package::new("@alice/one", "1.1.0"), token).await.expect(201);
    wait(&app, 61);
    assert_asks(publish_with_code(&alice, &Package::new("@alice/one", "1.2.0"), token).await);
    let over = alice.get(&done).await.expect(200);
    assert!(over.json().get("token").is_none() && !over.header("npm-notice").is_empty());
}

#[tokio::test]
async fn a_page_can_refuse_and_ends_by_itself() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let (phone, _) = enable(&app, &alice, "auth-and-writes").await;
    let package = Package::new("@alice/one", "1.0.0");
    let (page, done) = ask_for_a_page(&alice, &package).await;
    send_form(&app, &page, "decision=refuse").await.expect(303);
    assert_eq!(app.browser().get(&page).await.expect(200).text("h1"), "Refused");
    assert!(alice.get(&done).await.expect(200).json().get("token").is_none());

    let (page, done) = ask_for_a_page(&alice, &package).await;
    wait(&app, 301);
    app.browser().get(&page).await.expect(404);
    let code = phone.code(app.clock.now());
    send_form(&app, &page, &format!("code={code}&decision=approve")).await.expect(404);
    assert!(alice.get(&done).await.expect(200).json().get("token").is_none());
    // Who sees the page's address does not have the terminal's, nor the other way round.
    let (page, done) = ask_for_a_page(&alice, &package).await;
    let secret = page.rsplit('/').next().expect("a secret");
    assert!(alice.get(&format!("/-/v1/done/{secret}")).await.expect(200).json().get("token").is_none());
    let secret = done.rsplit('/').next().expect("a secret");
    app.browser().get(&format!("/auth/cli/{secret}")).await.expect(404);
}

const KEYS: &str = "/-/strongroom/v1/security-keys";

async fn register(person: &Person<'_>, key: &mut Key) -> Answer {
    let path = format!("{KEYS}/challenge");
    let options = person.json("POST", &path, &json!({ "password": PASSWORD })).await.expect(200).json();
    person.json("POST", KEYS, &json!({ "name": "blue", "credential": key.register(&options) })).await
}

async fn confirm_with_key(app: &TestApp, page: &str, key: &mut Key) -> Answer {
    let secret = page.rsplit('/').next().expect("a secret");
    let path = format!("/-/strongroom/v1/confirmations/{secret}");
    let options = app.anonymous().json("POST", &format!("{path}/challenge"), &json!({})).await.expect(200).json();
    app.anonymous().json("POST", &format!("{path}/assertion"), &key.sign(&options)).await
}

#[tokio::test]
async fn a_security_key_confirms_on_a_page() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let mut key = Key::new(7);
    let registered = register(&alice, &mut key).await.expect(201).json();
    assert_eq!(registered["recovery_codes"].as_array().map(Vec::len), Some(5));
    assert_eq!(alice.get(PROFILE).await.json()["tfa"]["mode"], SecondFactorMode::AuthAndWrites.as_str());
    assert_eq!(alice.get(KEYS).await.expect(200).json()["objects"][0]["name"], "blue");
    assert_asks(alice.json("POST", &format!("{KEYS}/challenge"), &json!({ "password": PASSWORD })).await);

    let package = Package::new("@alice/one", "1.0.0");
    let (page, done) = ask_for_a_page(&alice, &package).await;
    // Somebody else's key, and a copy whose counter lags behind.
    confirm_with_key(&app, &page, &mut Key::new(8)).await.expect(422);
    let mut copy = key.clone();
    confirm_with_key(&app, &page, &mut key).await.expect(200);
    let token = alice.get(&done).await.expect(200).json();
    publish_with_code(&alice, &package, token["token"].as_str().expect("a token")).await.expect(201);
    let (page, _) = ask_for_a_page(&alice, &Package::new("@alice/one", "1.1.0")).await;
    confirm_with_key(&app, &page, &mut copy).await.expect(422);

    // An answer to another question.
    let secret = page.rsplit('/').next().expect("a secret");
    let path = format!("/-/strongroom/v1/confirmations/{secret}/assertion");
    let stale = key.sign(&json!({ "challenge": "AAAA" }));
    app.anonymous().json("POST", &path, &stale).await.expect(422);

    // With the last thing that the account could show it is off.
    let name = registered["key"].as_str().expect("a key");
    let code = registered["recovery_codes"][0].as_str().expect("a code");
    let headers = [("npm-otp", code)];
    alice.send("DELETE", &format!("{KEYS}/{name}"), &headers, Body::empty()).await.expect(204);
    assert_eq!(alice.get(PROFILE).await.json()["tfa"], Value::Null);
}

#[tokio::test]
async fn a_key_is_registered_once_and_only_by_the_question_that_was_asked() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let bob = app.user("bob").await;
    let mut key = Key::new(7);
    let stale = json!({ "name": "blue", "credential": key.register(&json!({ "challenge": "AAAA" })) });
    alice.json("POST", KEYS, &stale).await.expect(422);
    alice.json("POST", &format!("{KEYS}/challenge"), &json!({ "password": PASSWORD })).await.expect(200);
    alice.json("POST", KEYS, &stale).await.expect(422);
    register(&alice, &mut key).await.expect(201);
    register(&bob, &mut key).await.expect(409);
    assert_eq!(bob.get(PROFILE).await.json()["tfa"], Value::Null);
}

#[tokio::test]
async fn a_package_can_ask_for_it_by_itself() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let bob = app.user("bob").await;
    alice.publish(&Package::new("@alice/one", "1.0.0").access("public")).await.expect(201);
    app.grant("@alice/one", "bob", strongroom::policy::Permission::ReadWrite).await;
    let path = "/-/package/@alice%2fone/access";
    let (phone, _) = enable(&app, &alice, "auth-only").await;
    let wish = |publish: bool, automation: bool| json!({ "publish_requires_tfa": publish, "automation_token_overrides_tfa": automation });
    alice.json("POST", path, &wish(true, false)).await.expect(200);
    let shown = alice.get(path).await.expect(200).json();
    assert_eq!((&shown["publish_requires_tfa"], &shown["access"]), (&json!(true), &json!("public")));

    assert_asks(alice.publish(&Package::new("@alice/one", "1.1.0")).await);
    let missing = bob.publish(&Package::new("@alice/one", "1.1.0")).await.expect(403);
    assert!(missing.error().contains("enable-2fa"), "{}", missing.error());
    publish_with_code(&alice, &Package::new("@alice/one", "1.1.0"), &phone.code(app.clock.now())).await.expect(201);

    let machine = Narrowing { bypasses_second_factor: true, ..Narrowing::default() };
    let machine = app.token("alice", machine, None).await;
    assert_asks(machine.publish(&Package::new("@alice/one", "1.2.0")).await);
    wait(&app, 90);
    assert_asks(alice.json("POST", path, &wish(true, true)).await);
    with_code(&alice, "POST", path, &wish(true, true), &phone.code(app.clock.now())).await.expect(200);
    machine.publish(&Package::new("@alice/one", "1.2.0")).await.expect(201);
    machine.json("POST", path, &wish(false, false)).await.expect(403);
    // A change of owners asks once, though it is decided in several steps.
    wait(&app, 90);
    let packument = alice.get("/@alice%2fone").await.expect(200).json();
    let owners = json!({ "maintainers": [{ "name": "alice" }] });
    let rev = format!("/@alice%2fone/-rev/{}", packument["_rev"].as_str().expect("a revision"));
    assert_asks(alice.json("PUT", &rev, &owners).await);
    with_code(&alice, "PUT", &rev, &owners, &phone.code(app.clock.now())).await.expect(201);
}

#[tokio::test]
async fn the_operator_helps_who_lost_theirs() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    enable(&app, &alice, "auth-and-writes").await;
    assert_asks(alice.publish(&Package::new("@alice/one", "1.0.0")).await);
    app.app.second_factor.disable_for(&"alice".parse().expect("a name")).await.expect("an answer");
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let lines: i64 = sqlx::query_scalar(
        "select count(*) from audit_events where action = 'second-factor.change' and actor = 'operator'",
    )
    .fetch_one(&app.pool().await)
    .await
    .expect("a count");
    assert_eq!(lines, 1);
}
