//! Advisories and `npm audit` (`protocol.md` 7.1 and 7.2).

use std::io::Write as _;

use axum::body::Body;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use strongroom::advisories::{self, Fate, Item};
use strongroom::audit::By;
use strongroom::policy::Permission;

use crate::support::app::{Answer, Package, Person, TestApp};

const BULK: &str = "/-/npm/v1/security/advisories/bulk";
const QUICK: &str = "/-/npm/v1/security/audits/quick";

/// An advisory about every version of a package below 2.0.0.
fn osv(id: &str, package: &str, modified: &str) -> Value {
    json!({
        "id": id,
        "modified": modified,
        "aliases": ["CVE-2026-7"],
        "summary": format!("{package} falls over"),
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H" }],
        "affected": [{
            "package": { "ecosystem": "npm", "name": package },
            "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] }],
        }],
        "references": [{ "type": "ADVISORY", "url": "https://advisories.example/7" }],
        "database_specific": { "cwe_ids": ["CWE-400"] },
    })
}

async fn import(app: &TestApp, documents: &[Value]) -> Vec<Fate> {
    let read = |document: &Value| Item::read("a test".into(), Ok(document.to_string().into_bytes()));
    let items: Vec<Item> = documents.iter().map(read).collect();
    app.app.advisories.import(&items, false, &By::default()).await.expect("an import")
}

async fn bulk(person: &Person<'_>, body: &Value) -> Value {
    person.json("POST", BULK, body).await.expect(200).json()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

async fn send(person: &Person<'_>, encoding: &str, body: Vec<u8>) -> Answer {
    let headers = [("content-type", "application/json"), ("content-encoding", encoding)];
    person.send("POST", BULK, &headers, Body::from(body)).await
}

#[tokio::test]
async fn an_audit_is_told_of_what_is_installed_and_nothing_else() {
    let app = TestApp::new().await;
    let anyone = app.anonymous();
    assert_eq!(bulk(&anyone, &json!({ "falls": ["1.0.0"] })).await, json!({}));
    import(&app, &[osv("OURS-1", "falls", "2026-01-01T00:00:00Z")]).await;
    let told = bulk(&anyone, &json!({ "falls": ["2.0.0", "1.5.0", "odd"], "stands": ["1.0.0"] })).await;
    let id = told["falls"][0]["id"].as_i64().expect("a number");
    let expected = json!({ "falls": [{
        "id": id,
        "url": "https://advisories.example/7",
        "title": "falls falls over",
        "severity": "high",
        "vulnerable_versions": "<2.0.0",
        "cwe": ["CWE-400"],
        "cvss": { "score": 7.5, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H" },
    }] });
    assert_eq!(told, expected);
    assert_eq!(bulk(&anyone, &json!({ "falls": ["2.0.0"] })).await, json!({}));
    assert_eq!(bulk(&anyone, &json!({ "falls": [], "x y": ["1.0.0"], "": ["1.0.0"] })).await, json!({}));
    let zipped = gzip(b"{\"falls\":[\"1.0.0\"]}");
    assert_eq!(send(&anyone, "gzip", zipped.clone()).await.expect(200).json(), expected);
    assert_eq!(send(&app.with_token("npm_dead"), "GZIP", zipped).await.expect(200).json(), expected);
}

#[tokio::test]
async fn bodies_are_read_within_their_limits() {
    let app = TestApp::new().await;
    let anyone = app.anonymous();
    for (encoding, body, status) in [
        ("br", b"{}".to_vec(), 415),
        ("gzip, gzip", gzip(b"{}"), 415),
        ("gzip", b"{}".to_vec(), 400),
        ("gzip", gzip(b"{}")[..10].to_vec(), 400),
        ("gzip", gzip(b"[]"), 400),
        ("gzip", gzip(&vec![b' '; 11 << 20]), 413),
        ("identity", vec![b' '; 11 << 20], 413),
        ("identity", format!("{{\"a\":[{}\"\"]}}", "\"\",".repeat(500_000)).into_bytes(), 413),
        ("identity", b"{\"a\":[],\"a\":[]}".to_vec(), 400),
        ("identity", b"{\"a\":\"1.0.0\"}".to_vec(), 400),
        ("identity", b"".to_vec(), 400),
        ("gzip", gzip(b"{}"), 200),
    ] {
        let answer = send(&anyone, encoding, body).await;
        assert_eq!(answer.status.as_u16(), status, "{encoding}: {}", String::from_utf8_lossy(&answer.bytes));
    }
    let many: Value =
        (0..20_001).map(|at| (format!("p{at}"), json!(["1.0.0"]))).collect::<serde_json::Map<_, _>>().into();
    anyone.json("POST", BULK, &many).await.expect(413);
    anyone.send("POST", BULK, &[], Body::from("{}")).await.expect(415);
}

#[tokio::test]
async fn an_advisory_tells_nobody_of_a_package_that_they_may_not_read() {
    let app = TestApp::new().await;
    let (alice, bob, eve) = (app.user("alice").await, app.user("bob").await, app.user("eve").await);
    alice.publish(&Package::new("@alice/canary", "1.0.0")).await.expect(201);
    alice.publish(&Package::new("@alice/open", "1.0.0").access("public")).await.expect(201);
    app.grant("@alice/canary", "bob", Permission::ReadOnly).await;
    let names = ["@alice/canary", "@alice/open", "@alice/missing", "@nobody/outside"];
    for (at, name) in names.iter().enumerate() {
        import(&app, &[osv(&format!("OURS-{at}"), name, "2026-01-01T00:00:00Z")]).await;
    }
    let asked: Value =
        names.iter().map(|name| ((*name).to_owned(), json!(["1.0.0"]))).collect::<serde_json::Map<_, _>>().into();
    let tree = json!({ "dependencies": asked.as_object().expect("a map").keys()
        .map(|name| (name.clone(), json!({ "version": "1.0.0" }))).collect::<serde_json::Map<_, _>>() });
    let told = async |person: &Person<'_>| {
        let keys: Vec<String> = bulk(person, &asked).await.as_object().expect("a map").keys().cloned().collect();
        let report = person.json("POST", QUICK, &tree).await.expect(200).json();
        let advisories = report["advisories"].as_object().expect("a map").values();
        let mut modules: Vec<String> =
            advisories.map(|one| one["module_name"].as_str().expect("a name").to_owned()).collect();
        modules.sort();
        assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>(), modules.iter().collect());
        modules
    };
    for reader in [&alice, &bob] {
        assert_eq!(told(reader).await, ["@alice/canary", "@alice/open", "@nobody/outside"]);
    }
    for stranger in [&eve, &app.anonymous(), &app.with_token("npm_dead")] {
        assert_eq!(told(stranger).await, ["@alice/open", "@nobody/outside"]);
        let canary = stranger.json("POST", BULK, &json!({ "@alice/canary": ["1.0.0"] })).await;
        let missing = stranger.json("POST", BULK, &json!({ "@alice/missing": ["1.0.0"] })).await;
        assert_eq!((canary.status, &canary.bytes), (missing.status, &missing.bytes));
        assert_eq!(canary.headers.keys().collect::<Vec<_>>(), missing.headers.keys().collect::<Vec<_>>());
    }
    // Access that is taken is taken here too, at the next request.
    let permit = app
        .app
        .access
        .permit(
            &strongroom::policy::Actor::Operator,
            &"@alice/canary".parse().expect("a name"),
            strongroom::policy::Intent::REVOKE,
        )
        .await
        .expect("a permit");
    app.app.access.revoke(&permit, &"bob".parse().expect("a name")).await.expect("a revocation");
    assert_eq!(told(&bob).await, ["@alice/open", "@nobody/outside"]);
}

#[tokio::test]
async fn importing_again_writes_only_what_changed_and_every_node_knows() {
    let app = TestApp::new().await;
    let other = app.second_node().await;
    let there = other.anonymous();
    let asked = json!({ "falls": ["1.0.0"] });
    assert_eq!(bulk(&there, &asked).await, json!({}));
    let first = osv("OURS-1", "falls", "2026-01-01T00:00:00Z");
    let elsewhere = json!({ "id": "GO-1", "modified": "2026-01-01T00:00:00Z", "affected": [] });
    let fates = import(&app, &[first.clone(), elsewhere, json!({ "id": 1 }), first.clone()]).await;
    assert_eq!(fates[..2], [Fate::Imported, Fate::Skipped]);
    assert!(matches!(fates[2], Fate::Failed(_)));
    assert_eq!(fates[3], Fate::Unchanged);
    let heard = |told: Value| told["falls"][0]["id"].as_i64();
    let mut id = None;
    while id.is_none() {
        id = heard(bulk(&there, &asked).await);
    }
    assert_eq!(import(&app, std::slice::from_ref(&first)).await, [Fate::Unchanged]);

    let mut newer = osv("OURS-1", "falls", "2026-02-01T00:00:00Z");
    newer["summary"] = "another title".into();
    let items = [Item::read("a test".into(), Ok(newer.to_string().into_bytes()))];
    let dry = app.app.advisories.import(&items, true, &By::default()).await.expect("an answer");
    assert_eq!(dry, [Fate::Imported]);
    assert_eq!(bulk(&app.anonymous(), &asked).await["falls"][0]["title"], "falls falls over");
    assert_eq!(import(&app, &[newer.clone(), first]).await, [Fate::Imported, Fate::Unchanged]);
    let told = bulk(&app.anonymous(), &asked).await;
    assert_eq!((told["falls"][0]["title"].as_str(), heard(told.clone())), (Some("another title"), id));

    newer["withdrawn"] = "2026-02-01T00:00:00Z".into();
    assert_eq!(import(&app, &[newer.clone(), newer]).await, [Fate::Removed, Fate::Skipped]);
    assert_eq!(bulk(&app.anonymous(), &asked).await, json!({}));
}

#[tokio::test]
async fn an_advisory_of_several_packages_has_a_number_for_each_and_goes_as_one() {
    let app = TestApp::new().await;
    let mut both = osv("OURS-1", "falls", "2026-01-01T00:00:00Z");
    let mut second = both["affected"][0].clone();
    second["package"]["name"] = "trips".into();
    both["affected"].as_array_mut().expect("a list").push(second);
    import(&app, &[both]).await;
    let asked = json!({ "falls": ["1.0.0"], "trips": ["1.0.0"] });
    let told = bulk(&app.anonymous(), &asked).await;
    assert_ne!(told["falls"][0]["id"], told["trips"][0]["id"]);
    let listed = app.app.advisories.list(None).await.expect("a list");
    assert_eq!(listed.iter().map(|one| one.package.as_str()).collect::<Vec<_>>(), ["falls", "trips"]);
    app.app.advisories.remove("OURS-1", &By::default()).await.expect("a removal");
    assert!(app.app.advisories.remove("OURS-1", &By::default()).await.is_err());
    assert_eq!(bulk(&app.anonymous(), &asked).await, json!({}));
}

#[tokio::test]
async fn old_clients_get_a_report_about_their_tree() {
    let app = TestApp::new().await;
    import(&app, &[osv("OURS-1", "falls", "2026-01-01T00:00:00Z")]).await;
    let tree = json!({
        "name": "project", "version": "1.0.0", "install": [], "remove": [], "metadata": {},
        "requires": { "falls": "^1.0.0", "stands": "^1.0.0" },
        "dependencies": {
            "falls": { "version": "1.0.0", "integrity": "sha512-x" },
            "stands": { "version": "1.0.0", "dev": true, "requires": { "falls": "^1.5.0" },
                        "dependencies": { "falls": { "version": "1.5.0", "dev": true } } },
        },
    });
    for path in [QUICK, "/-/npm/v1/security/audits"] {
        let report = app.anonymous().json("POST", path, &tree).await.expect(200).json();
        let counted = json!({ "info": 0, "low": 0, "moderate": 0, "high": 2, "critical": 0 });
        assert_eq!(
            report["metadata"],
            json!({
                "vulnerabilities": counted, "dependencies": 1, "devDependencies": 2, "optionalDependencies": 0,
                "totalDependencies": 3,
            })
        );
        let id = report["advisories"].as_object().expect("a map").keys().next().expect("one").clone();
        let number: i64 = id.parse().expect("a number");
        let resolves = |path: &str, dev: bool| json!([{ "id": number, "path": path, "dev": dev, "optional": false, "bundled": false }]);
        assert_eq!(
            report["actions"],
            json!([
                { "action": "review", "module": "falls", "resolves": resolves("stands>falls", true) },
                { "action": "install", "module": "falls", "target": "2.0.0", "isMajor": true,
                  "resolves": resolves("falls", false) },
            ])
        );
        let advisory = &report["advisories"][&id];
        assert_eq!(advisory["findings"][0]["paths"], json!(["falls"]));
        assert_eq!(advisory["findings"][1]["paths"], json!(["stands>falls"]));
        for (member, value) in [
            ("module_name", "falls"),
            ("severity", "high"),
            ("vulnerable_versions", "<2.0.0"),
            ("patched_versions", ">=2.0.0"),
            ("url", "https://advisories.example/7"),
            ("title", "falls falls over"),
        ] {
            assert_eq!(advisory[member], value, "{member}");
        }
        assert_eq!(advisory["cves"], json!(["CVE-2026-7"]));
    }
    let empty = app.anonymous().json("POST", QUICK, &json!({})).await.expect(200).json();
    assert_eq!((&empty["actions"], &empty["advisories"], &empty["muted"]), (&json!([]), &json!({}), &json!([])));
}

#[test]
fn advisories_are_read_from_a_file_a_folder_and_an_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = osv("OURS-1", "falls", "2026-01-01T00:00:00Z").to_string();
    let file = folder.path().join("one.json");
    std::fs::write(&file, &one).expect("a file");
    std::fs::create_dir(folder.path().join("more")).expect("a folder");
    std::fs::write(folder.path().join("more/two.json"), "{").expect("a file");
    std::fs::write(folder.path().join("README.md"), "not one").expect("a file");
    let archive = folder.path().join("all.zip");
    let mut writer = zip::ZipWriter::new(std::fs::File::create(&archive).expect("a file"));
    let options = zip::write::SimpleFileOptions::default();
    for (name, text) in [("a.json", one.as_str()), ("notes.txt", "not one"), ("deep/b.json", "[]")] {
        writer.start_file(name, options).expect("an entry");
        writer.write_all(text.as_bytes()).expect("an entry");
    }
    writer.finish().expect("an archive");
    for (path, expected) in
        [(file.as_path(), vec![true]), (folder.path(), vec![false, true]), (&archive, vec![true, false])]
    {
        let sound: Vec<bool> = advisories::read(path).expect("a place").map(|item| item.document.is_ok()).collect();
        assert_eq!(sound, expected, "{}", path.display());
    }
    assert!(advisories::read(&folder.path().join("nowhere")).is_err());
}

#[tokio::test]
async fn an_audit_that_was_asked_before_asks_the_database_nothing() {
    let app = TestApp::new().await;
    import(&app, &[osv("OURS-1", "falls", "2026-01-01T00:00:00Z")]).await;
    // A node that began to listen afterwards has no echo of the import to come.
    let node = app.second_node().await;
    let asked = json!({ "falls": ["1.0.0"], "stands": ["1.0.0"] });
    let told = bulk(&node.anonymous(), &asked).await;
    node.app.db.close().await;
    assert_eq!(bulk(&node.anonymous(), &asked).await, told);
    // Who may read a package of this instance is always asked, so here nobody knows.
    node.anonymous().json("POST", BULK, &json!({ "@alice/one": ["1.0.0"] })).await.expect(503);
}
