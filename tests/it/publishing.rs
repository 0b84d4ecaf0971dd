//! What a publish promises (`domain.md`), and what it refuses.

use axum::body::Body;
use serde_json::{Value, json};
use strongroom::policy::{BillingFlag, Permission};

use crate::support::app::{Answer, Package, Person, TestApp};

async fn publish_document(person: &Person<'_>, name: &str, document: &Value) -> Answer {
    person.json("PUT", &format!("/{}", name.replace('/', "%2f")), document).await
}

/// What a case does to an honest document.
type Change = Box<dyn FnOnce(&mut Value)>;

/// The refusal of a document, with the proof that nothing came of it.
async fn refused(app: &TestApp, change: impl FnOnce(&mut Value)) -> (u16, String) {
    let alice = app.token("alice", strongroom::policy::Narrowing::default(), None).await;
    let mut document = Package::new("@alice/refused", "1.0.0").document();
    change(&mut document);
    let answer = publish_document(&alice, "@alice/refused", &document).await;
    alice.get("/@alice%2frefused").await.expect(404);
    let staged = std::fs::read_dir(app.folder().join("blobs/staging")).expect("a folder").count();
    assert_eq!(staged, 0, "an upload was left behind");
    (answer.status.as_u16(), answer.error())
}

#[tokio::test]
async fn a_published_version_can_be_read_at_once() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let package = Package::new("@alice/one", "1.0.0");
    let answer = alice.publish(&package).await.expect(201);
    assert_eq!(answer.json()["ok"], true);

    let packument = alice.get("/@alice%2fone").await.expect(200).json();
    assert_eq!(packument["dist-tags"], json!({ "latest": "1.0.0" }));
    assert_eq!(packument["_rev"], answer.json()["rev"]);
    assert_eq!(packument["readme"], "# Hi\n");
    assert_eq!(packument["description"], "made by a test");
    assert_eq!(packument["maintainers"], json!([{ "name": "alice", "email": "" }]));
    let version = &packument["versions"]["1.0.0"];
    assert_eq!(version["_npmUser"]["name"], "alice");
    assert_eq!(version["dist"]["tarball"], "http://registry.test/@alice/one/-/one-1.0.0.tgz");
    assert_eq!(version["dist"]["fileCount"], 3);
    let tarball = alice.get("/@alice/one/-/one-1.0.0.tgz").await.expect(200);
    assert_eq!(tarball.bytes, package.tarball());
}

#[tokio::test]
async fn a_new_package_is_restricted_unless_it_says_public() {
    let app = TestApp::new().await;
    let (alice, stranger) = (app.user("alice").await, app.user("stranger").await);
    for (name, access, seen) in [
        ("@alice/null", Value::Null, 404),
        ("@alice/restricted", "restricted".into(), 404),
        ("@alice/private", "private".into(), 404),
        ("@alice/public", "public".into(), 200),
    ] {
        let package = Package { access, ..Package::new(name, "1.0.0") };
        alice.publish(&package).await.expect(201);
        stranger.get(&format!("/{name}")).await.expect(seen);
        app.anonymous().get(&format!("/{name}")).await.expect(seen);
    }
    let mut absent = Package::new("@alice/absent", "1.0.0").document();
    absent.as_object_mut().expect("an object").remove("access");
    publish_document(&alice, "@alice/absent", &absent).await.expect(201);
    stranger.get("/@alice/absent").await.expect(404);
}

#[tokio::test]
async fn what_does_not_agree_with_itself_is_refused_and_leaves_nothing() {
    let app = TestApp::new().await;
    app.user("alice").await;
    let version = |document: &mut Value| document["versions"]["1.0.0"].take();
    let cases: Vec<(&str, u16, Change)> = vec![
        ("another name", 422, Box::new(|document| document["name"] = "@alice/other".into())),
        ("another id", 422, Box::new(|document| document["_id"] = "@alice/other".into())),
        ("no versions", 400, Box::new(|document| document["versions"] = Value::Null)),
        ("empty versions", 422, Box::new(|document| document["versions"] = json!({}))),
        ("access in other words", 400, Box::new(|document| document["access"] = "ajar".into())),
        ("access as a number", 400, Box::new(|document| document["access"] = 1.into())),
        ("no attachment", 400, Box::new(|document| document["_attachments"] = json!({}))),
        ("tag elsewhere", 422, Box::new(|document| document["dist-tags"] = json!({ "latest": "2.0.0" }))),
        (
            "two tags",
            422,
            Box::new(|document| {
                document["dist-tags"] = json!({ "latest": "1.0.0", "beta": "1.0.0" });
            }),
        ),
        ("a tag like a range", 422, Box::new(|document| document["dist-tags"] = json!({ "1.x": "1.0.0" }))),
        (
            "a version that is none",
            422,
            Box::new(move |document| {
                let manifest = version(document);
                document["versions"] = json!({ "1.0": manifest });
            }),
        ),
        (
            "two versions",
            422,
            Box::new(|document| {
                document["versions"]["1.0.1"] = document["versions"]["1.0.0"].clone();
            }),
        ),
        (
            "another integrity",
            422,
            Box::new(|document| {
                document["versions"]["1.0.0"]["dist"]["integrity"] = "sha512-AAAA".into();
            }),
        ),
        (
            "another shasum",
            422,
            Box::new(|document| {
                document["versions"]["1.0.0"]["dist"]["shasum"] = "00".repeat(20).into();
            }),
        ),
        (
            "another length",
            422,
            Box::new(|document| {
                document["_attachments"]["@alice/refused-1.0.0.tgz"]["length"] = 7.into();
            }),
        ),
        (
            "scripts that are not in the tarball",
            422,
            Box::new(|document| {
                document["versions"]["1.0.0"]["scripts"] = json!({ "postinstall": "curl evil" });
            }),
        ),
        (
            "dependencies that are not in the tarball",
            422,
            Box::new(|document| {
                document["versions"]["1.0.0"]["dependencies"] = json!({ "left-pad": "1" });
            }),
        ),
        (
            "base64 that is none",
            400,
            Box::new(|document| {
                document["_attachments"]["@alice/refused-1.0.0.tgz"]["data"] = "!!!!".into();
            }),
        ),
        (
            "a tarball that is none",
            422,
            Box::new(|document| {
                document["_attachments"]["@alice/refused-1.0.0.tgz"]["data"] = "AAAA".into();
                document["_attachments"]["@alice/refused-1.0.0.tgz"]["length"] = 3.into();
            }),
        ),
        (
            "a file of another name",
            422,
            Box::new(|document| {
                let attachment = document["_attachments"]["@alice/refused-1.0.0.tgz"].take();
                document["_attachments"] = json!({ "@alice/other-1.0.0.tgz": attachment });
            }),
        ),
    ];
    for (what, expected, change) in cases {
        let (status, sentence) = refused(&app, change).await;
        assert_eq!(status, expected, "{what}: {sentence}");
        assert!(sentence.len() > 20, "{what}: {sentence}");
    }
}

#[tokio::test]
async fn a_tarball_with_links_is_refused() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let package = Package::new("@alice/link", "1.0.0");
    let manifest = package.package_json().to_string();
    let mut header = tar::Header::new_ustar();
    header.set_size(manifest.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "package/package.json", manifest.as_bytes()).expect("an entry");
    let mut link = tar::Header::new_ustar();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    archive.append_link(&mut link, "package/evil", "/etc/passwd").expect("an entry");
    let tarball = archive.into_inner().expect("an archive").finish().expect("gzip");
    let answer = publish_document(&alice, "@alice/link", &package.document_around(&tarball)).await.expect(422);
    assert!(answer.error().contains("link"), "{}", answer.error());
}

#[tokio::test]
async fn an_unscoped_name_is_refused_with_what_to_do() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let answer = alice.json("PUT", "/lodash", &json!({})).await.expect(422);
    assert!(answer.error().contains("@your-account/name"), "{}", answer.error());
    app.anonymous().json("PUT", "/lodash", &json!({})).await.expect(401);
}

#[tokio::test]
async fn a_version_number_is_used_once() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let package = Package::new("@alice/one", "1.0.0");
    alice.publish(&package).await.expect(201);
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;

    alice.publish(&package).await.expect(201);
    alice.publish(&Package { tag: "next".into(), ..package.clone() }).await.expect(409);
    alice.publish(&package.clone().access("public")).await.expect(409);
    let of_bob = bob.publish(&package).await.expect(409);
    assert!(of_bob.error().contains("cannot publish over the previously published versions"), "{}", of_bob.error());
    let other = Package { files: vec![("x".into(), b"other".to_vec())], ..package.clone() };
    alice.publish(&other).await.expect(409);
    let with_build = Package { version: "1.0.0+build".into(), ..other };
    alice.publish(&with_build).await.expect(409);
    let tarball = alice.get("/@alice/one/-/one-1.0.0.tgz").await.expect(200);
    assert_eq!(tarball.bytes, package.tarball());
}

#[tokio::test]
async fn of_twenty_publishes_of_one_version_one_wins() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let publishes = (0..20).map(|number| {
        let alice = alice.clone();
        async move {
            let files = vec![("n".into(), vec![number])];
            let package = Package { files, ..Package::new("@alice/race", "1.0.0") };
            (alice.publish(&package).await.status.as_u16(), package)
        }
    });
    let outcomes = futures_util::future::join_all(publishes).await;
    let winners: Vec<_> = outcomes.iter().filter(|(status, _)| *status == 201).collect();
    assert_eq!(winners.len(), 1);
    assert!(outcomes.iter().all(|(status, _)| [201, 409].contains(status)));
    let served = alice.get("/@alice/race/-/race-1.0.0.tgz").await.expect(200);
    assert_eq!(served.bytes, winners[0].1.tarball());
}

#[tokio::test]
async fn twenty_versions_published_at_once_all_arrive() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let publishes = (0..20).map(|number| {
        let alice = alice.clone();
        async move { alice.publish(&Package::new("@alice/many", &format!("1.0.{number}"))).await.expect(201) }
    });
    futures_util::future::join_all(publishes).await;
    let packument = alice.get("/@alice/many").await.expect(200).json();
    assert_eq!(packument["versions"].as_object().expect("versions").len(), 20);
}

#[tokio::test]
async fn an_administrators_access_counts_and_a_collaborators_does_not() {
    let app = TestApp::new().await;
    let (alice, bob, stranger) = (app.user("alice").await, app.user("bob").await, app.user("stranger").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;

    let answer = bob.publish(&Package::new("@alice/one", "1.1.0").access("public")).await.expect(201);
    assert!(answer.header("npm-notice").contains("stays restricted"), "{:?}", answer.headers);
    stranger.get("/@alice/one").await.expect(404);
    alice.publish(&Package::new("@alice/one", "1.2.0").access("public")).await.expect(201);
    stranger.get("/@alice/one").await.expect(200);
    alice.publish(&Package::new("@alice/one", "1.3.0")).await.expect(201);
    stranger.get("/@alice/one").await.expect(200);

    let yarn = [("content-type", "application/json"), ("user-agent", "got (https://github.com/sindresorhus/got)")];
    let document = Package::new("@alice/one", "1.4.0").access("restricted").document();
    alice.send("PUT", "/@alice%2fone", &yarn, Body::from(document.to_string())).await.expect(201);
    stranger.get("/@alice/one").await.expect(200);
    alice.publish(&Package::new("@alice/one", "1.5.0").access("restricted")).await.expect(201);
    stranger.get("/@alice/one").await.expect(404);
}

#[tokio::test]
async fn an_unpaid_owner_publishes_in_public_only() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    app.set_billing("alice", BillingFlag::Unpaid).await;
    let answer = alice.publish(&Package::new("@alice/private", "1.0.0")).await.expect(402);
    assert!(answer.error().contains("alice"), "{}", answer.error());
    assert!(answer.error().contains("http://registry.test/settings/billing"), "{}", answer.error());
    alice.publish(&Package::new("@alice/public", "1.0.0").access("public")).await.expect(201);
}

#[tokio::test]
async fn an_upload_outlives_its_permit() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    app.grant("@alice/one", "bob", Permission::ReadWrite).await;

    let text = Package::new("@alice/one", "1.1.0").document().to_string();
    let (first, rest) = text.split_at(text.len() / 2);
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<String, std::io::Error>>(1);
    let body = Body::from_stream(futures_util::stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|item| (item, receiver))
    }));
    let publishing = bob.send("PUT", "/@alice%2fone", &[("content-type", "application/json")], body);
    let revoking = async {
        sender.send(Ok(first.to_owned())).await.expect("a reader");
        app.app
            .access
            .revoke(
                &app.app
                    .access
                    .permit(
                        &strongroom::policy::Actor::Operator,
                        &"@alice/one".parse().expect("a name"),
                        strongroom::policy::Intent::REVOKE,
                    )
                    .await
                    .expect("a permit"),
                &"bob".parse().expect("a name"),
            )
            .await
            .expect("revoked");
        sender.send(Ok(rest.to_owned())).await.expect("a reader");
        drop(sender);
    };
    let (answer, ()) = tokio::join!(publishing, revoking);
    answer.expect(404);
    let packument = alice.get("/@alice/one").await.expect(200).json();
    assert_eq!(packument["versions"].as_object().expect("versions").len(), 1);
    assert_eq!(packument["dist-tags"]["latest"], "1.0.0");
}

#[tokio::test]
async fn only_json_within_the_limits_is_read() {
    let app = TestApp::with(|config| config.limits.max_tarball_bytes = 2000).await;
    let alice = app.user("alice").await;
    let text = Package::new("@alice/one", "1.0.0").document().to_string();
    let send = |headers: &'static [(&'static str, &'static str)], body: String| {
        let alice = alice.clone();
        async move { alice.send("PUT", "/@alice%2fone", headers, Body::from(body)).await }
    };
    send(&[], text.clone()).await.expect(415);
    send(&[("content-type", "text/plain")], text.clone()).await.expect(415);
    send(&[("content-type", "application/json"), ("content-encoding", "gzip")], text.clone()).await.expect(415);
    send(&[("content-type", "application/json"), ("content-length", "999999999")], text.clone()).await.expect(413);
    let large = Package { files: vec![("x".into(), noise(10_000))], ..Package::new("@alice/one", "1.0.0") };
    alice.publish(&large).await.expect(413);
    send(&[("content-type", "application/json")], text[..text.len() - 2].to_owned()).await.expect(400);
    send(&[("content-type", "application/json")], format!("{text}x")).await.expect(400);
    send(&[("content-type", "application/json")], "[".repeat(100_000)).await.expect(400);
    alice.get("/@alice/one").await.expect(404);
}

/// Small bytes that would be large memory, and versions without end.
#[tokio::test]
async fn metadata_is_bounded() {
    let app = TestApp::with(|config| config.limits.max_packument_bytes = 4000).await;
    let alice = app.user("alice").await;
    let nested = json!({ "keywords": vec![json!([]); 120_000] });
    alice.publish(&Package { manifest: nested, ..Package::new("@alice/nested", "1.0.0") }).await.expect(413);
    alice.get("/@alice/nested").await.expect(404);
    let statuses = futures_util::future::join_all((0..3).map(|number| {
        let manifest = json!({ "description": "x".repeat(1500) });
        let package = Package { manifest, ..Package::new("@alice/many", &format!("1.0.{number}")) };
        let alice = alice.clone();
        async move { alice.publish(&package).await.status.as_u16() }
    }))
    .await;
    assert_eq!(statuses.iter().filter(|status| **status == 413).count(), 1, "{statuses:?}");
    let packument = alice.get("/@alice/many").await.expect(200).json();
    assert_eq!(packument["versions"].as_object().expect("versions").len(), 2);
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(length)
    .collect()
}

#[tokio::test]
async fn tags_are_moved_by_publishing_and_latest_is_always_there() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let beta = Package { tag: "beta".into(), ..Package::new("@alice/one", "1.0.0-beta.1") };
    alice.publish(&beta).await.expect(201);
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    let next = Package { tag: "beta".into(), ..Package::new("@alice/one", "1.1.0-beta.1") };
    alice.publish(&next).await.expect(201);
    let tags = alice.get("/@alice/one").await.expect(200).json()["dist-tags"].clone();
    assert_eq!(tags, json!({ "beta": "1.1.0-beta.1", "latest": "1.0.0" }));
    assert_eq!(alice.get("/@alice/one/beta").await.expect(200).json()["version"], "1.1.0-beta.1");
    assert_eq!(alice.get("/@alice/one/1.0.0").await.expect(200).json()["version"], "1.0.0");
    alice.get("/@alice/one/9.9.9").await.expect(404);
}
