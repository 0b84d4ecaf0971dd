//! Packuments and tarballs on the wire: forms, encodings, validators, ranges, spellings.

use std::io::Read;

use serde_json::Value;
use strongroom::policy::Permission;

use crate::support::app::{Package, TestApp};

const INSTALL: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

#[tokio::test]
async fn every_spelling_of_a_name_reaches_the_same_package() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let expected = alice.get("/@alice%2fone").await.expect(200).bytes;
    for path in ["/@alice%2Fone", "/@alice/one", "/%40alice%2fone", "/%40alice/one", "/@alice%2fone?write=true"] {
        assert_eq!(alice.get(path).await.expect(200).bytes, expected, "{path}");
    }
    for path in [
        "/@alice/one/-/one-1.0.0.tgz",
        "/@alice%2fone/-/one-1.0.0.tgz",
        "/@alice/one/-/@alice/one-1.0.0.tgz",
        "/@alice%2Fone/-/@alice%2fone-1.0.0.tgz",
        "/@alice/one/-/one-1.0.0+build.tgz",
        "/@alice/one/-/one-1.0.0%2Bbuild.tgz",
    ] {
        alice.get(path).await.expect(200);
    }
    for path in ["/-/package/@alice/one/access", "/-/package/%40alice%2fone/access"] {
        alice.get(path).await.expect(200);
    }
    for path in [
        "/@alice%2f..%2fone",
        "/@alice/%2e%2e/one",
        "/@alice%2fone%00",
        "/@alice%5cone",
        "/@alice%2f%2fone",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/@alice%252fone",
        "/@ALICE%2fone",
        "/@alice/one/-/..%2f..%2fx.tgz",
        "/@alice%2f",
    ] {
        let answer = alice.get(path).await;
        assert!([400, 404].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
        assert!(!answer.error().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn the_install_form_is_small_and_has_what_clients_need() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let manifest = serde_json::json!({
        "scripts": { "postinstall": "true" }, "libc": ["glibc"], "peerDependencies": { "x": "1" },
        "peerDependenciesMeta": { "x": { "optional": true } }, "bin": "./cli.js", "main": "secret.js",
    });
    alice.publish(&Package { manifest, ..Package::new("@alice/one", "1.0.0") }).await.expect(201);
    let full = alice.get_with("/@alice%2fone", &[("accept", "application/json")]).await.expect(200);
    let install = alice.get_with("/@alice%2fone", &[("accept", INSTALL)]).await.expect(200);
    assert_eq!(full.header("content-type"), "application/json");
    assert_eq!(install.header("content-type"), "application/vnd.npm.install-v1+json");
    assert_ne!(full.header("etag"), install.header("etag"));
    let document = install.json();
    let version = &document["versions"]["1.0.0"];
    assert_eq!(version["hasInstallScript"], true);
    assert_eq!(version["bin"]["one"], "cli.js");
    assert_eq!(version["libc"][0], "glibc");
    assert_eq!(version["peerDependenciesMeta"]["x"]["optional"], true);
    assert!(version.get("main").is_none() && version.get("scripts").is_none());
    assert!(document["time"]["1.0.0"].is_string() && document["modified"].is_string());
    assert!(document.get("readme").is_none());
}

#[tokio::test]
async fn every_encoding_holds_the_same_document() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let plain = alice.get("/@alice%2fone").await.expect(200);
    assert_eq!(plain.header("content-encoding"), "");
    for (accept, token) in [("gzip,deflate", "gzip"), ("gzip, deflate, br", "br"), ("zstd,gzip,deflate", "zstd")] {
        let answer = alice.get_with("/@alice%2fone", &[("accept-encoding", accept)]).await.expect(200);
        assert_eq!(answer.header("content-encoding"), token);
        assert_eq!(answer.header("vary"), "accept, accept-encoding");
        let mut text = Vec::new();
        match token {
            "gzip" => drop(flate2::read::GzDecoder::new(&answer.bytes[..]).read_to_end(&mut text).expect("gzip")),
            "br" => brotli::BrotliDecompress(&mut &answer.bytes[..], &mut text).expect("brotli"),
            _ => text = zstd::bulk::decompress(&answer.bytes, 1 << 20).expect("zstandard"),
        }
        assert!(text == plain.bytes, "{token}");
    }
}

#[tokio::test]
async fn validators_save_the_bytes_but_never_the_decision() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    app.grant("@alice/one", "bob", Permission::ReadOnly).await;
    app.clock.set(app.clock.now() + chrono::TimeDelta::seconds(3));

    for path in ["/@alice%2fone", "/@alice/one/-/one-1.0.0.tgz"] {
        let first = bob.get(path).await.expect(200);
        let etag = first.header("etag").to_owned();
        let again = bob.get_with(path, &[("if-none-match", &etag)]).await.expect(304);
        assert!(again.bytes.is_empty());
        assert_eq!(again.header("etag"), etag);
        assert!(again.header("cache-control").starts_with("private"));
        for outsider in [app.anonymous(), app.with_token("npm_000000000000000000000000000000000000")] {
            let answer = outsider.get_with(path, &[("if-none-match", &etag)]).await;
            assert!([401, 404].contains(&answer.status.as_u16()), "{path}");
        }
    }
    let modified = bob.get("/@alice%2fone").await.expect(200).header("last-modified").to_owned();
    bob.get_with("/@alice%2fone", &[("if-modified-since", &modified)]).await.expect(304);
    let etag = bob.get("/@alice%2fone").await.expect(200).header("etag").to_owned();
    alice.publish(&Package::new("@alice/one", "1.1.0")).await.expect(201);
    bob.get_with("/@alice%2fone", &[("if-none-match", &etag)]).await.expect(200);
}

/// vlt keeps an answer for minutes unless it is told of a second, and shows it for hours unless told that it may not.
#[tokio::test]
async fn nobody_keeps_a_document_or_a_refusal_for_longer_than_a_second() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    alice.publish(&Package::new("@alice/open", "1.0.0").access("public")).await.expect(201);
    let answers = [
        alice.get("/@alice%2fone").await.expect(200),
        alice.get("/@alice%2fopen").await.expect(200),
        alice.get("/@alice%2fnone").await.expect(404),
    ];
    for (answer, word) in answers.iter().zip(["no-cache", "no-cache", "no-store"]) {
        let words: Vec<_> = answer.header("cache-control").split(", ").collect();
        assert!([word, "max-age=1", "stale-while-revalidate=0"].iter().all(|word| words.contains(word)), "{words:?}");
    }
}

#[tokio::test]
async fn a_tarball_comes_whole_or_in_part() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let package = Package::new("@alice/one", "1.0.0").access("public");
    alice.publish(&package).await.expect(201);
    let bytes = package.tarball();
    let path = "/@alice/one/-/one-1.0.0.tgz";
    let whole = app.anonymous().get(path).await.expect(200);
    assert_eq!(whole.header("content-type"), "application/octet-stream");
    assert_eq!(whole.header("content-length"), bytes.len().to_string());
    assert_eq!(whole.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(whole.header("content-encoding"), "");
    let part = app.anonymous().get_with(path, &[("range", "bytes=10-19")]).await.expect(206);
    assert_eq!(&part.bytes[..], &bytes[10..20]);
    assert_eq!(part.header("content-range"), format!("bytes 10-19/{}", bytes.len()));
    app.anonymous().get_with(path, &[("range", "bytes=999999-")]).await.expect(416);
    let head = app.anonymous().send("HEAD", path, &[], axum::body::Body::empty()).await.expect(200);
    assert_eq!(head.header("content-length"), bytes.len().to_string());
    assert!(head.bytes.is_empty());
}

#[tokio::test]
async fn a_large_tarball_is_streamed_from_the_disk() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let mut state = 7_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    });
    let package =
        Package { files: vec![("noise".into(), noise.take(3 << 20).collect())], ..Package::new("@alice/big", "1.0.0") };
    alice.publish(&package).await.expect(201);
    let bytes = package.tarball();
    assert!(bytes.len() > 1 << 20);
    assert!(alice.get("/@alice/big/-/big-1.0.0.tgz").await.expect(200).bytes == bytes);
    let range = [("range", "bytes=1000000-2000000")];
    let part = alice.get_with("/@alice/big/-/big-1.0.0.tgz", &range).await.expect(206);
    assert!(part.bytes[..] == bytes[1_000_000..=2_000_000]);
}

/// Two names, one hidden and one never used, tell the same: in status, headers and body.
#[tokio::test]
async fn a_hidden_package_and_a_missing_one_are_answered_alike() {
    let app = TestApp::new().await;
    let (alice, stranger) = (app.user("alice").await, app.user("stranger").await);
    alice.publish(&Package::new("@alice/hidden", "1.0.0")).await.expect(201);
    let paths = |name: &str| {
        [
            format!("/@alice%2f{name}"),
            format!("/@alice%2f{name}/1.0.0"),
            format!("/@alice/{name}/-/{name}-1.0.0.tgz"),
            format!("/-/package/@alice%2f{name}/access"),
            format!("/-/package/@alice%2f{name}/visibility"),
            format!("/-/package/@alice%2f{name}/collaborators"),
        ]
    };
    let bodies: [(&str, &str); 3] = [("GET", ""), ("PUT", "{}"), ("POST", "{}")];
    for person in [app.anonymous(), stranger, app.with_token("npm_000000000000000000000000000000000000")] {
        for (hidden, missing) in paths("hidden").iter().zip(paths("missin")) {
            for (method, body) in bodies {
                let headers = [("content-type", "application/json"), ("if-none-match", "*"), ("range", "bytes=0-1")];
                let one = person.send(method, hidden, &headers, body.into()).await;
                let other = person.send(method, &missing, &headers, body.into()).await;
                assert_eq!(one.status, other.status, "{method} {hidden}");
                let text = String::from_utf8_lossy(&one.bytes).replace("hidden", "missin");
                assert_eq!(text, String::from_utf8_lossy(&other.bytes), "{method} {hidden}");
                let names = |answer: &crate::support::app::Answer| {
                    let mut headers = answer.headers.clone();
                    headers.remove("x-request-id");
                    format!("{headers:?}").replace("hidden", "missin")
                };
                assert_eq!(names(&one), names(&other), "{method} {hidden}");
            }
        }
        let listed = person.get("/-/user/alice/package").await;
        assert!(!String::from_utf8_lossy(&listed.bytes).contains("hidden"));
    }
}

#[tokio::test]
async fn a_dead_token_reads_what_is_public_and_nothing_else() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/public", "1.0.0").access("public")).await.expect(201);
    let dead = app.with_token("npm_000000000000000000000000000000000000");
    let answer = dead.get("/@alice/public").await.expect(200);
    assert!(answer.header("npm-notice").contains("not valid"), "{:?}", answer.headers);
    for path in ["/@alice/nothing", "/-/whoami", "/-/package/@alice/public/collaborators"] {
        let answer = dead.get(path).await.expect(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert!(answer.header("npm-notice").contains("npm login"));
    }
    dead.publish(&Package::new("@alice/public", "1.1.0")).await.expect(401);
}

#[tokio::test]
async fn an_install_from_a_warm_cache_asks_the_database_nothing() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    for path in ["/@alice%2fone", "/@alice/one/-/one-1.0.0.tgz"] {
        alice.get(path).await.expect(200);
    }
    let pools = &app.app.db;
    pools.close().await;
    for path in ["/@alice%2fone", "/@alice/one/-/one-1.0.0.tgz"] {
        alice.get(path).await.expect(200);
        assert_eq!(alice.get_with(path, &[("if-none-match", "*")]).await.status, 304);
    }
    let missing = alice.get("/@alice%2fother").await.expect(503);
    assert!(!missing.header("retry-after").is_empty());
}

#[tokio::test]
async fn the_document_is_the_same_on_every_node() {
    let app = TestApp::new().await;
    let other = app.second_node().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let elsewhere = other.with_token(alice.token.as_deref().expect("a token"));
    let (one, two) = (alice.get("/@alice%2fone").await.expect(200), elsewhere.get("/@alice%2fone").await.expect(200));
    assert_eq!(one.bytes, two.bytes);
    assert_eq!(one.header("etag"), two.header("etag"));
    let value: Value = two.json();
    assert_eq!(value["name"], "@alice/one");
}
