//! Every page and every form as every kind of visitor; a route without a row here fails.
//!
//! Whoever adds a row to `strongroom::web::routes()` adds one here for each of its methods: [`look`] and [`package_look`]
//! for what is shown, [`form`] and [`package_form`] for what is sent, with the statuses in the order of [`VISITORS`].
//! Fields of forms are chosen so that nothing is changed: what a form does is tested beside its page. A status of 401
//! stands for being sent to log in, 303 for being sent anywhere else. What asks again who somebody is says `.confirmed()`.
//! Of every form it is asked besides that it counts neither without the session's code nor from another site.

use std::sync::LazyLock;

use axum::body::Body;
use chrono::TimeDelta;
use scraper::{Html, Selector};
use strongroom::policy::{BillingFlag, Permission};

use crate::support::app::{Package, TestApp};
use crate::support::browser::{Browser, Page};

/// The visitors, in the order of the columns. Reader and writer were given the packages; the admin, the member and the
/// owner are of the organization `crew`; the lapsed owner is asked about packages of their own; the administrator
/// administers the instance and is a stranger otherwise.
const VISITORS: [&str; 10] = [
    "anonymous",
    "dead session",
    "stranger",
    "reader",
    "writer",
    "owner",
    "organization's admin",
    "member",
    "lapsed owner",
    "administrator",
];

type Statuses = [u16; 10];

/// A route with a method, and the statuses it gives to [`VISITORS`]: on a restricted package, a public one and a missing
/// one where it concerns a package, else once.
struct Row {
    method: &'static str,
    route: &'static str,
    fields: &'static [(&'static str, &'static str)],
    /// What it is asked about, and with which statuses.
    statuses: Vec<(&'static str, Statuses)>,
    confirmed: bool,
}

impl Row {
    /// Asks again who somebody is, if that was not asked lately.
    fn confirmed(self) -> Self {
        Self { confirmed: true, ..self }
    }
}

fn look(route: &'static str, statuses: Statuses) -> Row {
    Row { method: "GET", route, fields: &[], statuses: vec![("", statuses)], confirmed: false }
}

fn form(route: &'static str, fields: &'static [(&'static str, &'static str)], statuses: Statuses) -> Row {
    Row { method: "POST", fields, ..look(route, statuses) }
}

fn package_look(route: &'static str, restricted: Statuses, public: Statuses, missing: Statuses) -> Row {
    let statuses = vec![("restricted", restricted), ("public", public), ("missing", missing)];
    Row { statuses, ..look(route, restricted) }
}

fn package_form(
    route: &'static str,
    fields: &'static [(&'static str, &'static str)],
    restricted: Statuses,
    public: Statuses,
    missing: Statuses,
) -> Row {
    Row { method: "POST", fields, ..package_look(route, restricted, public, missing) }
}

/// Everybody sees the same.
const ALL: Statuses = [200; 10];

/// There is no such page.
const NOTHING: Statuses = [404; 10];

/// With an account only.
const SIGNED_IN: Statuses = [401, 401, 303, 303, 303, 303, 303, 303, 303, 303];

/// One's own pages, and what is wrong with what was sent from them.
const OWN: Statuses = [401, 401, 200, 200, 200, 200, 200, 200, 200, 200];
const REFUSED: Statuses = [401, 401, 422, 422, 422, 422, 422, 422, 422, 422];
const NOT_OWN: Statuses = [401, 401, 404, 404, 404, 404, 404, 404, 404, 404];

/// Hidden from strangers, and paid for by the owner.
const READ: Statuses = [404, 404, 404, 200, 200, 200, 404, 404, 402, 404];
const NOTHING_TO_READ: Statuses = [404, 404, 404, 404, 404, 404, 404, 404, 402, 404];

/// What members of the organization see; and forms, not acceptable, of its owners, of its admins too, and of those who
/// administer its packages: for the others there is no such package.
const OF_MEMBERS: Statuses = [401, 401, 403, 403, 403, 200, 200, 200, 403, 403];
const OF_OWNERS: Statuses = [401, 401, 403, 403, 403, 422, 403, 403, 403, 403];
const OF_ADMINS: Statuses = [401, 401, 403, 403, 403, 422, 422, 403, 403, 403];
const GIVEN: Statuses = [401, 401, 403, 403, 403, 422, 422, 422, 403, 403];

/// A page of the owners of the organization.
const OWNERS: Statuses = [401, 401, 403, 403, 403, 200, 403, 403, 403, 403];

/// Who may look may ask, and is told that it cannot be done.
fn refused(status: u16) -> u16 {
    if status == 200 { 422 } else { status }
}
/// To everybody else there is no such page.
const OF_ADMINISTRATORS: Statuses = [401, 401, 404, 404, 404, 404, 404, 404, 404, 200];
const CHANGED_BY_ADMINISTRATORS: Statuses = [401, 401, 404, 404, 404, 404, 404, 404, 404, 422];

fn rows() -> Vec<Row> {
    vec![
        look("/", ALL),
        form("/checklist", &[], SIGNED_IN),
        look("/login", [200, 200, 303, 303, 303, 303, 303, 303, 303, 303]),
        form("/login", &[("name", "owner"), ("password", "not the password")], [422; 10]),
        form("/logout", &[], [303; 10]),
        look("/confirm", [401, 401, 200, 200, 200, 200, 200, 200, 200, 200]),
        form("/confirm", &[], SIGNED_IN),
        form("/theme", &[("theme", "dark")], [303; 10]),
        look("/org/new", [401, 401, 200, 200, 200, 200, 200, 200, 200, 200]),
        form("/org/new", &[("name", "crew")], [401, 401, 422, 422, 422, 422, 422, 422, 422, 422]),
        // The organization is crew: its owner is the owner, its admin and its member are the columns of these names.
        look("/org/{organization}", ALL),
        look("/org/{organization}/members", OF_MEMBERS),
        form("/org/{organization}/members", &[("user", "nobody"), ("role", "member")], OF_OWNERS),
        form("/org/{organization}/members/remove", &[("user", "nobody")], OF_OWNERS),
        form("/org/{organization}/members/invitations", &[("key", "none"), ("do", "revoke")], OF_OWNERS),
        look("/org/{organization}/invite", [401, 401, 403, 403, 403, 200, 403, 403, 403, 403]),
        form("/org/{organization}/invite", &[("people", "nobody")], OF_OWNERS),
        look("/org/{organization}/teams", OF_MEMBERS),
        form("/org/{organization}/teams", &[("name", "developers")], OF_ADMINS),
        look("/org/{organization}/teams/{team}", OF_MEMBERS),
        form(
            "/org/{organization}/teams/{team}",
            &[("description", "x")],
            [401, 401, 403, 403, 403, 303, 303, 403, 403, 403],
        ),
        form("/org/{organization}/teams/{team}/members", &[("user", "nobody")], OF_ADMINS),
        form("/org/{organization}/teams/{team}/members/remove", &[("user", "nobody")], OF_ADMINS),
        form("/org/{organization}/teams/{team}/packages", &[("package", "nothing")], GIVEN),
        form("/org/{organization}/teams/{team}/packages/remove", &[("package", "nothing")], GIVEN),
        form("/org/{organization}/teams/{team}/delete", &[("confirm", "another")], OF_ADMINS),
        look("/org/{organization}/settings", OF_MEMBERS),
        form("/org/{organization}/settings", &[("developers_get", "all")], OF_OWNERS),
        form("/org/{organization}/leave", &[("leave", "another")], GIVEN),
        form("/org/{organization}/close", &[("confirm", "another")], OF_OWNERS).confirmed(),
        look("/org/{organization}/audit", [401, 401, 403, 403, 403, 200, 403, 403, 403, 403]),
        look("/org/{organization}/audit/export", [401, 401, 403, 403, 403, 200, 403, 403, 403, 403]),
        // Who knows a secret may use it, whoever they are; nobody knows this one.
        look("/setup/{code}", NOTHING),
        form("/setup/{code}", &[], NOTHING),
        look("/signup", [200, 200, 303, 303, 303, 303, 303, 303, 303, 303]),
        form("/signup", &[("name", "owner"), ("email", "nowhere")], [422; 10]),
        look("/invite/{code}", NOTHING),
        form("/invite/{code}", &[("decision", "decline")], NOTHING),
        look("/invitations", [401, 401, 200, 200, 200, 200, 200, 200, 200, 200]),
        form("/invitations/{key}", &[("decision", "accept")], [401, 401, 404, 404, 404, 404, 404, 404, 404, 404]),
        look("/forgot", ALL),
        form("/forgot", &[("who", "nobody")], [303; 10]),
        look("/forgot/done", ALL),
        look("/forgot/{code}", NOTHING),
        form("/forgot/{code}", &[("password", "a better battery")], NOTHING),
        look("/verify/done", ALL),
        look("/verify/{code}", NOT_OWN),
        form("/verify/{code}", &[], NOT_OWN),
        look("/login/cli/{code}", NOTHING),
        form("/login/cli/{code}", &[("decision", "approve")], NOTHING),
        look("/settings/notifications", [401, 401, 200, 200, 200, 200, 200, 200, 200, 200]),
        form("/settings/notifications", &[("login", "on")], SIGNED_IN),
        look("/auth/cli/{code}", NOTHING),
        form("/auth/cli/{code}", &[("decision", "approve")], NOTHING),
        look("/settings/billing", OWN),
        // Without a payment service there is nothing to be bought.
        form("/settings/billing/checkout", &[], OWN.map(refused)),
        form("/settings/billing/portal", &[], OWN.map(refused)),
        look("/settings/billing/cancel", OWN),
        form("/settings/billing/cancel", &[], OWN.map(refused)),
        form("/settings/billing/resume", &[], OWN.map(refused)),
        look("/org/{organization}/export", OWNERS),
        form("/org/{organization}/export", &[], OWNERS).confirmed(),
        look("/org/{organization}/billing", OWNERS),
        form("/org/{organization}/billing/checkout", &[], OWNERS.map(refused)),
        form("/org/{organization}/billing/portal", &[], OWNERS.map(refused)),
        look("/org/{organization}/billing/cancel", OWNERS),
        form("/org/{organization}/billing/cancel", &[], OWNERS.map(refused)),
        form("/org/{organization}/billing/resume", &[], OWNERS.map(refused)),
        look("/admin", OF_ADMINISTRATORS).confirmed(),
        look("/admin/users", OF_ADMINISTRATORS).confirmed(),
        form("/admin/users", &[("name", "owner")], CHANGED_BY_ADMINISTRATORS).confirmed(),
        form("/admin/users/change", &[("user", "owner"), ("do", "x")], CHANGED_BY_ADMINISTRATORS).confirmed(),
        look("/admin/invitations", OF_ADMINISTRATORS).confirmed(),
        form("/admin/invitations", &[("people", "nobody")], CHANGED_BY_ADMINISTRATORS).confirmed(),
        form("/admin/invitations/change", &[("key", "x"), ("do", "revoke")], CHANGED_BY_ADMINISTRATORS).confirmed(),
        look("/admin/organizations", OF_ADMINISTRATORS).confirmed(),
        look("/admin/packages", OF_ADMINISTRATORS).confirmed(),
        look("/admin/licences", OF_ADMINISTRATORS).confirmed(),
        look("/admin/plans", OF_ADMINISTRATORS).confirmed(),
        form("/admin/plans", &[("account", "nobody"), ("paid", "paid")], CHANGED_BY_ADMINISTRATORS).confirmed(),
        look("/admin/jobs", OF_ADMINISTRATORS).confirmed(),
        form("/admin/jobs", &[("chore", "nothing")], CHANGED_BY_ADMINISTRATORS).confirmed(),
        look("/admin/audit", OF_ADMINISTRATORS).confirmed(),
        look("/admin/audit/export", OF_ADMINISTRATORS).confirmed(),
        look("/admin/health", OF_ADMINISTRATORS).confirmed(),
        look("/admin/configuration", OF_ADMINISTRATORS).confirmed(),
        look("/admin/message", OF_ADMINISTRATORS).confirmed(),
        form("/admin/message", &[("sentence", "")], CHANGED_BY_ADMINISTRATORS).confirmed(),
        look("/docs", ALL),
        look("/docs/errors", ALL),
        look("/docs/{chapter}", ALL),
        look("/-/errors/{code}", ALL),
        look("/-/strongroom/v1/errors/{code}", ALL),
        look("/-/status", ALL),
        look("/settings", OWN),
        form("/settings", &[("email", "no address")], REFUSED).confirmed(),
        look("/settings/export", OWN),
        form("/settings/export", &[], OWN).confirmed(),
        look("/settings/security", OWN),
        look("/settings/security/password", OWN).confirmed(),
        form("/settings/security/password", &[("new-password", "short")], REFUSED),
        form("/settings/security/mode", &[], REFUSED).confirmed(),
        look("/settings/security/disable", SIGNED_IN).confirmed(),
        form("/settings/security/disable", &[], SIGNED_IN).confirmed(),
        form("/settings/security/sessions", &[("session", "none")], NOT_OWN),
        look("/settings/security/totp", OWN).confirmed(),
        form("/settings/security/totp", &[("code", "000000")], REFUSED).confirmed(),
        look("/settings/security/recovery-codes", SIGNED_IN),
        form("/settings/security/recovery-codes", &[], REFUSED).confirmed(),
        form("/settings/security/keys", &[], REFUSED).confirmed(),
        look("/settings/security/keys/new", OWN).confirmed(),
        look("/settings/security/keys/{key}", SIGNED_IN).confirmed(),
        form("/settings/security/keys/{key}", &[], SIGNED_IN).confirmed(),
        look("/settings/tokens", OWN),
        form("/settings/tokens", &[("key", "none")], NOT_OWN),
        look("/settings/tokens/new", OWN),
        form("/settings/tokens/new", &[], REFUSED).confirmed(),
        look("/settings/tokens/made", SIGNED_IN),
        look("/settings/{name}/{page}", [404; 10]),
        look("/settings/{name}/tokens/{rest}", [303; 10]),
        look("/settings/{name}/tokens/{rest}/new", [303; 10]),
        look("/revoke", ALL),
        form("/revoke", &[("token", "none")], ALL),
        look("/search", ALL),
        look("/~{user}", ALL),
        read("/package/{package}"),
        read("/package/{package}/v/{version}"),
        read("/package/{package}/code"),
        read("/package/{package}/code/{*path}"),
        read("/package/{package}/v/{version}/code"),
        read("/package/{package}/v/{version}/code/{*path}"),
        read("/package/{package}/v/{version}/raw/{*path}"),
        read("/package/{package}/versions"),
        read("/package/{package}/diff/{range}"),
        read("/package/{package}/dependencies"),
        read("/package/{package}/dependents"),
        // Two versions are not named, and the file is no image.
        package_look("/package/{package}/diff", NOTHING_TO_READ, [404; 10], [404; 10]),
        package_look("/package/{package}/v/{version}/image/{*path}", NOTHING_TO_READ, [404; 10], [404; 10]),
        package_look(
            "/package/{package}/settings",
            [404, 404, 404, 200, 200, 200, 404, 404, 200, 404],
            [401, 401, 200, 200, 200, 200, 200, 200, 200, 200],
            [404; 10],
        ),
        package_form(
            "/package/{package}/settings",
            &[("set-tag", "1"), ("tag", "1.0.0"), ("version", "1.0.0")],
            [401, 401, 404, 403, 422, 422, 404, 404, 402, 404],
            [401, 401, 403, 422, 422, 422, 403, 403, 422, 403],
            MISSING,
        ),
        package_look(
            "/package/{package}/settings/remove",
            [401, 401, 404, 403, 200, 200, 404, 404, 200, 404],
            [401, 401, 403, 200, 200, 200, 403, 403, 200, 403],
            MISSING,
        )
        .confirmed(),
        package_form(
            "/package/{package}/settings/remove",
            &[("unpublish", "1"), ("typed", "another name")],
            [401, 401, 404, 403, 422, 422, 404, 404, 422, 404],
            [401, 401, 403, 422, 422, 422, 403, 403, 422, 403],
            MISSING,
        )
        .confirmed(),
        // Trust takes a second factor, which nobody here has; who administers is told that, also before there is a package.
        package_look(
            "/package/{package}/settings/trust",
            [404, 404, 404, 403, 403, 403, 404, 404, 403, 404],
            [403; 10],
            [404, 404, 404, 404, 404, 403, 404, 404, 403, 404],
        ),
        package_form(
            "/package/{package}/settings/trust",
            &[("trust", "1"), ("kind", "none")],
            administer(403, 403),
            on_public(administer(403, 403)),
            [401, 401, 404, 404, 404, 403, 404, 404, 403, 404],
        ),
        // Nothing waits under this id, whoever asks.
        package_look("/package/{package}/staged/{id}", [404; 10], [404; 10], [404; 10]),
        package_form("/package/{package}/staged/{id}", &[("reject", "1")], [404; 10], [404; 10], [404; 10]),
        // Who lapsed still looks after who has access, and opens; to close costs what private packages cost.
        package_look(
            "/package/{package}/access",
            [404, 404, 404, 200, 200, 200, 404, 404, 200, 404],
            [401, 401, 200, 200, 200, 200, 200, 200, 200, 200],
            [404; 10],
        ),
        package_form(
            "/package/{package}/access",
            &[("add", "1"), ("who", "no name")],
            administer(422, 402),
            on_public(administer(422, 422)),
            MISSING,
        ),
        package_look(
            "/package/{package}/access/public",
            administer(200, 200),
            on_public(administer(303, 303)),
            MISSING,
        )
        .confirmed(),
        package_form(
            "/package/{package}/access/public",
            &[("typed", "another name")],
            administer(422, 422),
            on_public(administer(422, 422)),
            MISSING,
        )
        .confirmed(),
        package_look(
            "/package/{package}/access/private",
            administer(303, 402),
            on_public(administer(200, 402)),
            MISSING,
        ),
        package_form(
            "/package/{package}/access/private",
            &[],
            administer(303, 402),
            on_public(administer(200, 402)),
            MISSING,
        ),
    ]
}

/// What changes something of a package that is not there.
const MISSING: Statuses = [401, 401, 404, 404, 404, 404, 404, 404, 404, 404];

/// What only who administers a restricted package does: the owner, and the one whose plan has lapsed.
const fn administer(owner: u16, lapsed: u16) -> Statuses {
    [401, 401, 404, 403, 403, owner, 404, 404, lapsed, 404]
}

/// The same of a package that everybody may know of.
fn on_public(statuses: Statuses) -> Statuses {
    statuses.map(|status| if status == 404 { 403 } else { status })
}

/// A page of a package for whoever may read it.
fn read(route: &'static str) -> Row {
    package_look(route, READ, ALL, [404; 10])
}

/// The path of a route: its parameters stand for what is in the world of these tests.
pub(crate) fn path_of(route: &str, package: &str) -> String {
    route
        .replace("{package}", package)
        .replace("{user}", "owner")
        .replace("/docs/{chapter}", "/docs/sharing")
        .replace("errors/{code}", "errors/SR-PLAN-01")
        .replace("{version}", "1.0.0")
        .replace("{organization}", "crew")
        .replace("{team}", "ops")
        .replace("{chapter}", "install")
        .replace("{code}", "SR-PLAN-01")
        .replace("{*path}", "index.js")
        .replace("{range}", "1.0.0..1.0.0")
        // What is below may be anything that is not there.
        .replace(['{', '}'], "")
}

/// The world: packages of an owner and of somebody whose plan has lapsed, an organization, an administrator.
async fn fill(app: &TestApp) {
    for name in ["stranger", "reader", "writer", "owner", "captain", "sailor", "lapsing"] {
        app.user(name).await;
    }
    app.administrator("warden").await;
    app.organization("crew", "owner", &[("captain", "admin"), ("sailor", "developer")]).await;
    let crew = app.token("owner", strongroom::policy::Narrowing::default(), None).await;
    crew.json("PUT", "/-/org/crew/team", &serde_json::json!({ "name": "ops" })).await.expect(200);
    for scope in ["owner", "lapsing"] {
        let person = app.token(scope, strongroom::policy::Narrowing::default(), None).await;
        for access in ["restricted", "public"] {
            let package = Package::new(&format!("@{scope}/{access}"), "1.0.0").access(access);
            person.publish(&package).await.expect(201);
            app.grant(&package.name, "reader", Permission::ReadOnly).await;
            app.grant(&package.name, "writer", Permission::ReadWrite).await;
        }
    }
    let until = Some(app.clock.now() + TimeDelta::seconds(5));
    app.set_billing("lapsing", BillingFlag::Paid { until }).await;
    app.clock.set(app.clock.now() + TimeDelta::seconds(5));
}

/// A browser of the visitor with a session that was opened a moment ago.
async fn browser_of<'a>(app: &'a TestApp, visitor: &str) -> Browser<'a> {
    let name = match visitor {
        "anonymous" => return app.browser(),
        "dead session" => {
            let browser = app.session("stranger").await;
            let secret = browser.cookie("sr").expect("a session");
            let code = code_of(&browser).await;
            browser.post("/logout", "same-origin", [("_form", code)]).await.expect(303);
            browser.set_cookie("sr", &secret);
            return browser;
        }
        "organization's admin" => "captain",
        "member" => "sailor",
        "lapsed owner" => "lapsing",
        "administrator" => "warden",
        name => name,
    };
    app.session(name).await
}

/// What the row is about, as this visitor is asked.
fn subject(visitor: &str, kind: &str) -> String {
    format!("@{}/{kind}", if visitor == "lapsed owner" { "lapsing" } else { "owner" })
}

/// Sends the row's request; a form goes with the code that the visitor's own pages carry.
async fn ask(row: &Row, browser: &Browser<'_>, path: &str) -> Page {
    if row.method == "GET" {
        return browser.get(path).await;
    }
    let code = code_of(browser).await;
    let fields = row.fields.iter().copied().chain([("_form", code.as_str())]);
    browser.post(path, "same-origin", fields).await
}

/// The code that forms of this browser's session carry.
pub(crate) async fn code_of(browser: &Browser<'_>) -> String {
    let codes = browser.get("/there/is/no/such/page").await.expect(404).attributes("input[name=_form]", "value");
    codes.into_iter().next().expect("a form on every page")
}

/// The status of an answer, or 401 where it leads to the page for logging in.
fn status_of(page: &Page) -> u16 {
    let status = page.answer.status.as_u16();
    if status == 303 && page.location().starts_with("/login?then=") { 401 } else { status }
}

/// What every page has, whatever it shows.
fn check_shape(page: &Page, deed: &str) {
    static HEADINGS: LazyLock<Selector> = LazyLock::new(|| Selector::parse("h1").expect("a selector"));
    if !page.answer.header("content-type").starts_with("text/html") {
        return;
    }
    assert_eq!(Html::parse_document(&page.html()).select(&HEADINGS).count(), 1, "{deed}: one heading");
    assert_eq!(page.answer.header("cache-control"), "private, no-store", "{deed}");
    assert!(page.answer.header("content-security-policy").contains("default-src 'none'"), "{deed}");
    assert_eq!(page.answer.header("x-content-type-options"), "nosniff", "{deed}");
}

#[tokio::test]
async fn every_page_gives_every_visitor_what_the_rules_say() {
    let app = TestApp::new().await;
    fill(&app).await;
    let mut readers = Vec::new();
    for visitor in VISITORS {
        readers.push(browser_of(&app, visitor).await);
    }
    let mut wrong = Vec::new();
    for row in rows() {
        for (kind, statuses) in &row.statuses {
            for (at, visitor) in VISITORS.into_iter().enumerate() {
                let path = path_of(row.route, &subject(visitor, kind));
                let page = match row.method {
                    "GET" => ask(&row, &readers[at], &path).await,
                    // A form may end the session that it came with.
                    _ => ask(&row, &browser_of(&app, visitor).await, &path).await,
                };
                let deed = format!("{} {path} as {visitor}", row.method);
                check_shape(&page, &deed);
                let status = status_of(&page);
                if status != statuses[at] {
                    wrong.push(format!("{deed}: {status}, not {}", statuses[at]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers are others:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whatever else a form is refused for: who sent it is looked at first.
#[tokio::test]
async fn no_form_counts_without_its_code_or_from_another_site() {
    let app = TestApp::new().await;
    fill(&app).await;
    let code = async |browser: &Browser<'_>| code_of(browser).await;
    for row in rows().into_iter().filter(|row| row.method == "POST") {
        for visitor in ["anonymous", "stranger", "owner", "administrator"] {
            let path = path_of(row.route, "@owner/restricted");
            let browser = browser_of(&app, visitor).await;
            let own = code(&browser).await;
            let fields = |code: Option<&str>| {
                let code = code.map(|code| ("_form".to_owned(), code.to_owned()));
                let own = row.fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
                own.chain(code).collect::<Vec<_>>()
            };
            for site in ["cross-site", "same-site", "none"] {
                let page = browser.post(&path, site, fields(Some(&own))).await;
                assert_eq!(page.answer.status, 403, "{path} as {visitor}, {site}");
            }
            // Who has no session has no code.
            if visitor == "anonymous" {
                continue;
            }
            let foreign = code(&browser_of(&app, "reader").await).await;
            for code in [None, Some(""), Some(foreign.as_str())] {
                let page = browser.post(&path, "same-origin", fields(code)).await;
                assert_eq!(page.answer.status, 403, "{path} as {visitor} without their code");
            }
        }
    }
}

/// What matters most asks again who somebody is, and says so before it does anything.
#[tokio::test]
async fn what_matters_asks_again_who_somebody_is() {
    let app = TestApp::new().await;
    fill(&app).await;
    for row in rows().into_iter().filter(|row| row.confirmed) {
        for (kind, statuses) in &row.statuses {
            for (at, visitor) in VISITORS.into_iter().enumerate() {
                if [401, 402, 403, 404].contains(&statuses[at]) {
                    continue;
                }
                let browser = browser_of(&app, visitor).await;
                app.clock.set(app.clock.now() + TimeDelta::minutes(16));
                let path = path_of(row.route, &subject(visitor, kind));
                let page = ask(&row, &browser, &path).await;
                assert_eq!(page.text("h1"), "Confirm that it is you", "{} {path} as {visitor}", row.method);
                // Nothing of the form stands in the page in plain, whatever its fields are called.
                let carried = page.attributes("main input[type=hidden]", "name");
                let known = ["_form", if row.method == "POST" { "_kept" } else { "then" }, "_key"];
                assert!(carried.iter().all(|name| known.contains(&name.as_str())), "{path}: {carried:?}");
            }
        }
    }
}

#[test]
fn every_page_has_a_row() {
    let rows = rows();
    let routes = strongroom::web::routes();
    for route in &routes {
        for method in route.methods {
            let has_row = rows.iter().any(|row| row.method == *method && row.route == route.path);
            assert!(has_row, "{method} {} has no row in this file", route.path);
        }
    }
    for row in rows {
        let is_route = routes.iter().any(|route| route.path == row.route && route.methods.contains(&row.method));
        assert!(is_route, "{} {} is no route any more", row.method, row.route);
    }
}

/// Deny by default: a page that takes no forms takes no forms.
#[tokio::test]
async fn what_is_no_form_is_refused() {
    let app = TestApp::new().await;
    fill(&app).await;
    let browser = app.session("owner").await;
    for route in strongroom::web::routes() {
        let path = path_of(route.path, "@owner/restricted");
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"].into_iter().filter(|one| !route.methods.contains(one)) {
            let page = match method {
                "GET" => browser.get(&path).await,
                _ => browser.send(method, &path, &[("sec-fetch-site", "same-origin")], Body::empty()).await,
            };
            let status = page.answer.status.as_u16();
            assert!([403, 404, 405, 415].contains(&status), "{method} {path}: {status}");
        }
    }
}

/// Texts that have broken parsers, databases and templates before.
const NASTY: [&str; 16] = [
    "%00",
    "%0a",
    "%ff%fe",
    "%e2%80%ae",
    "..",
    "%2e%2e%2f",
    "%5c",
    "'",
    "%22%3e%3cscript%3e",
    "%25",
    "-1",
    "@",
    "%f0%9f%98%80",
    "@owner",
    "9999999999999999999999",
    "@owner%2frestricted",
];

#[tokio::test]
async fn no_path_query_or_field_makes_a_server_error() {
    let app = TestApp::new().await;
    fill(&app).await;
    let queries = ["q", "page", "from", "size", "sort", "tab", "then", "before", "after", "action", "who", "format"];
    for (visitor, route) in ["owner", "administrator"]
        .iter()
        .flat_map(|visitor| strongroom::web::routes().into_iter().map(move |route| (*visitor, route)))
    {
        let browser = browser_of(&app, visitor).await;
        let parameters: Vec<String> = parameters_of(route.path);
        for nasty in NASTY {
            let mut path = parameters.iter().fold(route.path.to_owned(), |path, name| path.replace(name, nasty));
            if parameters.is_empty() {
                path = format!("{path}?{}", queries.map(|name| format!("{name}={nasty}")).join("&"));
            }
            let known = path_of(route.path, "@owner/restricted");
            let known = format!("{known}?{}", queries.map(|name| format!("{name}={nasty}")).join("&"));
            for path in [path, known] {
                if path.parse::<http::Uri>().is_err() {
                    continue;
                }
                if route.methods.contains(&"GET") {
                    let page = browser.get(&path).await;
                    assert!(page.answer.status.as_u16() < 500, "GET {path} as {visitor}: {}", page.answer.status);
                }
            }
        }
    }
}

#[tokio::test]
async fn no_form_makes_a_server_error() {
    let app = TestApp::new().await;
    fill(&app).await;
    for row in rows().into_iter().filter(|row| row.method == "POST") {
        let path = path_of(row.route, "@owner/restricted");
        for visitor in ["anonymous", "owner", "administrator"] {
            for nasty in ["", "\u{202e}\u{1f600}", "-1", "99999999999999999999", "'\"><script>", &"x".repeat(3_000)] {
                let browser = browser_of(&app, visitor).await;
                let code = code_of(&browser).await;
                let fields = row.fields.iter().map(|(name, _)| (*name, nasty)).chain([("_form", code.as_str())]);
                let page = browser.post(&path, "same-origin", fields).await;
                let status = page.answer.status.as_u16();
                assert!(status < 500, "POST {path} as {visitor} with {nasty:.20}: {status}");
                check_shape(&page, &path);
            }
            let browser = browser_of(&app, visitor).await;
            let typed = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
            for body in ["%ff%fe=%00", "&&&===", "_form=%00"] {
                let page = browser.send("POST", &path, &typed, Body::from(body)).await;
                assert!(page.answer.status.as_u16() < 500, "POST {path} as {visitor} with {body}");
            }
        }
    }
}

fn parameters_of(route: &str) -> Vec<String> {
    let open = route.match_indices('{').filter_map(|(at, _)| Some(&route[at..=at + route[at..].find('}')?]));
    open.map(str::to_owned).collect()
}
