//! Refusals say what is missing and who can give it, in words and in stable codes.

use std::collections::BTreeSet;

use serde_json::json;
use strongroom::error::MEANINGS;
use strongroom::policy::{BillingFlag, Narrowing, Permission};

use crate::support::app::{Package, TestApp};

#[tokio::test]
async fn a_refusal_carries_code_lack_and_giver() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    app.grant("@ada/one", "bob", Permission::ReadOnly).await;
    let refusal = bob.publish(&Package::new("@ada/one", "1.1.0")).await.expect(403);
    let body = refusal.json();
    assert_eq!(body["code"], "SR-ACCESS-02");
    assert_eq!(body["missing"], "read-write");
    assert_eq!(body["ask"], "@ada");
    assert_eq!(refusal.header("x-request-id").len(), 16);
    assert_eq!(body["help"], "http://registry.test/-/strongroom/v1/errors/SR-ACCESS-02");
    assert_eq!(body["error"], body["message"], "npm up to 11 prints the one, npm 12 the other");
    let explained = app.anonymous().get("/-/strongroom/v1/errors/SR-ACCESS-02").await.expect(200).json();
    assert_eq!(explained["status"], 403);

    let read_only = app.token("ada", Narrowing::read_only(), None).await;
    let body = read_only.publish(&Package::new("@ada/one", "1.1.0")).await.expect(403).json();
    assert_eq!((body["code"].as_str(), body["ask"].as_str()), (Some("SR-TOKEN-02"), None));

    app.set_billing("bob", BillingFlag::Unpaid).await;
    let body = bob.get("/@ada/one").await.expect(402).json();
    assert_eq!((body["code"].as_str(), body["missing"].as_str()), (Some("SR-PLAN-01"), Some("plan")));
}

/// Who may not know of a package is told nothing of what they lack.
#[tokio::test]
async fn what_is_hidden_names_no_lack() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    let hidden = eve.get("/@ada%2fone").await.expect(404);
    let missing = eve.get("/@ada%2ftwo").await.expect(404);
    let text = |answer: &crate::support::app::Answer| String::from_utf8_lossy(&answer.bytes).into_owned();
    assert_eq!(text(&hidden).replace("one", "two"), text(&missing));
    assert_eq!(hidden.json().get("ask"), None);
}

#[tokio::test]
async fn an_unknown_code_is_not_found() {
    let app = TestApp::new().await;
    app.anonymous().get("/-/strongroom/v1/errors/SR-NOTHING-01").await.expect(404);
    let known = app.anonymous().get("/-/strongroom/v1/errors/SR-PLAN-01").await.expect(200).json();
    assert_eq!(known["code"], json!("SR-PLAN-01"));
}

/// The table of `protocol.md` and the one in the source are one: no code without a meaning, none without a line.
#[test]
fn every_code_is_explained_in_the_documentation() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let documentation = std::fs::read_to_string(root.join("docs/protocol.md")).expect("docs/protocol.md");
    let source =
        ["src/error.rs", "src/policy/decide.rs"].map(|path| std::fs::read_to_string(root.join(path)).expect(path));
    let is_code = |word: &&str| word.starts_with("SR-") && word.len() >= 10;
    let used: BTreeSet<&str> = source.iter().flat_map(|text| text.split('"')).filter(is_code).collect();
    let explained: BTreeSet<&str> = MEANINGS.iter().map(|meaning| meaning.code).collect();
    assert_eq!(used, explained, "the codes that are used, and those that have a meaning");
    for meaning in MEANINGS {
        let line = format!("| {} | `{}` |", meaning.status, meaning.code);
        assert!(documentation.contains(&line), "docs/protocol.md has no line {line}");
    }
}
