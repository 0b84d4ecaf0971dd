//! The access page beyond the people on it: reminders, open invitations, accounts that were switched off.

use axum::body::Body;
use chrono::TimeDelta;
use serde_json::json;
use strongroom::policy::{BillingFlag, Permission};

use crate::access_page::{add, adding, line, row};
use crate::mail::by;
use crate::noticing::{letters_to, subjects};
use crate::support::app::{Package, TestApp};
use crate::support::browser::{Browser, Page};
use crate::support::smtp::Smtp;

const PAGE: &str = "/package/@ada/x/access";
const MAKE_PUBLIC: &str = "/package/@ada/x/access/public";
const MAKE_PRIVATE: &str = "/package/@ada/x/access/private";
const DAY: TimeDelta = TimeDelta::days(1);

/// A package of ada's that was shared with bob, who then lost his plan.
async fn shared_with_bob(app: &TestApp) -> Browser<'_> {
    app.user("ada").await.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);
    app.user("bob").await;
    let ada = app.session("ada").await;
    add(&ada, PAGE, "bob").await;
    app.set_billing("bob", BillingFlag::Unpaid).await;
    ada
}

/// Whom the page offers to remind.
fn offered(page: &Page) -> Vec<String> {
    page.attributes("button[name=remind]", "aria-label")
}

async fn count_reminders(app: &TestApp) -> i64 {
    let count = "select count(*) from audit_events where action = 'access.remind' and outcome = 'done'
        and subject = '@ada/x' and detail ->> 'user' = 'bob' and actor = 'ada'";
    sqlx::query_scalar(count).fetch_one(&app.pool().await).await.expect("a count")
}

#[tokio::test]
async fn who_cannot_install_for_want_of_a_plan_is_reminded_once_a_day() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let ada = shared_with_bob(&app).await;
    letters_to(&app, &smtp, "bob").await;

    let page = ada.get(PAGE).await.expect(200);
    assert!(row(&page, "bob").contains("no plan: cannot install yet"), "{}", row(&page, "bob"));
    assert_eq!(offered(&page), ["Send reminder to bob"]);
    let button = line(&page, PAGE, "bob").press("remind", "1");
    let page = ada.submit_and_follow(button.clone()).await.expect(200);
    assert!(page.text("[role=status]").contains("bob is reminded"), "{}", page.text("[role=status]"));
    assert!(row(&page, "bob").contains("reminded just now"), "{}", row(&page, "bob"));
    assert!(offered(&page).is_empty());
    let letters = letters_to(&app, &smtp, "bob").await;
    assert_eq!(subjects(&letters), ["@ada/x waits for you to pick a plan"]);
    assert!(letters[0].body.contains("ada shared @ada/x with you"), "{}", letters[0].body);
    assert!(letters[0].body.contains("http://registry.test/settings/billing"));
    assert_eq!(count_reminders(&app).await, 1);

    // Neither an old page nor a patient clicker gets past the day.
    app.clock.set(app.clock.now() + DAY - TimeDelta::seconds(1));
    let refused = ada.submit(button.clone()).await.expect(422);
    assert!(refused.text(".summary").contains("bob was last reminded of @ada/x on"), "{}", refused.text(".summary"));
    assert_eq!(count_reminders(&app).await, 1);
    app.clock.set(app.clock.now() + TimeDelta::seconds(1));
    assert_eq!(offered(&ada.get(PAGE).await).len(), 1);
    ada.submit(button.clone()).await.expect(303);
    assert_eq!(letters_to(&app, &smtp, "bob").await.len(), 1);

    // Who has picked a plan before the letter is written is told nothing, and needs no reminder after.
    app.clock.set(app.clock.now() + DAY);
    ada.submit(button.clone()).await.expect(303);
    app.set_billing("bob", BillingFlag::Paid { until: None }).await;
    assert!(letters_to(&app, &smtp, "bob").await.is_empty());
    assert!(offered(&ada.get(PAGE).await).is_empty());
    app.clock.set(app.clock.now() + DAY);
    let refused = ada.submit(button).await.expect(422);
    assert!(refused.text(".summary").contains("needs no other plan"), "{}", refused.text(".summary"));
}

#[tokio::test]
async fn only_who_gives_access_sends_reminders_and_nobody_promises_mail_that_is_not_sent() {
    let app = TestApp::new().await;
    let ada = shared_with_bob(&app).await;
    for name in ["reader", "stranger"] {
        app.user(name).await;
    }
    app.grant("@ada/x", "reader", Permission::ReadWrite).await;
    let reader = app.session("reader").await;
    let page = reader.get(PAGE).await.expect(200);
    assert!(offered(&page).is_empty());
    let forged = line(&page, PAGE, "reader").fill("who", "bob").press("remind", "1");
    reader.submit(forged.clone()).await.expect(403);
    let stranger = app.session("stranger").await;
    let code = stranger.get("/nothing").await.attributes("input[name=_form]", "value").remove(0);
    stranger.submit(forged.fill("_form", &code)).await.expect(404);

    let button = line(&ada.get(PAGE).await, PAGE, "bob").press("remind", "1");
    let refused = ada.submit(button.clone()).await.expect(422);
    let sentence = refused.text(".summary");
    assert!(sentence.contains("sends no mail") && sentence.contains("/settings/billing"), "{sentence}");
    assert_eq!(count_reminders(&app).await, 0);
    // While the owner's own plan is missing, a plan of bob's would help nobody.
    app.set_billing("ada", BillingFlag::Unpaid).await;
    assert!(offered(&ada.get(PAGE).await.expect(200)).is_empty());
    ada.submit(button).await.expect(402);
}

#[tokio::test]
async fn reminders_reach_those_alone_who_were_named_and_take_such_mail() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let ada = shared_with_bob(&app).await;
    let bob = app.session("bob").await;
    let wishes = bob.get("/settings/notifications").await.expect(200).forms("/settings/notifications").pop();
    bob.submit(wishes.expect("a form").without("access")).await.expect(303);
    letters_to(&app, &smtp, "bob").await;
    let button = line(&ada.get(PAGE).await, PAGE, "bob").press("remind", "1");
    for (who, sentence) in [("nobody", "no user nobody"), ("ada", "given nothing"), ("NOT A NAME", "name")] {
        let refused = ada.submit(button.clone().fill("who", who)).await.expect(422);
        assert!(refused.text(".summary").contains(sentence), "{who}: {}", refused.text(".summary"));
    }
    ada.submit(button).await.expect(303);
    assert!(letters_to(&app, &smtp, "bob").await.is_empty(), "he has switched such mail off");
}

/// Invites somebody by mail address, and takes the link that nobody sends.
async fn invite(ada: &Browser<'_>, email: &str) -> String {
    let page = add(ada, PAGE, email).await;
    let notice = page.text("[role=status]");
    let (_, link) = notice.split_once("http://registry.test").unwrap_or_else(|| panic!("no link: {notice}"));
    link.split_whitespace().next().expect("a path").to_owned()
}

#[tokio::test]
async fn who_is_invited_is_named_before_the_package_is_public_and_can_write_after() {
    let app = TestApp::new().await;
    let cli = app.user("ada").await;
    cli.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);
    let eve = app.user("eve").await;
    // Who has no plan may work on public packages.
    app.set_billing("eve", BillingFlag::Unpaid).await;
    let ada = app.logged_in("ada").await;
    invite(&ada, "late@example.com").await;
    app.clock.set(app.clock.now() + TimeDelta::days(8));
    let ada = app.logged_in("ada").await;
    assert!(ada.get(MAKE_PUBLIC).await.expect(200).texts("#invited").is_empty(), "what has ended gives nothing");
    let link = invite(&ada, "eve@example.com").await;

    let page = ada.get(MAKE_PUBLIC).await.expect(200);
    let invited = page.texts("#invited + ul li");
    assert_eq!(invited.len(), 1, "{invited:?}");
    assert!(invited[0].starts_with("eve@example.com read-only, invited by ada just now, ends in"), "{invited:?}");
    assert!(page.text("#invited").contains("can publish as soon as they accept"));
    ada.submit(page.form(MAKE_PUBLIC).fill("typed", "@ada/x")).await.expect(303);
    eve.publish(&Package::new("@ada/x", "1.1.0")).await.expect(403);
    let browser = app.session("eve").await;
    let asked = browser.get(&link).await.expect(200);
    browser.submit(asked.form(&link).press("decision", "accept")).await.expect(303);
    eve.publish(&Package::new("@ada/x", "1.1.0")).await.expect(201);

    // Private again, what she was invited to is what counts, and who hosts private packages pays.
    let page = ada.get(MAKE_PRIVATE).await.expect(200);
    assert!(page.text("main").contains("as they were given: eve"), "{}", page.text("main"));
    ada.submit(page.form(MAKE_PRIVATE).press("close", "1")).await.expect(303);
    eve.get("/@ada%2fx").await.expect(402);
    app.set_billing("eve", BillingFlag::Paid { until: None }).await;
    eve.get("/@ada%2fx").await.expect(200);
    eve.publish(&Package::new("@ada/x", "1.2.0")).await.expect(403);
}

#[tokio::test]
async fn whose_account_was_switched_off_can_still_be_taken_out() {
    let app = TestApp::new().await;
    let cli = app.user("ada").await;
    cli.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);
    for name in ["bob", "carl", "dave"] {
        app.user(name).await;
    }
    app.organization("crew", "ada", &[("dave", "developer")]).await;
    cli.json("PUT", "/-/org/crew/team", &json!({ "name": "ops" })).await.expect(200);
    cli.json("PUT", "/-/team/crew/ops/user", &json!({ "user": "dave" })).await.expect(200);
    app.grant("@ada/x", "bob", Permission::ReadWrite).await;
    app.grant("@ada/x", "carl", Permission::ReadWrite).await;
    for name in ["bob", "carl", "dave"] {
        app.app.users.set_disabled(&name.parse().expect("a name"), true).await.expect("off");
    }
    let ada = app.session("ada").await;
    let page = ada.get(PAGE).await.expect(200);
    let page = ada.submit_and_follow(line(&page, PAGE, "bob").press("remove", "1")).await.expect(200);
    assert_eq!(row(&page, "bob"), "");
    assert!(page.forms(PAGE).iter().all(|form| form.fields.iter().all(|(name, _)| name != "restore")), "no way back");
    cli.send("DELETE", "/-/strongroom/v1/package/@ada%2fx/access/carl", &[], Body::empty()).await.expect(200);
    assert_eq!(row(&ada.get(PAGE).await, "carl"), "");

    let (team, action) = ("/org/crew/teams/ops", "/org/crew/teams/ops/members/remove");
    let form = ada.get(team).await.expect(200).form(action).fill("user", "dave");
    ada.submit(form).await.expect(303);
    assert!(ada.get(team).await.forms(action).is_empty());
    let (members, action) = ("/org/crew/members", "/org/crew/members/remove");
    let form = ada.get(members).await.expect(200).form(action).fill("user", "dave");
    ada.submit(form).await.expect(303);
    assert_eq!(ada.get(members).await.texts("tbody th").len(), 1);
    // Nobody who is switched off is let in by that.
    let refused = ada.submit(adding(&ada.get(PAGE).await, PAGE, "bob")).await.expect(422);
    assert!(refused.text(".summary").contains("no user bob"), "{}", refused.text(".summary"));
}

#[tokio::test]
async fn who_has_no_plan_is_told_who_shared_the_package() {
    let app = TestApp::new().await;
    let _ada = shared_with_bob(&app).await;
    let page = app.session("bob").await.get("/package/@ada/x").await.expect(402);
    assert!(page.text("main").contains("ada shared it with you just now: read-only."), "{}", page.text("main"));
    assert!(page.text(".bar.warn").contains("bob has no plan"), "{}", page.text(".bar.warn"));
    assert!(!page.html().contains("<h1>Hi"), "no README");
    // Who owns it was given nothing by anybody.
    app.set_billing("ada", BillingFlag::Unpaid).await;
    let page = app.session("ada").await.get("/package/@ada/x").await.expect(402);
    assert!(!page.text("main").contains("shared with"), "{}", page.text("main"));
}
