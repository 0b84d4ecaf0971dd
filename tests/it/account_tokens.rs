//! Tokens on pages: looked over, made, renewed, ended, and ended by whoever holds them.

use chrono::TimeDelta;
use strongroom::policy::{Narrowing, OrganizationReach, OrganizationRight};

use crate::account::confirm;
use crate::second_factor::wait;
use crate::support::app::{Package, TestApp};
use crate::support::browser::{Browser, Page};

const TOKENS: &str = "/settings/tokens";
const NEW: &str = "/settings/tokens/new";

/// Fills the form in, looks over what it says, and makes the token.
async fn make(browser: &Browser<'_>, from: &str, fields: &[(&str, &str)]) -> Page {
    let mut form = browser.get(from).await.expect(200).forms(NEW).remove(0);
    for (name, value) in fields {
        form = form.fill(name, value);
    }
    let check = browser.submit(form).await.expect(200);
    browser.submit_and_follow(check.form(NEW)).await.expect(200)
}

#[tokio::test]
async fn a_list_says_what_each_token_may_and_ends_it() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let narrow = Narrowing {
        packages: vec!["@acme/*".parse().expect("a pattern")],
        networks: vec!["10.0.0.0/8".parse().expect("a network")],
        organizations: OrganizationReach { right: OrganizationRight::Nothing, names: Vec::new() },
        ..Narrowing::read_only()
    };
    let ends = app.clock.now() + TimeDelta::hours(6 * 24 + 1);
    let reading = app.token("ada", narrow, Some(ends)).await;
    let browser = app.logged_in("ada").await;
    ada.get("/-/whoami").await.expect(200);
    app.run_all_chores().await;
    let page = browser.get(TOKENS).await.expect(200);
    let rows = page.texts("tbody tr");
    assert_eq!(rows.len(), 2, "a session is no token: {rows:?}");
    assert!(rows[0].contains("read @acme/*, only from 10.0.0.0/8") && rows[0].contains("in 6 days"), "{rows:?}");
    assert!(rows[0].contains("never") && rows[1].contains("everything you can, from anywhere"), "{rows:?}");
    assert!(rows[1].contains("just now, from 192.0.2.1") && rows[1].contains("when you revoke it"), "{rows:?}");
    assert!(!page.html().contains(ada.token.as_deref().expect("a token")));
    assert!(page.text("main").contains("npm token list"));

    app.user("bob").await;
    let bob = app.logged_in("bob").await;
    let form = page.forms(TOKENS).remove(0);
    let key = form.fields.iter().find(|(name, _)| name == "key").expect("a key").1.clone();
    let theirs = crate::support::browser::FilledForm { action: TOKENS.into(), ..bob.get("/").await.form("/logout") };
    bob.submit(theirs.fill("key", &key)).await.expect(404);
    bob.get(&format!("{NEW}?like={key}")).await.expect(404);
    let gone = browser.submit_and_follow(form).await.expect(200);
    assert!(gone.text(".bar.ok").contains("is revoked"));
    reading.get("/-/whoami").await.expect(401);
    ada.get("/-/whoami").await.expect(200);
    browser.submit(page.forms(TOKENS).remove(0)).await.expect(404);
    let nothing = browser.submit_and_follow(gone.forms(TOKENS).remove(0)).await.expect(200);
    assert!(nothing.text(".empty").contains("npm login"));
}

#[tokio::test]
async fn what_it_is_for_is_asked_first() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    let browser = app.logged_in("ada").await;
    let page = browser.get(NEW).await.expect(200);
    let ways = page.attributes("ul.plain a", "href");
    assert_eq!(ways.len(), 4);
    let text = browser.get(&ways[0]).await.expect(200).text("main");
    assert!(text.contains("npm login --scope=@ada --registry=http://registry.test/"), "{text}");
    let trusted = browser.get(&ways[1]).await.expect(200);
    assert_eq!(trusted.attributes("a.name", "href"), ["/package/@ada/one/settings/trust"]);
    let escape = trusted.attributes("main p a", "href").swap_remove(0);
    let form = browser.get(&escape).await.expect(200).forms(NEW).remove(0);
    assert!(form.fields.contains(&("right".into(), "read-write".into())));
    assert!(form.fields.contains(&("packages".into(), "@ada/*".into())));
    let form = browser.get(&ways[2]).await.expect(200).forms(NEW).remove(0);
    assert!(form.fields.contains(&("right".into(), "read-only".into())));
    assert!(form.fields.contains(&("days".into(), "365".into())));
    let form = browser.get(&ways[3]).await.expect(200).forms(NEW).remove(0);
    assert!(form.fields.contains(&("days".into(), "90".into())));
}

#[tokio::test]
async fn a_token_is_shown_once_and_does_what_was_said() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    let browser = app.logged_in("ada").await;
    let fields = [("name", "ci <x>"), ("right", "read-write"), ("packages", "@ada/one\n@ada/two"), ("days", "30")];
    let page = make(&browser, "/settings/tokens/new?for=other", &fields).await;
    assert_eq!(page.path, "/settings/tokens/made");
    assert_eq!(page.answer.header("cache-control"), "private, no-store");
    let said = page.text("main p");
    assert!(
        page.text("main").contains("read, publish and manage @ada/one and @ada/two, from anywhere, until"),
        "{said}"
    );
    for text in ["_authToken=${NPM_TOKEN}", "secrets.NPM_TOKEN", "\"$NPM_TOKEN\""] {
        assert!(page.text("main").contains(text), "{text}");
    }
    let token = app.with_token(&page.text("#token"));
    token.publish(&Package::new("@ada/one", "1.1.0")).await.expect(201);
    token.publish(&Package::new("@ada/three", "1.0.0")).await.expect(403);
    assert_eq!(browser.get("/settings/tokens/made").await.expect(303).location(), TOKENS);
    let list = browser.get(TOKENS).await;
    assert!(list.text("tbody tr").contains("ci <x>") && !list.html().contains(&page.text("#token")));
    // The secret lies nowhere, sealed or not.
    assert!(browser.cookie("sr-once").is_none());
}

#[tokio::test]
async fn what_no_token_can_be_is_said_beside_the_field() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let form = browser.get("/settings/tokens/new?for=other").await.forms(NEW).remove(0).fill("name", "ci");
    for (field, value, anchor) in [
        ("name", "", "#name"),
        ("packages", "not a/package/at/all", "#packages"),
        ("networks", "everywhere", "#networks"),
        ("organizations", "no such@name", "#organizations"),
        ("days", "0", "#days"),
        ("right", "no-access", "#right"),
    ] {
        let page = browser.submit(form.clone().fill(field, value)).await.expect(422);
        assert_eq!(page.attributes(".summary a", "href"), [anchor], "{field}: {}", page.html());
        assert!(page.text(&format!("{anchor}-problem")).len() > 10, "{field}");
    }
    let long = browser.submit(form.clone().fill("right", "read-write").fill("days", "91")).await.expect(422);
    assert!(long.text("#days-problem").contains("1 to 90"));
    browser.submit(form.clone().fill("days", "365")).await.expect(200);
    let bypass = browser.submit(form.fill("bypass", "yes")).await.expect(422);
    assert!(bypass.text("#right-problem").contains("second factor"));
}

#[tokio::test]
async fn a_token_is_made_by_who_has_just_shown_who_they_are() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let form = browser.get("/settings/tokens/new?for=install").await.forms(NEW).remove(0);
    let check = browser.submit(form).await.expect(200);
    assert!(check.text(".panel").contains("read @ada/*"), "{}", check.text(".panel"));
    wait(&app, 16 * 60);
    let asked = browser.submit(check.form(NEW)).await.expect(200);
    let sent = confirm(&browser, &asked, NEW).await.expect(303);
    let made = browser.get(&sent.location()).await.expect(200);
    app.with_token(&made.text("#token")).get("/-/whoami").await.expect(200);
}

#[tokio::test]
async fn a_token_is_renewed_by_another_one_like_it() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let browser = app.logged_in("ada").await;
    let fields = [("name", "ci"), ("packages", "@ada/one"), ("networks", "192.0.2.0/24")];
    let old = make(&browser, "/settings/tokens/new?for=other", &fields).await.text("#token");
    let renew = browser.get(TOKENS).await.attributes("tbody a", "href").swap_remove(0);
    let new = make(&browser, &renew, &[("ends-replaced", "yes")]).await;
    assert!(new.text("main").contains("read @ada/one, only from 192.0.2.0/24"), "{}", new.text("main"));
    app.with_token(&old).get("/-/whoami").await.expect(401);
    app.with_token(&new.text("#token")).get("/-/whoami").await.expect(200);
}

#[tokio::test]
async fn whoever_holds_a_token_ends_it_and_learns_what_it_was() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.get("/-/whoami").await.expect(200);
    app.run_all_chores().await;
    let secret = ada.token.clone().expect("a token");
    let browser = app.browser();
    let form = browser.get("/revoke").await.expect(200).form("/revoke");
    let unknown = browser.submit(form.clone().fill("token", "npm_nothing")).await.expect(200);
    let pasted = format!("//registry.test/:_authToken={secret}\nother=1");
    let page = browser.submit(form.clone().fill("token", &pasted)).await.expect(200);
    let panel = page.text(".panel");
    for text in ["ada", "everything you can, from anywhere", "just now"] {
        assert!(panel.contains(text), "{text}: {panel}");
    }
    assert!(!page.html().contains(&secret), "it is not repeated");
    ada.get("/-/whoami").await.expect(401);
    // What works no more is answered as what never did.
    let again = browser.submit(form.fill("token", &secret)).await.expect(200);
    assert_eq!(again.text("body"), unknown.text("body"));
    assert_eq!(again.answer.bytes.len(), unknown.answer.bytes.len());
    let pool = app.pool().await;
    let line: (String, String) =
        sqlx::query_as("select actor, address from audit_events where action = 'token.revoke'")
            .fetch_one(&pool)
            .await
            .expect("one line");
    assert_eq!((line.0.as_str(), line.1.as_str()), ("who held the token", "192.0.2.1"));
    let logged: i64 =
        sqlx::query_scalar("select count(*) from audit_events where audit_events::text like '%' || $1 || '%'")
            .bind(&secret)
            .fetch_one(&pool)
            .await
            .expect("a count");
    assert_eq!(logged, 0);
}

#[tokio::test]
async fn pasting_without_end_is_slowed_down() {
    let app = TestApp::with(|config| config.limits.login_per_minute = 2).await;
    let browser = app.browser();
    let form = browser.get("/revoke").await.form("/revoke").fill("token", "x");
    browser.submit(form.clone()).await.expect(200);
    browser.submit(form.clone()).await.expect(200);
    let slowed = browser.submit(form).await.expect(422);
    assert!(slowed.text(".summary").contains("Too many attempts"));
}

#[tokio::test]
async fn ci_that_publishes_is_led_to_its_package_before_there_is_one() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let browser = app.logged_in("ada").await;
    for (typed, place) in
        [("vault", "/package/@ada/vault/settings/trust"), ("@acme/x", "/package/@acme/x/settings/trust")]
    {
        let form = browser.get("/settings/tokens/new?for=publish").await.expect(200).form(NEW).fill("package", typed);
        assert_eq!(browser.submit(form).await.expect(303).location(), place);
    }
    let form = browser.get("/settings/tokens/new?for=publish").await.expect(200).form(NEW).fill("package", "No Name");
    let again = browser.submit(form).await.expect(422);
    assert!(again.text(".summary").contains("Not a valid name"), "{}", again.text("main"));
    assert!(again.html().contains("No Name"));

    // Without a second factor nobody says whom a package trusts; the page leads to one.
    let refused = browser.get("/package/@ada/vault/settings/trust").await.expect(403);
    assert!(refused.html().contains("href=\"/settings/security\""), "{}", refused.text("main"));
}
