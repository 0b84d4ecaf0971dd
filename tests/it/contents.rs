//! What is known of versions beside what clients ask for: their files, their READMEs as pages, who needs whom.

use serde_json::json;
use strongroom::names::{PackageName, VersionNumber};
use strongroom::packages::{Opened, VersionFiles};
use strongroom::policy::{Actor, BillingFlag, Intent, Permission};
use strongroom::readmes::Body;

use crate::support::app::{Package, TestApp};

async fn open(app: &TestApp, name: &str) -> Opened {
    let name: PackageName = name.parse().expect("a name");
    app.app.packages.open(&Actor::Operator, &name, Intent::READ).await.expect("a package")
}

async fn files(app: &TestApp, name: &str, version: &str) -> VersionFiles {
    let version: VersionNumber = version.parse().expect("a version");
    app.app.packages.files(&open(app, name).await, &version).await.expect("files")
}

async fn count(app: &TestApp, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&app.pool().await).await.expect("a number")
}

const WITHOUT_FILES: &str = "select count(*) from version_files where paths is null";

#[tokio::test]
async fn the_files_of_a_version_are_noted_when_it_is_published() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let mut package = Package::new("@ada/one", "1.0.0");
    package.files.push(("lib/logo.png".into(), b"\x89PNG\r\n\x1a\n\0\0".to_vec()));
    ada.publish(&package).await.expect(201);
    assert_eq!(count(&app, WITHOUT_FILES).await, 0);
    let version = files(&app, "@ada/one", "1.0.0").await;
    let told: Vec<_> = version.index.files().iter().map(|file| (file.path.as_str(), file.is_text)).collect();
    assert_eq!(told, [("README.md", true), ("index.js", true), ("lib/logo.png", false), ("package.json", true)]);
    let file = version.index.find("index.js").expect("a file");
    assert_eq!(app.app.contents.bytes(&version, file).await.expect("bytes"), "module.exports = 1\n");
}

#[tokio::test]
async fn a_version_without_an_index_gets_one_by_the_chore_or_when_somebody_looks() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        ada.publish(&Package::new("@ada/one", version)).await.expect(201);
    }
    let noted = files(&app, "@ada/one", "1.0.0").await;
    // What a node of the release before publishes has a row that is still to be filled.
    let forget = "update version_files set paths = null, sizes = null, offsets = null, texts = null, digests = null";
    sqlx::query(forget).execute(&app.pool().await).await.expect("an update");
    let other = app.second_node().await;
    assert_eq!(files(&other, "@ada/one", "1.0.0").await.index, noted.index);
    assert_eq!(count(&app, WITHOUT_FILES).await, 2);
    app.run_chore("packages.index_files").await;
    assert_eq!(count(&app, WITHOUT_FILES).await, 0);
    assert_eq!(files(&other, "@ada/one", "1.2.0").await.index.files().len(), 3);
}

#[tokio::test]
async fn what_was_noted_goes_with_the_version() {
    let app = TestApp::with(|config| config.packages.trash_days = 0).await;
    let ada = app.user("ada").await;
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    app.run_chore("readmes.render").await;
    assert_eq!(count(&app, "select count(*) from readmes where html is not null").await, 1);
    let rev = ada.get("/@ada%2fone").await.json()["_rev"].as_str().expect("a revision").to_owned();
    ada.json("DELETE", &format!("/@ada%2fone/-rev/{rev}"), &json!({})).await.expect(200);
    app.clock.set(app.clock.now() + chrono::TimeDelta::days(1));
    app.run_chore("packages.empty_trash").await;
    assert_eq!(count(&app, "select count(*) from version_files").await, 0);
    assert_eq!(count(&app, "select count(*) from readmes").await, 0);
}

#[tokio::test]
async fn a_readme_is_rendered_after_its_publish_and_again_by_a_newer_renderer() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    let version: VersionNumber = "1.0.0".parse().expect("a version");
    let body = async || {
        let readme = app.app.readmes.find(&open(&app, "@ada/one").await, &version).await.expect("an answer");
        readme.expect("a README").body
    };
    assert_eq!(body().await, Body::Plain("# Hi\n".into()));
    app.run_chore("readmes.render").await;
    let html = Body::Html("<h2 id=\"readme-hi\">Hi</h2>\n".into());
    assert_eq!(body().await, html);
    let spoil = "update readmes set html = 'old', renderer = renderer - 1";
    sqlx::query(spoil).execute(&app.pool().await).await.expect("an update");
    app.run_chore("readmes.render").await;
    assert_eq!(body().await, html);
    // What a newer release has made is left alone by the older beside it.
    let newer = "update readmes set html = 'new', renderer = renderer + (1::bigint << 33)";
    sqlx::query(newer).execute(&app.pool().await).await.expect("an update");
    app.run_chore("readmes.render").await;
    assert_eq!(body().await, Body::Html("new".into()));
}

#[tokio::test]
async fn dependents_are_those_that_one_may_see() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let needing = |name: &str, manifest: serde_json::Value| {
        let mut package = Package::new(name, "1.0.0");
        package.manifest = manifest;
        package
    };
    ada.publish(&Package::new("@ada/base", "1.2.0").access("public")).await.expect(201);
    let needs = json!({ "dependencies": { "@ada/base": "^1.0.0" } });
    ada.publish(&needing("@ada/public", needs.clone()).access("public")).await.expect(201);
    ada.publish(&needing("@ada/hidden", needs.clone())).await.expect(201);
    ada.publish(&needing("@ada/shared", json!({ "peerDependencies": { "@ada/base": "*" } }))).await.expect(201);
    ada.publish(&needing("@ada/dev", json!({ "devDependencies": { "@ada/base": "*" } }))).await.expect(201);
    app.grant("@ada/shared", "bob", Permission::ReadOnly).await;
    let base: PackageName = "@ada/base".parse().expect("a name");
    let seen = async |actor: &Actor| {
        let dependents = app.app.dependencies.dependents(&base, actor).await.expect("dependents");
        dependents.list.into_iter().map(|one| one.name.to_string()).collect::<Vec<_>>()
    };
    let actor = async |person: &crate::support::app::Person<'_>| {
        let token = person.token.clone().expect("a token");
        app.app.tokens.authenticate(&token, [192, 0, 2, 1].into()).await.expect("an actor")
    };
    assert_eq!(seen(&Actor::Anonymous).await, ["@ada/public"]);
    assert_eq!(seen(&actor(&bob).await).await, ["@ada/public", "@ada/shared"]);
    assert_eq!(seen(&actor(&ada).await).await, ["@ada/hidden", "@ada/public", "@ada/shared"]);
    app.set_billing("bob", BillingFlag::Unpaid).await;
    assert_eq!(seen(&actor(&bob).await).await, ["@ada/public"]);
    // A version that needs it no more takes the package off the list.
    let mut without = needing("@ada/public", json!({}));
    without.version = "1.0.1".into();
    ada.publish(&without).await.expect(201);
    assert_eq!(seen(&Actor::Anonymous).await, Vec::<String>::new());
}

#[tokio::test]
async fn ranges_resolve_to_the_newest_version_that_one_may_see() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    for version in ["1.0.0", "1.10.0", "1.9.0", "2.0.0"] {
        ada.publish(&Package::new("@ada/base", version)).await.expect(201);
    }
    let wanted =
        [("@ada/base", "^1.0.0"), ("@ada/base", ">=3"), ("@ada/none", "*"), ("left-pad", "1"), ("@ada/base", "x:y")];
    let resolve = async |actor: &Actor| app.app.dependencies.resolve(&wanted, actor).await.expect("an answer");
    assert_eq!(resolve(&Actor::Operator).await[0].as_deref(), Some("1.10.0"));
    assert_eq!(resolve(&Actor::Operator).await[1..], [None, None, None, None]);
    assert_eq!(resolve(&Actor::Anonymous).await, [None, None, None, None, None]);
}
