//! The pages of who administers the instance.

use chrono::TimeDelta;
use strongroom::config::{BillingProvider, Config, Signup};
use strongroom::error::Error;
use strongroom::names::AccountName;
use strongroom::policy::{self, Actor, InstanceAction, InstancePermit, Narrowing, Principal};

use crate::mail::by;
use crate::support::app::{ADDRESS, PASSWORD, Package, TestApp};
use crate::support::browser::{Browser, Page};
use crate::support::smtp::Smtp;

const PAGES: [&str; 12] = [
    "/admin",
    "/admin/users",
    "/admin/invitations",
    "/admin/organizations",
    "/admin/packages",
    "/admin/licences",
    "/admin/plans",
    "/admin/jobs",
    "/admin/audit",
    "/admin/health",
    "/admin/configuration",
    "/admin/message",
];

async fn post(browser: &Browser<'_>, on: &str, action: &str, fields: &[(&str, &str)]) -> Page {
    // The first form is often the one that searches.
    let forms = browser.get(on).await.expect(200).forms(action);
    let form = forms.into_iter().find(|form| form.method == "post").expect("a form that is sent");
    browser.submit(fields.iter().fold(form, |form, (name, value)| form.fill(name, value))).await
}

/// A deed to an account, by its button.
async fn change(browser: &Browser<'_>, user: &str, deed: &str) -> Page {
    let fields = [("user", user), ("do", deed)];
    post(browser, "/admin/users?q=bob", "/admin/users/change", &fields).await
}

#[tokio::test]
async fn every_page_of_administrators_is_nothing_to_everybody_else_and_asks_again_who_they_are() {
    let app = TestApp::new().await;
    app.user("bob").await;
    app.administrator("warden").await;
    let (bob, warden) = (app.session("bob").await, app.session("warden").await);
    for path in PAGES {
        assert_eq!(
            app.browser().get(path).await.expect(303).location(),
            format!("/login?then={}", path.replace('/', "%2F"))
        );
        let nothing = bob.get(path).await.expect(404);
        assert_eq!(nothing.text("main p"), bob.get("/admin/nothing").await.expect(404).text("main p"));
        let page = warden.get(path).await.expect(200);
        assert_eq!(page.texts("nav.tabs [aria-current]").len(), 1, "{path}");
        assert!(page.text("main").contains("You are asked again who you are in 1"), "{path}");
    }
    app.clock.set(app.clock.now() + TimeDelta::minutes(16));
    for path in PAGES {
        assert_eq!(warden.get(path).await.expect(200).text("h1"), "Confirm that it is you", "{path}");
    }
    let asked = warden.get("/admin/users").await;
    let sent = warden.submit(asked.form("/confirm").fill("_password", PASSWORD)).await.expect(303);
    assert_eq!(sent.location(), "/admin/users");
    warden.get("/admin/users").await.expect(200);
}

#[tokio::test]
async fn administrators_create_switch_and_help_users() {
    let app = TestApp::new().await;
    let bob = app.user("bob").await;
    app.administrator("warden").await;
    let warden = app.session("warden").await;
    let fields = [("name", "eve"), ("email", "no address"), ("password", "short")];
    let refused = post(&warden, "/admin/users", "/admin/users", &fields).await.expect(422);
    assert_eq!(refused.attributes(".summary a", "href"), ["#email", "#password"]);
    assert_eq!(refused.attributes("#name", "value"), ["eve"]);
    assert!(!refused.html().contains("value=\"short\""));
    let fields = [("name", "eve"), ("email", "eve@example.com"), ("password", PASSWORD)];
    post(&warden, "/admin/users", "/admin/users", &fields).await.expect(303);
    app.logged_in("eve").await.get("/").await.expect(200);
    assert!(
        post(&warden, "/admin/users", "/admin/users", &fields)
            .await
            .expect(422)
            .text("#name-problem")
            .contains("taken")
    );
    // Off, and on again.
    change(&warden, "bob", "disable").await.expect(303);
    bob.get("/-/whoami").await.expect(401);
    assert!(warden.get("/admin/users?q=bob").await.text("tbody").contains("off"));
    change(&warden, "bob", "enable").await.expect(303);
    bob.get("/-/whoami").await.expect(200);
    // An administrator, and none again.
    change(&warden, "bob", "promote").await.expect(303);
    let session = app.session("bob").await;
    session.get("/admin").await.expect(200);
    // Nobody does any of this to themselves: one is always left.
    for deed in ["disable", "demote"] {
        let own = post(&session, "/admin/users?q=eve", "/admin/users/change", &[("user", "bob"), ("do", deed)]).await;
        assert!(own.expect(422).text(".summary").contains("your own account"));
    }
    change(&warden, "bob", "demote").await.expect(303);
    session.get("/admin").await.expect(404);
    change(&warden, "bob", "forget-factor").await.expect(303);
    change(&warden, "bob", "send-reset").await.expect(303);
    change(&warden, "bob", "no such deed").await.expect(422);
    change(&warden, "nobody", "disable").await.expect(422);
    // By mail address, too; and who is sought in vain is said.
    assert_eq!(warden.get("/admin/users?q=eve@example").await.texts("tbody tr").len(), 1);
    assert!(warden.get("/admin/users?q=zzz").await.text(".empty").contains("No user fits"));
    let log = warden.get("/admin/audit?q=user.").await.text("table");
    for action in ["user.create", "user.disable", "user.enable", "user.administrator"] {
        assert!(log.contains(action), "{action} is not in {log}");
    }
    assert!(log.contains("warden"));
}

/// Everything that this administrator may do, as found before whatever comes next.
async fn permit(app: &TestApp, name: &str) -> InstancePermit {
    let id = app.app.users.find(&name.parse().expect("a name")).await.expect("an answer").expect("a user").id;
    let account = app.app.users.facts(id).await.expect("an answer").expect("facts");
    let actor = Actor::User(Principal::standing_in(account, ADDRESS.into()));
    policy::permit_instance(&actor, InstanceAction::ChangeAccounts).expect("a permit")
}

#[tokio::test]
async fn two_administrators_do_not_take_it_from_each_other_in_the_same_moment() {
    let app = TestApp::new().await;
    app.administrator("ada").await;
    app.administrator("bea").await;
    let pool = app.pool().await;
    let [ada, bea]: [AccountName; 2] = ["ada", "bea"].map(|name| name.parse().expect("a name"));
    let users = &app.app.users;
    for (one, other) in [("demote", "demote"), ("disable", "disable"), ("demote", "disable")] {
        sqlx::query("update accounts set administrator = true, disabled_at = null").execute(&pool).await.expect("set");
        for name in [&ada, &bea] {
            users.set_disabled(name, false).await.expect("forgotten by the cache");
        }
        // Both are found to be allowed to before either of them does it.
        let (of_ada, of_bea) = (permit(&app, "ada").await, permit(&app, "bea").await);
        let deed = async |permit: &InstancePermit, to: &AccountName, deed: &str| match deed {
            "demote" => users.set_administrator(permit, to, false).await,
            _ => users.switch(permit, to, true).await,
        };
        let (first, second) = tokio::join!(deed(&of_ada, &bea, one), deed(&of_bea, &ada, other));
        assert!(first.is_ok() != second.is_ok(), "{one}, {other}: {first:?}, {second:?}");
        let refused = first.and(second).expect_err("one of them was too late");
        assert!(matches!(refused, Error::Forbidden(_) | Error::DeadCredential), "{one}, {other}: {refused:?}");
        let left: i64 = sqlx::query_scalar("select count(*) from accounts where administrator and disabled_at is null")
            .fetch_one(&pool)
            .await
            .expect("a count");
        assert_eq!(left, 1, "{one}, {other}");
    }
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let app = TestApp::new().await;
    app.administrator("ada").await;
    app.user("bob").await;
    let ada: AccountName = "ada".parse().expect("a name");
    let operator = policy::permit_instance(&Actor::Operator, InstanceAction::ChangeAccounts).expect("a permit");
    for refused in [
        app.app.users.set_administrator(&operator, &ada, false).await,
        app.app.users.switch(&operator, &ada, true).await,
    ] {
        assert!(
            matches!(&refused, Err(Error::Unprocessable(why)) if why.contains("last administrator")),
            "{refused:?}"
        );
    }
    app.session("ada").await.get("/admin").await.expect(200);
    let bob = "bob".parse().expect("a name");
    app.app.users.set_administrator(&operator, &bob, true).await.expect("another one");
    app.app.users.set_administrator(&operator, &ada, false).await.expect("no longer the last");
}

const INVITATIONS: &str = "/admin/invitations";

fn by_invitation(config: &mut Config) {
    config.auth.signup = Some(Signup::Invite);
}

/// Makes an account by an invitation's link, as its reader does.
async fn arrive(app: &TestApp, link: &str, name: &str) {
    let path = link.strip_prefix("http://registry.test").expect("an address of ours");
    let browser = app.browser();
    let to_form = browser.get(path).await.expect(303).location();
    let form = browser.get(&to_form).await.expect(200).form("/signup");
    browser.submit(form.fill("name", name).fill("password", PASSWORD)).await.expect(303);
}

#[tokio::test]
async fn administrators_invite_people_who_then_make_their_accounts() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(|config| {
        by_invitation(config);
        by(&smtp)(config);
    })
    .await;
    app.administrator("warden").await;
    let warden = app.session("warden").await;
    // A list with a mistake invites nobody, and is shown again.
    let list = "ada@example.com, nobody";
    let wrong = post(&warden, INVITATIONS, INVITATIONS, &[("people", list)]).await.expect(422);
    assert!(wrong.text("#people-problem").contains("nobody is no mail address"), "{}", wrong.text("main"));
    assert_eq!(wrong.text("#people"), list);
    let taken = post(&warden, INVITATIONS, INVITATIONS, &[("people", "warden@example.com")]).await.expect(422);
    assert!(taken.text("#people-problem").contains("warden has this address"), "{}", taken.text("#people-problem"));
    let sent = post(&warden, INVITATIONS, INVITATIONS, &[("people", "ada@example.com\nbob@example.com\n")]).await;
    let page = warden.get(&sent.expect(303).location()).await;
    assert!(page.text(".bar.ok").contains("2 invitations made"), "{}", page.text(".bar.ok"));
    assert_eq!(page.texts("tbody th"), ["ada@example.com", "bob@example.com"]);
    assert!(
        page.text("tbody").contains("warden") && page.text("tbody").contains("in 6 days"),
        "{}",
        page.text("tbody")
    );
    app.run_chore("mail.deliver").await;
    let first = smtp.take_letter_to("ada@example.com").link().to_owned();
    assert!(!page.html().contains("/invite/"), "the link is in the letter alone");
    // Sent again, the link before is over.
    app.clock.set(app.clock.now() + TimeDelta::minutes(2));
    let again = warden.get(INVITATIONS).await.forms("/admin/invitations/change").remove(0).press("do", "resend");
    warden.submit(again).await.expect(303);
    app.run_chore("mail.deliver").await;
    let second = smtp.take_letter_to("ada@example.com").link().to_owned();
    app.browser().get(first.strip_prefix("http://registry.test").expect("a path")).await.expect(404);
    arrive(&app, &second, "ada").await;
    assert_eq!(warden.get(INVITATIONS).await.texts("tbody th"), ["bob@example.com"]);
    let back = warden.get(INVITATIONS).await.form("/admin/invitations/change").press("do", "revoke");
    assert!(warden.submit_and_follow(back).await.text(".empty").contains("No invitation waits"));
    for wrong in ["no such deed", "resend"] {
        let forged = page.forms("/admin/invitations/change").remove(1).press("do", wrong);
        warden.submit(forged).await.expect(422);
    }
    let log = warden.get("/admin/audit?q=invitation.").await.text("tbody");
    for action in ["invitation.create", "invitation.resend", "invitation.revoke"] {
        assert!(log.contains(action), "{action} is not in {log}");
    }
}

#[tokio::test]
async fn links_are_handed_over_where_no_mail_is_sent_and_invitations_are_made_where_they_are_good_for_something() {
    let app = TestApp::with(by_invitation).await;
    app.administrator("warden").await;
    let warden = app.session("warden").await;
    let list = "ada@example.com warden@example.com";
    let made = post(&warden, INVITATIONS, INVITATIONS, &[("people", list)]).await.expect(200);
    let link = made.text("section.panel .command code");
    assert!(made.text("section.panel").contains("1 invitation made"), "{}", made.text("section.panel"));
    assert!(made.text("section.panel li").contains("warden has this address"), "{}", made.text("section.panel"));
    assert!(!warden.get(INVITATIONS).await.html().contains("/invite/"), "shown this once");
    app.clock.set(app.clock.now() + TimeDelta::minutes(2));
    let again = warden.get(INVITATIONS).await.form("/admin/invitations/change").press("do", "resend");
    let renewed = warden.submit(again).await.expect(200).text("section.panel .command code");
    assert_ne!(link, renewed);
    arrive(&app, &renewed, "ada").await;
    for (signup, words) in [(Signup::Open, "Sign-up is open"), (Signup::Closed, "Sign-up is closed")] {
        let app = TestApp::with(|config| config.auth.signup = Some(signup)).await;
        app.administrator("warden").await;
        let warden = app.session("warden").await;
        let page = warden.get(INVITATIONS).await.expect(200);
        assert!(page.text("main").contains(words) && page.forms(INVITATIONS).is_empty(), "{}", page.text("main"));
    }
}

#[tokio::test]
async fn who_administers_no_longer_invites_nobody() {
    let app = TestApp::with(by_invitation).await;
    app.administrator("warden").await;
    let stale = permit(&app, "warden").await;
    let operator = policy::permit_instance(&Actor::Operator, InstanceAction::ChangeAccounts).expect("a permit");
    app.administrator("other").await;
    let warden = "warden".parse().expect("a name");
    app.app.users.set_administrator(&operator, &warden, false).await.expect("no longer");
    let email = "ada@example.com".parse().expect("an address");
    let refused = app.app.invitations.invite_to_instance(&stale, &email).await;
    assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
    assert!(app.app.invitations.invite_to_instance(&operator, &email).await.expect("a link").url.is_some());
}

#[tokio::test]
async fn administrators_see_names_and_numbers_and_open_nothing() {
    let app = TestApp::new().await;
    let bob = app.user("bob").await;
    app.administrator("warden").await;
    let mut package = Package::new("@bob/secret", "1.0.0");
    package.manifest = serde_json::json!({ "description": "inner workings", "license": "MIT" });
    bob.publish(&package).await.expect(201);
    app.organization("crew", "bob", &[]).await;
    let warden = app.session("warden").await;
    let packages = warden.get("/admin/packages?q=secret").await.expect(200);
    assert!(packages.text("tbody").starts_with("@bob/secret private 1"), "{}", packages.text("tbody"));
    assert!(packages.text("main").contains("stays closed to administrators"));
    assert!(!packages.html().contains("inner workings"));
    assert!(warden.get("/admin/licences").await.text("tbody").contains("MIT 1"));
    assert!(warden.get("/admin/organizations").await.text("tbody").contains("crew 1 0 paid"));
    assert!(warden.get("/admin").await.text("dl").contains("1, 0 of them public, in 1 versions"));
    let credential = app.token("warden", Narrowing::default(), None).await;
    credential.get("/@bob%2fsecret").await.expect(404);
    assert_eq!(credential.get("/-/v1/search?text=secret").await.json()["total"], 0);
}

#[tokio::test]
async fn administrators_say_who_is_paid() {
    let app = TestApp::with(|config| config.billing.provider = BillingProvider::Manual).await;
    let bob = app.user("bob").await;
    app.administrator("warden").await;
    let warden = app.session("warden").await;
    bob.publish(&Package::new("@bob/one", "1.0.0")).await.expect(402);
    let fields = [("account", "bob"), ("paid", "paid")];
    let set = warden.submit_and_follow(fill(&warden, &fields).await).await.expect(200);
    assert!(set.text(".bar.ok").contains("bob is paid"), "{}", set.text(".bar.ok"));
    bob.publish(&Package::new("@bob/one", "1.0.0")).await.expect(201);
    let day = (app.clock.now() + TimeDelta::days(3)).format("%Y-%m-%d").to_string();
    warden.submit(fill(&warden, &[("account", "bob"), ("paid", "paid"), ("until", &day)]).await).await.expect(303);
    assert!(warden.get("/admin/plans?q=bob").await.text("tbody").contains(&format!("paid until {day}")));
    app.clock.set(app.clock.now() + TimeDelta::minutes(1));
    let one_click = warden.get("/admin/plans?q=bob").await.forms("/admin/plans").remove(2).press("paid", "unpaid");
    warden.submit(one_click).await.expect(303);
    bob.get("/@bob%2fone").await.expect(402);
    for fields in [
        [("account", "nobody"), ("paid", "paid"), ("until", "")],
        [("account", "bob"), ("paid", "perhaps"), ("until", "")],
        [("account", "bob"), ("paid", "paid"), ("until", "tomorrow")],
    ] {
        let page = warden.submit(fill(&warden, &fields).await).await.expect(422);
        assert_eq!(page.attributes("#account", "value"), [fields[0].1]);
    }
}

async fn fill(warden: &Browser<'_>, fields: &[(&str, &str)]) -> crate::support::browser::FilledForm {
    let form = warden.get("/admin/plans").await.expect(200).forms("/admin/plans").remove(0);
    fields.iter().fold(form, |form, (name, value)| form.fill(name, value))
}

#[tokio::test]
async fn administrators_have_background_work_done() {
    let app = TestApp::new().await;
    app.administrator("warden").await;
    let warden = app.session("warden").await;
    let page = warden.get("/admin/jobs").await.expect(200);
    assert_eq!(page.texts("tbody tr").len(), strongroom::chores::all().len());
    let run = page.form("/admin/jobs").press("chore", "access.expire");
    let done = warden.submit_and_follow(run).await.expect(200);
    assert!(done.text(".bar.ok").contains("access.expire is done"), "{}", done.text(".bar.ok"));
    let line = done.texts("tbody tr").into_iter().find(|line| line.starts_with("access.expire")).expect("a line");
    // By the database's clock, which no test holds.
    assert!(!line.contains("never") && line.contains("well"), "{line}");
    let unknown = page.form("/admin/jobs").press("chore", "no.such");
    assert!(warden.submit(unknown).await.expect(422).text(".summary").contains("no such job"));
    assert!(warden.get("/admin/audit?q=chore.run").await.text("tbody").contains("access.expire"));
}

#[tokio::test]
async fn a_message_is_on_every_page_until_it_is_taken_away_or_over() {
    let app = TestApp::new().await;
    app.administrator("warden").await;
    let other = app.second_node().await;
    let warden = app.session("warden").await;
    for wrong in ["", &"x".repeat(301)] {
        post(&warden, "/admin/message", "/admin/message", &[("sentence", wrong)]).await.expect(422);
    }
    let past = [("sentence", "x"), ("until", "2000-01-01T00:00")];
    post(&warden, "/admin/message", "/admin/message", &past).await.expect(422);
    let fields = [("sentence", "Back at noon <b>"), ("urgent", "yes")];
    post(&warden, "/admin/message", "/admin/message", &fields).await.expect(303);
    assert_eq!(app.browser().get("/login").await.text(".bar.danger"), "Back at noon <b>");
    // What a node acknowledges, others know within a second.
    let heard = async { while other.browser().get("/login").await.text(".bar").is_empty() {} };
    tokio::time::timeout(std::time::Duration::from_secs(5), heard).await.expect("heard");
    let clear = warden.get("/admin/message").await.forms("/admin/message").remove(1).press("clear", "yes");
    warden.submit(clear).await.expect(303);
    assert!(app.browser().get("/login").await.texts(".bar").is_empty());
    let until = (app.clock.now() + TimeDelta::minutes(2)).format("%Y-%m-%dT%H:%M").to_string();
    let fields = [("sentence", "For a moment"), ("until", &until)];
    post(&warden, "/admin/message", "/admin/message", &fields).await.expect(303);
    assert_eq!(app.browser().get("/").await.text(".bar.warn"), "For a moment");
    app.clock.set(app.clock.now() + TimeDelta::minutes(3));
    assert!(app.browser().get("/").await.texts(".bar.warn").is_empty());
}

#[tokio::test]
async fn the_configuration_is_shown_without_its_secrets() {
    let layers = strongroom::config::Layers {
        environment: vec![
            ("STRONGROOM__DATABASE__URL".into(), "postgres://u:hunter2@host/d".into()),
            ("STRONGROOM__LIMITS__MAX_FILES".into(), "7".into()),
        ],
        ..Default::default()
    };
    let listing = strongroom::config::load(&layers).expect("a configuration").0.listing;
    let app = TestApp::with(|config| config.listing = listing).await;
    app.administrator("warden").await;
    let warden = app.session("warden").await;
    let page = warden.get("/admin/configuration").await.expect(200);
    assert!(!page.html().contains("hunter2"));
    let row = |key: &str| page.texts("tbody tr").into_iter().find(|row| row.starts_with(key)).expect("a row");
    assert_eq!(row("database.url "), "database.url (set) (unset) STRONGROOM__DATABASE__URL");
    assert_eq!(row("limits.max_files "), "limits.max_files 7 100000 STRONGROOM__LIMITS__MAX_FILES");
    assert!(row("secrets.key ").ends_with("(unset) same default"));
    let health = warden.get("/admin/health").await.expect(200);
    assert_eq!(health.texts("ul.plain .badge.danger").len(), 0, "{}", health.text("ul.plain"));
}

#[tokio::test]
async fn an_administrator_with_a_second_factor_shows_it() {
    let app = TestApp::new().await;
    app.administrator("warden").await;
    let pool = app.pool().await;
    sqlx::query("update accounts set second_factor = 'auth-only' where name = 'warden'")
        .execute(&pool)
        .await
        .expect("set");
    let warden = app.session("warden").await;
    // The session was opened a moment ago by who showed it then.
    warden.get("/admin").await.expect(200);
    app.clock.set(app.clock.now() + TimeDelta::minutes(16));
    let asked = warden.get("/admin").await.expect(200);
    assert_eq!(asked.attributes("main form input[required]", "name"), ["_code"]);
}
