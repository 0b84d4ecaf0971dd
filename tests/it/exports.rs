//! Everything of an account to take away.

use std::collections::BTreeMap;
use std::io::Read as _;

use serde_json::Value;
use strongroom::error::Error;
use strongroom::policy::{
    AccountAction, Actor, BillingFlag, HolderPermit, Lack, OrganizationAction, OrganizationRole, Permission,
};

use crate::account::confirm;
use crate::second_factor::wait;
use crate::support::app::{Package, TestApp};
use crate::support::browser::{Browser, Page};

const EXPORT: &str = "/settings/export";

async fn export(browser: &Browser<'_>) -> Page {
    browser.submit(browser.get(EXPORT).await.expect(200).form(EXPORT)).await
}

/// The files in an archive, without the folder that they are all in.
fn files(page: &Page) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(&page.answer.bytes[..]).entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").display().to_string();
        let (folder, rest) = path.split_once('/').expect("a folder");
        assert!(folder.starts_with("strongroom-ada-") || folder.starts_with("strongroom-crew-"), "{path}");
        let rest = rest.to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("its bytes");
        files.insert(rest, bytes);
    }
    files
}

fn json(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
    serde_json::from_slice(files.get(path).unwrap_or_else(|| panic!("no {path}"))).expect("JSON")
}

/// Larger than what is kept in memory: it comes from the disk, in pieces.
fn large(version: &str) -> Package {
    let mut package = Package::new("@ada/one", version);
    let noise = (0..2_500_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    package.files.push(("noise.bin".into(), noise));
    package
}

#[tokio::test]
async fn an_account_takes_away_everything_that_is_its_own() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let one = Package::new("@ada/one", "1.0.0");
    let large = large("1.1.0");
    for package in [&one, &large] {
        ada.publish(package).await.expect(201);
    }
    app.grant("@ada/one", "bob", Permission::ReadOnly).await;
    bob.publish(&Package::new("@bob/shared", "1.0.0")).await.expect(201);
    app.grant("@bob/shared", "ada", Permission::ReadOnly).await;
    bob.publish(&Package::new("@bob/own", "1.0.0")).await.expect(201);
    let browser = app.logged_in("ada").await;
    let page = browser.get(EXPORT).await.expect(200);
    assert!(page.text("dl.facts").contains("Packages in your scope1 Versions2"), "{}", page.text("dl.facts"));
    let archive = export(&browser).await.expect(200);
    assert_eq!(archive.answer.header("content-type"), "application/x-tar");
    assert!(archive.answer.header("content-disposition").starts_with("attachment; filename=\"strongroom-ada-"));
    assert!(archive.answer.header("cache-control").starts_with("no-store"));
    let files = files(&archive);
    assert_eq!(files["packages/@ada/one/one-1.0.0.tgz"], one.tarball());
    assert_eq!(files["packages/@ada/one/one-1.1.0.tgz"], large.tarball());
    assert_eq!(json(&files, "packages/@ada/one/packument.json")["dist-tags"]["latest"], "1.1.0");
    let access = json(&files, "packages/@ada/one/access.json");
    assert_eq!(access["visibility"], "restricted");
    assert_eq!(access["collaborators"][1]["name"], "bob");
    assert_eq!(json(&files, "profile.json")["email"], "ada@example.com");
    assert_eq!(json(&files, "packages.json").as_array().map(Vec::len), Some(2), "what is shared is named");
    assert!(!files.keys().any(|path| path.contains("@bob")), "and not taken along");
    assert_eq!(json(&files, "sessions.json").as_array().map(Vec::len), Some(1));
    let log = String::from_utf8(files["audit/000001.jsonl"].clone()).expect("text");
    for action in ["package.publish", "access.grant", "account.export"] {
        assert!(log.contains(action), "{action}");
    }
    assert!(!log.contains("@bob/own"));
    let secret = ada.token.as_deref().expect("a token");
    assert!(files.values().all(|bytes| !bytes.windows(secret.len()).any(|part| part == secret.as_bytes())));
    assert_eq!(json(&files, "tokens.json")[0]["begins_with"], secret[..8]);
}

#[tokio::test]
async fn a_lapsed_plan_keeps_nobody_from_what_is_theirs() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let one = Package::new("@ada/one", "1.0.0");
    ada.publish(&one).await.expect(201);
    app.set_billing("ada", BillingFlag::Unpaid).await;
    ada.get("/@ada/one/-/one-1.0.0.tgz").await.expect(402);
    let browser = app.logged_in("ada").await;
    let files = files(&export(&browser).await.expect(200));
    assert_eq!(files["packages/@ada/one/one-1.0.0.tgz"], one.tarball());
}

const CREW: &str = "/org/crew/export";

#[tokio::test]
async fn owners_take_everything_of_an_organization_away_also_while_nobody_pays_for_it() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    for user in ["bob", "eve"] {
        app.user(user).await;
    }
    app.organization("crew", "ada", &[("bob", "admin"), ("eve", "developer")]).await;
    let one = Package::new("@crew/one", "1.0.0");
    ada.publish(&one).await.expect(201);
    ada.publish(&Package::new("@ada/own", "1.0.0")).await.expect(201);
    app.set_billing("crew", BillingFlag::Unpaid).await;
    ada.get("/@crew/one/-/one-1.0.0.tgz").await.expect(402);
    let browser = app.session("ada").await;
    let page = browser.get(CREW).await.expect(200);
    assert!(page.text("dl.facts").contains("Packages in its scope1 Versions1"), "{}", page.text("dl.facts"));
    assert_eq!(page.text("nav.tabs [aria-current]"), "Export");
    let archive = browser.submit(page.form(CREW)).await.expect(200);
    assert!(archive.answer.header("content-disposition").starts_with("attachment; filename=\"strongroom-crew-"));
    let files = files(&archive);
    assert_eq!(files["packages/@crew/one/one-1.0.0.tgz"], one.tarball());
    assert!(!files.keys().any(|path| path.contains("@ada") || path.contains("tokens") || path.contains("sessions")));
    assert_eq!(json(&files, "organization.json")["paid"], false);
    let members = json(&files, "members.json");
    let shown: Vec<_> = members.as_array().expect("a list").iter().map(|one| (&one["name"], &one["role"])).collect();
    assert_eq!(shown.len(), 3);
    assert!(shown.contains(&(&"bob".into(), &"admin".into())), "{members}");
    let teams = json(&files, "teams.json");
    assert_eq!((&teams[0]["name"], &teams[0]["packages"][0]["name"]), (&"developers".into(), &"@crew/one".into()));
    assert_eq!(json(&files, "packages.json")[0]["name"], "@crew/one");
    let readme = String::from_utf8(files["README.txt"].clone()).expect("text");
    assert!(readme.contains("teams.json") && !readme.contains("tokens.json"), "{readme}");
    let log = String::from_utf8(files["audit/000001.jsonl"].clone()).expect("text");
    assert!(log.contains("account.export") && log.contains("package.publish"), "{log}");
    for user in ["bob", "eve"] {
        let browser = app.session(user).await;
        assert!(browser.get(CREW).await.expect(403).text("main").contains("Only owners of @crew"));
        assert!(
            !browser.get("/org/crew").await.expect(200).attributes("nav.tabs a", "href").contains(&CREW.to_owned())
        );
    }
}

/// What was decided at the beginning does not last to the end.
#[tokio::test]
async fn an_export_ends_with_the_role_of_who_asked_for_it() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    app.user("bob").await;
    app.organization("crew", "ada", &[("bob", "owner")]).await;
    ada.publish(&Package::new("@crew/one", "1.0.0")).await.expect(201);
    let (crew, name) = ("crew".parse().expect("a name"), "ada".parse().expect("a name"));
    let organizations = &app.app.organizations;
    let token = ada.token.as_deref().expect("a token");
    let actor = app.app.tokens.authenticate(token, [192, 0, 2, 1].into()).await.expect("an answer");
    let permit = organizations.permit(&actor, &crew, OrganizationAction::Export).await.expect("a permit");
    let see = organizations.permit(&actor, &crew, OrganizationAction::SeeLog).await.expect("a permit");
    assert!(matches!(app.app.exports.begin(HolderPermit::Organization(&see)).await, Err(Error::Internal(_))));
    let operator = organizations.permit(&Actor::Operator, &crew, OrganizationAction::ChangeMembers).await;
    let operator = operator.expect("a permit");
    organizations.set_member(&operator, &name, OrganizationRole::Admin).await.expect("an admin");
    let refused = app.app.exports.begin(HolderPermit::Organization(&permit)).await;
    assert!(matches!(refused, Err(Error::Lacking { lack: Lack::Role(_), .. })), "{refused:?}");
}

#[tokio::test]
async fn an_export_asks_who_one_is_and_comes_one_at_a_time() {
    let app = TestApp::new().await;
    app.user("ada").await;
    let browser = app.logged_in("ada").await;
    wait(&app, 16 * 60);
    let asked = export(&browser).await.expect(200);
    let first = confirm(&browser, &asked, EXPORT).await.expect(200);
    assert_eq!(first.answer.header("content-type"), "application/x-tar");
    // The one before is over, and its turn with it.
    let pool = app.pool().await;
    let turns = async || {
        let count = sqlx::query_scalar("select count(*) from exports").fetch_one(&pool);
        let count: i64 = count.await.expect("a count");
        count
    };
    while turns().await > 0 {
        tokio::task::yield_now().await;
    }
    // Another node is at it.
    sqlx::query("insert into exports select id, $1 from accounts where name = 'ada'")
        .bind(app.clock.now() + chrono::TimeDelta::minutes(5))
        .execute(&pool)
        .await
        .expect("a turn");
    let busy = export(&browser).await.expect(409);
    assert!(busy.text(".summary").contains("under way"));
    // A node that died does not hold it for ever.
    wait(&app, 5 * 60);
    export(&browser).await.expect(200);
    let logged: i64 = sqlx::query_scalar("select count(*) from audit_events where action = 'account.export'")
        .fetch_one(&pool)
        .await
        .expect("a count");
    assert_eq!(logged, 2);
}

/// A file that is not what it was said to be must not look like a whole archive.
#[tokio::test]
async fn an_archive_that_cannot_be_made_whole_is_broken_off() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.publish(&large("1.0.0")).await.expect(201);
    let token = ada.token.as_deref().expect("a token");
    let actor = app.app.tokens.authenticate(token, [192, 0, 2, 1].into()).await.expect("an answer");
    let permit = app.app.second_factor.permit(&actor, AccountAction::Export).await.expect("a permit");
    std::fs::remove_dir_all(app.folder().join("blobs/sha512")).expect("the files go");
    let mut export = app.app.exports.begin(HolderPermit::User(&permit)).await.expect("a beginning");
    let mut last = None;
    while let Some(piece) = export.pieces.recv().await {
        last = Some(piece);
    }
    assert!(last.expect("something").is_err());
}
