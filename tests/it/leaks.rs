//! A canary: a restricted package with all that a package can have, of which nobody who may not read it must find a
//! trace. Every route is asked, also those that come later: what is hidden is answered as what is missing, byte for byte
//! and after the same queries, and no list, count or feed changes when the canary comes to live.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use chrono::TimeDelta;
use serde_json::json;
use strongroom::policy::{
    BillingFlag, Narrowing, OrganizationReach, OrganizationRight, Permission, TokenRight, TrustedDeeds,
};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::routes::path_of;
use crate::support::app::{Answer, Package, Person, TestApp};
use crate::support::browser::Page;

/// Hidden, and never used. Their names are equally long, so that lengths tell nothing either.
const CANARY: &str = "@keeper/canary";
const ABSENT: &str = "@keeper/absent";

/// Everyone who must not know, and what they are.
async fn outsiders(app: &TestApp) -> Vec<(&'static str, Person<'_>)> {
    for name in ["former", "member"] {
        app.user(name).await;
    }
    app.organization("crew", "member", &[]).await;
    let other = || vec!["@keeper/other".parse().expect("a pattern")];
    let deeds = TrustedDeeds { publish: true, stage: true, tags: true };
    let narrowed = Narrowing { packages: other(), ..Narrowing::default() };
    let trusted = Narrowing { packages: other(), right: TokenRight::Trusted(deeds), ..Narrowing::default() };
    let organizations = OrganizationReach { right: OrganizationRight::Write, names: Vec::new() };
    let teams_only = Narrowing { right: TokenRight::Nothing, organizations, ..Narrowing::default() };
    let machine = Narrowing { bypasses_second_factor: true, ..Narrowing::default() };
    vec![
        ("anonymous", app.anonymous()),
        ("a dead token", app.with_token("npm_000000000000000000000000000000000000")),
        ("a stranger", app.user("stranger").await),
        ("a stranger's read-only token", app.token("stranger", Narrowing::read_only(), None).await),
        ("a stranger's machine", app.token("stranger", machine, None).await),
        ("whose grant has ended", app.token("former", Narrowing::default(), None).await),
        ("a member of another organization", app.token("member", Narrowing::default(), None).await),
        ("the owner's token for another package", app.token("keeper", narrowed, None).await),
        ("the owner's publisher of another package", app.token("keeper", trusted, None).await),
        ("the owner's token for organizations", app.token("keeper", teams_only, None).await),
    ]
}

/// Brings the canary to live, with everything that a package can have.
async fn release_canary(app: &TestApp, keeper: &Person<'_>) {
    for version in ["1.0.0", "1.1.0"] {
        let mut package = Package::new(CANARY, version);
        package.manifest = json!({ "description": "canary words", "keywords": ["canaryword", "shared"] });
        package.files.push(("README.md".into(), b"# canary\n".to_vec()));
        package.files.remove(1);
        keeper.publish(&package).await.expect(201);
    }
    app.grant(CANARY, "former", Permission::ReadWrite).await;
    let until = app.clock.now() + TimeDelta::hours(1);
    let grant = json!({ "permission": "read-write", "until": until });
    keeper.json("PUT", "/-/strongroom/v1/package/@keeper%2fcanary/access/former", &grant).await.expect(200);
    for path in ["/@keeper%2fcanary", "/@keeper/canary/-/canary-1.0.0.tgz"] {
        keeper.get(path).await.expect(200);
    }
    // What these do is tested elsewhere; here they only leave as many traces as can be.
    let star = json!({ "name": CANARY, "package": CANARY });
    keeper.json("PUT", "/-/user/v1/star", &star).await;
    keeper.json("PUT", "/-/package/@keeper%2fcanary/dist-tags/canarytag", &json!("1.0.0")).await;
    let hook = json!({ "type": "package", "name": CANARY, "endpoint": "http://192.0.2.77/", "secret": "s" });
    keeper.json("POST", "/-/npm/v1/hooks/hook", &hook).await;
    let mut packument = keeper.get("/@keeper%2fcanary?write=true").await.expect(200).json();
    packument["versions"]["1.0.0"]["deprecated"] = json!("canary is old");
    keeper.json("PUT", "/@keeper%2fcanary", &packument).await;
    app.clock.set(until);
    app.run_all_chores().await;
}

/// The SQL that this thread asks for, as sqlx tells it.
#[derive(Clone, Default)]
struct Queries(Arc<Mutex<Vec<String>>>);

impl Queries {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no panic inside"))
    }
}

impl<S: tracing::Subscriber> Layer<S> for Queries {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Summary(Option<String>);
        impl Visit for Summary {
            fn record_str(&mut self, field: &Field, value: &str) {
                if field.name() == "summary" {
                    self.0 = Some(value.to_owned());
                }
            }
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                self.record_str(field, &format!("{value:?}"));
            }
        }
        if event.metadata().target() == "sqlx::query" {
            let mut summary = Summary(None);
            event.record(&mut summary);
            self.0.lock().expect("no panic inside").push(summary.0.unwrap_or_default());
        }
    }
}

/// A request that names a package somewhere, with `NAME` in its place.
struct Probe {
    method: &'static str,
    path: String,
    body: String,
}

fn probe(method: &'static str, path: &str, body: &str) -> Probe {
    Probe { method, path: path.to_owned(), body: body.to_owned() }
}

/// Every route that has a package in its path, and by hand those that have it in query or body.
fn probes() -> Vec<Probe> {
    let mut probes = Vec::new();
    for route in strongroom::registry::routes() {
        if route.path.contains("{package}") || route.path.contains("{spec}") {
            for method in route.methods.iter().filter(|method| **method != "HEAD") {
                let path = path_of(route.path, CANARY).replace("canary", "NAME");
                let body = if *method == "GET" { "" } else { "{}" };
                probes.push(probe(method, &path, body));
            }
        }
    }
    assert!(probes.len() > 10, "the routes were not found");
    probes.extend([
        probe("GET", "/-/v1/search?text=NAME", ""),
        probe("GET", "/-/v1/search?text=keywords:NAMEword", ""),
        probe("GET", "/-/v1/search?text=scope:keeper", ""),
        probe("GET", "/-/stage?package=%40keeper%2fNAME", ""),
        probe("GET", "/-/strongroom/v1/access/explain?package=@keeper%2fNAME", ""),
        probe("GET", "/-/strongroom/v1/access/explain?package=@keeper%2fNAME&user=keeper", ""),
        probe("GET", "/-/_view/starredByPackage?key=%22@keeper%2fNAME%22", ""),
        probe("GET", "/-/_view/starredByUser?key=%22keeper%22", ""),
        probe("GET", "/-/npm/v1/hooks?package=@keeper%2fNAME", ""),
        probe("GET", "/downloads/point/last-week/@keeper/NAME", ""),
        probe("GET", "/downloads/range/last-week/@keeper/NAME", ""),
        probe("GET", "/versions/@keeper%2fNAME/last-week", ""),
        probe("PUT", "/-/user/v1/star", r#"{"name":"@keeper/NAME","package":"@keeper/NAME"}"#),
        probe("DELETE", "/-/user/v1/star", r#"{"name":"@keeper/NAME","package":"@keeper/NAME"}"#),
        probe("PUT", "/-/user/package/@keeper%2fNAME/star", "{}"),
        probe("PUT", "/-/team/crew/developers/package", r#"{"package":"@keeper/NAME","permissions":"read-only"}"#),
        probe("DELETE", "/-/team/crew/developers/package", r#"{"package":"@keeper/NAME"}"#),
        probe("POST", "/-/npm/v1/security/advisories/bulk", r#"{"@keeper/NAME":["1.0.0"]}"#),
    ]);
    probes
}

/// What an answer says, without what differs from request to request.
fn told(answer: &Answer, name: &str) -> String {
    let mut headers = answer.headers.clone();
    headers.remove("x-request-id");
    headers.remove("date");
    let body = String::from_utf8_lossy(&answer.bytes);
    format!("{} {headers:?} {body}", answer.status).replace(name, "NAME")
}

#[tokio::test]
async fn what_is_hidden_is_answered_as_what_is_missing_after_the_same_queries() {
    let queries = Queries::default();
    let subscriber = tracing_subscriber::registry().with(queries.clone());
    let _listening = tracing::subscriber::set_default(subscriber);
    let app = TestApp::new().await;
    let keeper = app.user("keeper").await;
    let outsiders = outsiders(&app).await;
    release_canary(&app, &keeper).await;
    let mut differences = Vec::new();
    let mut asked = 0;
    for probe in probes() {
        for (who, person) in &outsiders {
            let mut answers = Vec::new();
            // Once before it counts: statements are prepared, tokens and accounts are in memory.
            for name in ["absent", "canary", "absent", "canary"] {
                let path = probe.path.replace("NAME", name);
                let headers = [("content-type", "application/json"), ("if-none-match", "*"), ("range", "bytes=0-1")];
                queries.take();
                let body = Body::from(probe.body.replace("NAME", name));
                let answer = person.send(probe.method, &path, &headers, body).await;
                answers.push((told(&answer, name), queries.take()));
            }
            let [.., missing, hidden] = &answers[..] else { unreachable!("four answers") };
            asked += hidden.1.len();
            let deed = format!("{} {} as {who}", probe.method, probe.path);
            if missing.0 != hidden.0 {
                differences.push(format!("{deed}\n  missing: {}\n  hidden:  {}", missing.0, hidden.0));
            }
            if missing.1 != hidden.1 {
                differences
                    .push(format!("{deed}: other queries\n  missing: {:#?}\n  hidden:  {:#?}", missing.1, hidden.1));
            }
        }
    }
    assert!(asked > 100, "no queries were heard of, so that nothing was compared");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// The places where packages are listed, counted and fed, as each outsider sees them.
async fn lists(outsiders: &[(&str, Person<'_>)]) -> Vec<(String, String)> {
    let mut paths: Vec<String> = strongroom::registry::routes()
        .into_iter()
        .filter(|route| route.methods.contains(&"GET") && !route.path.contains("{package}"))
        .map(|route| path_of(route.path, "@keeper/open").replace("owner", "keeper"))
        .collect();
    paths.extend(
        [
            "/-/v1/search?text=canary",
            "/-/v1/search?text=shared",
            "/-/v1/search?text=maintainer:keeper&size=250",
            "/-/v1/search?text=keywords:shared&from=0&size=1",
            "/-/_view/starredByUser?key=%22keeper%22",
            "/-/user/keeper/package",
            "/-/user/former/package",
            "/_changes?since=0",
            "/_all_docs",
            "/downloads/point/last-week",
            "/downloads/range/last-week",
            "/-/user/keeper/stars",
            "/-/stage?perPage=100",
            "/-/npm/v1/hooks",
            "/@keeper%2fopen",
        ]
        .map(str::to_owned),
    );
    let mut seen = Vec::new();
    for path in paths {
        for (who, person) in outsiders {
            let answer = person.get(&path).await;
            seen.push((format!("{path} as {who}"), told(&answer, "no name at all")));
        }
    }
    seen
}

#[tokio::test]
async fn no_list_count_or_feed_changes_when_a_hidden_package_comes() {
    let app = TestApp::new().await;
    let keeper = app.user("keeper").await;
    let outsiders = outsiders(&app).await;
    let mut open = Package::new("@keeper/open", "1.0.0").access("public");
    open.manifest = json!({ "description": "open words", "keywords": ["shared"] });
    keeper.publish(&open).await.expect(201);
    // The time is the same before and after: what is counted by it may not differ for that.
    let later = app.clock.now() + TimeDelta::hours(1);
    app.clock.set(later);
    // Asked once before it counts, so that the tokens' last use is the same before and after, too.
    lists(&outsiders).await;
    app.run_all_chores().await;
    let before = lists(&outsiders).await;
    app.clock.set(later - TimeDelta::hours(1));
    release_canary(&app, &keeper).await;
    let after = lists(&outsiders).await;
    let mut changed = Vec::new();
    for ((place, before), (_, after)) in before.iter().zip(&after) {
        if before != after {
            changed.push(format!("{place}\n  before: {before}\n  after:  {after}"));
        }
        if after.contains("canary") && !place.contains("canary") {
            changed.push(format!("{place} names the canary: {after}"));
        }
    }
    assert!(changed.is_empty(), "{} places changed:\n{}", changed.len(), changed.join("\n"));
}

/// A collaborator whose plan has lapsed may know, and is told so; a stranger without a plan is told nothing.
#[tokio::test]
async fn a_missing_plan_tells_nothing_to_a_stranger() {
    let app = TestApp::new().await;
    let keeper = app.user("keeper").await;
    let stranger = app.user("stranger").await;
    app.user("former").await;
    release_canary(&app, &keeper).await;
    for account in ["stranger", "keeper"] {
        app.set_billing(account, BillingFlag::Unpaid).await;
    }
    let hidden = stranger.get("/@keeper%2fcanary").await.expect(404);
    let missing = stranger.get("/@keeper%2fabsent").await.expect(404);
    assert_eq!(told(&hidden, "canary"), told(&missing, ABSENT.trim_start_matches("@keeper/")));
}

/// A page without what differs each time it is shown.
fn shown(page: &Page, name: &str) -> String {
    let mut headers = page.answer.headers.clone();
    for differs in ["x-request-id", "date", "content-security-policy", "content-length"] {
        headers.remove(differs);
    }
    let blanked = ["nonce=\"", "name=\"_form\" value=\""].iter().fold(page.html(), |html, mark| {
        let mut parts = html.split(mark);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + mark + part.split_once('"').map_or("", |(_, rest)| rest))
    });
    format!("{} {headers:?} {blanked}", page.answer.status).replace(name, "NAME")
}

/// Pages and forms tell no more than the registry does: neither to strangers nor to who administers the instance.
#[tokio::test]
async fn a_page_of_what_is_hidden_is_the_page_of_what_is_missing() {
    let app = TestApp::new().await;
    let keeper = app.user("keeper").await;
    outsiders(&app).await;
    app.administrator("warden").await;
    release_canary(&app, &keeper).await;
    let mut visitors = vec![("nobody", app.browser())];
    for name in ["stranger", "former", "member", "warden"] {
        visitors.push((name, app.session(name).await));
    }
    let mut differences = Vec::new();
    let mut compared = 0;
    for route in strongroom::web::routes().into_iter().filter(|route| route.path.contains("{package}")) {
        for method in route.methods {
            for (who, browser) in &visitors {
                let mut pages = Vec::new();
                for name in ["absent", "canary"] {
                    let path = crate::web_routes::path_of(route.path, &format!("@keeper/{name}"));
                    let page = if *method == "GET" {
                        browser.get(&path).await
                    } else {
                        let code = crate::web_routes::code_of(browser).await;
                        browser.post(&path, "same-origin", [("_form", code)]).await
                    };
                    pages.push(shown(&page, name));
                }
                compared += 1;
                if pages[0] != pages[1] {
                    let deed = format!("{method} {} as {who}", route.path);
                    differences.push(format!("{deed}\n  missing: {}\n  hidden:  {}", pages[0], pages[1]));
                }
            }
        }
    }
    assert!(compared > 20, "the pages of packages were not found");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// Search, profiles, organizations and the first page do not change for anybody outside when a hidden package comes.
#[tokio::test]
async fn no_page_changes_when_a_hidden_package_comes() {
    let app = TestApp::new().await;
    let keeper = app.user("keeper").await;
    outsiders(&app).await;
    keeper.publish(&Package::new("@keeper/open", "1.0.0").access("public")).await.expect(201);
    let paths = ["/", "/search?q=canary", "/search?q=keeper", "/~keeper", "/~former", "/org/crew"];
    let mut visitors = vec![("nobody", app.browser())];
    for name in ["stranger", "member"] {
        visitors.push((name, app.session(name).await));
    }
    let look = async || {
        let mut seen = Vec::new();
        for path in paths {
            for (who, browser) in &visitors {
                seen.push((format!("{path} as {who}"), shown(&browser.get(path).await, "no name at all")));
            }
        }
        seen
    };
    let later = app.clock.now() + TimeDelta::hours(1);
    app.clock.set(later);
    app.run_all_chores().await;
    let before = look().await;
    app.clock.set(later - TimeDelta::hours(1));
    release_canary(&app, &keeper).await;
    for ((place, before), (_, after)) in before.iter().zip(look().await) {
        assert_eq!(*before, after, "{place}");
    }
}
