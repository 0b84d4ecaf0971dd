//! The settings of a package as those see them who cannot change them, and moving to another scope.

use serde_json::{Value, json};
use strongroom::policy::{Narrowing, Permission};

use crate::support::app::{Package, Person, TestApp};
use crate::support::browser::Page;

const PAGE: &str = "/package/@acme/x/settings";

/// A package of acme with a tag, a deprecated version and a hook; ada owns acme, otto administers it.
async fn acme(app: &TestApp) -> Person<'_> {
    for name in ["ada", "otto", "reader", "writer", "stranger"] {
        app.user(name).await;
    }
    app.organization("acme", "ada", &[("otto", "admin")]).await;
    let ada = app.token("ada", Narrowing::default(), None).await;
    ada.publish(&Package::new("@acme/x", "1.0.0")).await.expect(201);
    let mut next = Package::new("@acme/x", "2.0.0-rc.1");
    next.tag = "next".into();
    ada.publish(&next).await.expect(201);
    app.grant("@acme/x", "reader", Permission::ReadOnly).await;
    app.grant("@acme/x", "writer", Permission::ReadWrite).await;
    let hook =
        json!({ "type": "package", "name": "@acme/x", "endpoint": "https://hooks.example.com/x", "secret": "hushed" });
    ada.json("POST", "/-/npm/v1/hooks/hook", &hook).await.expect(201);
    ada
}

async fn packument(person: &Person<'_>) -> Value {
    person.get("/@acme%2fx").await.expect(200).json()
}

/// The names of the buttons that change something here.
fn deeds(page: &Page) -> Vec<String> {
    page.attributes("main button[name]", "name")
}

#[tokio::test]
async fn who_reads_a_package_sees_its_settings_and_who_could_change_them() {
    let app = TestApp::new().await;
    let ada = acme(&app).await;
    let owner = app.session("ada").await;
    let form = owner.get(PAGE).await.expect(200).forms(PAGE);
    let form = form.into_iter().find(|form| form.fields.iter().any(|(name, _)| name == "message")).expect("a form");
    owner.submit(form.fill("range", "1.0.0").fill("message", "old").press("deprecate", "1")).await.expect(303);

    let reader = app.session("reader").await;
    let page = reader.get(PAGE).await.expect(200);
    assert_eq!(page.text(".bar"), "Only admins of @acme can change this: ada, otto");
    let text = page.text("main");
    for shown in ["next", "2.0.0-rc.1", "1.0.0 old", "asks for a second factor as the account"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(deeds(&page).is_empty() && page.forms(PAGE).is_empty(), "{}", page.html());
    for kept in ["hooks.example.com", "Hooks", "Trusted", "/settings/trust", "/settings/remove", "Waiting"] {
        assert!(!page.html().contains(kept), "{kept}");
    }
    assert_eq!(page.attributes("nav.tabs a[aria-current=page]", "href"), [PAGE]);
    // What is not offered is refused all the same, and the package is missing for who may not read it.
    let code = page.form("/logout").fields[0].1.clone();
    for fields in [[("untag", "next")], [("second-factor", "1")], [("hook", "1")]] {
        let fields = fields.into_iter().chain([("_form", code.as_str())]);
        reader.post(PAGE, "same-origin", fields).await.expect(403);
    }
    app.session("stranger").await.get(PAGE).await.expect(404);
    app.browser().get(PAGE).await.expect(404);

    // Who writes changes what is theirs to change, and is told who changes the rest.
    let page = app.session("writer").await.get(PAGE).await.expect(200);
    assert!(deeds(&page).contains(&"set-tag".to_owned()) && !deeds(&page).contains(&"second-factor".to_owned()));
    assert!(page.text("main").contains("Only admins of @acme can change this: ada, otto The same goes for"));
    assert!(!page.html().contains("hooks.example.com"), "everybody sees their own hooks alone");
    assert!(!owner.get(PAGE).await.text("main").contains("Only admins"));

    // Of a public package everybody may know it who has an account; without one, they log in.
    ada.json("POST", "/-/package/@acme%2fx/access", &json!({ "access": "public" })).await.expect(200);
    let page = app.session("stranger").await.get(PAGE).await.expect(200);
    assert!(page.text(".bar").contains("Only admins of @acme") && deeds(&page).is_empty());
    let sent = app.browser().get(PAGE).await.expect(303);
    assert!(sent.location().starts_with("/login?then="), "{}", sent.location());
}

#[tokio::test]
async fn a_package_that_moved_says_so_and_names_who_has_not_come_along() {
    let app = TestApp::new().await;
    let ada = acme(&app).await;
    app.user("eve").await.publish(&Package::new("@eve/hidden", "1.0.0")).await.expect(201);
    app.organization("newer", "ada", &[]).await;
    let browser = app.session("ada").await;
    let page = browser.get(PAGE).await.expect(200);
    assert!(page.html().contains("npm pkg set name=@NEW/x"));
    let form = page.forms(PAGE).into_iter().find(|form| form.fields.iter().any(|(name, _)| name == "to"));
    let form = form.expect("a form").press("move", "1");
    for (typed, sentence) in [
        ("", "name"),
        ("x", "scope"),
        ("@NEWER/ x", "name"),
        ("@acme/x", "has this name already"),
        ("@newer/x", "There is no package @newer/x that you can see"),
        ("@eve/hidden", "There is no package @eve/hidden that you can see"),
    ] {
        let refused = browser.submit(form.clone().fill("to", typed)).await.expect(422);
        let summary = refused.text(".summary");
        assert!(summary.contains(sentence), "{typed}: {summary}");
        assert_eq!(refused.attributes("#to", "value"), [typed]);
    }
    assert!(packument(&ada).await["versions"]["1.0.0"]["deprecated"].is_null(), "nothing was changed");

    ada.publish(&Package::new("@newer/x", "1.0.0")).await.expect(201);
    // To say so is not for everyone who can publish.
    let writer = app.session("writer").await;
    let page = writer.get(PAGE).await.expect(200);
    assert!(!page.html().contains("Move to another scope"));
    let code = page.form("/logout").fields[0].1.clone();
    let fields = [("move", "1"), ("to", "@newer/x"), ("_form", code.as_str())];
    writer.post(PAGE, "same-origin", fields).await.expect(403);

    let page = browser.submit_and_follow(form.fill("to", "@newer/x")).await.expect(200);
    let versions = packument(&ada).await["versions"].clone();
    for version in ["1.0.0", "2.0.0-rc.1"] {
        assert_eq!(versions[version]["deprecated"], "Moved to @newer/x.");
    }
    assert!(page.text("[role=status]").contains("told that it has moved to @newer/x"));
    let text = page.text("main");
    let missing = "These have less access there than here, or none: otto (read-write here), reader (read-only here), \
                   writer (read-write here).";
    assert!(text.contains(missing), "{text}");
    assert_eq!(page.attributes("main a[href='/package/@newer/x/access']", "href").len(), 1);
    for name in ["otto", "reader", "writer"] {
        app.grant("@newer/x", name, Permission::ReadWrite).await;
    }
    let page = browser.get(PAGE).await.expect(200);
    assert!(page.text("main").contains("Everyone with access here has as much there."), "{}", page.text("main"));
}
