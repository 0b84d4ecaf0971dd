//! The access page: adding, raising and removing people and teams; making public and private; and who may do that.

use axum::body::Body;
use chrono::TimeDelta;
use serde_json::{Value, json};
use strongroom::policy::{BillingFlag, Narrowing, Permission};

use crate::second_factor::enable;
use crate::support::app::{PASSWORD, Package, TestApp};
use crate::support::authenticator::App as Phone;
use crate::support::browser::{Browser, FilledForm, Page};

const PAGE: &str = "/package/@ada/x/access";
const MAKE_PUBLIC: &str = "/package/@ada/x/access/public";
const MAKE_PRIVATE: &str = "/package/@ada/x/access/private";

/// The form of a line of the table.
#[track_caller]
pub(crate) fn line(page: &Page, action: &str, who: &str) -> FilledForm {
    let is_theirs = |form: &FilledForm| form.fields.contains(&("who".to_owned(), who.to_owned()));
    let forms = page.forms(action).into_iter().find(is_theirs);
    forms.unwrap_or_else(|| panic!("no form for {who}: {}", page.html()))
}

/// The form that adds somebody.
#[track_caller]
pub(crate) fn adding(page: &Page, action: &str, who: &str) -> FilledForm {
    let is_adding = |form: &FilledForm| form.fields.iter().any(|(name, _)| name == "until");
    let form = page.forms(action).into_iter().find(is_adding).expect("a form that adds");
    form.fill("who", who).press("add", "1")
}

/// The text of somebody's row.
pub(crate) fn row(page: &Page, who: &str) -> String {
    page.texts("tbody tr").into_iter().find(|row| row.split(' ').next() == Some(who)).unwrap_or_default()
}

/// The levels that are pressed in somebody's row.
fn pressed(page: &Page, who: &str) -> Vec<String> {
    page.texts(&format!("[aria-label='Level of {who}'] button[aria-pressed=true]"))
}

pub(crate) async fn add(browser: &Browser<'_>, action: &str, who: &str) -> Page {
    let page = browser.get(action).await.expect(200);
    browser.submit_and_follow(adding(&page, action, who)).await.expect(200)
}

async fn ada_with_package() -> TestApp {
    let app = TestApp::new().await;
    app.user("ada").await.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);
    app
}

#[tokio::test]
async fn somebody_is_added_to_read_raised_with_one_click_and_removed_with_another() {
    let app = ada_with_package().await;
    let bob = app.user("bob").await;
    bob.get("/@ada%2fx").await.expect(404);
    let ada = app.logged_in("ada").await;

    let page = add(&ada, PAGE, "bob").await;
    assert!(page.text("[role=status]").contains("bob was added"), "{}", page.html());
    assert!(row(&page, "bob").contains("added by ada just now"), "{}", row(&page, "bob"));
    assert_eq!(pressed(&page, "bob"), ["read-only"]);
    bob.get("/@ada%2fx").await.expect(200);
    bob.publish(&Package::new("@ada/x", "1.1.0")).await.expect(403);

    let page = ada.submit_and_follow(line(&page, PAGE, "bob").press("level", "read-write")).await.expect(200);
    assert_eq!(pressed(&page, "bob"), ["read-write"]);
    bob.publish(&Package::new("@ada/x", "1.1.0")).await.expect(201);

    let page = ada.submit_and_follow(line(&page, PAGE, "bob").press("remove", "1")).await.expect(200);
    assert_eq!(row(&page, "bob"), "");
    bob.get("/@ada%2fx").await.expect(404);
    bob.publish(&Package::new("@ada/x", "1.2.0")).await.expect(404);

    let undo = page.forms(PAGE).into_iter().find(|form| form.fields.iter().any(|(name, _)| name == "restore"));
    let page = ada.submit_and_follow(undo.expect("a way back")).await.expect(200);
    assert_eq!(pressed(&page, "bob"), ["read-write"], "as it was");
    bob.publish(&Package::new("@ada/x", "1.2.0")).await.expect(201);
    let page = ada.get(PAGE).await;
    assert!(page.text("[role=status]").is_empty(), "a notice is shown once");
    let page = ada.submit_and_follow(line(&page, PAGE, "bob").press("level", "read-only")).await.expect(200);
    assert_eq!(pressed(&page, "bob"), ["read-only"]);
    bob.publish(&Package::new("@ada/x", "1.3.0")).await.expect(403);
}

#[tokio::test]
async fn who_added_whom_stays_and_access_ends_by_itself() {
    let app = TestApp::new().await;
    app.user("ada").await;
    app.user("otto").await;
    let bob = app.user("bob").await;
    app.organization("acme", "ada", &[("otto", "admin")]).await;
    app.token("ada", Narrowing::default(), None).await.publish(&Package::new("@acme/x", "1.0.0")).await.expect(201);
    let page = "/package/@acme/x/access";
    let ada = app.logged_in("ada").await;
    let until = app.clock.now() + TimeDelta::days(3);
    let form = adding(&ada.get(page).await, page, "@bob").fill("until", &until.format("%Y-%m-%d").to_string());
    let shown = ada.submit_and_follow(form).await.expect(200);
    assert!(row(&shown, "bob").contains(", ends in 2 days"), "{}", row(&shown, "bob"));

    app.clock.set(app.clock.now() + TimeDelta::days(1));
    let otto = app.logged_in("otto").await;
    let raised = line(&otto.get(page).await, page, "bob").press("level", "read-write");
    let shown = otto.submit_and_follow(raised).await.expect(200);
    let text = row(&shown, "bob");
    assert!(text.contains("added by ada 1 day ago, ends in"), "raising changes neither who nor when: {text}");
    bob.publish(&Package::new("@acme/x", "1.1.0")).await.expect(201);

    app.clock.set(until);
    bob.get("/@acme%2fx").await.expect(404);
    assert_eq!(row(&otto.get(page).await, "bob"), "");
    let past = adding(&otto.get(page).await, page, "bob").fill("until", "2020-01-01");
    let refused = otto.submit(past).await.expect(422);
    assert!(refused.text(".summary").contains("has passed"));
    let odd = adding(&otto.get(page).await, page, "bob").fill("until", "soon");
    assert!(otto.submit(odd).await.expect(422).text(".summary").contains("Until is a day"));
}

#[tokio::test]
async fn on_a_public_package_everyone_who_is_added_can_write_and_the_level_is_fixed() {
    let app = TestApp::new().await;
    app.user("ada").await.publish(&Package::new("@ada/x", "1.0.0").access("public")).await.expect(201);
    let bob = app.user("bob").await;
    app.set_billing("bob", BillingFlag::Unpaid).await;
    let page = add(&app.logged_in("ada").await, PAGE, "bob").await;
    assert_eq!(pressed(&page, "bob"), ["read-write"]);
    assert_eq!(page.attributes("[aria-label='Level of bob'] button", "disabled").len(), 2);
    assert!(page.text("#fixed").contains("fixed"));
    assert!(!page.html().contains("no plan"), "public packages need none");
    bob.publish(&Package::new("@ada/x", "1.1.0")).await.expect(201);
}

#[tokio::test]
async fn what_cannot_be_added_is_said_beside_the_field_and_stays_in_it() {
    let app = ada_with_package().await;
    app.user("bob").await;
    app.user("free").await;
    app.set_billing("free", BillingFlag::Unpaid).await;
    let ada = app.logged_in("ada").await;
    add(&ada, PAGE, "bob").await;
    for (typed, sentence) in [
        ("nobody", "no user nobody"),
        ("free", "free has no plan"),
        ("bob", "has read-only access already"),
        ("ada", "owns @ada"),
        ("acme:devs", "not in the scope of @acme"),
        ("not a name", "name"),
        ("", "name"),
    ] {
        let page = ada.get(PAGE).await.expect(200);
        let refused = ada.submit(adding(&page, PAGE, typed)).await.expect(422);
        assert!(refused.text(".summary").contains(sentence), "{typed}: {}", refused.text(".summary"));
        assert_eq!(refused.attributes("#who", "value"), [typed]);
        assert_eq!(refused.attributes("#who", "aria-describedby"), ["who-problem"]);
        assert_eq!(refused.attributes(".summary a", "href"), ["#who"]);
    }
    let page = ada.get(PAGE).await;
    assert_eq!(page.texts("tbody tr").len(), 2, "{}", page.html());
}

#[tokio::test]
async fn a_click_on_an_old_page_brings_nobody_back() {
    let app = ada_with_package().await;
    let bob = app.user("bob").await;
    let ada = app.logged_in("ada").await;
    let old = add(&ada, PAGE, "bob").await;
    ada.submit(line(&old, PAGE, "bob").press("remove", "1")).await.expect(303);
    let refused = ada.submit(line(&old, PAGE, "bob").press("level", "read-write")).await.expect(422);
    assert!(refused.text(".summary").contains("has no access any more"));
    bob.get("/@ada%2fx").await.expect(404);
    let refused = ada.submit(line(&old, PAGE, "bob").press("remove", "1")).await.expect(422);
    assert!(refused.text(".summary").contains("no collaborator"));
    let odd = ada.submit(line(&old, PAGE, "bob").press("level", "all")).await.expect(422);
    assert!(odd.text(".summary").contains("read-only or read-write"));
}

#[tokio::test]
async fn everyone_sees_what_is_theirs_to_see() {
    let app = ada_with_package().await;
    for name in ["reader", "writer", "stranger", "unpaid"] {
        app.user(name).await;
    }
    app.grant("@ada/x", "reader", Permission::ReadOnly).await;
    app.grant("@ada/x", "writer", Permission::ReadWrite).await;
    app.grant("@ada/x", "unpaid", Permission::ReadOnly).await;
    app.set_billing("unpaid", BillingFlag::Unpaid).await;

    // Codes, nonces and what the visitor asked for differ; nothing else does.
    let varies = ["_form", "nonce", "<form", "then"];
    let constant = |page: &Page| {
        let html = page.html();
        let lines = html.lines().filter(|line| !varies.iter().any(|part| line.contains(part)));
        lines.collect::<Vec<_>>().join("\n")
    };
    for browser in [app.browser(), app.logged_in("stranger").await] {
        let hidden = browser.get(PAGE).await.expect(404);
        let missing = browser.get("/package/@ada/y/access").await.expect(404);
        assert_eq!(constant(&hidden), constant(&missing));
    }
    for name in ["reader", "writer"] {
        let browser = app.logged_in(name).await;
        let page = browser.get(PAGE).await.expect(200);
        assert!(page.text(".bar").contains("Only ada can change this."), "{}", page.html());
        assert_eq!(page.attributes("[name=level], [name=add], a[href$='/public']", "name").len(), 0);
        assert_eq!(page.attributes("[name=remove]", "aria-label"), ["Remove yourself"]);
        assert!(!page.html().contains("no plan"), "who pays is nobody else's business");
        // What is not offered is refused all the same.
        let forged = line(&page, PAGE, name).press("who", "stranger");
        browser.submit(forged.clone().without("remove").press("add", "1")).await.expect(403);
        browser.submit(forged.press("who", "unpaid").press("remove", "1")).await.expect(403);
        browser.get(MAKE_PUBLIC).await.expect(403);
    }
    let ada = app.logged_in("ada").await;
    let page = ada.get(PAGE).await.expect(200);
    assert!(row(&page, "unpaid").contains("no plan: cannot install yet"));
    assert_eq!(page.texts("tbody tr").len(), 4);
    assert!(row(&page, "ada").contains("owns @ada"), "{}", row(&page, "ada"));
    // Who has no plan takes one with them when they go, and none is promised back.
    let page = ada.submit_and_follow(line(&page, PAGE, "unpaid").press("remove", "1")).await.expect(200);
    assert!(page.forms(PAGE).iter().all(|form| form.fields.iter().all(|(name, _)| name != "restore")));
}

#[tokio::test]
async fn a_collaborator_without_a_plan_is_told_so_and_may_leave() {
    let app = ada_with_package().await;
    app.user("bob").await;
    add(&app.logged_in("ada").await, PAGE, "bob").await;
    app.set_billing("bob", BillingFlag::Unpaid).await;
    let bob = app.logged_in("bob").await;
    let page = bob.get(PAGE).await.expect(402);
    assert!(page.text("main").contains("ada shared it with you"), "{}", page.html());
    assert!(page.text(".bar").contains("bob has no plan"));
    let asked = bob.submit(page.form(PAGE).press("remove", "1")).await.expect(200);
    bob.submit(asked.form(PAGE).press("remove", "1").fill("typed", "@ada/x")).await.expect(303);
    bob.get(PAGE).await.expect(404);
}

#[tokio::test]
async fn an_owner_whose_plan_lapsed_may_take_access_and_open_the_package() {
    let app = ada_with_package().await;
    let bob = app.user("bob").await;
    app.grant("@ada/x", "bob", Permission::ReadOnly).await;
    app.set_billing("ada", BillingFlag::Unpaid).await;
    let ada = app.logged_in("ada").await;
    let page = ada.get(PAGE).await.expect(200);
    assert!(page.text(".bar.warn").contains("ada has no plan"));
    assert!(page.forms(PAGE).iter().all(|form| form.fields.iter().all(|(name, _)| name != "until")));
    assert_eq!(page.attributes("[name=level]", "value").len(), 0);
    assert_eq!(page.attributes("a.button[href$='/public']", "href"), [MAKE_PUBLIC]);
    let forged = line(&page, PAGE, "bob");
    assert_eq!(ada.submit(forged.clone().press("level", "read-write")).await.answer.status, 402);
    let page = ada.submit_and_follow(forged.press("remove", "1")).await.expect(200);
    assert_eq!(row(&page, "bob"), "");
    assert!(page.forms(PAGE).is_empty(), "no way back that would be refused");
    bob.get("/@ada%2fx").await.expect(404);
    later(&app);
    let asked = ada.get(MAKE_PUBLIC).await.expect(200);
    let page = ada.submit_and_follow(confirmed(&asked)).await.expect(200);
    ada.submit(page.form(MAKE_PUBLIC).fill("typed", "@ada/x")).await.expect(303);
    bob.get("/@ada%2fx").await.expect(200);
}

/// So long that whoever logged in before is asked again who they are.
fn later(app: &TestApp) {
    app.clock.set(app.clock.now() + TimeDelta::minutes(16));
}

/// The page that asks who somebody is, filled in.
#[track_caller]
fn confirmed(page: &Page) -> FilledForm {
    page.form("/confirm").fill("_password", PASSWORD)
}

#[tokio::test]
async fn teams_have_lines_of_their_own_and_their_members_come_with_them() {
    let app = TestApp::new().await;
    for name in ["ada", "otto", "dora", "eve"] {
        app.user(name).await;
    }
    app.organization("acme", "ada", &[("otto", "admin"), ("dora", "developer")]).await;
    let otto_cli = app.token("otto", Narrowing::default(), None).await;
    otto_cli.publish(&Package::new("@acme/x", "1.0.0")).await.expect(201);
    let team = json!({ "name": "readers", "description": "" });
    otto_cli.json("PUT", "/-/org/acme/team", &team).await.expect(200);
    otto_cli.json("PUT", "/-/team/acme/readers/user", &json!({ "user": "dora" })).await.expect(200);
    let path = "/package/@acme/x/access";
    let otto = app.logged_in("otto").await;
    let page = add(&otto, path, "@acme:readers").await;
    assert_eq!(pressed(&page, "acme:readers"), ["read-only"]);
    assert_eq!(pressed(&page, "acme:developers"), ["read-write"]);
    assert!(row(&page, "acme:readers").contains("team of 1, added by otto"), "{}", row(&page, "acme:readers"));
    assert!(row(&page, "acme:readers").contains("dora via team acme:readers"));
    assert_eq!(row(&page, "dora"), "", "who comes by a team alone has no line, and so no X");
    assert!(row(&page, "ada").contains("owner of @acme") && row(&page, "otto").contains("admin of @acme"));
    assert!(page.html().contains("npm access grant read-only @acme:TEAM @acme/x"));

    // A member sees all of it, and changes nothing.
    let dora = app.logged_in("dora").await;
    let seen = dora.get(path).await.expect(200);
    assert!(seen.text(".bar").contains("Only admins of @acme can change this: ada, otto"), "{}", seen.text(".bar"));
    assert_eq!(seen.forms(path).len(), 0, "nor themselves: the team has it");
    // Somebody from outside is not told which teams there are.
    app.grant("@acme/x", "eve", Permission::ReadOnly).await;
    let seen = app.logged_in("eve").await.get(path).await.expect(200);
    assert!(!seen.html().contains("acme:readers"), "{}", seen.html());
    assert!(row(&seen, "dora").contains("via team of @acme"), "{}", row(&seen, "dora"));

    // The last who can write goes by name only.
    let asked = otto.submit(line(&page, path, "acme:developers").press("remove", "1")).await.expect(200);
    assert!(asked.text("main").contains("last with read-write"));
    let wrong = asked.form(path).press("remove", "1").fill("typed", "@acme/y");
    let refused = otto.submit(wrong).await.expect(422);
    assert!(refused.text(".summary").contains("not the name"));
    otto.submit(refused.form(path).press("remove", "1").fill("typed", "@acme/x")).await.expect(303);
    let page = otto.get(path).await;
    assert_eq!(row(&page, "acme:developers"), "");
    // Raised, and taken, with a way back.
    let page = otto.submit_and_follow(line(&page, path, "acme:readers").press("level", "read-write")).await;
    assert_eq!(pressed(&page, "acme:readers"), ["read-write"]);
    app.token("dora", Narrowing::default(), None).await.publish(&Package::new("@acme/x", "1.1.0")).await.expect(201);
    // dora has a grant of her own beside: both are said.
    app.grant("@acme/x", "dora", Permission::ReadOnly).await;
    let page = otto.get(path).await;
    assert!(row(&page, "dora").contains("also via team acme:readers (read-write)"), "{}", row(&page, "dora"));
}

#[tokio::test]
async fn going_oneself_asks_for_the_name() {
    let app = ada_with_package().await;
    let cli = app.user("bob").await;
    app.grant("@ada/x", "bob", Permission::ReadWrite).await;
    let bob = app.logged_in("bob").await;
    let page = bob.get(PAGE).await.expect(200);
    let asked = bob.submit(line(&page, PAGE, "bob").press("remove", "1")).await.expect(200);
    assert!(asked.text("h1").contains("Remove yourself"));
    cli.get("/@ada%2fx").await.expect(200);
    let refused = bob.submit(asked.form(PAGE).press("remove", "1").fill("typed", "x")).await.expect(422);
    let gone = bob.submit_and_follow(refused.form(PAGE).press("remove", "1").fill("typed", "@ada/x")).await.expect(200);
    assert!(gone.text("[role=status]").contains("gave back"));
    cli.get("/@ada%2fx").await.expect(404);
    bob.get(PAGE).await.expect(404);
    // The owner has no X, and forging one helps nobody.
    let ada = app.logged_in("ada").await;
    let page = ada.get(PAGE).await.expect(200);
    let forged = adding(&page, PAGE, "ada").without("add").press("remove", "1").fill("typed", "@ada/x");
    ada.submit(forged).await.expect(403);
}

#[tokio::test]
async fn making_public_names_who_can_write_then_and_what_may_be_a_secret() {
    let app = TestApp::new().await;
    let ada_cli = app.user("ada").await;
    let secret = "npm_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5";
    let mut leaking = Package::new("@ada/x", "1.0.0");
    leaking.files.push(("lib/config.js".into(), format!("// one\nconst t = '{secret}'\n").into_bytes()));
    leaking.files.push((".env".into(), b"DATABASE_URL=postgres://db/app\n".to_vec()));
    ada_cli.publish(&leaking).await.expect(201);
    ada_cli.publish(&Package::new("@ada/x", "1.1.0")).await.expect(201);
    let bob = app.user("bob").await;
    app.user("carl").await;
    app.grant("@ada/x", "carl", Permission::ReadWrite).await;
    let ada = app.logged_in("ada").await;
    add(&ada, PAGE, "bob").await;

    // Who is sitting there is asked first; the page then comes by itself.
    later(&app);
    let asked = ada.get(MAKE_PUBLIC).await.expect(200);
    assert!(asked.text("h1").contains("Confirm that it is you"));
    let page = ada.submit_and_follow(confirmed(&asked)).await.expect(200);
    let readers = page.texts("#raised ~ ul a.name");
    assert_eq!(readers, ["bob"], "carl can write already");
    assert!(page.text("dl.facts").contains("2, all of them"), "{}", page.text("dl.facts"));
    assert!(page.text("main").contains("Copies cannot be recalled"));
    let found = page.texts("tbody tr");
    assert_eq!(found, [".env1environment file1.0.0", "lib/config.js2npm token1.0.0"]);
    assert!(!page.html().contains("aB3dE5fG7"), "the secret itself is never shown");
    assert!(page.text("main").contains("Looked through 1.1.0, 1.0.0: 8 files"), "{}", page.text("main"));

    let refused = ada.submit(page.form(MAKE_PUBLIC).fill("typed", "x")).await.expect(422);
    assert_eq!(refused.attributes(".summary a", "href"), ["#typed", "#looked"]);
    ada.submit(page.form(MAKE_PUBLIC).fill("typed", "@ada/x")).await.expect(422);
    app.anonymous().get("/@ada%2fx").await.expect(404);
    let form = page.form(MAKE_PUBLIC).fill("typed", "@ada/x").fill("looked", "1");
    let done = ada.submit_and_follow(form).await.expect(200);
    assert_eq!(done.path, PAGE);
    assert!(done.text("main").contains("Everyone can see and install it"));
    app.anonymous().get("/@ada%2fx").await.expect(200);
    bob.publish(&Package::new("@ada/x", "1.2.0")).await.expect(201);
    assert_eq!(ada.get(MAKE_PUBLIC).await.expect(303).location(), PAGE, "it is public already");
}

#[tokio::test]
async fn a_forged_form_makes_nothing_public_without_the_password() {
    let app = ada_with_package().await;
    let ada = app.logged_in("ada").await;
    later(&app);
    let page = ada.get(PAGE).await;
    let code = page.form("/logout").fields[0].1.clone();
    let body = format!("_form={code}&typed=%40ada%2Fx");
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    let asked = ada.send("POST", MAKE_PUBLIC, &headers, Body::from(body)).await.expect(200);
    assert!(asked.text("h1").contains("Confirm that it is you"));
    app.anonymous().get("/@ada%2fx").await.expect(404);
    // With the password it goes on with what was sent.
    let form = asked.form("/package/@ada%2fx/access/public").fill("_password", PASSWORD);
    ada.submit(form).await.expect(303);
    app.anonymous().get("/@ada%2fx").await.expect(200);
}

#[tokio::test]
async fn a_private_package_leaves_search_listings_profiles_and_feeds_at_once() {
    let app = TestApp::new().await;
    app.user("ada").await.publish(&Package::new("@ada/x", "1.0.0").access("public")).await.expect(201);
    let stranger = app.user("stranger").await;
    app.user("bob").await;
    app.set_billing("bob", BillingFlag::Unpaid).await;
    app.grant("@ada/x", "bob", Permission::ReadOnly).await;
    let found = async || {
        let search = app.anonymous().get("/-/v1/search?text=x").await.expect(200).json()["total"].clone();
        let list = stranger.get("/-/user/ada/package").await;
        let listed = if list.status == 200 { list.json()["@ada/x"].clone() } else { Value::Null };
        let docs = app.anonymous().get("/_all_docs").await.expect(200).json()["total_rows"].clone();
        (search, listed, docs, app.anonymous().get("/@ada%2fx").await.status.as_u16())
    };
    assert_eq!(found().await, (json!(1), json!("write"), json!(1), 200));
    let ada = app.logged_in("ada").await;
    let page = ada.get(MAKE_PRIVATE).await.expect(200);
    let text = page.text("main");
    assert!(text.contains("leaves search, listings, feeds and profiles at once"), "{text}");
    assert!(text.contains("can only read then, as they were given: bob"), "{text}");
    assert!(text.contains("no plan, so they cannot install it any more: bob"), "{text}");
    let page = ada.submit_and_follow(page.form(MAKE_PRIVATE).press("close", "1")).await.expect(200);
    assert_eq!(page.text(".badge"), "private");
    assert_eq!(found().await, (json!(0), Value::Null, json!(0), 404));
    app.browser().get(PAGE).await.expect(404);
    assert_eq!(ada.get(MAKE_PRIVATE).await.expect(303).location(), PAGE);
}

/// A browser that somebody with an authenticator has logged in with.
pub(crate) async fn with_code<'a>(app: &'a TestApp, name: &str, phone: &Phone) -> Browser<'a> {
    let browser = app.browser();
    let login = browser.get("/login").await.form("/login").fill("name", name).fill("password", PASSWORD);
    let asked = browser.submit(login).await.expect(200);
    browser.submit(asked.form("/login").fill("code", &phone.code(app.clock.now()))).await.expect(303);
    browser
}

#[tokio::test]
async fn an_account_with_a_second_factor_shows_it_and_goes_on_with_what_it_had_begun() {
    let app = ada_with_package().await;
    app.user("bob").await;
    let ada_cli = app.token("ada", Narrowing::default(), None).await;
    let (phone, _) = enable(&app, &ada_cli, "auth-and-writes").await;
    let ada = with_code(&app, "ada", &phone).await;
    later(&app);
    let page = ada.get(PAGE).await.expect(200);
    let asked = ada.submit(adding(&page, PAGE, "bob")).await.expect(200);
    assert!(asked.text("h1").contains("Confirm that it is you"));
    let form = asked.form("/package/@ada%2fx/access").fill("_code", &phone.code(app.clock.now()));
    let page = ada.submit_and_follow(form).await.expect(200);
    assert_eq!(pressed(&page, "bob"), ["read-only"]);
    // And is not asked again with every click.
    let page = ada.submit_and_follow(line(&page, PAGE, "bob").press("level", "read-write")).await.expect(200);
    assert_eq!(pressed(&page, "bob"), ["read-write"]);
}
