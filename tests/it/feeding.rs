//! The feeds: public packages only, in numbers that never go back.

use serde_json::{Value, json};

use crate::support::app::{Package, Person, TestApp};

async fn changes(person: &Person<'_>, since: &Value) -> (Vec<(String, bool)>, Value) {
    let since = since.to_string();
    let page = person.get(&format!("/_changes?since={since}&limit=100")).await.expect(200).json();
    let results = page["results"].as_array().expect("a list");
    let line = |one: &Value| (one["id"].as_str().expect("a name").to_owned(), one["deleted"] == true);
    (results.iter().map(line).collect(), page["last_seq"].clone())
}

async fn set_access(person: &Person<'_>, name: &str, access: &str) {
    let path = format!("/-/package/{}/access", name.replace('/', "%2f"));
    person.json("POST", &path, &json!({ "access": access })).await.expect(200);
}

#[tokio::test]
async fn the_feed_tells_of_public_packages_and_of_those_that_went() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let anyone = app.anonymous();
    let (nothing, start) = changes(&anyone, &json!(0)).await;
    assert_eq!((nothing.len(), &start), (0, &json!(0)));
    alice.publish(&Package::new("@alice/open", "1.0.0").access("public")).await.expect(201);
    alice.publish(&Package::new("@alice/shut", "1.0.0")).await.expect(201);
    let (first, at) = changes(&alice, &start).await;
    assert_eq!(first, [("@alice/open".into(), false)], "also for who may read the other one");

    set_access(&alice, "@alice/shut", "public").await;
    let (second, at) = changes(&anyone, &at).await;
    assert_eq!(second, [("@alice/shut".into(), false)]);
    set_access(&alice, "@alice/shut", "restricted").await;
    let (third, at) = changes(&anyone, &at).await;
    assert_eq!(third, [("@alice/shut".into(), true)]);
    alice.publish(&Package::new("@alice/shut", "1.1.0")).await.expect(201);
    assert_eq!(changes(&anyone, &at).await.0.len(), 0, "what it does in private is not told");

    let (all, last) = changes(&anyone, &json!(0)).await;
    assert_eq!(all, [("@alice/open".into(), false), ("@alice/shut".into(), true)]);
    let now = anyone.get("/_changes?since=now").await.expect(200).json();
    assert_eq!(now, json!({ "results": [], "last_seq": last }));
    let root = anyone.get("/").await.expect(200).json();
    assert_eq!(root, json!({ "db_name": "registry", "doc_count": 1, "update_seq": last }));
    let rev = alice.get("/@alice/open").await.json()["_rev"].clone();
    let row = json!({ "id": "@alice/open", "key": "@alice/open", "value": { "rev": rev } });
    let docs = anyone.get("/_all_docs").await.expect(200).json();
    assert_eq!(docs, json!({ "total_rows": 1, "offset": 0, "rows": [row] }));
}

#[tokio::test]
async fn the_feed_follows_a_package_into_the_trash_and_back() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let anyone = app.anonymous();
    alice.publish(&Package::new("@alice/open", "1.0.0").access("public")).await.expect(201);
    let (_, at) = changes(&anyone, &json!(0)).await;
    let star = json!({ "name": "@alice/open" });
    alice.json("PUT", "/-/user/v1/star", &star).await.expect(200);
    let (starred, at) = changes(&anyone, &at).await;
    assert_eq!(starred, [("@alice/open".into(), false)]);
    let rev = alice.get("/@alice/open?write=true").await.json()["_rev"].as_str().expect("a rev").to_owned();
    let gone = alice.send("DELETE", &format!("/@alice%2fopen/-rev/{rev}"), &[], "".into()).await;
    assert!(gone.status.is_success(), "{gone:?}");
    let (removed, at) = changes(&anyone, &at).await;
    assert_eq!(removed, [("@alice/open".into(), true)]);
    assert_eq!(anyone.get("/_all_docs").await.json()["total_rows"], 0);
    let back = alice.json("POST", "/-/strongroom/v1/package/@alice%2fopen/restore", &json!({})).await;
    assert!(back.status.is_success(), "{back:?}");
    assert_eq!(changes(&anyone, &at).await.0, [("@alice/open".into(), false)]);
}

#[tokio::test]
async fn feeds_come_in_pages() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    for name in ["a", "b", "c"] {
        alice.publish(&Package::new(&format!("@alice/{name}"), "1.0.0").access("public")).await.expect(201);
    }
    let mut since = json!(0);
    let mut seen = Vec::new();
    loop {
        let page = alice.get(&format!("/_changes?since={since}&limit=2")).await.expect(200).json();
        let results = page["results"].as_array().expect("a list").clone();
        if results.is_empty() {
            break;
        }
        seen.extend(results.iter().map(|one| one["id"].clone()));
        since = page["last_seq"].clone();
    }
    assert_eq!(seen, ["@alice/a", "@alice/b", "@alice/c"]);
    let page = alice.get("/_all_docs?startkey=%22@alice/b%22&limit=1").await.expect(200).json();
    assert_eq!((&page["offset"], &page["rows"][0]["id"]), (&json!(1), &json!("@alice/b")));
    for query in ["since=x", "limit=-1", "feed=continuous"] {
        alice.get(&format!("/_changes?{query}")).await.expect(400);
    }
}

/// A transaction that began early and commits late: whoever read meanwhile reads of it later.
#[tokio::test]
async fn a_change_that_commits_late_is_never_missed() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    for name in ["slow", "quick"] {
        alice.publish(&Package::new(&format!("@alice/{name}"), "1.0.0").access("public")).await.expect(201);
    }
    let (_, at) = changes(&alice, &json!(0)).await;
    let pool = app.pool().await;
    let mut slow = pool.begin().await.expect("a transaction");
    let bump = "update packages set revision = revision + 1 where name = '@alice/slow'";
    sqlx::query(bump).execute(&mut *slow).await.expect("an update");
    // What the commit would do last is done now: the line of the feed is changed, and nobody else may see it yet.
    sqlx::query("set constraints all immediate").execute(&mut *slow).await.expect("the triggers");

    alice.publish(&Package::new("@alice/quick", "2.0.0")).await.expect(201);
    let (meanwhile, at) = changes(&alice, &at).await;
    assert_eq!(meanwhile, [("@alice/quick".into(), false)]);
    slow.commit().await.expect("a commit");
    let (later, _) = changes(&alice, &at).await;
    assert_eq!(later, [("@alice/slow".into(), false)]);
}

/// Many writers and a reader who never looks back: every package arrives.
#[tokio::test]
async fn a_reader_who_never_looks_back_sees_every_package() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let names: Vec<String> = (0..12).map(|number| format!("@alice/p{number}")).collect();
    let packages = names.iter().map(|name| Package::new(name, "1.0.0").access("public"));
    let writers = futures_util::future::join_all(packages.map(|package| {
        let alice = alice.clone();
        async move { alice.publish(&package).await.expect(201) }
    }));
    let reader = async {
        let (mut since, mut seen) = (json!(0), std::collections::BTreeSet::new());
        while seen.len() < names.len() {
            let (page, last) = changes(&alice, &since).await;
            seen.extend(page.into_iter().map(|(name, _)| name));
            since = last;
        }
        seen
    };
    let both = futures_util::future::join(writers, reader);
    let (_, seen) = tokio::time::timeout(std::time::Duration::from_mins(1), both).await.expect("all of them");
    assert_eq!(seen.len(), names.len());
}

/// A package that was never public must not be told of, whoever asks and wherever one could look.
#[tokio::test]
async fn a_canary_is_in_no_feed_no_search_and_no_count() {
    let app = TestApp::new().await;
    let owner = app.user("owner").await;
    let manifest = json!({ "description": "canaryword", "keywords": ["canarykey"] });
    let canary = Package { manifest, ..Package::new("@owner/canary", "7.7.7") };
    owner.publish(&canary).await.expect(201);
    owner.get("/@owner/canary/-/canary-7.7.7.tgz").await.expect(200);
    app.run_chore("downloads.flush").await;
    let people = [app.anonymous(), app.user("stranger").await];
    for person in &people {
        for path in [
            "/",
            "/_changes",
            "/_all_docs",
            "/-/all",
            "/downloads/range/last-week",
            "/downloads/point/last-week",
            "/-/v1/search?text=canary",
            "/-/v1/search?text=canaryword",
            "/-/v1/search?text=keywords:canarykey",
            "/-/v1/search?text=",
            "/-/v1/search?text=anar",
            "/-/v1/search?text=maintainer:owner",
            "/-/v1/search?text=scope:owner",
            "/-/v1/search?text=is:private",
            "/downloads/point/last-week/@owner%2fcanary,x",
        ] {
            let answer = person.get(path).await.expect(200);
            let told = String::from_utf8_lossy(&answer.bytes).replace("@owner/canary\":null", "");
            assert!(!told.contains("canary") && !told.contains("7.7.7"), "{path}: {told}");
            let numbers = answer.json();
            for count in ["doc_count", "update_seq", "total", "total_rows", "last_seq"] {
                assert!(numbers[count].is_null() || numbers[count] == 0, "{path}: {count} {}", numbers[count]);
            }
        }
        assert_eq!(person.get("/downloads/point/last-week").await.json()["downloads"], 0);
    }
    assert_eq!(owner.get("/-/v1/search?text=canaryword").await.json()["total"], 1);
}
