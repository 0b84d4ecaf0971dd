//! Logging terminals in through the browser.

use axum::body::Body;
use chrono::TimeDelta;
use serde_json::{Value, json};
use strongroom::audit::By;
use strongroom::error::Error;
use strongroom::logins::Approval;
use strongroom::policy::AccountAction;
use strongroom::second_factor::Answered;

use crate::recovery::code_in;
use crate::support::app::{Answer, Package, Person, TestApp};

const WEB: [(&str, &str); 3] = [
    ("content-type", "application/json"),
    ("npm-auth-type", "web"),
    ("user-agent", "npm/11.19.1 node/v20.20.2 linux x64 workspaces/false"),
];

async fn ask(app: &TestApp, body: &'static str) -> Value {
    app.anonymous().send("POST", "/-/v1/login", &WEB, Body::from(body)).await.expect(200).json()
}

fn text<'a>(opened: &'a Value, member: &str) -> &'a str {
    opened[member].as_str().expect("text")
}

async fn poll(app: &TestApp, opened: &Value) -> Answer {
    let path = text(opened, "doneUrl").strip_prefix("http://registry.test").expect("a URL of ours").to_owned();
    app.anonymous().get(&path).await
}

fn approval() -> Approval {
    Approval { token_name: " laptop ".into(), ends_at: None, read_only: false }
}

/// Approves through the person's token, as the page does through their session.
async fn approve(app: &TestApp, person: &Person<'_>, opened: &Value, approval: &Approval) -> Result<(), Error> {
    let token = person.token.as_deref().expect("a token");
    let actor = app.app.tokens.authenticate(token, [192, 0, 2, 9].into()).await.expect("an actor");
    let permit = app.app.second_factor.permit(&actor, AccountAction::Change).await?;
    app.app.logins.approve(&permit, code_in(text(opened, "loginUrl")), approval).await
}

#[tokio::test]
async fn a_terminal_waits_and_gets_its_token_once_somebody_says_yes() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let opened = ask(&app, "{}").await;
    assert!(text(&opened, "loginUrl").starts_with("http://registry.test/login/cli/"));
    let waiting = app.app.logins.find(code_in(text(&opened, "loginUrl"))).await.expect("a page");
    assert_eq!(waiting.client, "npm 11 on linux");
    assert_eq!(waiting.address.as_deref(), Some("192.0.2.1"));
    assert!(waiting.answered == Answered::NotYet && !waiting.signs_up);
    assert!(text(&opened, "loginUrl").contains(&format!("/{}-", waiting.code)), "{waiting:?}");
    let pending = poll(&app, &opened).await.expect(202);
    assert_eq!((pending.header("retry-after"), pending.json()), ("1", json!({})));
    approve(&app, &alice, &opened, &approval()).await.expect("a yes");
    let token = poll(&app, &opened).await.expect(200).json();
    let terminal = app.with_token(token["token"].as_str().expect("a token"));
    assert_eq!(terminal.get("/-/whoami").await.expect(200).json(), json!({ "username": "alice" }));
    terminal.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let listed = alice.get("/-/npm/v1/tokens").await.expect(200).json();
    assert!(listed["objects"].as_array().expect("tokens").iter().any(|token| token["name"] == "laptop"), "{listed}");
    let twice = approve(&app, &alice, &opened, &approval()).await;
    assert!(matches!(twice, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn the_code_is_told_beside_the_answer() {
    let app = TestApp::new().await;
    let answer = app.anonymous().send("POST", "/-/v1/login", &WEB, Body::from("{}")).await.expect(200);
    let login_url = answer.json()["loginUrl"].as_str().expect("a URL").to_owned();
    let waiting = app.app.logins.find(code_in(&login_url)).await.expect("a page");
    assert!(answer.header("npm-notice").contains(&waiting.code), "{}", answer.header("npm-notice"));
}

#[tokio::test]
async fn only_clients_that_can_wait_are_sent_to_a_page() {
    let app = TestApp::new().await;
    let json = ("content-type", "application/json");
    for headers in [&[json][..], &[json, ("npm-auth-type", "legacy")]] {
        app.anonymous().send("POST", "/-/v1/login", headers, Body::from("{}")).await.expect(404);
    }
    // yarn 4 sends null, and others nothing at all.
    for body in ["null", "", "[]"] {
        app.anonymous().send("POST", "/-/v1/login", &WEB, Body::from(body)).await.expect(200);
    }
    let opened = ask(&app, "{\"create\":true}").await;
    assert!(app.app.logins.find(code_in(text(&opened, "loginUrl"))).await.expect("a page").signs_up);
}

#[tokio::test]
async fn a_refusal_and_a_late_page_end_the_waiting_without_a_password_prompt() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let refused = ask(&app, "{}").await;
    app.app.logins.refuse(code_in(text(&refused, "loginUrl")), &By::default()).await.expect("a no");
    let late = ask(&app, "{}").await;
    app.clock.set(app.clock.now() + TimeDelta::minutes(11));
    for opened in [&refused, &late] {
        let over = poll(&app, opened).await.expect(200);
        assert!(over.json().get("token").is_none() && !over.header("npm-notice").is_empty());
        assert!(approve(&app, &alice, opened, &approval()).await.is_err());
    }
}

/// The page's secret is in a browser's history: it must not give the token, nor the terminal's secret the page.
#[tokio::test]
async fn the_two_secrets_do_not_stand_in_for_each_other() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let opened = ask(&app, "{}").await;
    let (page, done) = (code_in(text(&opened, "loginUrl")), code_in(text(&opened, "doneUrl")));
    approve(&app, &alice, &opened, &approval()).await.expect("a yes");
    for secret in [page, &page[10..]] {
        let answer = app.anonymous().get(&format!("/-/v1/done/{secret}")).await.expect(200);
        assert!(answer.json().get("token").is_none());
    }
    assert!(app.app.logins.find(done).await.is_err());
    let pool = app.pool().await;
    let rows: String = sqlx::query_scalar("select string_agg(web_logins::text, '') from web_logins")
        .fetch_one(&pool)
        .await
        .expect("rows");
    assert!(!rows.contains(done) && !rows.contains(&page[10..]));
}

#[tokio::test]
async fn a_terminal_that_lost_the_answer_gets_another_token_in_its_place() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let opened = ask(&app, "{}").await;
    approve(&app, &alice, &opened, &approval()).await.expect("a yes");
    let first = poll(&app, &opened).await.expect(200).json();
    let second = poll(&app, &opened).await.expect(200).json();
    let whoami = async |token: &Value| app.with_token(token["token"].as_str().expect("a token")).get("/-/whoami").await;
    whoami(&first).await.expect(401);
    whoami(&second).await.expect(200);
    app.clock.set(app.clock.now() + TimeDelta::seconds(61));
    assert!(poll(&app, &opened).await.expect(200).json().get("token").is_none());
    whoami(&second).await.expect(200);
}

#[tokio::test]
async fn what_approved_it_must_be_alive_when_the_token_is_made() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let opened = ask(&app, "{}").await;
    approve(&app, &alice, &opened, &approval()).await.expect("a yes");
    let path = format!("/-/user/token/{}", alice.token.as_deref().expect("a token"));
    alice.send("DELETE", &path, &[], Body::empty()).await.expect(200);
    assert!(poll(&app, &opened).await.expect(200).json().get("token").is_none());
}

#[tokio::test]
async fn the_token_is_what_was_chosen_on_the_page() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let opened = ask(&app, "{}").await;
    let end = app.clock.now() + TimeDelta::days(7);
    for wrong in [
        Approval { token_name: "  ".into(), ..approval() },
        Approval { token_name: "two\nlines".into(), ..approval() },
        Approval { ends_at: Some(app.clock.now()), ..approval() },
    ] {
        assert!(matches!(approve(&app, &alice, &opened, &wrong).await, Err(Error::Unprocessable(_))));
    }
    let chosen = Approval { ends_at: Some(end), read_only: true, ..approval() };
    approve(&app, &alice, &opened, &chosen).await.expect("a yes");
    let token = poll(&app, &opened).await.expect(200).json();
    let terminal = app.with_token(token["token"].as_str().expect("a token"));
    terminal.publish(&Package::new("@alice/one", "1.0.0")).await.expect(403);
    terminal.get("/-/whoami").await.expect(200);
    app.clock.set(end);
    terminal.get("/-/whoami").await.expect(401);
}

#[tokio::test]
async fn too_many_from_one_address_are_told_to_wait_and_never_asked_for_a_password() {
    let app = TestApp::with(|config| config.limits.login_per_minute = 3).await;
    for _ in 0..3 {
        ask(&app, "{}").await;
    }
    let answer = app.anonymous().send("POST", "/-/v1/login", &WEB, Body::from("{}")).await.expect(503);
    assert!(!answer.header("retry-after").is_empty());
    let patient = TestApp::new().await;
    for _ in 0..30 {
        ask(&patient, "{}").await;
    }
    patient.anonymous().send("POST", "/-/v1/login", &WEB, Body::from("{}")).await.expect(503);
    patient.clock.set(patient.clock.now() + TimeDelta::minutes(11));
    ask(&patient, "{}").await;
}
