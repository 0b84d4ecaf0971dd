//! The pages of organizations.

use chrono::TimeDelta;
use serde_json::json;
use strongroom::config::BillingProvider;
use strongroom::policy::{BillingFlag, Permission};

use crate::mail::by;
use crate::support::app::{PASSWORD, Package, TestApp};
use crate::support::browser::{Browser, Page};
use crate::support::smtp::Smtp;

/// An organization with an owner, an admin, a member and packages.
async fn crew(app: &TestApp) {
    for name in ["owner", "captain", "sailor", "stranger"] {
        app.user(name).await;
    }
    app.organization("crew", "owner", &[("captain", "admin"), ("sailor", "developer")]).await;
}

async fn publish(app: &TestApp, user: &str, name: &str, access: &str) {
    let person = app.token(user, strongroom::policy::Narrowing::default(), None).await;
    person.publish(&Package::new(name, "1.0.0").access(access)).await.expect(201);
}

/// Gives an account a second factor as the database has one: how that is set up is tested elsewhere.
async fn turn_on_second_factor(app: &TestApp, name: &str) {
    let pool = app.pool().await;
    let set = "update accounts set second_factor = 'auth-only' where name = $1 returning id";
    let id: i64 = sqlx::query_scalar(set).bind(name).fetch_one(&pool).await.expect("an account");
    // The caches hear of what the room itself would have announced.
    sqlx::query("select pg_notify('strongroom', 'account ' || $1::text)").bind(id).execute(&pool).await.expect("heard");
    let name = name.parse().expect("a name");
    for _ in 0..500 {
        let account = app.app.users.find(&name).await.expect("an answer").expect("a user").id;
        if app.app.users.facts(account).await.expect("facts").is_some_and(|facts| facts.second_factor.is_some()) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    panic!("the change was not heard of");
}

async fn post(browser: &Browser<'_>, on: &str, action: &str, fields: &[(&str, &str)]) -> Page {
    let form = browser.get(on).await.expect(200).form(action);
    browser.submit(fields.iter().fold(form, |form, (name, value)| form.fill(name, value))).await
}

#[tokio::test]
async fn what_waits_for_the_plan_of_an_organization_names_its_page_and_leads_those_there_who_may_pick_one() {
    let app = TestApp::new().await;
    crew(&app).await;
    publish(&app, "owner", "@crew/one", "restricted").await;
    app.set_billing("crew", BillingFlag::Unpaid).await;
    for (user, leads) in [("owner", true), ("captain", false), ("sailor", false)] {
        let person = app.token(user, strongroom::policy::Narrowing::default(), None).await;
        for path in ["/@crew%2fone", "/@crew/one/-/one-1.0.0.tgz"] {
            let refusal = person.get(path).await.expect(402).error();
            assert!(
                refusal.contains("Owners of @crew can renew it at http://registry.test/org/crew/billing"),
                "{refusal}"
            );
            assert!(!refusal.contains("/settings/billing"), "{refusal}");
        }
        let refusal = person.publish(&Package::new("@crew/one", "1.1.0")).await.expect(402).error();
        assert!(refusal.contains("/org/crew/billing"), "{refusal}");
        let browser = app.session(user).await;
        for (path, status) in [("/package/@crew/one", 402), ("/org/crew", 200)] {
            let page = browser.get(path).await.expect(status);
            let links = page.attributes("main .bar a", "href");
            let expected: &[&str] = if leads { &["/org/crew/billing"] } else { &[] };
            assert_eq!(links, expected, "{path} for {user}");
        }
        assert_eq!(browser.get("/org/crew/billing").await.answer.status, if leads { 200 } else { 403 });
    }
}

#[tokio::test]
async fn anybody_creates_an_organization_and_owns_it() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let browser = app.session("ada").await;
    let page = browser.get("/org/new").await.expect(200);
    let made = browser.submit(page.form("/org/new").fill("name", "Crew")).await.expect(303);
    assert_eq!(made.location(), "/org/crew/invite");
    let members = browser.get("/org/crew/members").await.expect(200);
    assert_eq!(members.texts("tbody th"), ["ada you"]);
    // It can be worked with at once: without a provider of plans everything is paid.
    publish(&app, "ada", "@crew/one", "restricted").await;
    assert!(browser.get("/org/crew").await.text("table").contains("@crew/one private"));
    assert!(browser.get("/").await.text("main").contains("crew owner 1 member"));
}

#[tokio::test]
async fn names_that_are_taken_reserved_or_none_are_refused_beside_the_field() {
    let app = TestApp::new().await;
    crew(&app).await;
    let browser = app.session("stranger").await;
    for (name, says) in [
        ("crew", "taken"),
        ("sailor", "taken"),
        ("admin", "reserved"),
        ("npm", "reserved"),
        ("", "must have"),
        ("a b", "may hold only"),
        ("<script>", "must start"),
    ] {
        let page = post(&browser, "/org/new", "/org/new", &[("name", name)]).await.expect(422);
        assert!(page.text("#name-problem").contains(says), "{name}: {}", page.text("#name-problem"));
        assert_eq!(page.attributes("#name", "value"), [name]);
        assert_eq!(page.attributes(".summary a", "href"), ["#name"]);
    }
}

#[tokio::test]
async fn one_user_owns_only_so_many_organizations() {
    let app = TestApp::with(|config| config.limits.organizations_per_user = 2).await;
    app.user("ada").await;
    app.administrator("warden").await;
    let (browser, warden) = (app.session("ada").await, app.session("warden").await);
    for (name, status) in [("one", 303), ("two", 303), ("three", 422)] {
        let page = post(&browser, "/org/new", "/org/new", &[("name", name)]).await.expect(status);
        assert_eq!(status == 422, page.text(".summary").contains("one user may own 2"));
    }
    for name in ["four", "five", "six"] {
        post(&warden, "/org/new", "/org/new", &[("name", name)]).await.expect(303);
    }
    // One that is closed does not count.
    post(&browser, "/org/one/settings", "/org/one/close", &[("confirm", "one")]).await.expect(303);
    post(&browser, "/org/new", "/org/new", &[("name", "three")]).await.expect(303);
}

#[tokio::test]
async fn an_organization_begins_without_a_plan_where_plans_are_sold() {
    let app = TestApp::with(|config| config.billing.provider = BillingProvider::Manual).await;
    app.user("ada").await;
    let browser = app.session("ada").await;
    assert!(browser.get("/org/new").await.text("main").contains("begins without a plan"));
    post(&browser, "/org/new", "/org/new", &[("name", "crew")]).await.expect(303);
    assert!(browser.get("/org/crew").await.expect(200).text(".bar.warn").contains("crew has no plan"));
}

#[tokio::test]
async fn everybody_sees_the_packages_that_they_may_and_members_the_rest_of_the_organization() {
    let app = TestApp::new().await;
    crew(&app).await;
    publish(&app, "owner", "@crew/open", "public").await;
    publish(&app, "owner", "@crew/closed", "restricted").await;
    app.grant("@crew/closed", "stranger", Permission::ReadOnly).await;
    let packages = async |browser: &Browser<'_>| browser.get("/org/crew").await.expect(200).texts("tbody th");
    assert_eq!(packages(&app.browser()).await, ["@crew/open"]);
    assert_eq!(packages(&app.session("stranger").await).await, ["@crew/closed", "@crew/open"]);
    assert_eq!(packages(&app.session("sailor").await).await, ["@crew/closed", "@crew/open"]);
    let outside = app.browser().get("/org/crew").await.expect(200);
    assert!(outside.texts("nav.tabs").is_empty());
    assert!(!outside.html().contains("sailor") && !outside.html().contains("closed"));
    let owner = app.session("owner").await;
    let tabs = owner.get("/org/crew").await.texts("nav.tabs a");
    assert_eq!(tabs, ["Packages", "Members 3", "Teams", "Billing", "Settings", "Export", "Audit log"]);
    assert_eq!(owner.get("/org/crew/billing").await.texts("nav.tabs a"), tabs);
    let of_members = app.session("sailor").await.get("/org/crew").await.texts("nav.tabs a");
    assert_eq!(of_members, ["Packages", "Members 3", "Teams", "Settings"]);
    assert_eq!(owner.get("/org/crew?q=clo").await.texts("tbody th"), ["@crew/closed"]);
    assert!(owner.get("/org/crew?q=zzz").await.text(".empty").contains("zzz"));
    // Users, and names that nobody has, are no organizations.
    for name in ["sailor", "nobody", "Crew", "@crew"] {
        owner.get(&format!("/org/{name}")).await.expect(404);
    }
}

#[tokio::test]
async fn owners_change_roles_and_remove_members_and_can_take_it_back() {
    let app = TestApp::new().await;
    crew(&app).await;
    publish(&app, "owner", "@crew/one", "restricted").await;
    app.grant("@crew/one", "sailor", Permission::ReadOnly).await;
    let browser = app.session("owner").await;
    let page = browser.get("/org/crew/members").await.expect(200);
    assert_eq!(page.texts("tbody th"), ["captain", "owner you", "sailor"]);
    assert!(page.texts("tbody tr")[2].contains("keeps 1 package given by name"));
    let added =
        browser.submit_and_follow(page.form("/org/crew/members").fill("user", "@Stranger").fill("role", "admin"));
    assert!(added.await.text(".bar.ok").contains("stranger is an admin of crew"));
    post(&browser, "/org/crew/members", "/org/crew/members", &[("user", "stranger"), ("role", "member")])
        .await
        .expect(303);
    assert!(browser.get("/org/crew/members?q=str").await.text("tbody [aria-pressed=true]").contains("member"));
    let removal = page.forms("/org/crew/members/remove").remove(2);
    let removed = browser.submit_and_follow(removal).await.expect(200);
    assert!(removed.text(".bar.ok").contains("They keep 1 package"), "{}", removed.text(".bar.ok"));
    app.session("sailor").await.get("/org/crew/members").await.expect(403);
    // Undo is one click.
    let undo = removed
        .forms("/org/crew/members")
        .into_iter()
        .find(|form| form.fields.contains(&("user".into(), "sailor".into())));
    browser.submit(undo.expect("an undo")).await.expect(303);
    app.session("sailor").await.get("/org/crew/members").await.expect(200);
}

#[tokio::test]
async fn the_last_owner_stays() {
    let app = TestApp::new().await;
    crew(&app).await;
    let browser = app.session("owner").await;
    let fields = [("user", "owner"), ("role", "member")];
    let page = post(&browser, "/org/crew/members", "/org/crew/members", &fields).await.expect(422);
    assert!(page.text(".summary").contains("keeps at least one owner"));
    post(&browser, "/org/crew/members", "/org/crew/members/remove", &[("user", "owner")]).await.expect(422);
    post(&browser, "/org/crew/settings", "/org/crew/leave", &[("leave", "crew")]).await.expect(422);
    let list = "owner,member\ncaptain,member";
    let page = post(&browser, "/org/crew/invite", "/org/crew/invite", &[("people", list)]).await.expect(200);
    let page = browser.submit(page.form("/org/crew/invite")).await.expect(422);
    assert!(page.text(".summary").contains("keeps at least one owner"));
    // With a second one the first may go.
    post(&browser, "/org/crew/members", "/org/crew/members", &[("user", "captain"), ("role", "owner")])
        .await
        .expect(303);
    post(&browser, "/org/crew/settings", "/org/crew/leave", &[("leave", "crew")]).await.expect(303);
    browser.get("/org/crew/members").await.expect(403);
}

#[tokio::test]
async fn members_see_who_is_in_and_whom_to_ask() {
    let app = TestApp::new().await;
    crew(&app).await;
    let page = app.session("sailor").await.get("/org/crew/members").await.expect(200);
    assert!(page.text("main").contains("Only owners of @crew can change this: owner"));
    assert_eq!(page.texts("tbody th"), ["captain", "owner", "sailor you"]);
    assert!(page.forms("/org/crew/members/remove").is_empty());
    // How the others log in is none of their business.
    assert!(!page.text("table").contains("Second factor") && !page.text("table").contains("Last seen"));
    let owner = app.session("owner").await.get("/org/crew/members").await.expect(200);
    assert!(owner.text("thead").contains("Second factor") && owner.text("thead").contains("Last seen"));
}

#[tokio::test]
async fn a_pasted_list_is_shown_line_by_line_and_done_in_one_go() {
    let app = TestApp::new().await;
    crew(&app).await;
    for name in ["eve", "finn"] {
        app.user(name).await;
    }
    let browser = app.session("owner").await;
    post(&browser, "/org/crew/teams", "/org/crew/teams", &[("name", "ops")]).await.expect(303);
    let list = "name,role\neve,admin,ops\nfinn\nsailor,admin\nghost\nfinn\ncaptain,king\n";
    let page = post(&browser, "/org/crew/invite", "/org/crew/invite", &[("people", list)]).await.expect(422);
    let rows = page.texts("tbody tr");
    assert!(rows[0].starts_with("2 eve admin ops joins"), "{rows:?}");
    assert!(rows[1].starts_with("3 finn member joins"), "{rows:?}");
    assert!(rows[2].contains("is member now, gets the new role"), "{rows:?}");
    assert!(rows[3].contains("there is no user ghost"), "{rows:?}");
    assert!(rows[4].contains("in this list already") && rows[5].contains("is no role"), "{rows:?}");
    // Nothing to confirm while something is wrong, and nothing was done.
    assert_eq!(page.forms("/org/crew/invite").len(), 1);
    assert_eq!(browser.get("/org/crew/members").await.texts("tbody th").len(), 3);
    let mended = page.form("/org/crew/invite").fill("people", "eve,admin,ops\nfinn\nsailor,admin");
    let preview = browser.submit(mended).await.expect(200);
    assert!(
        preview
            .text("form.panel")
            .contains("2 join, 0 are invited, 1 get another role. crew has 3 members now and 5 then")
    );
    assert!(!preview.text("form.panel").contains("Seats"), "nobody pays here");
    assert_eq!(browser.get("/org/crew/members").await.texts("tbody th").len(), 3);
    let done = browser.submit_and_follow(preview.form("/org/crew/invite")).await.expect(200);
    assert!(done.text(".bar.ok").contains("2 people joined, 0 invitations made"), "{}", done.text(".bar.ok"));
    assert_eq!(done.texts("tbody th").len(), 5);
    assert!(browser.get("/org/crew/teams/ops").await.text("ul.plain").contains("eve"));
    for empty in ["", "\n \n"] {
        post(&browser, "/org/crew/invite", "/org/crew/invite", &[("people", empty)]).await.expect(422);
    }
}

#[tokio::test]
async fn what_changed_since_it_was_looked_at_is_looked_at_again() {
    let app = TestApp::new().await;
    crew(&app).await;
    let browser = app.session("owner").await;
    let preview = post(&browser, "/org/crew/invite", "/org/crew/invite", &[("people", "stranger")]).await.expect(200);
    app.user("eve").await;
    post(&browser, "/org/crew/members", "/org/crew/members", &[("user", "eve"), ("role", "member")]).await.expect(303);
    let again = browser.submit(preview.form("/org/crew/invite")).await.expect(200);
    assert!(again.text("form.panel").contains("4 members now and 5 then"));
}

#[tokio::test]
async fn teams_come_get_people_and_packages_and_go() {
    let app = TestApp::new().await;
    crew(&app).await;
    publish(&app, "owner", "@crew/one", "restricted").await;
    let browser = app.session("captain").await;
    let made = post(&browser, "/org/crew/teams", "/org/crew/teams", &[("name", "Ops"), ("description", "they run it")]);
    assert_eq!(made.await.expect(303).location(), "/org/crew/teams/ops");
    let page = "/org/crew/teams/ops";
    assert!(browser.get("/org/crew/teams").await.text("table").contains("ops they run it 0"));
    post(&browser, page, page, &[("description", "on call")]).await.expect(303);
    let refused = post(&browser, page, &format!("{page}/members"), &[("user", "stranger")]).await.expect(422);
    assert!(refused.text("#user-problem").contains("no member of @crew"));
    assert_eq!(refused.attributes("#user", "value"), ["stranger"]);
    post(&browser, page, &format!("{page}/members"), &[("user", "sailor")]).await.expect(303);
    // Web adds are read-only; one click raises, the X removes, and both say so.
    let given = post(&browser, page, &format!("{page}/packages"), &[("package", "one")]).await.expect(303);
    assert_eq!(given.location(), page);
    let shown = browser.get(page).await.expect(200);
    assert!(shown.text("table [aria-pressed=true]").contains("read-only"), "{}", shown.text("table"));
    let raise = shown.form(&format!("{page}/packages")).press("level", "read-write");
    let shown = browser.submit_and_follow(raise).await.expect(200);
    assert_eq!(shown.texts("table [aria-pressed=true]"), ["read-write"]);
    let removed = browser.submit_and_follow(shown.form(&format!("{page}/packages/remove"))).await.expect(200);
    assert!(removed.texts("table tbody tr").is_empty());
    let undo = removed.forms(&format!("{page}/packages")).remove(0);
    let back = browser.submit_and_follow(undo).await.expect(200);
    assert_eq!(back.texts("table [aria-pressed=true]"), ["read-write"]);
    let other = post(&browser, page, &format!("{page}/packages"), &[("package", "@owner/x")]).await.expect(422);
    assert!(other.text("#package-problem").contains("no package of @crew"));
    let out = post(&browser, page, &format!("{page}/members/remove"), &[("user", "sailor")]).await.expect(303);
    assert_eq!(out.location(), page);
    post(&browser, page, &format!("{page}/delete"), &[("confirm", "op")]).await.expect(422);
    post(&browser, page, &format!("{page}/delete"), &[("confirm", "ops")]).await.expect(303);
    browser.get(page).await.expect(404);
    // The one that every member is in stays as it is.
    let developers = browser.get("/org/crew/teams/developers").await.expect(200);
    assert!(developers.forms("/org/crew/teams/developers/delete").is_empty());
    // A member looks on.
    let sailor = app.session("sailor").await.get("/org/crew/teams").await.expect(200);
    assert!(
        sailor.forms("/org/crew/teams").is_empty() && sailor.text("main").contains("Admins and owners create teams")
    );
}

#[tokio::test]
async fn an_organization_shuts_out_members_without_a_second_factor() {
    let app = TestApp::new().await;
    crew(&app).await;
    publish(&app, "sailor", "@crew/one", "restricted").await;
    app.grant("@crew/one", "stranger", Permission::ReadOnly).await;
    let sailor = app.token("sailor", strongroom::policy::Narrowing::default(), None).await;
    let stranger = app.token("stranger", strongroom::policy::Narrowing::default(), None).await;
    sailor.get("/@crew%2fone").await.expect(200);
    let browser = app.session("owner").await;
    let settings = "/org/crew/settings";
    assert!(browser.get(settings).await.text("#second-factor-hint").contains("3 members without one"));
    let refused = post(&browser, settings, settings, &[("second_factor", "yes")]).await.expect(422);
    assert!(refused.text(".summary").contains("You have no second factor yourself"));
    turn_on_second_factor(&app, "owner").await;
    post(&browser, settings, settings, &[("second_factor", "yes")]).await.expect(303);
    let lacking = sailor.get("/@crew%2fone").await.expect(403);
    assert!(lacking.error().contains("asks its members for a second factor"), "{}", lacking.error());
    assert_eq!(lacking.json()["missing"], "second-factor");
    sailor.publish(&Package::new("@crew/one", "1.1.0")).await.expect(403);
    assert_eq!(sailor.get("/-/v1/search?text=one").await.json()["total"], 0);
    // Who is no member is not asked, and they may see who the others are, and leave.
    stranger.get("/@crew%2fone").await.expect(200);
    let page = app.session("sailor").await.get("/org/crew").await.expect(200);
    assert!(page.text(".bar.warn").contains("asks its members for a second factor"));
    assert!(page.texts("tbody th").is_empty());
    // Once they have one, all is theirs again.
    turn_on_second_factor(&app, "sailor").await;
    sailor.get("/@crew%2fone").await.expect(200);
    assert_eq!(sailor.get("/-/v1/search?text=one").await.json()["total"], 1);
}

#[tokio::test]
async fn members_get_on_new_packages_what_the_settings_say() {
    let app = TestApp::new().await;
    crew(&app).await;
    app.user("mate").await;
    let browser = app.session("owner").await;
    post(&browser, "/org/crew/members", "/org/crew/members", &[("user", "mate"), ("role", "member")]).await.expect(303);
    let settings = "/org/crew/settings";
    let mate = app.token("mate", strongroom::policy::Narrowing::default(), None).await;
    let sailor = app.token("sailor", strongroom::policy::Narrowing::default(), None).await;
    for (word, name, reads, writes) in
        [("read-write", "one", 200, 201), ("read-only", "two", 200, 403), ("nothing", "three", 404, 404)]
    {
        let page = browser.get(settings).await.expect(200);
        browser.submit(page.form(settings).fill("developers_get", word)).await.expect(303);
        let package = format!("@crew/{name}");
        sailor.publish(&Package::new(&package, "1.0.0")).await.expect(201);
        mate.get(&format!("/@crew%2f{name}")).await.expect(reads);
        mate.publish(&Package::new(&package, "1.1.0")).await.expect(writes);
        // Who made it goes on with it.
        sailor.publish(&Package::new(&package, "1.2.0")).await.expect(201);
    }
    post(&browser, settings, settings, &[("developers_get", "everything")]).await.expect(422);
}

#[tokio::test]
async fn an_organization_without_packages_is_closed_and_its_name_stays_taken() {
    let app = TestApp::new().await;
    crew(&app).await;
    app.organization("empty", "owner", &[("sailor", "developer")]).await;
    publish(&app, "owner", "@crew/one", "restricted").await;
    let browser = app.session("owner").await;
    let page = post(&browser, "/org/crew/settings", "/org/crew/close", &[("confirm", "crew")]).await.expect(422);
    assert!(page.text(".summary").contains("has 1 package still"), "{}", page.text(".summary"));
    post(&browser, "/org/empty/settings", "/org/empty/close", &[("confirm", "crew")]).await.expect(422);
    // What matters that much asks again who somebody is, and goes on with the same form.
    let form = browser.get("/org/empty/settings").await.form("/org/empty/close").fill("confirm", "empty");
    app.clock.set(app.clock.now() + TimeDelta::minutes(16));
    let asked = browser.submit(form).await.expect(200);
    let closed = browser.submit(asked.form("/org/empty/close").fill("_password", PASSWORD)).await.expect(303);
    assert_eq!(closed.location(), "/");
    for browser in [&browser, &app.session("sailor").await] {
        browser.get("/org/empty").await.expect(404);
        assert!(!browser.get("/").await.text("main").contains("empty member"));
    }
    let owner = app.token("owner", strongroom::policy::Narrowing::default(), None).await;
    owner.publish(&Package::new("@empty/late", "1.0.0")).await.expect(404);
    let taken = post(&browser, "/org/new", "/org/new", &[("name", "empty")]).await.expect(422);
    assert!(taken.text("#name-problem").contains("taken"));
}

#[tokio::test]
async fn owners_read_what_was_done_search_it_and_take_it_along() {
    let app = TestApp::new().await;
    crew(&app).await;
    publish(&app, "sailor", "@crew/one", "restricted").await;
    publish(&app, "stranger", "@stranger/secret", "restricted").await;
    let browser = app.session("owner").await;
    let sailor = app.session("sailor").await;
    sailor.get("/org/crew/audit").await.expect(403);
    // A refusal is written down, too.
    let code = sailor.get("/org/crew/members").await.attributes("input[name=_form]", "value").remove(0);
    let fields = [("user", "stranger"), ("role", "owner"), ("_form", &code)];
    sailor.post("/org/crew/members", "same-origin", fields).await.expect(403);
    let page = browser.get("/org/crew/audit").await.expect(200);
    let text = page.text("table");
    assert!(text.contains("package.publish") && text.contains("@crew/one") && text.contains("192.0.2.1"), "{text}");
    assert!(text.contains("organization.change refused"), "{text}");
    assert!(!text.contains("secret"), "{text}");
    let found = browser.get("/org/crew/audit?q=publish").await.expect(200);
    assert_eq!(found.texts("tbody tr").len(), 1);
    assert!(browser.get("/org/crew/audit?q=%25").await.text(".empty").contains("Nothing in the log fits"));
    assert!(browser.get("/org/crew/audit?until=2000-01-01").await.text(".empty").contains("Nothing"));
    let table = browser.get("/org/crew/audit/export?format=csv&q=publish").await.expect(200);
    assert_eq!(table.answer.header("content-type"), "text/csv; charset=utf-8");
    assert!(table.answer.header("content-disposition").contains("audit-crew.csv"));
    let lines: Vec<_> = table.html().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].contains("\"'@crew/one\""), "{lines:?}");
    let objects = browser.get("/org/crew/audit/export?format=jsonl").await.expect(200).html();
    let read: Vec<serde_json::Value> = objects.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(read.iter().any(|line| line["action"] == "package.publish" && line["actor"] == "sailor"));
    assert!(read.iter().all(|line| line["scope"] == "crew"));
    assert_eq!(read.last().map(|line| line["action"].clone()), Some(json!("organization.create")));
    browser.get("/org/crew/audit/export?format=xml").await.expect(400);
}

#[tokio::test]
async fn the_log_is_read_page_by_page_and_exported_whole() {
    let app = TestApp::new().await;
    crew(&app).await;
    let pool = app.pool().await;
    let fill = "insert into audit_events (at, scope_id, actor, action, subject, outcome, detail)
        select now(), (select id from accounts where name = 'crew'), 'owner', 'test.fill', 'line-' || n, 'done', '{}'
        from generate_series(1, 1203) as n";
    sqlx::query(fill).execute(&pool).await.expect("lines");
    let browser = app.session("owner").await;
    let (mut seen, mut path) = (std::collections::BTreeSet::new(), Some("/org/crew/audit?q=test.fill".to_owned()));
    let mut pages = 0;
    while let Some(here) = path.take() {
        let page = browser.get(&here).await.expect(200);
        seen.extend(page.texts("tbody td[data-label=To]"));
        pages += 1;
        let links = page.attributes("main nav.buttons a", "href");
        path = links.into_iter().find(|link| link.ends_with(&format!("page={}", pages + 1)));
    }
    assert_eq!((seen.len(), pages), (1203, 25));
    let objects = browser.get("/org/crew/audit/export?format=jsonl&q=test.fill").await.expect(200).html();
    assert_eq!(objects.lines().count(), 1203);
}

#[tokio::test]
async fn who_has_no_name_here_is_invited_by_mail_and_the_invitation_can_be_sent_again_or_taken_back() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    crew(&app).await;
    let browser = app.session("owner").await;
    let invite = "/org/crew/invite";
    let list = "stranger\nnew@example.com,admin\nnew@example.com\n";
    let page = post(&browser, invite, invite, &[("people", list)]).await.expect(422);
    assert!(page.texts("tbody tr")[1].contains("gets an invitation, joins by accepting it"));
    let mended = page.form(invite).fill("people", "stranger\nnew@example.com,admin");
    let preview = browser.submit(mended).await.expect(200);
    assert!(preview.text("form.panel").contains("1 join, 1 are invited"), "{}", preview.text("form.panel"));
    let done = browser.submit_and_follow(preview.form(invite)).await.expect(200);
    assert!(done.text(".bar.ok").contains("1 person joined, 1 invitation made"), "{}", done.text(".bar.ok"));
    assert!(done.text("#invitations + table").contains("new@example.com admin"), "{}", done.text("main"));
    app.run_chore("mail.deliver").await;
    assert!(smtp.take_letter_to("new@example.com").body.contains("crew"));
    // Members see nothing of it.
    assert!(!app.session("sailor").await.get("/org/crew/members").await.html().contains("new@example.com"));
    let action = "/org/crew/members/invitations";
    let early = browser.submit(done.form(action).press("do", "resend")).await.expect(422);
    assert!(early.text(".summary").contains("just sent"));
    app.clock.set(app.clock.now() + TimeDelta::minutes(2));
    browser.submit(done.form(action).press("do", "resend")).await.expect(303);
    app.run_chore("mail.deliver").await;
    smtp.take_letter_to("new@example.com");
    let gone = browser.submit_and_follow(done.form(action).press("do", "revoke")).await.expect(200);
    assert!(gone.text(".bar.ok").contains("taken back") && gone.texts("#invitations").is_empty());
    browser.submit(done.form(action).press("do", "revoke")).await.expect(422);
}

#[tokio::test]
async fn where_no_mail_is_sent_the_links_are_handed_over() {
    let app = TestApp::new().await;
    crew(&app).await;
    let browser = app.session("owner").await;
    let invite = "/org/crew/invite";
    let preview = post(&browser, invite, invite, &[("people", "new@example.com")]).await.expect(200);
    let links = browser.submit(preview.form(invite)).await.expect(200);
    assert!(links.text(".command code").starts_with("http://registry.test/invite/"), "{}", links.text("main"));
}

#[tokio::test]
async fn what_waits_for_an_answer_stands_on_the_first_page() {
    let app = TestApp::new().await;
    crew(&app).await;
    let owner = app.token("owner", strongroom::policy::Narrowing::default(), None).await;
    owner.publish(&Package::new("@owner/one", "1.0.0")).await.expect(201);
    let browser = app.session("stranger").await;
    assert!(!browser.get("/").await.text("main").contains("invites you"));
    let actor = app.app.tokens.authenticate(owner.token.as_deref().expect("a token"), [192, 0, 2, 9].into()).await;
    let name = "crew".parse().expect("a name");
    let action = strongroom::policy::OrganizationAction::ChangeMembers;
    let permit = app.app.organizations.permit(&actor.expect("an actor"), &name, action).await.expect("a permit");
    let invitee = strongroom::invitations::Invitee::read("stranger").expect("a name");
    let role = strongroom::policy::OrganizationRole::Admin;
    app.app.invitations.invite_to_organization(&permit, &invitee, role, &[]).await.expect("an invitation");
    let page = browser.get("/").await.expect(200);
    assert!(page.text("main").contains("owner invites you to the organization crew, as admin. Answer"));
    assert!(page.attributes("main a", "href").contains(&"/invitations".to_owned()));
}
