//! Documents that real clients have sent, and lies built from them.
//!
//! `tests/fixtures/publish/<client>/<case>.json` are bodies captured from npm 6 and 11, pnpm 11, yarn 1 and 4 and bun
//! publishing the same awkward packages; only the registry's address was rewritten.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use super::body::{Limits, Received, receive};
use crate::packages::manifest::{self, Object};

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/publish");
    let entries = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries(&root).flat_map(|client| entries(&client).collect::<Vec<_>>()).collect();
    files.sort();
    assert!(files.len() > 90, "{}", files.len());
    files
}

/// A fixture taken apart: the manifest, the tarball's `package.json`, and the rest.
async fn read(path: &Path) -> (Object, Object, Received<Vec<u8>>) {
    let body = fs::read(path).unwrap();
    let chunks = body.chunks(1000).map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk)));
    let chunks = stream::iter(chunks.collect::<Vec<_>>());
    let received = receive(chunks, Limits::default(), || Ok(Vec::new())).await.unwrap();
    let versions = manifest::parse_manifest(received.document.get("versions").unwrap()).unwrap();
    let version = versions.values().next().unwrap().as_object().unwrap().clone();
    let tarball = received.tarball.as_ref().unwrap();
    let package_json = manifest::parse_package_json(&tarball.archive.package_json).unwrap();
    (version, package_json, received)
}

#[tokio::test]
async fn what_every_client_sends_is_accepted() {
    for path in fixtures() {
        let (version, package_json, received) = read(&path).await;
        let tarball = received.tarball.unwrap();
        if let Err(error) = manifest::check_same(&version, &package_json) {
            panic!("{}: {error}", path.display());
        }
        manifest::check_dist(&version, &tarball.sha512, &tarball.sha1).unwrap();
        assert_eq!(tarball.declared_length, Some(tarball.size_bytes));
        let stored = manifest::stored(&version, &package_json, &tarball.archive);
        let full = manifest::parse_package_json(stored.full.as_bytes()).unwrap();
        manifest::check_same(&full, &package_json).unwrap();
        assert!(!stored.full.contains("localhost") && stored.full.len() >= stored.abbreviated.len());
    }
}

#[tokio::test]
async fn a_lie_in_what_a_client_sends_is_refused() {
    let lies: [(&str, Value); 10] = [
        ("name", json!("@acme/other")),
        ("version", json!("9.9.9")),
        ("dependencies", json!({"evil":"1.0.0"})),
        ("optionalDependencies", json!({"evil":"1.0.0"})),
        ("peerDependencies", json!({"evil":"1.0.0"})),
        ("bundleDependencies", json!(["evil"])),
        ("scripts", json!({"postinstall":"evil"})),
        ("bin", json!({"npm":"evil.js"})),
        ("engines", json!({"evil":"*"})),
        ("cpu", json!(["evil"])),
    ];
    for path in fixtures() {
        let (version, package_json, _) = read(&path).await;
        for (field, value) in &lies {
            let mut lie = version.clone();
            lie.insert((*field).to_owned(), value.clone());
            assert!(manifest::check_same(&lie, &package_json).is_err(), "{} {field}", path.display());
        }
    }
}
