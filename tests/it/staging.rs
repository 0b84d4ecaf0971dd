//! Versions that wait for approval (`protocol.md` 4).

use axum::body::Body;
use chrono::TimeDelta;
use serde_json::json;
use strongroom::names::RandomId;
use strongroom::policy::{Actor, BillingFlag, Narrowing, Permission, TokenRight, Visibility};

use crate::second_factor::{assert_asks, enable, wait};
use crate::support::app::{ADDRESS, Answer, Package, Person, TestApp};

/// Somebody whose request has shown a second factor.
async fn confirmed(app: &TestApp, person: &Person<'_>) -> Actor {
    let token = person.token.as_deref().expect("a token");
    match app.app.tokens.authenticate(token, ADDRESS.into()).await.expect("an actor") {
        Actor::User(principal) => Actor::User(strongroom::policy::Principal { confirmed: true, ..principal }),
        other => other,
    }
}

async fn stage(person: &Person<'_>, package: &Package) -> Answer {
    person.json("POST", &format!("/-/stage/package/{}", package.name.replace('/', "%2f")), &package.document()).await
}

async fn staged_id(person: &Person<'_>, package: &Package) -> RandomId {
    stage(person, package).await.expect(201).json()["stageId"].as_str().expect("an id").parse().expect("a UUID")
}

fn stage_only() -> Narrowing {
    Narrowing { right: TokenRight::StageOnly, ..Narrowing::default() }
}

#[tokio::test]
async fn a_staged_version_is_published_when_it_is_approved() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let machine = app.token("alice", stage_only(), None).await;
    let package = Package::new("@alice/one", "1.0.0");
    let id = staged_id(&machine, &package).await;

    alice.get("/@alice%2fone").await.expect(404);
    let status = "/-/package/@alice%2fone/version/1.0.0/status";
    assert_eq!(alice.get(status).await.expect(200).json()["status"], "staged");
    let item = alice.get(&format!("/-/stage/{id}")).await.expect(200).json();
    assert_eq!(item["packageName"], "@alice/one");
    assert_eq!(item["actor"], "alice");
    assert_eq!(item["actorType"], "user");
    assert_eq!(item["access"], "private");
    assert_eq!(item["status"], "staged");
    let tarball = alice.get(&format!("/-/stage/{id}/tarball")).await.expect(200);
    assert_eq!(tarball.bytes, package.tarball());
    assert_eq!(tarball.header("content-type"), "application/octet-stream");

    app.app.staging.approve(&confirmed(&app, &alice).await, &id).await.expect("an approval");
    let packument = alice.get("/@alice%2fone").await.expect(200).json();
    assert_eq!(packument["dist-tags"]["latest"], "1.0.0");
    assert_eq!(packument["versions"]["1.0.0"]["_npmUser"]["name"], "alice");
    assert_eq!(alice.get(status).await.expect(200).json()["status"], "published");
    assert_eq!(alice.get("/@alice%2fone/-/one-1.0.0.tgz").await.expect(200).bytes, package.tarball());
    alice.get(&format!("/-/stage/{id}")).await.expect(404);
    stage(&machine, &package).await.expect(409);
}

#[tokio::test]
async fn approving_and_rejecting_take_a_second_factor_and_staging_none() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let id = staged_id(&alice, &Package::new("@alice/one", "1.0.0")).await;
    let approve = format!("/-/stage/{id}/approve");
    for (method, path) in [("POST", approve.as_str()), ("DELETE", &format!("/-/stage/{id}"))] {
        let refused = alice.send(method, path, &[], Body::empty()).await.expect(403);
        assert!(refused.error().contains("second factor"), "{}", refused.error());
    }
    let machine = app.token("alice", stage_only(), None).await;
    machine.send("POST", &approve, &[], Body::empty()).await.expect(403);
    assert_eq!(alice.get(&format!("/-/stage/{id}")).await.expect(200).json()["version"], "1.0.0");
}

#[tokio::test]
async fn a_one_time_code_is_enough_to_approve_or_reject() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let (phone, recovery) = enable(&app, &alice, "auth-only").await;
    let ids = [
        staged_id(&alice, &Package::new("@alice/one", "1.0.0")).await,
        staged_id(&alice, &Package::new("@alice/one", "1.1.0")).await,
        staged_id(&alice, &Package::new("@alice/one", "1.2.0")).await,
    ];
    let send = async |method: &str, path: &str, code: &str| {
        assert_asks(alice.send(method, path, &[], Body::empty()).await);
        alice.send(method, path, &[("npm-otp", "000000")], Body::empty()).await.expect(401);
        alice.send(method, path, &[("npm-otp", code)], Body::empty()).await
    };
    let approved = send("POST", &format!("/-/stage/{}/approve", ids[0]), &phone.code(app.clock.now())).await;
    assert_eq!(approved.expect(201).json()["message"], "approved and published");
    wait(&app, 90);
    send("DELETE", &format!("/-/stage/{}", ids[1]), &phone.code(app.clock.now())).await.expect(204);
    send("POST", &format!("/-/stage/{}/approve", ids[2]), &recovery[0]).await.expect(201);

    let packument = alice.get("/@alice%2fone").await.expect(200).json();
    let versions: Vec<_> = packument["versions"].as_object().expect("versions").keys().cloned().collect();
    assert_eq!(versions, ["1.0.0", "1.2.0"]);
    assert_eq!(alice.get("/-/stage").await.expect(200).json()["total"], 0);
}

#[tokio::test]
async fn what_is_rejected_can_be_staged_again() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let package = Package::new("@alice/one", "1.0.0");
    let id = staged_id(&alice, &package).await;
    let twice = stage(&alice, &package).await.expect(409);
    assert!(twice.error().contains("staged or published already"), "{}", twice.error());

    let actor = confirmed(&app, &alice).await;
    app.app.staging.reject(&actor, &id).await.expect("a rejection");
    let gone = app.app.staging.approve(&actor, &id).await.expect_err("it is gone");
    assert_eq!(gone.status(), 404);
    staged_id(&alice, &package).await;
}

#[tokio::test]
async fn only_who_could_approve_sees_what_is_staged() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let (reader, writer, stranger) = (app.user("reader").await, app.user("writer").await, app.user("stranger").await);
    alice.publish(&Package::new("@alice/one", "1.0.0").access("restricted")).await.expect(201);
    app.grant("@alice/one", "reader", Permission::ReadOnly).await;
    app.grant("@alice/one", "writer", Permission::ReadWrite).await;
    let id = staged_id(&writer, &Package::new("@alice/one", "1.1.0")).await;
    let unused = RandomId::generate().expect("an id");

    for seeing in [&alice, &writer] {
        seeing.get(&format!("/-/stage/{id}")).await.expect(200);
        assert_eq!(seeing.get("/-/stage").await.expect(200).json()["total"], 1);
    }
    for blind in [&reader, &stranger] {
        assert_eq!(blind.get("/-/stage").await.expect(200).json()["items"], json!([]));
        assert_eq!(blind.get("/-/stage?package=%40alice%2Fone").await.expect(200).json()["total"], 0);
        blind.get("/-/package/@alice%2fone/version/1.1.0/status").await.expect(404);
        for (method, suffix) in [("GET", ""), ("GET", "/tarball"), ("POST", "/approve"), ("DELETE", "")] {
            let hidden = blind.send(method, &format!("/-/stage/{id}{suffix}"), &[], Body::empty()).await.expect(404);
            let missing =
                blind.send(method, &format!("/-/stage/{unused}{suffix}"), &[], Body::empty()).await.expect(404);
            assert_eq!(hidden.error().replace(id.as_str(), ""), missing.error().replace(unused.as_str(), ""));
        }
    }
    let nobody = app.anonymous();
    for path in ["/-/stage".to_owned(), format!("/-/stage/{id}"), format!("/-/stage/{unused}")] {
        nobody.get(&path).await.expect(401);
    }
    stage(&reader, &Package::new("@alice/one", "1.2.0")).await.expect(403);
    stage(&stranger, &Package::new("@alice/one", "1.2.0")).await.expect(404);
    stage(&nobody, &Package::new("@alice/one", "1.2.0")).await.expect(401);
}

#[tokio::test]
async fn the_list_comes_in_pages_with_the_newest_first() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    for number in 0..3 {
        staged_id(&alice, &Package::new("@alice/one", &format!("1.{number}.0"))).await;
        app.clock.set(app.clock.now() + TimeDelta::seconds(1));
    }
    staged_id(&alice, &Package::new("@alice/two", "1.0.0")).await;
    let page = alice.get("/-/stage?page=0&perPage=2&package=@alice/one").await.expect(200).json();
    assert_eq!((&page["total"], &page["page"], &page["perPage"]), (&json!(3), &json!(0), &json!(2)));
    assert_eq!(page["items"][0]["version"], "1.2.0");
    let rest = alice.get("/-/stage?page=1&perPage=2&package=@alice/one").await.expect(200).json();
    assert_eq!(rest["items"].as_array().expect("items").len(), 1);
    assert_eq!(alice.get("/-/stage").await.expect(200).json()["items"][0]["packageName"], "@alice/two");
    for query in ["page=-1", "perPage=0", "perPage=101", "page=x"] {
        alice.get(&format!("/-/stage?{query}")).await.expect(400);
    }
}

#[tokio::test]
async fn approval_meets_every_error_that_a_publish_meets() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let actor = confirmed(&app, &alice).await;
    let package = Package::new("@alice/one", "1.0.0").access("restricted");
    let id = staged_id(&alice, &package).await;

    app.set_billing("alice", BillingFlag::Unpaid).await;
    let unpaid = app.app.staging.approve(&confirmed(&app, &alice).await, &id).await.expect_err("a plan is missing");
    assert_eq!(unpaid.status(), 402);
    app.set_billing("alice", BillingFlag::Paid { until: None }).await;

    let mut other = package.clone();
    other.files.push(("more.js".into(), b"1".to_vec()));
    alice.publish(&other).await.expect(201);
    let taken = app.app.staging.approve(&actor, &id).await.expect_err("the number is taken");
    assert_eq!(taken.status(), 409);
    alice.get(&format!("/-/stage/{id}")).await.expect(200);
}

#[tokio::test]
async fn a_document_is_checked_before_it_is_staged() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let package = Package::new("@alice/one", "1.0.0");
    let mut lies = package.document();
    lies["versions"]["1.0.0"]["scripts"] = json!({ "install": "evil" });
    alice.json("POST", "/-/stage/package/@alice%2fone", &lies).await.expect(422);
    alice.json("POST", "/-/stage/package/@alice%2fother", &package.document()).await.expect(422);
    assert_eq!(alice.get("/-/stage").await.expect(200).json()["total"], 0);
}

#[tokio::test]
async fn the_file_of_a_staged_version_stays_until_it_is_thrown_away() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let id = staged_id(&alice, &Package::new("@alice/one", "1.0.0")).await;
    app.clock.set(app.clock.now() + TimeDelta::days(29));
    app.app.run_chore("blobs.sweep").await.expect("a sweep");
    app.app.run_chore("staging.expire").await.expect("a look");
    alice.get(&format!("/-/stage/{id}/tarball")).await.expect(200);

    app.clock.set(app.clock.now() + TimeDelta::days(2));
    app.app.run_chore("staging.expire").await.expect("a look");
    alice.get(&format!("/-/stage/{id}")).await.expect(404);
    app.app.run_chore("blobs.sweep").await.expect("a sweep");
    let files: i64 =
        sqlx::query_scalar("select count(*) from blobs").fetch_one(&app.pool().await).await.expect("a count");
    assert_eq!(files, 0);
}

#[tokio::test]
async fn a_public_version_makes_its_package_public_when_it_is_approved() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let id = staged_id(&alice, &Package::new("@alice/one", "1.0.0").access("public")).await;
    assert_eq!(alice.get(&format!("/-/stage/{id}")).await.expect(200).json()["access"], "public");
    app.app.staging.approve(&confirmed(&app, &alice).await, &id).await.expect("an approval");
    app.anonymous().get("/@alice%2fone").await.expect(200);
    let opened = app.app.access.load_facts(&"@alice/one".parse().expect("a name")).await.expect("facts");
    assert_eq!(opened.package.expect("a package").visibility, Visibility::Public);
}

/// A collaborator's version never changes who sees the package, neither when its owner approves it.
#[tokio::test]
async fn approving_a_collaborators_version_does_not_open_the_package() {
    let app = TestApp::new().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    alice.publish(&Package::new("@alice/shut", "1.0.0")).await.expect(201);
    app.grant("@alice/shut", "bob", Permission::ReadWrite).await;
    let id = staged_id(&bob, &Package::new("@alice/shut", "1.1.0").access("public")).await;
    app.app.staging.approve(&confirmed(&app, &alice).await, &id).await.expect("an approval");
    assert_eq!(alice.get("/@alice%2fshut").await.expect(200).json()["dist-tags"]["latest"], "1.1.0");
    app.anonymous().get("/@alice%2fshut").await.expect(404);
}

/// What waits is judged by its package: once that is removed, it must not turn into a first version that others may see.
#[tokio::test]
async fn what_waits_goes_with_its_package() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let member = app.user("member").await;
    app.organization("acme", "ada", &[("member", "developer")]).await;
    ada.publish(&Package::new("@acme/shut", "1.0.0")).await.expect(201);
    ada.json("DELETE", "/-/team/acme/developers/package", &json!({ "package": "@acme/shut" })).await.expect(200);
    let id = staged_id(&ada, &Package::new("@acme/shut", "1.1.0")).await;
    let path = format!("/-/stage/{id}");
    member.get(&path).await.expect(404);
    let rev = ada.get("/@acme%2fshut?write=true").await.json()["_rev"].as_str().expect("a rev").to_owned();
    let gone = ada.send("DELETE", &format!("/@acme%2fshut/-rev/{rev}"), &[], Body::empty()).await;
    assert!(gone.status.is_success(), "{gone:?}");
    member.get(&path).await.expect(404);
    ada.get(&path).await.expect(404);
    assert_eq!(member.get("/-/stage?package=@acme%2fshut").await.expect(200).json()["total"], 0);
}
