//! How people come in with a browser: the first setup, signing up, forgotten passwords, and terminals that wait.

use axum::body::Body;
use chrono::TimeDelta;
use serde_json::Value;
use strongroom::config::Signup;

use crate::mail::by;
use crate::recovery::code_in;
use crate::second_factor::enable;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::browser::{Browser, Page};
use crate::support::smtp::Smtp;

const CHOSEN: &str = "a better battery";

/// The path of one of our addresses.
fn path_of(url: &str) -> &str {
    url.strip_prefix("http://registry.test").expect("an address of ours")
}

async fn is_logged_in(browser: &Browser<'_>, name: &str) -> bool {
    browser.get("/login").await.answer.status == 303 && browser.get("/").await.text("header").contains(name)
}

#[tokio::test]
async fn the_first_visitor_with_the_code_sets_the_registry_up() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(|config| {
        by(&smtp)(config);
        config.auth.signup = None;
    })
    .await;
    let code = app.app.instance.open_setup().await.expect("an answer").expect("a code").expose();
    let path = format!("/setup/{code}");
    let browser = app.browser();
    browser.get("/setup/AAAA").await.expect(404);
    let page = browser.get(&path).await.expect(200);
    let filled = page
        .form(&path)
        .fill("name", "ada")
        .fill("email", "ada@example.com")
        .fill("password", "short")
        .fill("registry", "Acme registry")
        .fill("signup", "invite");
    // The mail is tried before anything is made, and what was typed stays.
    let tried = browser.submit(filled.clone().press("step", "mail")).await.expect(200);
    assert!(tried.text(".bar").contains("ada@example.com"));
    assert_eq!(smtp.take_letter_to("ada@example.com").line("Subject"), "Mail works");
    assert_eq!(tried.attributes("#registry", "value"), ["Acme registry"]);
    smtp.refuse("ada@example.com", &["550 5.1.1 nobody here"]);
    let refused = browser.submit(filled.clone().press("step", "mail")).await.expect(422);
    assert!(refused.text(".summary").contains("nobody here"), "{}", refused.html());
    let wrong = browser.submit(filled.clone().press("step", "finish")).await.expect(422);
    assert_eq!(wrong.attributes(".summary a", "href"), ["#password"]);
    assert_eq!(wrong.attributes("#name", "value"), ["ada"]);
    assert!(!wrong.html().contains("short"));
    let done = browser.submit(filled.fill("password", PASSWORD).press("step", "finish")).await.expect(303);
    assert_eq!(done.location(), "/");
    assert!(is_logged_in(&browser, "ada").await);
    assert!(browser.get("/").await.text("header").contains("Admin"));
    app.browser().get(&path).await.expect(404);
    assert!(app.browser().get("/signup").await.expect(200).text("main").contains("by invitation"));
    assert!(app.browser().get("/signup").await.text("main").contains("Acme registry"));
}

#[tokio::test]
async fn signing_up_makes_an_account_where_anybody_may() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let browser = app.browser();
    let page = browser.get("/signup?then=%2Fsettings").await.expect(200);
    let filled = page.form("/signup").fill("name", "ada").fill("email", "ada@example.com").fill("password", PASSWORD);
    for (field, text) in [("name", "Login!"), ("name", "login"), ("email", "nowhere"), ("password", "password1")] {
        let wrong = browser.submit(filled.clone().fill(field, text)).await.expect(422);
        assert_eq!(wrong.attributes(".summary a", "href"), [format!("#{field}")], "{text}");
        assert_eq!(wrong.attributes(&format!("#{field}"), "aria-invalid"), ["true"]);
    }
    let done = browser.submit(filled.clone()).await.expect(303);
    assert_eq!(done.location(), "/settings");
    assert!(is_logged_in(&browser, "ada").await);
    let taken = app.browser().submit(filled).await.expect(422);
    assert_eq!(taken.attributes(".summary a", "href"), ["#name"]);
    // The address is asked to show that somebody reads it.
    app.run_chore("mail.deliver").await;
    let letter = smtp.take_letter_to("ada@example.com");
    let path = path_of(letter.link()).to_owned();
    let page = browser.get(&path).await.expect(200);
    assert_eq!(page.texts("main strong"), ["ada", "ada@example.com"]);
    let ada = app.token("ada", strongroom::policy::Narrowing::default(), None).await;
    let verified = async || ada.get("/-/npm/v1/user").await.json()["email_verified"].clone();
    assert_eq!(verified().await, Value::Bool(false), "opening a link, as mail readers do, says nothing");
    assert_eq!(browser.submit(page.form(&path)).await.expect(303).location(), "/verify/done");
    assert_eq!(verified().await, Value::Bool(true));
    browser.get(&path).await.expect(404);
}

#[tokio::test]
async fn nobody_signs_up_where_that_is_closed() {
    for (signup, words) in [(Signup::Closed, "Nobody can sign up"), (Signup::Invite, "by invitation")] {
        let app = TestApp::with(|config| config.auth.signup = Some(signup)).await;
        let browser = app.browser();
        let page = browser.get("/signup").await.expect(200);
        assert!(page.text("main").contains(words) && page.forms("/signup").is_empty());
        let body = format!("name=eve&email=eve%40example.com&password={}", PASSWORD.replace(' ', "+"));
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
        let refused = browser.send("POST", "/signup", &headers, Body::from(body)).await;
        assert!(refused.text("main").contains(words));
        assert!(app.app.users.find(&"eve".parse().expect("a name")).await.expect("an answer").is_none());
    }
}

#[tokio::test]
async fn a_forgotten_password_is_chosen_anew_through_the_mailbox() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let ada = app.user("ada").await;
    let (phone, _) = enable(&app, &ada, "auth-only").await;
    let elsewhere = app.browser();
    let browser = app.browser();
    let page = browser.get("/forgot").await.expect(200);
    let mut answers = Vec::new();
    for who in ["nobody", "ada"] {
        let answer = browser.submit(page.form("/forgot").fill("who", who)).await.expect(303);
        answers.push((answer.location(), answer.html()));
    }
    assert_eq!(answers[0], answers[1], "whether there is such an account shows nowhere");
    assert!(browser.get(&answers[0].0).await.expect(200).text(".bar").contains("on its way"));
    app.run_chore("recovery.answer").await;
    app.run_chore("mail.deliver").await;
    let letter = smtp.take_letter_to("ada@example.com");
    let path = path_of(letter.link()).to_owned();
    let page = elsewhere.get(&path).await.expect(200);
    assert_eq!(page.attributes("#ends_tokens", "checked").len(), 1);
    let filled = page.form(&path).fill("password", CHOSEN);
    for (code, field) in [("", "code"), ("000000", "code")] {
        let wrong = elsewhere.submit(filled.clone().fill("code", code)).await.expect(422);
        assert_eq!(wrong.attributes(".summary a", "href"), [format!("#{field}")]);
    }
    let wrong = elsewhere.submit(filled.clone().fill("password", "short")).await.expect(422);
    assert_eq!(wrong.attributes(".summary a", "href"), ["#password"]);
    let right = filled.fill("code", &phone.code(app.clock.now()));
    assert_eq!(elsewhere.submit(right).await.expect(303).location(), "/forgot/done");
    elsewhere.get("/forgot/done").await.expect(200);
    ada.get("/-/whoami").await.expect(401);
    elsewhere.get(&path).await.expect(404);
}

#[tokio::test]
async fn without_mail_the_page_says_who_can_help() {
    let app = TestApp::new().await;
    let page = app.browser().get("/forgot").await.expect(200);
    assert!(page.text("main").contains("strongroom user recover") && page.forms("/forgot").is_empty());
}

const WEB: [(&str, &str); 3] = [
    ("content-type", "application/json"),
    ("npm-auth-type", "web"),
    ("user-agent", "npm/11.19.1 node/v20.20.2 linux x64 workspaces/false"),
];

async fn begin(app: &TestApp, body: &'static str) -> (String, String) {
    let opened = app.anonymous().send("POST", "/-/v1/login", &WEB, Body::from(body)).await.expect(200).json();
    let path = |member: &str| path_of(opened[member].as_str().expect("a URL")).to_owned();
    (path("loginUrl"), path("doneUrl"))
}

fn log_in(page: &Page) -> crate::support::browser::FilledForm {
    page.form("/login").fill("name", "ada").fill("password", PASSWORD)
}

#[tokio::test]
async fn npm_login_goes_through_the_browser() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let (page, done) = begin(&app, "{}").await;
    let browser = app.browser();
    let to_login = browser.get(&page).await.expect(303).location();
    assert!(to_login.starts_with("/login?then="), "{to_login}");
    let asked = browser.submit_and_follow(log_in(&browser.get(&to_login).await)).await.expect(200);
    assert_eq!(asked.path, page, "logging in leads back to what was asked for");
    let code = asked.text(".compare");
    assert!(page.contains(&code) && code.len() == 9, "{code}");
    assert!(asked.text("dl.facts").contains("npm 11 on linux") && asked.text("dl.facts").contains("192.0.2.1"));
    let form = asked.form(&page);
    assert!(form.fields.contains(&("days".to_owned(), "90".to_owned())), "{form:?}");
    let wrong = browser.submit(form.clone().fill("token_name", " ").press("decision", "approve")).await.expect(422);
    assert_eq!(wrong.attributes(".summary a", "href"), ["#token_name"]);
    let sent = form.fill("token_name", "laptop").fill("days", "7").press("decision", "approve");
    let over = browser.submit_and_follow(sent).await.expect(200);
    assert!(over.text("main").contains("You can close this page"));
    let token = app.anonymous().get(&done).await.expect(200).json();
    let terminal = app.with_token(token["token"].as_str().expect("a token"));
    assert_eq!(terminal.get("/-/whoami").await.expect(200).json()["username"], "ada");
    app.clock.set(app.clock.now() + TimeDelta::days(7));
    terminal.get("/-/whoami").await.expect(401);
}

#[tokio::test]
async fn a_terminal_is_let_in_only_by_who_has_just_shown_who_they_are() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let browser = app.logged_in("ada").await;
    app.clock.set(app.clock.now() + TimeDelta::minutes(16));
    let (page, done) = begin(&app, "{}").await;
    let asked = browser.get(&page).await.expect(200);
    let confirm = browser.submit(asked.form(&page).press("decision", "approve")).await.expect(200);
    app.anonymous().get(&done).await.expect(202);
    let form = confirm.form(&page).fill("_password", PASSWORD);
    browser.submit(form).await.expect(303);
    assert!(app.anonymous().get(&done).await.expect(200).json()["token"].is_string());
}

#[tokio::test]
async fn a_refusal_needs_no_second_look() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let (page, done) = begin(&app, "{}").await;
    let form = browser.get(&page).await.expect(200).form(&page).press("decision", "refuse");
    assert_eq!(browser.submit_and_follow(form).await.expect(200).text("h1"), "Refused");
    assert!(app.anonymous().get(&done).await.expect(200).json().get("token").is_none());
    let twice = app.logged_in("ada").await;
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    twice.send("POST", &page, &headers, Body::from("decision=approve")).await.expect(403);
}

#[tokio::test]
async fn npm_adduser_leads_to_signing_up_first() {
    let app = TestApp::new().await;
    let (page, done) = begin(&app, "{\"create\":true}").await;
    let browser = app.browser();
    let to_signup = browser.get(&page).await.expect(303).location();
    assert!(to_signup.starts_with("/signup?then="), "{to_signup}");
    let form = browser.get(&to_signup).await.expect(200).form("/signup");
    let form = form.fill("name", "ada").fill("email", "ada@example.com").fill("password", PASSWORD);
    let asked = browser.submit_and_follow(form).await.expect(200);
    browser.submit(asked.form(&page).press("decision", "approve")).await.expect(303);
    let token = app.anonymous().get(&done).await.expect(200).json();
    let terminal = app.with_token(token["token"].as_str().expect("a token"));
    assert_eq!(terminal.get("/-/whoami").await.expect(200).json()["username"], "ada");
}

#[tokio::test]
async fn a_page_that_is_over_says_what_to_do_next() {
    let app = TestApp::new().await;
    for (path, words) in [
        ("/login/cli/x", "Run npm login again"),
        ("/auth/cli/x", "Run the command again"),
        ("/forgot/x", "Ask for a new one"),
        ("/invite/x", "Ask for a new one"),
        ("/setup/x", "when it starts"),
    ] {
        let page = app.browser().get(path).await.expect(404);
        assert!(page.text("main").contains(words), "{path}: {}", page.text("main"));
    }
}

#[tokio::test]
async fn no_form_of_these_pages_counts_from_elsewhere() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let url = app.app.recovery.hand_out(&"ada".parse().expect("a name")).await.expect("a link");
    let (login, _) = begin(&app, "{}").await;
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    for path in ["/signup", "/forgot", path_of(&url), &login, "/setup/x", "/invite/x", "/verify/x", "/invitations/x"] {
        let body = Body::from("password=a+better+battery&decision=approve&who=ada");
        app.browser().send("POST", path, &headers, body).await.expect(403);
    }
    assert!(app.app.recovery.reset_link(code_in(&url)).await.is_ok());
}
