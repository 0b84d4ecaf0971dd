//! Whatever comes in, the answer is a 4xx with a sentence, never a 5xx, and nothing is stored.

use axum::body::Body;
use http::{HeaderValue, Request};
use serde_json::{Value, json};

use crate::support::app::{Package, TestApp};

/// Texts that have broken parsers, databases and headers before.
const NASTY: [&str; 16] = [
    "%00",
    "%0a",
    "%ff%fe",
    "%e2%80%ae",
    "..",
    "%2e%2e%2f",
    "%5c",
    "'",
    "%22",
    "%25",
    "-",
    "@",
    "%f0%9f%98%80",
    "null",
    "9999999999999999999999",
    "{package}",
];

#[tokio::test]
async fn no_path_makes_a_server_error() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    for route in strongroom::registry::routes() {
        for nasty in NASTY {
            for long in [nasty.to_owned(), nasty.repeat(300)] {
                let parameters = ["{package}", "{version}", "{file}", "{rev}", "{user}", "{account}", "{token}"];
                let path = parameters.iter().fold(route.path.to_owned(), |path, name| path.replace(name, &long));
                for method in route.methods {
                    for path in [path.clone(), route.path.replace("{package}", "@alice%2fone").replace("{rev}", &long)]
                    {
                        let Ok(uri) = path.parse::<http::Uri>() else { continue };
                        let answer = alice
                            .send(method, &uri.to_string(), &[("content-type", "application/json")], "{}".into())
                            .await;
                        assert!(answer.status.as_u16() < 500, "{method} {path}: {}", answer.status);
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn no_header_makes_a_server_error() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0").access("public")).await.expect(201);
    let names = [
        "authorization",
        "accept",
        "accept-encoding",
        "if-none-match",
        "if-modified-since",
        "range",
        "if-range",
        "user-agent",
        "x-forwarded-for",
        "npm-command",
        "npm-otp",
        "content-type",
        "content-encoding",
        "x-http-method-override",
    ];
    let values: [&[u8]; 7] =
        [b"", b"\xff\xfe", b"*", b",,,;;;q=q=", b"bytes=18446744073709551615-", b"Bearer", &[b'a'; 8000]];
    for name in names {
        for value in values {
            for (method, path) in
                [("GET", "/@alice%2fone"), ("GET", "/@alice/one/-/one-1.0.0.tgz"), ("PUT", "/@alice%2fone")]
            {
                let mut request =
                    Request::builder().method(method).uri(path).body(Body::from("{}")).expect("a request");
                request.headers_mut().insert(name, HeaderValue::from_bytes(value).expect("a value"));
                let answer = app.send(request).await;
                assert!(answer.status.as_u16() < 500, "{method} {path} with {name}: {}", answer.status);
            }
        }
    }
}

#[tokio::test]
async fn no_body_makes_a_server_error() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let rev = alice.get("/@alice%2fone").await.json()["_rev"].as_str().expect("a rev").to_owned();
    let targets = [
        ("PUT", "/-/user/org.couchdb.user:x".to_owned()),
        ("PUT", "/@alice%2fone".to_owned()),
        ("PUT", "/@alice%2fnew".to_owned()),
        ("PUT", format!("/@alice%2fone/-rev/{rev}")),
        ("POST", "/-/package/@alice%2fone/access".to_owned()),
    ];
    let bodies: Vec<Vec<u8>> = [
        json!(null),
        json!([]),
        json!({}),
        json!({ "name": null, "password": {}, "email": [] }),
        json!({ "name": "x\0", "password": "\0\0\0\0\0\0\0\0", "email": "a\0@b" }),
        json!({ "name": "x", "password": "\0\0\0\0\0\0\0\0\0", "email": "a@b" }),
        json!({ "maintainers": [{ "name": "\0" }] }),
        json!({ "maintainers": [{ "name": "x".repeat(10_000) }] }),
        json!({ "access": "\0" }),
        json!({ "_attachments": { "x.tgz": { "data": 1 } } }),
        json!({ "_attachments": [], "versions": { "1.0.0": [] } }),
    ]
    .iter()
    .map(|value: &Value| value.to_string().into_bytes())
    .chain([b"\xff".to_vec(), b"{\"a\":1e999}".to_vec(), b"\"\\ud800\"".to_vec(), vec![b'['; 50_000], Vec::new()])
    .collect();
    for (method, path) in &targets {
        for body in &bodies {
            let headers = [("content-type", "application/json")];
            let answer = alice.send(method, path, &headers, Body::from(body.clone())).await;
            let status = answer.status.as_u16();
            let shown = String::from_utf8_lossy(&body[..body.len().min(80)]);
            assert!((400..500).contains(&status) || status == 201, "{method} {path} {shown}: {status}");
        }
    }
    alice.get("/@alice%2fnew").await.expect(404);
}

#[tokio::test]
async fn text_that_postgres_cannot_hold_is_published_all_the_same() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let package = Package {
        manifest: json!({ "description": "nul \0 here", "keywords": ["\u{1f600}", "\0"] }),
        files: vec![("README.md".into(), b"# nul \0 and \xff\xfe".to_vec())],
        ..Package::new("@alice/odd", "1.0.0")
    };
    alice.publish(&package).await.expect(201);
    let packument = alice.get("/@alice%2fodd").await.expect(200).json();
    assert_eq!(packument["description"], "nul \0 here");
    assert!(packument["readme"].as_str().expect("a readme").starts_with("# nul \u{fffd} and"));
}

/// Postgres keeps every character in text but this one: wherever it comes in, that is the client's fault, not ours.
#[tokio::test]
async fn a_nul_is_refused_wherever_it_comes_in() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    for path in [
        "/-/v1/search?text=a%00",
        "/-/v1/search?text=maintainer:a%00",
        "/_all_docs?startkey=%00",
        "/-/npm/v1/hooks/hook/%00",
        "/-/npm/v1/hooks?package=%00",
        "/-/package/@alice%2fone/dist-tags/%00",
        "/-/stage/%00",
        "/-/team/acme/%00/user",
        "/@alice%2fone/%00",
    ] {
        let status = alice.get(path).await.status;
        assert!(status.is_client_error(), "{path}: {status}");
    }
    for (method, path, body) in [
        ("POST", "/-/npm/v1/security/advisories/bulk", serde_json::json!({ "a\0": ["1.0.0"] })),
        ("POST", "/-/npm/v1/user", serde_json::json!({ "fullname": "a\0" })),
        ("POST", "/-/npm/v1/tokens", serde_json::json!({ "password": "a\0", "name": "a\0" })),
    ] {
        let status = alice.json(method, path, &body).await.status;
        assert!(status.is_client_error(), "{path}: {status}");
    }
}
