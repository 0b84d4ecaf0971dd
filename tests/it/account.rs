//! The pages of one's own account: profile, password, second factor, sessions.

use chrono::TimeDelta;
use serde_json::Value;

use crate::mail::by;
use crate::second_factor::{enable, wait};
use crate::support::app::{PASSWORD, TestApp};
use crate::support::authenticator::App;
use crate::support::browser::{Browser, FilledForm, Page};
use crate::support::smtp::Smtp;

const SECURITY: &str = "/settings/security";

/// Shows who one is where the page asks for the password.
pub(crate) async fn confirm(browser: &Browser<'_>, asked: &Page, action: &str) -> Page {
    assert_eq!(asked.text("h1"), "Confirm that it is you", "{}", asked.html());
    browser.submit(asked.form(action).fill("_password", PASSWORD)).await
}

#[tokio::test]
async fn who_is_not_logged_in_is_sent_to_log_in_and_back() {
    let app = TestApp::new().await;
    let browser = app.browser();
    for path in [
        "/settings",
        SECURITY,
        "/settings/security/password",
        "/settings/security/totp",
        "/settings/security/recovery-codes",
        "/settings/security/disable",
        "/settings/security/keys/new",
        "/settings/security/keys/x",
        "/settings/tokens",
        "/settings/tokens/new",
        "/settings/tokens/made",
        "/settings/export",
    ] {
        let sent = browser.get(path).await.expect(303);
        assert!(sent.location().starts_with("/login?then=%2Fsettings"), "{path}: {}", sent.location());
    }
}

#[tokio::test]
async fn what_needs_an_old_login_asks_again_who_one_is() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let browser = app.logged_in("ada").await;
    wait(&app, 16 * 60);
    for path in [
        "/settings/security/password",
        "/settings/security/totp",
        "/settings/security/disable",
        "/settings/security/keys/new",
    ] {
        assert_eq!(browser.get(path).await.expect(200).text("h1"), "Confirm that it is you", "{path}");
    }
    for path in ["/settings", SECURITY, "/settings/tokens", "/settings/tokens/new?for=other"] {
        assert_ne!(browser.get(path).await.expect(200).text("h1"), "Confirm that it is you", "{path}");
    }
    let asked = browser.get("/settings/security/totp").await;
    let sent = confirm(&browser, &asked, "/confirm").await.expect(303);
    assert_eq!(browser.get(&sent.location()).await.expect(200).texts("svg.qr").len(), 1);
}

#[tokio::test]
async fn a_profile_is_changed_field_by_field() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let page = browser.get("/settings").await.expect(200);
    assert_eq!(page.attributes("nav.tabs a[aria-current]", "href"), ["/settings"]);
    assert!(page.text("main").contains("npm profile set fullname"));
    let form = page.form("/settings").fill("fullname", "Ada <Lovelace>").fill("homepage", "https://ada.example");
    let saved = browser.submit_and_follow(form).await.expect(200);
    assert!(saved.text(".bar.ok").contains("saved"));
    assert_eq!(saved.attributes("#fullname", "value"), ["Ada <Lovelace>"]);
    let profile = ada.get("/-/npm/v1/user").await.json();
    assert_eq!((&profile["fullname"], &profile["homepage"]), (&"Ada <Lovelace>".into(), &"https://ada.example".into()));

    let wrong = saved.form("/settings").fill("homepage", "javascript:alert(1)").fill("github", "ada");
    let refused = browser.submit(wrong).await.expect(422);
    assert_eq!(refused.attributes(".summary a", "href"), ["#homepage"]);
    assert!(refused.text("#homepage-problem").contains("https://"));
    assert_eq!(refused.attributes("#github", "value"), ["ada"], "what was typed is kept");
    let emptied = browser.submit_and_follow(saved.form("/settings").fill("homepage", "")).await.expect(200);
    assert_eq!(emptied.attributes("#homepage", "value"), [""]);
    assert_eq!(ada.get("/-/npm/v1/user").await.json()["homepage"], Value::Null);
}

#[tokio::test]
async fn another_mail_address_asks_again_who_one_is() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let form = browser.get("/settings").await.form("/settings").fill("email", "no address");
    assert_eq!(browser.submit(form).await.expect(422).attributes(".summary a", "href"), ["#email"]);
    wait(&app, 16 * 60);
    let form = browser.get("/settings").await.form("/settings").fill("github", "ada");
    browser.submit(form.clone()).await.expect(303);
    let asked = browser.submit(form.fill("email", "new@example.com")).await.expect(200);
    assert_eq!(ada.get("/-/npm/v1/user").await.json()["email"], "ada@example.com");
    confirm(&browser, &asked, "/settings").await.expect(303);
    assert_eq!(ada.get("/-/npm/v1/user").await.json()["email"], "new@example.com");
}

/// A form with a secret in it, and the page that asks who sent it.
async fn asked_about_a_new_user(app: &TestApp, browser: &Browser<'_>, password: &str) -> Page {
    let forms = browser.get(USERS).await.expect(200).forms(USERS);
    let form = forms.into_iter().find(|form| form.method == "post").expect("a form");
    wait(app, 16 * 60);
    let form = form.fill("name", "eve").fill("email", "eve@example.com").fill("password", password);
    browser.submit(form).await.expect(200)
}

const USERS: &str = "/admin/users";

#[tokio::test]
async fn a_form_that_waits_for_who_one_is_goes_on_with_all_that_was_typed_and_shows_none_of_it() {
    let app = TestApp::new().await;
    app.administrator("ada").await;
    let browser = app.logged_in("ada").await;
    let chosen = "for eve, \"typed\" once & only once";
    let asked = asked_about_a_new_user(&app, &browser, chosen).await;
    let wrong = browser.submit(asked.form(USERS).fill("_password", "wrong horse battery")).await.expect(422);
    for page in [&asked, &wrong] {
        assert!(!page.html().contains("typed") && !page.html().contains("eve"), "{}", page.html());
    }
    confirm(&browser, &wrong, USERS).await.expect(303);
    let theirs = app.browser();
    let login = theirs.get("/login").await.form("/login").fill("name", "eve").fill("password", chosen);
    theirs.submit(login).await.expect(303);
}

#[tokio::test]
async fn what_is_kept_of_a_form_is_of_use_in_its_session_and_at_its_address_alone() {
    let app = TestApp::new().await;
    app.administrator("ada").await;
    let browser = app.logged_in("ada").await;
    let asked = asked_about_a_new_user(&app, &browser, "a password for eve").await.form(USERS);
    let field = |name: &str| asked.fields.iter().find(|(key, _)| key == name).expect("a field").1.clone();
    let (kept, code) = (field("_kept"), field("_form"));
    let shown = [("_form", code.as_str()), ("_password", PASSWORD)];
    for (path, kept) in [("/settings", kept.as_str()), (USERS, "x"), (USERS, ""), (USERS, &kept[1..])] {
        let page = browser.post(path, "same-origin", shown.into_iter().chain([("_kept", kept)])).await.expect(422);
        assert!(page.text("main").contains("is gone") && page.text("main").contains("Nothing was changed"), "{path}");
    }
    let other = app.session("ada").await;
    let forms = other.get(USERS).await.expect(200).forms(USERS);
    let form = forms.into_iter().find(|form| form.method == "post").expect("a form");
    other.submit(form.fill("_kept", &kept)).await.expect(422);
    let eve = "eve".parse().expect("a name");
    assert!(app.app.users.find(&eve).await.expect("an answer").is_none());
    confirm_form(&browser, asked).await.expect(303);
    assert!(app.app.users.find(&eve).await.expect("an answer").is_some());
}

async fn confirm_form(browser: &Browser<'_>, form: FilledForm) -> Page {
    browser.submit(form.fill("_password", PASSWORD)).await
}

#[tokio::test]
async fn a_new_address_is_asked_for_a_proof() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let form = browser.get("/settings").await.form("/settings").fill("email", "new@example.com");
    let saved = browser.submit_and_follow(form).await.expect(200);
    assert!(saved.text(".bar.ok").contains("on its way"));
    app.run_chore("mail.deliver").await;
    assert!(smtp.take_letter_to("new@example.com").body.contains("http://registry.test/verify/"));
    // The same address again is no change; and the link can be sent once more.
    browser.submit(browser.get("/settings").await.form("/settings")).await.expect(303);
    app.run_chore("mail.deliver").await;
    assert!(smtp.take_letters_to("new@example.com").is_empty());
    let again = browser.get("/settings").await.form("/settings/notifications").press("prove", "yes");
    browser.submit(again).await.expect(303);
    app.run_chore("mail.deliver").await;
    smtp.take_letter_to("new@example.com");
}

#[tokio::test]
async fn a_new_password_ends_everything_but_this_session() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let (browser, other) = (app.logged_in("ada").await, app.logged_in("ada").await);
    let page = browser.get("/settings/security/password").await.expect(200);
    let form = page.form("/settings/security/password");
    assert!(form.fields.iter().any(|(name, _)| name == "tokens"), "tokens end too, unless one says otherwise");
    let with = |old: &str, new: &str| form.clone().fill("password", old).fill("new-password", new);
    let refused = browser.submit(with("wrong horse", "another horse battery")).await.expect(422);
    assert_eq!(refused.attributes(".summary a", "href"), ["#password"]);
    assert!(!refused.html().contains("another horse battery"));
    let refused = browser.submit(with(PASSWORD, "short")).await.expect(422);
    assert_eq!(refused.attributes(".summary a", "href"), ["#new-password"]);
    ada.get("/-/whoami").await.expect(200);

    let kept = browser.submit_and_follow(with(PASSWORD, "another horse battery").without("tokens")).await.expect(200);
    assert!(kept.text(".bar.ok").contains("changed"));
    ada.get("/-/whoami").await.expect(200);
    assert!(!other.get("/").await.text("header").contains("ada"));
    browser.submit(with("another horse battery", "a third horse battery")).await.expect(303);
    ada.get("/-/whoami").await.expect(401);
    browser.get("/settings").await.expect(200);
}

#[tokio::test]
async fn a_page_that_asks_who_one_is_never_repeats_a_password() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let form = browser.get("/settings/security/password").await.form("/settings/security/password");
    let (phone, _) = enable(&app, &ada, "auth-only").await;
    wait(&app, 16 * 60);
    let asked = browser.submit(form.fill("password", PASSWORD).fill("new-password", "another horse battery")).await;
    let asked = asked.expect(200);
    assert!(!asked.html().contains(PASSWORD) && !asked.html().contains("another horse battery"));
    let code = phone.code(app.clock.now());
    // And nobody types it again.
    browser.submit(asked.form("/settings/security/password").fill("_code", &code)).await.expect(303);
    let old = app.browser();
    let login = old.get("/login").await.form("/login").fill("name", "ada").fill("password", PASSWORD);
    old.submit(login.clone()).await.expect(422);
    let asked = old.submit(login.fill("password", "another horse battery")).await.expect(200);
    assert!(asked.attributes("input", "name").contains(&"code".to_owned()), "{}", asked.text("main"));
}

#[tokio::test]
async fn an_authenticator_app_is_set_up_and_replaced() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let page = browser.get("/settings/security/totp").await.expect(200);
    let phone = scanned(&page);
    // Looking at the page changes nothing, and a page that is left leaves nothing behind.
    assert_eq!(ada.get("/-/npm/v1/user").await.json()["tfa"], Value::Null);
    let form = page.form("/settings/security/totp").press("mode", "auth-only");
    let refused = browser.submit(form.clone().fill("code", "000000")).await.expect(422);
    assert_eq!(scanned(&refused).code(app.clock.now()), phone.code(app.clock.now()), "the same secret is asked about");
    let now = app.clock.now();
    let codes = browser.submit_and_follow(form.clone().fill("code", &phone.code(now))).await.expect(200);
    assert_eq!(codes.text("h1"), "Your recovery codes");
    let shown = codes.text("pre");
    let shown: Vec<&str> = shown.split(' ').collect();
    assert_eq!(shown.len(), 5);
    assert!(codes.attributes("a[download]", "href")[0].contains(shown[4]));
    // Once.
    assert_eq!(browser.get("/settings/security/recovery-codes").await.expect(303).location(), SECURITY);
    assert_eq!(ada.get("/-/npm/v1/user").await.json()["tfa"]["mode"], "auth-only");
    // The page of another session is no page of this one.
    let other = app.browser();
    let login = other.get("/login").await.form("/login").fill("name", "ada").fill("password", PASSWORD);
    let step = other.submit(login).await.expect(200);
    other.submit(step.form("/login").fill("code", shown[0])).await.expect(303);
    let foreign = other.get("/settings/security/totp").await.expect(200).form("/settings/security/totp");
    let sealed = |form: &crate::support::browser::FilledForm| {
        form.fields.iter().find(|(name, _)| name == "secret").expect("a secret").1.clone()
    };
    let stolen = foreign.fill("secret", &sealed(&form)).fill("code", &phone.code(now));
    other.submit(stolen).await.expect(422);

    // Another phone: the mode stays, and so do the recovery codes.
    wait(&app, 90);
    let page = browser.get("/settings/security/totp").await.expect(200);
    let new = scanned(&page);
    assert!(page.text("main").contains("keeps working until"));
    let form = page.form("/settings/security/totp").fill("code", &new.code(app.clock.now()));
    assert_eq!(browser.submit(form).await.expect(303).location(), SECURITY);
    let facts = browser.get(SECURITY).await.expect(200).text("dl.facts");
    assert!(facts.contains("set up") && facts.contains("4 of 5 left"), "{facts}");
    wait(&app, 90);
    let asks = app.browser();
    let login = asks.get("/login").await.form("/login").fill("name", "ada").fill("password", PASSWORD);
    let step = asks.submit(login).await.expect(200);
    asks.submit(step.form("/login").fill("code", &phone.code(app.clock.now()))).await.expect(422);
    let step = asks.submit(step.form("/login").fill("code", &new.code(app.clock.now()))).await;
    step.expect(303);
}

fn scanned(page: &Page) -> App {
    let secret = page.text(".command code").replace(' ', "");
    assert!(page.attributes("svg.qr path", "d")[0].len() > 500);
    App::scan(&format!("otpauth://totp/x?secret={secret}&issuer=x"))
}

#[tokio::test]
async fn recovery_codes_are_renewed_and_the_second_factor_is_turned_off() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let page = browser.get("/settings/security/totp").await;
    let form = page.form("/settings/security/totp").fill("code", &scanned(&page).code(app.clock.now()));
    let old = browser.submit_and_follow(form).await.expect(200).text("pre");
    let renew = browser.get(SECURITY).await.form("/settings/security/recovery-codes");
    let new = browser.submit_and_follow(renew).await.expect(200).text("pre");
    assert!(new.split(' ').count() == 5 && old.split(' ').all(|code| !new.contains(code)));
    let wish = serde_json::json!({ "fullname": "Ada" });
    let with = async |code: &str| crate::second_factor::with_code(&ada, "POST", "/-/npm/v1/user", &wish, code).await;
    with(old.split(' ').next().expect("a code")).await.expect(401);
    with(new.split(' ').next().expect("a code")).await.expect(200);

    let mode = browser.get(SECURITY).await.form("/settings/security/mode").press("mode", "auth-only");
    assert!(browser.submit_and_follow(mode).await.expect(200).text(".bar.ok").contains("to log in"));
    assert_eq!(ada.get("/-/npm/v1/user").await.json()["tfa"]["mode"], "auth-only");

    let page = browser.get("/settings/security/disable").await.expect(200);
    assert!(page.text(".panel").contains("authenticator app") && page.text(".panel").contains("4 recovery codes"));
    let off = browser.submit_and_follow(page.form("/settings/security/disable")).await.expect(200);
    assert!(off.text(".bar.ok").contains("is off"));
    assert_eq!(ada.get("/-/npm/v1/user").await.json()["tfa"], Value::Null);
    let nothing = off.form("/logout");
    let renew = crate::support::browser::FilledForm { action: "/settings/security/recovery-codes".into(), ..nothing };
    browser.submit(renew).await.expect(422);
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let app = TestApp::new().await;
    app.user("ada").await;
    app.user("bob").await;
    let browser = app.logged_in("ada").await;
    let (second, third) = (app.logged_in("ada").await, app.logged_in("ada").await);
    let bob = app.logged_in("bob").await;
    let page = browser.get(SECURITY).await.expect(200);
    assert_eq!(page.texts("table tbody tr").len(), 3);
    assert_eq!(page.texts("table .badge"), ["this one"]);
    let forms = page.forms("/settings/security/sessions");
    // Of somebody else's session nobody learns that there is one.
    let key = forms[0].fields.iter().find(|(name, _)| name == "session").expect("a key").1.clone();
    let theirs = bob.get("/").await.form("/logout");
    let theirs = crate::support::browser::FilledForm { action: "/settings/security/sessions".into(), ..theirs };
    bob.submit(theirs.fill("session", &key)).await.expect(404);
    browser.submit(forms[0].clone()).await.expect(303);
    let alive = [second.get("/settings").await.answer.status, third.get("/settings").await.answer.status];
    assert_eq!(alive.iter().filter(|status| status.as_u16() == 200).count(), 1);
    let others = browser.get(SECURITY).await.forms("/settings/security/sessions").pop().expect("a form");
    browser.submit(others.press("others", "yes")).await.expect(303);
    second.get("/settings").await.expect(303);
    third.get("/settings").await.expect(303);
    browser.get("/settings").await.expect(200);
    bob.get("/settings").await.expect(200);
}

#[tokio::test]
async fn addresses_of_npms_own_site_lead_to_the_pages_here() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let browser = app.logged_in("ada").await;
    for (old, new) in [
        ("/settings/ada/profile", "/settings"),
        ("/settings/ada/tokens", "/settings/tokens"),
        ("/settings/ada/tokens/create", "/settings/tokens/new"),
        ("/settings/ada/tokens/granular-access-tokens/new", "/settings/tokens/new"),
        ("/settings/ada/packages", "/~ada"),
        ("/settings/ada/billing", "/settings/billing"),
        ("/settings/acme/members", "/org/acme/members"),
        ("/settings/ada/tfa", SECURITY),
    ] {
        assert_eq!(browser.get(old).await.expect(303).location(), new, "{old}");
    }
    browser.get("/settings/ada/nothing").await.expect(404);
    browser.get("/settings/%0d%0aset-cookie:x/profile").await.expect(404);
}

#[tokio::test]
async fn what_is_shown_once_is_worth_nothing_to_anybody_else_or_later() {
    let app = TestApp::new().await;
    app.user("ada").await;
    app.user("bob").await;
    let browser = app.logged_in("ada").await;
    let page = browser.get("/settings/security/totp").await;
    let code = scanned(&page).code(app.clock.now());
    browser.submit(page.form("/settings/security/totp").fill("code", &code)).await.expect(303);
    let cookie = browser.cookie("sr-once").expect("what is shown once");
    let bob = app.logged_in("bob").await;
    bob.set_cookie("sr-once", &cookie);
    bob.get("/settings/security/recovery-codes").await.expect(303);
    app.clock.set(app.clock.now() + TimeDelta::minutes(6));
    browser.get("/settings/security/recovery-codes").await.expect(303);
}
