//! Provenance and attestations (`protocol.md` 7.4 and 7.7).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use strongroom::policy::Permission;

use crate::support::app::{Package, TestApp};
use crate::support::provenance::{Authority, Bundle, document_with};

#[tokio::test]
async fn provenance_comes_back_to_those_who_may_read_the_package() {
    let app = TestApp::new().await;
    let (alice, bob, eve) = (app.user("alice").await, app.user("bob").await, app.user("eve").await);
    let authority = Authority::new();
    for (name, access) in [("@alice/open", "public"), ("@alice/closed", "restricted")] {
        let package = Package::new(name, "1.0.0").access(access);
        let bundle = Bundle::of(&package).signed_by(&authority);
        let escaped = name.replace('/', "%2f");
        alice.json("PUT", &format!("/{escaped}"), &document_with(&package, &bundle.to_string())).await.expect(201);
        alice.publish(&Package::new(name, "1.0.1")).await.expect(201);
        app.grant(name, "bob", Permission::ReadOnly).await;

        let document = bob.get(&format!("/{escaped}")).await.expect(200).json();
        let url = format!("http://registry.test/-/npm/v1/attestations/{escaped}@1.0.0");
        let told = json!({ "url": url, "provenance": { "predicateType": "https://slsa.dev/provenance/v1" } });
        assert_eq!(document["versions"]["1.0.0"]["dist"]["attestations"], told);
        assert_eq!(document["versions"]["1.0.1"]["dist"]["attestations"], Value::Null);

        let expected = json!({
            "attestations": [{ "predicateType": "https://slsa.dev/provenance/v1", "bundle": bundle }]
        });
        let encoded = name.replace('@', "%40").replace('/', "%2F");
        for spelling in [format!("{escaped}@1.0.0"), format!("{name}@1.0.0"), format!("{encoded}%401.0.0")] {
            let path = format!("/-/npm/v1/attestations/{spelling}");
            assert_eq!(bob.get(&path).await.expect(200).json(), expected, "{spelling}");
            let hidden = access == "restricted";
            let strangers = eve.get(&path).await.expect(if hidden { 404 } else { 200 });
            if hidden {
                let missing = eve.get(&path.replace("closed", "nowhere")).await.expect(404);
                assert_eq!(strangers.error(), missing.error().replace("nowhere", "closed"));
                assert_eq!(strangers.headers.keys().collect::<Vec<_>>(), missing.headers.keys().collect::<Vec<_>>());
            }
        }
        for nothing in ["1.0.1", "9.9.9", "latest", ""] {
            bob.get(&format!("/-/npm/v1/attestations/{escaped}@{nothing}")).await.expect(404);
        }
    }
}

/// Spoils a sound bundle in one place, and says what the refusal must speak of.
type Spoil = (&'static str, fn(&mut Bundle), fn(&mut Value));

const REFUSED: &[Spoil] = &[
    ("another package", |made| made.statement["subject"][0]["name"] = "pkg:npm/%40alice/two@1.0.0".into(), |_| {}),
    ("another package", |made| made.statement["subject"][0]["name"] = "pkg:npm/%40alice/one@1.0.1".into(), |_| {}),
    ("another package", |made| made.statement["subject"][0]["name"] = "pkg:npm/%40alice%2fone@1.0.0".into(), |_| {}),
    ("another tarball", |made| made.statement["subject"][0]["digest"]["sha512"] = "00".repeat(64).into(), |_| {}),
    ("another tarball", |made| made.statement["subject"][0]["digest"] = json!({ "sha256": "00" }), |_| {}),
    ("subjects", |made| made.statement["subject"] = json!([]), |_| {}),
    (
        "subjects",
        |made| {
            let twice = made.statement["subject"][0].clone();
            made.statement["subject"] = json!([twice, twice]);
        },
        |_| {},
    ),
    ("SLSA provenance", |made| made.statement["predicateType"] = "https://example.com/other".into(), |_| {}),
    ("statement of a type", |made| made.statement["_type"] = "https://example.com/other".into(), |_| {}),
    ("in-toto statement", |made| made.payload_type = "text/plain".into(), |_| {}),
    ("cannot be read", |made| made.statement = json!([1]), |_| {}),
    ("version that is not known", |made| made.media_type = "application/vnd.example+json".into(), |_| {}),
    ("neither P-256 nor P-384", |made| made.algorithm = &rcgen::PKCS_ED25519, |_| {}),
    // Signed for one statement, sent with another.
    (
        "not signed by the certificate",
        |_| {},
        |bundle| {
            let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().expect("text")).expect("base64");
            let payload = String::from_utf8(payload).expect("text").replace("a test", "another");
            bundle["dsseEnvelope"]["payload"] = STANDARD.encode(payload).into();
        },
    ),
    ("more or fewer signatures", |_| {}, |bundle| bundle["dsseEnvelope"]["signatures"] = json!([])),
    ("more or fewer signatures", |_| {}, |bundle| bundle["dsseEnvelope"] = Value::Null),
    ("key of this registry", |_| {}, |bundle| bundle["dsseEnvelope"]["signatures"][0]["keyid"] = "SHA256:x".into()),
    ("not base64", |_| {}, |bundle| bundle["dsseEnvelope"]["payload"] = "no".into()),
    ("no certificate", |_| {}, |bundle| bundle["verificationMaterial"] = json!({ "publicKey": { "hint": "x" } })),
    (
        "certificate that cannot be read",
        |_| {},
        |bundle| bundle["verificationMaterial"] = json!({ "certificate": { "rawBytes": "AAAA" } }),
    ),
    ("not a Sigstore bundle", |_| {}, |bundle| *bundle = json!([])),
];

#[tokio::test]
async fn provenance_that_does_not_fit_its_version_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let authority = Authority::new();
    let package = Package::new("@alice/one", "1.0.0");
    for (reason, spoil, spoil_signed) in REFUSED {
        let mut made = Bundle::of(&package);
        spoil(&mut made);
        let mut bundle = made.signed_by(&authority);
        spoil_signed(&mut bundle);
        let document = document_with(&package, &bundle.to_string());
        let refused = alice.json("PUT", "/@alice%2fone", &document).await.expect(422);
        assert!(refused.error().contains(reason), "{reason}: {}", refused.error());
        alice.get("/@alice%2fone").await.expect(404);
    }
    for text in ["", "{", "not json\0", "{\"mediaType\":\"a\",\"mediaType\":\"b\"}"] {
        alice.json("PUT", "/@alice%2fone", &document_with(&package, text)).await.expect(422);
    }
    for (media_type, algorithm) in [
        ("application/vnd.dev.sigstore.bundle+json;version=0.2", &rcgen::PKCS_ECDSA_P256_SHA256),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", &rcgen::PKCS_ECDSA_P384_SHA384),
    ] {
        let package = Package::new("@alice/one", if media_type.contains("0.2") { "1.0.0" } else { "1.1.0" });
        let made = Bundle { media_type: media_type.into(), algorithm, ..Bundle::of(&package) };
        let document = document_with(&package, &made.signed_by(&authority).to_string());
        alice.json("PUT", "/@alice%2fone", &document).await.expect(201);
    }
}

#[tokio::test]
async fn trusted_roots_decide_whose_provenance_counts() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("roots.pem");
    std::fs::write(&path, format!("{}{}", Authority::new().root(), ours.root())).expect("a file");
    let app = TestApp::with(|config| config.provenance.trusted_roots = Some(path)).await;
    let alice = app.user("alice").await;
    let package = Package::new("@alice/one", "1.0.0");
    let publish =
        async |bundle: Value| alice.json("PUT", "/@alice%2fone", &document_with(&package, &bundle.to_string())).await;
    let sound = Bundle::of(&package);
    let refused = publish(sound.signed_by(&theirs)).await.expect(422);
    assert!(refused.error().contains("no trusted root"), "{}", refused.error());
    // Without the authority between, nothing leads to the root.
    let mut alone = sound.signed_by(&ours);
    let signer = alone["verificationMaterial"]["x509CertificateChain"]["certificates"][0].clone();
    alone["verificationMaterial"] = json!({ "certificate": signer });
    publish(alone).await.expect(422);
    publish(Bundle { signs_code: false, ..Bundle::of(&package) }.signed_by(&ours)).await.expect(422);
    publish(sound.signed_by(&ours)).await.expect(201);
}

#[tokio::test]
async fn provenance_that_was_kept_unchecked_is_not_served() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let pool = app.pool().await;
    sqlx::query("update versions set provenance = '{}'").execute(&pool).await.expect("a table");
    alice.get("/-/npm/v1/attestations/@alice%2fone@1.0.0").await.expect(404);
    let document = alice.get("/@alice%2fone").await.expect(200).json();
    assert_eq!(document["versions"]["1.0.0"]["dist"]["attestations"], Value::Null);
}
