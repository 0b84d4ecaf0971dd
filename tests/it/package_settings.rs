//! The settings of a package: tags, deprecation, hooks, removal, and what waits for approval.

use serde_json::{Value, json};

use crate::access_page::with_code;
use crate::second_factor::enable;
use crate::support::app::{Package, Person, TestApp};
use crate::support::browser::{FilledForm, Page};

const PAGE: &str = "/package/@ada/x/settings";
const REMOVE: &str = "/package/@ada/x/settings/remove";

/// The form with this field.
#[track_caller]
fn form_with(page: &Page, action: &str, field: &str) -> FilledForm {
    let has = |form: &FilledForm| form.fields.iter().any(|(name, _)| name == field);
    page.forms(action).into_iter().find(has).unwrap_or_else(|| panic!("no form with {field}: {}", page.html()))
}

async fn two_versions(app: &TestApp) -> Person<'_> {
    let ada = app.user("ada").await;
    ada.publish(&Package::new("@ada/x", "1.0.0")).await.expect(201);
    ada.publish(&Package::new("@ada/x", "1.1.0")).await.expect(201);
    ada
}

async fn packument(person: &Person<'_>) -> Value {
    person.get("/@ada%2fx").await.expect(200).json()
}

#[tokio::test]
async fn tags_are_added_moved_and_removed() {
    let app = TestApp::new().await;
    let cli = two_versions(&app).await;
    let ada = app.logged_in("ada").await;
    let page = ada.get(PAGE).await.expect(200);
    let form = form_with(&page, PAGE, "tag").press("set-tag", "1");
    let page = ada.submit_and_follow(form.clone().fill("tag", "next").fill("version", "1.0.0")).await.expect(200);
    assert_eq!(packument(&cli).await["dist-tags"], json!({ "latest": "1.1.0", "next": "1.0.0" }));
    ada.submit(form.clone().fill("tag", "latest").fill("version", "1.0.0")).await.expect(303);
    assert_eq!(packument(&cli).await["dist-tags"]["latest"], "1.0.0");
    assert_eq!(page.attributes("[name=untag]", "value"), ["next"], "latest stays");
    ada.submit(form.clone().without("tag").without("set-tag").press("untag", "next")).await.expect(303);
    assert_eq!(packument(&cli).await["dist-tags"], json!({ "latest": "1.0.0" }));
    let refused = ada.submit(form.clone().fill("tag", "2.0.0").fill("version", "1.0.0")).await.expect(422);
    assert_eq!(refused.attributes("#tag", "value"), ["2.0.0"]);
    ada.submit(form.fill("tag", "next").fill("version", "9.0.0")).await.expect(422);
}

#[tokio::test]
async fn a_range_is_deprecated_and_that_taken_back() {
    let app = TestApp::new().await;
    let cli = two_versions(&app).await;
    let ada = app.logged_in("ada").await;
    let form = form_with(&ada.get(PAGE).await, PAGE, "message").press("deprecate", "1");
    let refused = ada.submit(form.clone().fill("range", "<1.1.0")).await.expect(422);
    assert_eq!(refused.attributes("#range", "value"), ["<1.1.0"]);
    let filled = form.clone().fill("range", "<1.1.0").fill("message", "use 1.1.0");
    let page = ada.submit_and_follow(filled).await.expect(200);
    assert!(page.text("[role=status]").contains("1 version is deprecated"));
    let versions = packument(&cli).await["versions"].clone();
    assert_eq!(versions["1.0.0"]["deprecated"], "use 1.1.0");
    assert_eq!(versions["1.1.0"]["deprecated"], Value::Null);
    let back = form.clone().fill("range", "1.0.0").press("deprecate", "undo");
    ada.submit(back).await.expect(303);
    assert_eq!(packument(&cli).await["versions"]["1.0.0"]["deprecated"], Value::Null);
    for range in [">=7", "not a range <<"] {
        ada.submit(form.clone().fill("range", range).fill("message", "gone")).await.expect(422);
    }
}

#[tokio::test]
async fn nobody_locks_themselves_out_by_asking_for_what_they_have_not() {
    let app = TestApp::new().await;
    let cli = two_versions(&app).await;
    let ada = app.logged_in("ada").await;
    let form = form_with(&ada.get(PAGE).await, PAGE, "policy").press("second-factor", "1");
    let refused = ada.submit(form.clone().fill("policy", "publish")).await.expect(422);
    assert!(refused.text(".summary").contains("lock yourself out"));
    ada.submit(form.fill("policy", "none")).await.expect(303);
    // No more do they from a terminal.
    for automation in [false, true] {
        let wish = json!({ "publish_requires_tfa": true, "automation_token_overrides_tfa": automation });
        let refused = cli.json("POST", "/-/package/@ada%2fx/access", &wish).await.expect(422);
        assert!(refused.error().contains("lock yourself out of @ada/x"), "{}", refused.error());
    }
    let access = cli.get("/-/package/@ada%2fx/access").await.expect(200).json();
    assert_eq!(access["publish_requires_tfa"], false);
}

#[tokio::test]
async fn hooks_are_added_and_removed() {
    let app = TestApp::new().await;
    let cli = two_versions(&app).await;
    let ada = app.logged_in("ada").await;
    let form = form_with(&ada.get(PAGE).await, PAGE, "endpoint").fill("secret", "hushed").press("hook", "1");
    ada.submit(form.clone().fill("endpoint", "nowhere")).await.expect(422);
    let page = ada.submit_and_follow(form.fill("endpoint", "https://hooks.example.com/x")).await.expect(200);
    assert!(page.text("#hooks").contains("https://hooks.example.com/x") && !page.html().contains("hushed"));
    assert_eq!(cli.get("/-/npm/v1/hooks").await.expect(200).json()["total"], 1);
    let key = page.attributes("[name=unhook]", "value")[0].clone();
    let form = form_with(&page, PAGE, "endpoint").press("unhook", &key);
    ada.submit(form).await.expect(303);
    assert_eq!(cli.get("/-/npm/v1/hooks").await.expect(200).json()["total"], 0);
}

#[tokio::test]
async fn a_version_and_the_package_go_by_name_and_come_back() {
    let app = TestApp::new().await;
    let cli = two_versions(&app).await;
    let ada = app.logged_in("ada").await;
    let page = ada.get(REMOVE).await.expect(200);
    let form = form_with(&page, REMOVE, "version").press("unpublish", "1").fill("version", "1.1.0");
    let refused = ada.submit(form.clone().fill("typed", "@ada/y")).await.expect(422);
    assert!(refused.text(".summary").contains("not the name"));
    let page = ada.submit_and_follow(form.fill("typed", "@ada/x")).await.expect(200);
    assert_eq!(packument(&cli).await["dist-tags"]["latest"], "1.0.0");
    ada.submit(page.form(REMOVE).press("restore", "1.1.0")).await.expect(303);
    assert_eq!(packument(&cli).await["versions"].as_object().expect("versions").len(), 2);

    let page = ada.get(REMOVE).await.expect(200);
    let form = form_with(&page, REMOVE, "typed-package").press("delete", "1").fill("typed-package", "@ada/x");
    let page = ada.submit_and_follow(form).await.expect(200);
    assert!(page.text("main").contains("can be restored"), "{}", page.html());
    cli.get("/@ada%2fx").await.expect(404);
    app.user("eve").await;
    app.logged_in("eve").await.get(PAGE).await.expect(404);
    ada.submit(page.form(REMOVE).press("restore", "all")).await.expect(303);
    cli.get("/@ada%2fx").await.expect(200);
}

#[tokio::test]
async fn what_waits_is_shown_with_what_it_changes_and_takes_a_second_factor_to_publish() {
    let app = TestApp::new().await;
    let cli = two_versions(&app).await;
    let mut next = Package::new("@ada/x", "1.2.0");
    next.files[0].1 = b"module.exports = 2\n".to_vec();
    let staged = cli.json("POST", "/-/stage/package/@ada%2fx", &next.document()).await.expect(201).json();
    let path = format!("/package/@ada/x/staged/{}", staged["stageId"].as_str().expect("an id"));
    let plain = app.logged_in("ada").await;
    let page = plain.get(&path).await.expect(200);
    assert!(page.text("main").contains("What differs from 1.1.0"), "{}", page.html());
    assert!(page.html().contains("module.exports = 2"));
    // Without a second factor nobody approves.
    plain.submit(page.form(&path).press("approve", "1")).await.expect(403);
    let (phone, _) = enable(&app, &cli, "auth-only").await;
    let ada = with_code(&app, "ada", &phone).await;
    let page = ada.get(PAGE).await.expect(200);
    assert_eq!(page.attributes("#staged + ul a", "href"), [path.as_str()]);
    let page = ada.get(&path).await.expect(200);
    ada.submit(page.form(&path).press("approve", "1")).await.expect(303);
    assert_eq!(packument(&cli).await["dist-tags"]["latest"], "1.2.0");
    ada.get(&path).await.expect(404);

    // Trust is seen and changed with the second factor, too.
    let trust = "/package/@ada/x/settings/trust";
    let page = ada.get(trust).await.expect(200);
    let form = form_with(&page, trust, "repository").fill("repository", "ada/x").fill("workflow", "release.yml");
    let page = ada.submit_and_follow(form.clone()).await.expect(200);
    assert!(page.text("main").contains("repository is ada/x"), "{}", page.html());
    ada.submit(form).await.expect(422);
    let id = page.attributes("[name=untrust]", "value")[0].clone();
    let gone = form_with(&page, trust, "repository").press("untrust", &id);
    let page = ada.submit_and_follow(gone).await.expect(200);
    assert!(page.text("main").contains("Nobody is trusted yet"));
    ada.get("/package/@ada/not-yet/settings/trust").await.expect(200);
}
