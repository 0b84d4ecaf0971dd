//! Passkeys and security keys on pages: added, shown to log in, as a second step, and where one is asked again.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::second_factor::{enable, wait};
use crate::support::app::{PASSWORD, TestApp};
use crate::support::authenticator::Key;
use crate::support::browser::{Browser, FilledForm, Page};

const SECURITY: &str = "/settings/security";

/// What a form of the page asks the browser's keys.
fn options(page: &Page) -> Value {
    let found = page.attributes("form[data-passkey]", "data-options");
    serde_json::from_str(found.first().expect("a form for keys")).expect("JSON")
}

/// The form that keys answer.
fn key_form(page: &Page, action: &str, field: &str) -> FilledForm {
    let has_field = |form: &FilledForm| form.fields.iter().any(|(name, _)| name == field);
    page.forms(action).into_iter().find(has_field).expect("a form for keys")
}

/// Adds a key as a browser with script does; returns what comes of it.
async fn add(browser: &Browser<'_>, key: &mut Key, name: &str) -> Page {
    let page = browser.get("/settings/security/keys/new").await.expect(200);
    let credential = key.register(&options(&page)).to_string();
    let form = key_form(&page, "/settings/security/keys", "credential");
    browser.submit(form.fill("name", name).fill("credential", &credential)).await
}

async fn log_in_with(browser: &Browser<'_>, key: &mut Key) -> Page {
    let page = browser.get("/login").await.expect(200);
    let credential = key.sign(&options(&page)).to_string();
    browser.submit(key_form(&page, "/login", "credential").fill("credential", &credential)).await
}

#[tokio::test]
async fn a_passkey_logs_in_without_a_password() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let (browser, mut key) = (app.logged_in("ada").await, Key::passkey(7));
    let page = browser.get("/settings/security/keys/new").await.expect(200);
    assert_eq!(options(&page)["authenticatorSelection"]["residentKey"], "preferred");
    assert_eq!(
        page.attributes("form[data-passkey]", "hidden"),
        [""],
        "without script there is no button that does nothing"
    );
    let codes = browser.submit_and_follow_added(add(&browser, &mut key, "phone").await).await;
    assert_eq!(codes.text("pre").split(' ').count(), 5, "the first one turns the second factor on");
    let row = browser.get(SECURITY).await.text("table tbody tr");
    assert!(row.contains("phone") && row.contains("without a password"), "{row}");

    let fresh = app.browser();
    let login = fresh.get("/login?then=/settings").await.expect(200);
    assert_eq!(options(&login)["userVerification"], "required");
    assert_eq!(options(&login)["allowCredentials"], json!([]));
    let sent = log_in_with(&fresh, &mut key).await.expect(303);
    assert_eq!(sent.location(), "/");
    assert_eq!(fresh.get("/settings").await.expect(200).text("h1"), "Profile");
    // It is worth both factors: nothing is asked again for a while, and then it is.
    fresh.get("/settings/security/disable").await.expect(200);
    let pool = app.pool().await;
    let lines: i64 = sqlx::query_scalar(
        "select count(*) from audit_events
         where action = 'user.login' and outcome = 'done' and detail ->> 'by' = 'passkey'",
    )
    .fetch_one(&pool)
    .await
    .expect("a count");
    assert_eq!(lines, 1);
}

impl Browser<'_> {
    async fn submit_and_follow_added(&self, sent: Page) -> Page {
        self.get(&sent.expect(303).location()).await.expect(200)
    }
}

#[tokio::test]
async fn what_is_no_passkey_of_the_account_does_not_log_in() {
    let app = TestApp::new().await;
    for name in ["ada", "bob"] {
        app.user(name).await;
    }
    let (ada, mut key) = (app.logged_in("ada").await, Key::passkey(7));
    add(&ada, &mut key, "phone").await.expect(303);
    let (bob, mut other) = (app.logged_in("bob").await, Key::passkey(8));
    add(&bob, &mut other, "phone").await.expect(303);
    let mut plain = Key::new(9);
    add(&ada, &mut plain, "stick").await.expect(303);
    assert!(ada.get(SECURITY).await.texts("table tbody tr").join("|").contains("stick second factor"));

    let browser = app.browser();
    let refused = |page: Page| {
        let page = page.expect(422);
        assert!(!page.text(".summary").is_empty());
        page
    };
    refused(log_in_with(&browser, &mut Key::passkey(3)).await);
    refused(log_in_with(&browser, &mut key.unverified()).await);
    refused(log_in_with(&browser, &mut plain).await);
    // Bob's name on Ada's key, and no name at all.
    let bobs = other.sign(&json!({ "challenge": "" }))["response"]["userHandle"].clone();
    refused(log_in_with(&browser, &mut key.claiming(bobs)).await);
    refused(log_in_with(&browser, &mut key.claiming(Value::Null)).await);
    let page = browser.get("/login").await;
    let form = key_form(&page, "/login", "credential");
    for nonsense in ["{}", "null", "[1]", "\"x\"", &"x".repeat(2000)] {
        refused(browser.submit(form.clone().fill("credential", nonsense)).await);
    }
    // The answer to a question that nobody asked, or that was asked for something else.
    let made_up = key.sign(&json!({ "challenge": "AAAA" })).to_string();
    refused(browser.submit(form.clone().fill("credential", &made_up)).await);
    wait(&app, 16 * 60);
    let asked = ada.get("/confirm").await.expect(200);
    let for_session = key.sign(&options(&asked)).to_string();
    refused(browser.submit(form.clone().fill("credential", &for_session)).await);
    // Another site's.
    let mut elsewhere = key.sign(&options(&page));
    let said = elsewhere["response"]["clientDataJSON"].as_str().expect("text").to_owned();
    elsewhere["response"]["clientDataJSON"] = said.replace('A', "B").into();
    refused(browser.submit(form.fill("credential", &elsewhere.to_string())).await);

    app.app.users.set_disabled(&"ada".parse().expect("a name"), true).await.expect("off");
    refused(log_in_with(&browser, &mut key).await);
    app.app.users.set_disabled(&"ada".parse().expect("a name"), false).await.expect("on");
    log_in_with(&browser, &mut key).await.expect(303);
}

#[tokio::test]
async fn an_answer_is_good_once_and_not_for_ever_and_a_copy_is_noticed() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let mut key = Key::passkey(7);
    add(&app.logged_in("ada").await, &mut key, "phone").await.expect(303);
    let page = app.browser().get("/login").await.expect(200);
    let answer = key.sign(&options(&page)).to_string();
    let form = key_form(&page, "/login", "credential").fill("credential", &answer);
    app.browser().submit(form.clone()).await.expect(303);
    app.browser().submit(form.clone()).await.expect(422);
    // Nor on another node.
    app.second_node().await.browser().submit(form).await.expect(422);
    let page = app.browser().get("/login").await.expect(200);
    let form = key_form(&page, "/login", "credential");
    let late = form.fill("credential", &key.sign(&options(&page)).to_string());
    app.clock.set(app.clock.now() + TimeDelta::minutes(11));
    app.browser().submit(late).await.expect(422);
    let mut copy = key.clone();
    log_in_with(&app.browser(), &mut key).await.expect(303);
    log_in_with(&app.browser(), &mut copy).await.expect(422);
    // Questions that nobody can answer any more are not kept.
    let pool = app.pool().await;
    let kept: i64 = sqlx::query_scalar("select count(*) from used_challenges").fetch_one(&pool).await.expect("a count");
    assert!(kept <= 3, "{kept}");
}

#[tokio::test]
async fn a_key_is_a_second_step_beside_the_code() {
    let app = TestApp::new().await;
    app.user("ada").await;
    app.user("bob").await;
    let (session, mut key) = (app.logged_in("ada").await, Key::new(7));
    add(&session, &mut key, "stick").await.expect(303);
    let step = async |browser: &Browser<'_>| {
        let login = browser.get("/login").await.form("/login").fill("name", "ada").fill("password", PASSWORD);
        browser.submit(login).await.expect(200)
    };
    let browser = app.browser();
    let page = step(&browser).await;
    assert_eq!(
        page.texts("label"),
        ["One-time code or recovery code", "Search packages"].map(str::to_owned).into_iter().rev().collect::<Vec<_>>()
    );
    let form = key_form(&page, "/login", "credential");
    assert_eq!(options(&page)["allowCredentials"].as_array().map(Vec::len), Some(1));
    let wrong = form.clone().fill("credential", &Key::new(8).sign(&options(&page)).to_string());
    let again = browser.submit(wrong).await.expect(422);
    assert!(again.text(".summary").contains("not registered"));
    let form = key_form(&again, "/login", "credential");
    let right = form.fill("credential", &key.sign(&options(&again)).to_string());
    // The key alone, without the password before it, is nothing.
    let alone = right.clone().without("ticket");
    app.browser().submit(alone).await.expect(422);
    let page = step(&browser).await;
    let right = key_form(&page, "/login", "credential").fill("credential", &key.sign(&options(&page)).to_string());
    browser.submit(right).await.expect(303);
    browser.get("/settings").await.expect(200);
}

#[tokio::test]
async fn a_key_confirms_in_place_of_a_code_and_for_its_session_alone() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let (browser, mut key) = (app.logged_in("ada").await, Key::new(7));
    add(&browser, &mut key, "stick").await.expect(303);
    let other = app.browser();
    let login = other.get("/login").await.form("/login").fill("name", "ada").fill("password", PASSWORD);
    let page = other.submit(login).await.expect(200);
    let form = key_form(&page, "/login", "credential").fill("credential", &key.sign(&options(&page)).to_string());
    other.submit(form).await.expect(303);
    wait(&app, 16 * 60);
    let asked = browser.get("/settings/security/totp").await.expect(200);
    let asked_other = other.get("/settings/security/totp").await.expect(200);
    assert_eq!(asked.text("h1"), "Confirm that it is you");
    let stolen = key_form(&asked, "/confirm", "_key").fill("_key", &key.sign(&options(&asked_other)).to_string());
    assert!(browser.submit(stolen).await.expect(422).text(".summary").contains("too late, or twice"));
    let asked = browser.get("/settings/security/totp").await.expect(200);
    let right = key_form(&asked, "/confirm", "_key").fill("_key", &key.sign(&options(&asked)).to_string());
    let sent = browser.submit(right).await.expect(303);
    assert_eq!(sent.location(), "/settings/security/totp");
    // Who had a key alone sets an app up beside it; the mode and the recovery codes stay.
    let page = browser.get("/settings/security/totp").await.expect(200);
    let secret = page.text(".command code").replace(' ', "");
    let phone = crate::support::authenticator::App::scan(&format!("otpauth://totp/x?secret={secret}&issuer=x"));
    let form = page.form("/settings/security/totp").fill("code", &phone.code(app.clock.now()));
    assert_eq!(browser.submit(form).await.expect(303).location(), SECURITY);
    assert!(browser.get(SECURITY).await.text("dl.facts").contains("5 of 5 left"));
}

#[tokio::test]
async fn who_has_a_key_alone_sets_an_app_up_from_a_terminal_too() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let codes = browser.submit_and_follow_added(add(&browser, &mut Key::new(7), "stick").await).await.text("pre");
    let codes: Vec<&str> = codes.split(' ').collect();
    let wish = json!({ "tfa": { "mode": "auth-and-writes", "password": PASSWORD } });
    let with = async |body: &Value, code: &str| {
        crate::second_factor::with_code(&ada, "POST", "/-/npm/v1/user", body, code).await
    };
    let begun = with(&wish, codes[0]).await.expect(200).json();
    let phone = crate::support::authenticator::App::scan(begun["tfa"].as_str().expect("a URL"));
    let first = json!({ "tfa": [phone.code(app.clock.now())] });
    with(&first, codes[1]).await.expect(200);
    wait(&app, 90);
    let change = with(&json!({ "fullname": "Ada" }), &phone.code(app.clock.now())).await;
    change.expect(200);
}

#[tokio::test]
async fn a_key_is_renamed_and_removed() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let (phone, _) = enable(&app, &ada, "auth-and-writes").await;
    let browser = app.browser();
    let login = browser.get("/login").await.form("/login").fill("name", "ada").fill("password", PASSWORD);
    let step = browser.submit(login).await.expect(200);
    browser.submit(step.form("/login").fill("code", &phone.code(app.clock.now()))).await.expect(303);
    let mut key = Key::new(7);
    assert_eq!(add(&browser, &mut key, "stick").await.expect(303).location(), SECURITY);
    assert!(add(&browser, &mut key, "again").await.expect(422).text(".summary").contains("registered already"));
    let place = browser.get(SECURITY).await.attributes("table td a", "href").swap_remove(0);
    let page = browser.get(&place).await.expect(200);
    assert!(!page.text(".panel").contains("is off with it"));
    let refused = browser.submit(page.form(&place).fill("name", " ")).await.expect(422);
    assert_eq!(refused.attributes(".summary a", "href"), ["#name"]);
    browser.submit(page.form(&place).fill("name", "<b>blue</b>")).await.expect(303);
    assert!(browser.get(SECURITY).await.text("table tbody tr").contains("<b>blue</b>"));
    // Somebody else's key is no key.
    app.user("bob").await;
    let bob = app.logged_in("bob").await;
    assert_eq!(bob.get(&place).await.expect(303).location(), SECURITY);
    let theirs = FilledForm { action: place.clone(), ..bob.get("/").await.form("/logout") };
    bob.submit(theirs.fill("remove", "yes")).await.expect(404);
    let gone = browser.submit_and_follow(page.forms(&place).remove(1).press("remove", "yes")).await.expect(200);
    assert!(gone.text("main").contains("None yet"));
    assert_eq!(ada.get("/-/npm/v1/user").await.json()["tfa"]["mode"], "auth-and-writes");
}
