//! What every page has in common: who looks, forms and their guard, sessions, headers, errors.

use axum::body::Body;
use chrono::TimeDelta;

use crate::support::app::{PASSWORD, TestApp};

#[tokio::test]
async fn a_browser_gets_pages_and_a_program_gets_the_registry() {
    let app = TestApp::new().await;
    let page = app.browser().get("/").await.expect(200);
    assert_eq!(page.answer.header("content-type"), "text/html; charset=utf-8");
    let program = app.anonymous().get("/").await.expect(200);
    assert_eq!(program.header("content-type"), "application/json");
    assert!(program.header("vary").contains("accept"));
    assert!(page.answer.header("vary").contains("accept"));
    // The registry's address of a package leads a browser to its page; a tarball is a tarball for everybody.
    assert_eq!(app.browser().get("/@ada/x").await.expect(303).location(), "/package/@ada/x");
    let tarball = app.browser().get("/@ada/x/-/x-1.0.0.tgz").await.expect(404);
    assert_eq!(tarball.answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn every_page_has_the_headers_that_keep_it_safe() {
    let app = TestApp::with(|config| config.server.public_url = Some("https://registry.test".into())).await;
    for path in ["/", "/login", "/there/is/no/such/page"] {
        let page = app.browser().get(path).await;
        let policy = page.answer.header("content-security-policy").to_owned();
        let nonce = &page.attributes("script", "nonce")[0];
        for part in
            ["default-src 'none'", &format!("script-src 'nonce-{nonce}'"), "frame-ancestors 'none'", "base-uri 'none'"]
        {
            assert!(policy.contains(part), "{path}: {part} is not in {policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(page.answer.header("x-content-type-options"), "nosniff");
        assert_eq!(page.answer.header("referrer-policy"), "same-origin");
        assert_eq!(page.answer.header("cache-control"), "private, no-store");
        assert!(page.answer.header("strict-transport-security").starts_with("max-age="));
        assert_eq!(page.texts("h1").len(), 1, "{path}");
        let again = app.browser().get(path).await;
        assert_ne!(nonce, &again.attributes("script", "nonce")[0]);
    }
}

#[tokio::test]
async fn logging_in_opens_a_session_and_logging_out_ends_it() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let browser = app.browser();
    let page = browser.get("/login?then=/theme-of-ada").await.expect(200);
    let wrong = page.form("/login").fill("name", "ada").fill("password", "not the password");
    let refused = browser.submit(wrong).await.expect(422);
    assert!(refused.text(".summary").contains("Incorrect user name or password"));
    assert_eq!(refused.attributes("#name", "value"), ["ada"]);
    assert!(!refused.html().contains("not the password"));
    let sent = browser.submit(refused.form("/login").fill("password", PASSWORD)).await.expect(303);
    assert_eq!(sent.location(), "/theme-of-ada");
    let cookie = sent.answer.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let home = browser.get("/").await.expect(200);
    assert!(home.text("header").contains("ada"));
    let secret = browser.cookie("sr").expect("a session");
    browser.submit(home.form("/logout")).await.expect(303);
    assert!(!browser.get("/").await.text("header").contains("ada"));
    // The secret is worth nothing any more, whoever kept it.
    browser.set_cookie("sr", &secret);
    assert!(!browser.get("/").await.text("header").contains("ada"));
}

#[tokio::test]
async fn over_tls_the_session_is_bound_to_the_host() {
    let app = TestApp::with(|config| config.server.public_url = Some("https://registry.test".into())).await;
    app.user("ada").await;
    let browser = app.browser();
    let form = browser.get("/login").await.form("/login").fill("name", "ada").fill("password", PASSWORD);
    let cookie = browser.submit(form).await.expect(303).answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-sr=") && cookie.contains("; Secure") && cookie.contains("Path=/"), "{cookie}");
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[tokio::test]
async fn nobody_is_sent_to_another_host_after_logging_in() {
    let app = TestApp::new().await;
    app.user("ada").await;
    for target in ["//evil.test", "https://evil.test", "/\\evil.test"] {
        let browser = app.browser();
        let form = browser.get("/login").await.form("/login").fill("name", "ada").fill("password", PASSWORD);
        let sent = browser.submit(form.fill("then", target)).await.expect(303);
        assert_eq!(sent.location(), "/", "{target}");
    }
}

#[tokio::test]
async fn a_form_counts_only_from_a_page_of_this_session() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let (browser, other) = (app.logged_in("ada").await, app.logged_in("ada").await);
    let form = browser.get("/").await.form("/logout");
    let typed = [("content-type", "application/x-www-form-urlencoded")];
    let with = |site: &'static str| [typed[0], ("sec-fetch-site", site)];
    let body = |form: &crate::support::browser::FilledForm| {
        Body::from(format!("_form={}", form.fields.iter().find(|(name, _)| name == "_form").expect("a code").1))
    };
    for site in ["cross-site", "same-site", "none"] {
        browser.send("POST", "/logout", &with(site), body(&form)).await.expect(403);
    }
    browser.send("POST", "/logout", &typed, body(&form)).await.expect(403);
    browser.send("POST", "/logout", &with("same-origin"), Body::from("_form=")).await.expect(403);
    other.send("POST", "/logout", &with("same-origin"), body(&form)).await.expect(403);
    let from = [typed[0], ("origin", "http://registry.test")];
    browser.send("POST", "/logout", &from, body(&form)).await.expect(303);
    assert!(other.get("/").await.text("header").contains("ada"));
}

#[tokio::test]
async fn a_session_is_no_token_and_a_token_is_no_session() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let secret = browser.cookie("sr").expect("a session");
    app.with_token(&secret).get("/-/whoami").await.expect(401);
    let cookie = format!("sr={secret}");
    app.anonymous().get_with("/-/whoami", &[("cookie", &cookie)]).await.expect(401);
    browser.set_cookie("sr", ada.token.as_deref().expect("a token"));
    assert!(!browser.get("/").await.text("header").contains("ada"));
    // Nor does a session stand in the list of tokens.
    assert_eq!(ada.get("/-/npm/v1/tokens").await.json()["total"], 1);
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_or_after_its_days() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let is_in =
        async |browser: &crate::support::browser::Browser<'_>| browser.get("/").await.text("header").contains("ada");
    let pass = |days| app.clock.set(app.clock.now() + TimeDelta::days(days));
    let browser = app.logged_in("ada").await;
    for _ in 0..4 {
        pass(6);
        assert!(is_in(&browser).await, "a session that is used goes on");
    }
    pass(6);
    assert!(!is_in(&browser).await, "but not for ever");
    let browser = app.logged_in("ada").await;
    pass(8);
    assert!(!is_in(&browser).await, "one that is not used ends");
}

#[tokio::test]
async fn a_changed_password_ends_the_sessions_of_before() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let new = serde_json::json!({ "password": { "old": PASSWORD, "new": "another horse battery" } });
    ada.json("POST", "/-/npm/v1/user", &new).await.expect(200);
    assert!(!browser.get("/").await.text("header").contains("ada"));
}

#[tokio::test]
async fn what_matters_asks_again_who_somebody_is_and_then_not_for_a_while() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let page = browser.get("/confirm").await.expect(200);
    app.clock.set(app.clock.now() + TimeDelta::minutes(16));
    let form = page.form("/confirm").fill("then", "/settings");
    let wrong = browser.submit(form.fill("_password", "wrong horse")).await.expect(422);
    assert!(wrong.text(".summary").contains("Incorrect"));
    let nothing = browser.submit(wrong.form("/confirm").fill("_password", "")).await.expect(200);
    let sent = browser.submit(nothing.form("/confirm").fill("_password", PASSWORD)).await;
    assert_eq!(sent.expect(303).location(), "/settings", "where they wanted to go is kept all the while");
}

#[tokio::test]
async fn the_theme_is_remembered() {
    let app = TestApp::new().await;
    let browser = app.browser();
    let form = browser.get("/login").await.form("/theme").press("theme", "dark");
    let page = browser.submit_and_follow(form).await.expect(200);
    assert_eq!((page.path.as_str(), page.attributes("html", "data-theme")), ("/login", vec!["dark".to_owned()]));
}

#[tokio::test]
async fn assets_are_kept_for_ever_and_packed() {
    let app = TestApp::new().await;
    let page = app.browser().get("/").await;
    let addresses = [page.attributes("link[rel=stylesheet]", "href"), page.attributes("script", "src")].concat();
    assert_eq!(addresses.len(), 2);
    for address in addresses {
        let plain = app.anonymous().get(&address).await.expect(200);
        assert!(plain.header("cache-control").contains("immutable"));
        let packed = app.anonymous().get_with(&address, &[("accept-encoding", "gzip")]).await.expect(200);
        assert_eq!(packed.header("content-encoding"), "gzip");
        assert!(packed.bytes.len() < 10_000 && packed.bytes.len() < plain.bytes.len());
    }
    app.anonymous().get("/-/static/strongroom.0000000000000000.css").await.expect(404);
    app.anonymous().get("/favicon.ico").await.expect(200);
    app.browser().get("/robots.txt").await.expect(200);
}
