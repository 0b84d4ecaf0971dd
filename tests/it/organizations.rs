//! Organizations, teams, what they were given, grants that end, and the reasons behind a yes or a no.

use chrono::TimeDelta;
use serde_json::json;
use strongroom::policy::{BillingFlag, Permission};

use crate::support::app::{Answer, Package, Person, TestApp};

fn maintainers(packument: &Answer) -> Vec<String> {
    let list = packument.json()["maintainers"].as_array().cloned().unwrap_or_default();
    list.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

async fn grant_team(person: &Person<'_>, team: &str, package: &str, permission: &str) -> Answer {
    let body = json!({ "package": package, "permissions": permission });
    person.json("PUT", &format!("/-/team/acme/{team}/package"), &body).await
}

#[tokio::test]
async fn members_come_change_and_go() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let bob = app.user("bob").await;
    app.user("eve").await;
    app.organization("acme", "ada", &[]).await;
    let set = json!({ "user": "bob", "role": "developer" });
    let answer = ada.json("PUT", "/-/org/acme/user", &set).await.expect(200).json();
    assert_eq!(answer, json!({ "org": { "name": "acme", "size": 2 }, "user": "bob", "role": "developer" }));
    let listed = bob.get("/-/org/@acme/user").await.expect(200).json();
    assert_eq!(listed, json!({ "ada": "owner", "bob": "developer" }));
    bob.json("PUT", "/-/org/acme/user", &json!({ "user": "eve" })).await.expect(403);
    ada.json("PUT", "/-/org/acme/user", &json!({ "user": "nobody" })).await.expect(404);
    ada.json("PUT", "/-/org/acme/user", &json!({ "user": "eve", "role": "king" })).await.expect(422);
    ada.json("PUT", "/-/org/nowhere/user", &set).await.expect(404);
    ada.json("PUT", "/-/org/ada/user", &set).await.expect(404);

    let last_owner = ada.json("DELETE", "/-/org/acme/user", &json!({ "user": "ada" })).await.expect(422);
    assert!(last_owner.error().contains("at least one owner"), "{}", last_owner.error());
    ada.json("PUT", "/-/org/acme/user", &json!({ "user": "ada", "role": "developer" })).await.expect(422);
    ada.json("PUT", "/-/org/acme/user", &json!({ "user": "bob", "role": "super-admin" })).await.expect(200);
    ada.json("DELETE", "/-/org/acme/user", &json!({ "user": "ada" })).await.expect(200);
    assert_eq!(bob.get("/-/org/acme/user").await.expect(200).json(), json!({ "bob": "owner" }));
    ada.get("/-/org/acme/user").await.expect(403);
    app.anonymous().get("/-/org/acme/user").await.expect(401);
}

/// Two owners who take each other out at once must not leave an organization that nobody can change.
#[tokio::test]
async fn the_last_owner_stays_whoever_is_faster() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    app.organization("acme", "ada", &[("bob", "owner")]).await;
    let (bob_out, ada_out) = (json!({ "user": "bob" }), json!({ "user": "ada" }));
    let answers = tokio::join!(
        ada.json("DELETE", "/-/org/acme/user", &bob_out),
        bob.json("DELETE", "/-/org/acme/user", &ada_out),
    );
    let done = [answers.0.status, answers.1.status].iter().filter(|status| status.is_success()).count();
    assert_eq!(done, 1, "{answers:?}");
}

#[tokio::test]
async fn members_publish_into_the_scope_and_developers_share_what_is_published() {
    let app = TestApp::new().await;
    let (bob, carol, eve) = (app.user("bob").await, app.user("carol").await, app.user("eve").await);
    app.user("ada").await;
    app.organization("acme", "ada", &[("bob", "developer"), ("carol", "developer")]).await;
    // The organization's plan covers its members.
    app.set_billing("bob", BillingFlag::Unpaid).await;
    app.set_billing("carol", BillingFlag::Unpaid).await;
    eve.publish(&Package::new("@acme/one", "1.0.0")).await.expect(404);
    bob.publish(&Package::new("@acme/one", "1.0.0")).await.expect(201);
    carol.publish(&Package::new("@acme/one", "1.1.0")).await.expect(201);
    assert_eq!(maintainers(&carol.get("/@acme/one").await.expect(200)), ["ada", "bob", "carol"]);
    eve.get("/@acme/one").await.expect(404);
    carol.json("POST", "/-/package/@acme%2fone/access", &json!({ "access": "public" })).await.expect(403);

    app.set_billing("acme", BillingFlag::Unpaid).await;
    let refusal = carol.get("/@acme/one").await.expect(402);
    assert!(refusal.error().contains("@acme"), "{}", refusal.error());
}

#[tokio::test]
async fn who_leaves_the_organization_loses_its_packages_at_once() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    app.organization("acme", "ada", &[("bob", "developer")]).await;
    bob.publish(&Package::new("@acme/one", "1.0.0")).await.expect(201);
    bob.get("/@acme/one").await.expect(200);
    bob.get("/@acme/one/-/one-1.0.0.tgz").await.expect(200);
    ada.json("DELETE", "/-/org/acme/user", &json!({ "user": "bob" })).await.expect(200);
    bob.get("/@acme/one").await.expect(404);
    bob.get("/@acme/one/-/one-1.0.0.tgz").await.expect(404);
    assert_eq!(maintainers(&ada.get("/@acme/one").await), ["ada"], "the packument shows it too");
}

#[tokio::test]
async fn what_was_given_by_name_is_told_about_when_a_member_goes() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    app.organization("acme", "ada", &[("bob", "developer")]).await;
    ada.publish(&Package::new("@acme/one", "1.0.0")).await.expect(201);
    app.grant("@acme/one", "bob", Permission::ReadOnly).await;
    let answer = ada.json("DELETE", "/-/org/acme/user", &json!({ "user": "bob" })).await.expect(200);
    assert!(answer.header("npm-notice").contains("keeps access to 1 packages"), "{answer:?}");
    bob.get("/@acme/one").await.expect(200);
}

#[tokio::test]
async fn teams_are_made_filled_and_destroyed() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    app.user("eve").await;
    app.organization("acme", "ada", &[("bob", "developer")]).await;
    let made = ada.json("PUT", "/-/org/acme/team", &json!({ "name": "ops" })).await.expect(200).json();
    assert_eq!(made, json!({ "name": "ops" }));
    ada.json("PUT", "/-/org/acme/team", &json!({ "name": "ops" })).await.expect(409);
    ada.json("PUT", "/-/org/acme/team", &json!({ "name": "package" })).await.expect(422);
    bob.json("PUT", "/-/org/acme/team", &json!({ "name": "mine" })).await.expect(403);
    ada.json("PUT", "/-/team/acme/ops/user", &json!({ "user": "bob" })).await.expect(200);
    ada.json("PUT", "/-/team/acme/ops/user", &json!({ "user": "eve" })).await.expect(422);
    ada.json("PUT", "/-/team/acme/nothing/user", &json!({ "user": "bob" })).await.expect(404);

    // npm wants texts, pnpm wants objects.
    assert_eq!(bob.get("/-/org/acme/team?format=cli").await.json(), json!(["acme:developers", "acme:ops"]));
    assert_eq!(bob.get("/-/org/acme/team").await.json(), json!([{ "name": "developers" }, { "name": "ops" }]));
    assert_eq!(bob.get("/-/team/acme/ops/user?format=cli").await.json(), json!(["bob"]));
    assert_eq!(bob.get("/-/team/acme/ops/user").await.json(), json!([{ "name": "bob" }]));
    assert_eq!(bob.get("/-/team/acme/developers/user?format=cli").await.json(), json!(["ada", "bob"]));

    ada.json("DELETE", "/-/team/acme/developers/user", &json!({ "user": "bob" })).await.expect(403);
    ada.send("DELETE", "/-/team/acme/developers", &[], axum::body::Body::empty()).await.expect(403);
    ada.json("DELETE", "/-/team/acme/ops/user", &json!({ "user": "bob" })).await.expect(200);
    ada.json("DELETE", "/-/team/acme/ops/user", &json!({ "user": "bob" })).await.expect(404);
    ada.send("DELETE", "/-/team/acme/ops", &[], axum::body::Body::empty()).await.expect(200);
    ada.get("/-/team/acme/ops/user").await.expect(404);
}

#[tokio::test]
async fn a_team_is_given_a_package_and_loses_it() {
    let app = TestApp::new().await;
    let (ada, bob, eve) = (app.user("ada").await, app.user("bob").await, app.user("eve").await);
    app.organization("acme", "ada", &[("bob", "developer")]).await;
    ada.publish(&Package::new("@acme/secret", "1.0.0")).await.expect(201);
    ada.json("DELETE", "/-/team/acme/developers/package", &json!({ "package": "@acme/secret" })).await.expect(200);
    bob.get("/@acme/secret").await.expect(404);

    ada.json("PUT", "/-/org/acme/team", &json!({ "name": "ops" })).await.expect(200);
    ada.json("PUT", "/-/team/acme/ops/user", &json!({ "user": "bob" })).await.expect(200);
    grant_team(&ada, "ops", "@acme/secret", "read-only").await.expect(200);
    bob.get("/@acme/secret").await.expect(200);
    bob.publish(&Package::new("@acme/secret", "1.1.0")).await.expect(403);
    assert_eq!(bob.get("/-/team/acme/ops/package").await.json(), json!({ "@acme/secret": "read" }));
    assert_eq!(bob.get("/-/user/bob/package").await.json(), json!({ "@acme/secret": "read" }));
    grant_team(&ada, "ops", "@acme/secret", "read-write").await.expect(200);
    bob.publish(&Package::new("@acme/secret", "1.1.0")).await.expect(201);
    let collaborators = bob.get("/-/package/@acme%2fsecret/collaborators").await.expect(200).json();
    assert_eq!(collaborators, json!({ "ada": "write", "bob": "write" }));

    grant_team(&bob, "ops", "@acme/secret", "read-only").await.expect(403);
    grant_team(&eve, "ops", "@acme/secret", "read-only").await.expect(403);
    grant_team(&ada, "ops", "@acme/nothing", "read-only").await.expect(404);
    grant_team(&ada, "nobody", "@acme/secret", "read-only").await.expect(404);
    grant_team(&ada, "ops", "@acme/secret", "everything").await.expect(422);
    ada.publish(&Package::new("@ada/own", "1.0.0")).await.expect(201);
    grant_team(&ada, "ops", "@ada/own", "read-only").await.expect(422);

    // Out of the team, out of the package: npm owner cannot take what a team gives, and says so.
    let rev = ada.get("/@acme/secret").await.json()["_rev"].as_str().expect("a rev").to_owned();
    let body = json!({ "maintainers": [{ "name": "ada" }] });
    let refusal = ada.json("PUT", &format!("/@acme%2fsecret/-rev/{rev}"), &body).await.expect(422);
    assert!(refusal.error().contains("npm team rm acme:ops bob"), "{}", refusal.error());
    ada.json("DELETE", "/-/team/acme/ops/user", &json!({ "user": "bob" })).await.expect(200);
    bob.get("/@acme/secret").await.expect(404);
    ada.json("PUT", "/-/team/acme/ops/user", &json!({ "user": "bob" })).await.expect(200);
    bob.get("/@acme/secret").await.expect(200);
    ada.send("DELETE", "/-/team/acme/ops", &[], axum::body::Body::empty()).await.expect(200);
    bob.get("/@acme/secret").await.expect(404);
}

#[tokio::test]
async fn another_node_hears_of_teams_within_a_second() {
    let app = TestApp::new().await;
    app.user("ada").await;
    app.user("bob").await;
    app.organization("acme", "ada", &[("bob", "developer")]).await;
    let ada = app.token("ada", strongroom::policy::Narrowing::default(), None).await;
    ada.publish(&Package::new("@acme/one", "1.0.0")).await.expect(201);
    let node = app.second_node().await;
    let bob = node.token("bob", strongroom::policy::Narrowing::default(), None).await;
    bob.get("/@acme/one").await.expect(200);
    ada.json("DELETE", "/-/team/acme/developers/package", &json!({ "package": "@acme/one" })).await.expect(200);
    let began = std::time::Instant::now();
    while bob.get("/@acme/one").await.status != 404 {
        assert!(began.elapsed() < std::time::Duration::from_secs(1), "the other node did not hear of it");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_grant_ends_by_the_clock_and_its_traces_are_removed() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    let until = app.clock.now() + TimeDelta::hours(1);
    let grant = json!({ "permission": "read-write", "until": until });
    let path = "/-/strongroom/v1/package/@ada/one/access/bob";
    bob.json("PUT", path, &grant).await.expect(404);
    ada.json("PUT", path, &json!({ "permission": "read-write", "until": app.clock.now() })).await.expect(422);
    ada.json("PUT", path, &grant).await.expect(200);
    bob.publish(&Package::new("@ada/one", "1.1.0")).await.expect(201);
    assert_eq!(maintainers(&ada.get("/@ada/one").await), ["ada", "bob"]);

    let node = app.second_node().await;
    let elsewhere = node.token("bob", strongroom::policy::Narrowing::default(), None).await;
    elsewhere.get("/@ada/one").await.expect(200);
    app.clock.set(until);
    bob.get("/@ada/one").await.expect(404);
    elsewhere.get("/@ada/one").await.expect(404);
    bob.publish(&Package::new("@ada/one", "1.2.0")).await.expect(404);
    assert_eq!(ada.get("/-/package/@ada%2fone/collaborators").await.json(), json!({ "ada": "write" }));
    assert_eq!(bob.get("/-/user/ada/package").await.json(), json!({}));
    app.run_chore("access.expire").await;
    assert_eq!(maintainers(&ada.get("/@ada/one").await), ["ada"]);
    let left: i64 =
        sqlx::query_scalar("select count(*) from grants").fetch_one(&app.pool().await).await.expect("a count");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_user_leaves_a_package_by_themselves() {
    let app = TestApp::new().await;
    let (ada, bob, eve) = (app.user("ada").await, app.user("bob").await, app.user("eve").await);
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    for name in ["bob", "eve"] {
        app.grant("@ada/one", name, Permission::ReadOnly).await;
    }
    let path = |who: &str| format!("/-/strongroom/v1/package/@ada%2fone/access/{who}");
    bob.send("DELETE", &path("eve"), &[], axum::body::Body::empty()).await.expect(403);
    bob.send("DELETE", &path("bob"), &[], axum::body::Body::empty()).await.expect(200);
    bob.get("/@ada/one").await.expect(404);
    eve.get("/@ada/one").await.expect(200);
    ada.send("DELETE", &path("eve"), &[], axum::body::Body::empty()).await.expect(200);
    ada.send("DELETE", &path("ada"), &[], axum::body::Body::empty()).await.expect(403);
}

#[tokio::test]
async fn an_explanation_names_grant_team_plan_and_token() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    app.user("eve").await;
    app.organization("acme", "ada", &[("bob", "developer")]).await;
    ada.publish(&Package::new("@acme/one", "1.0.0")).await.expect(201);
    app.grant("@acme/one", "eve", Permission::ReadOnly).await;
    let path = "/-/strongroom/v1/access/explain?package=@acme%2fone";
    let own = bob.get(path).await.expect(200).json();
    assert_eq!(own["may"]["read"], json!({ "allowed": true }));
    assert_eq!(own["may"]["write"], json!({ "allowed": true }));
    assert_eq!(own["may"]["administer"]["code"], "SR-ACCESS-05");
    let because = own["because"].as_array().expect("a list");
    assert!(because.contains(&json!({ "ground": "member", "organization": "acme", "role": "developer" })), "{own}");
    assert!(because.iter().any(|ground| ground["team"] == "developers"), "{own}");

    app.set_billing("eve", BillingFlag::Unpaid).await;
    let other = ada.get(&format!("{path}&user=eve")).await.expect(200).json();
    assert_eq!(other["may"]["read"]["code"], "SR-PLAN-01", "{other}");
    assert_eq!(other["because"][0]["permission"], "read-only");
    bob.get(&format!("{path}&user=eve")).await.expect(403);
    ada.get(&format!("{path}&user=nobody")).await.expect(404);

    let read_only = app.token("bob", strongroom::policy::Narrowing::read_only(), None).await;
    let through = read_only.get(path).await.expect(200).json();
    assert_eq!(through["token"], "read-only");
    assert_eq!(through["may"]["write"]["allowed"], false, "{through}");
}

/// Asking why must tell no more than asking for the package.
#[tokio::test]
async fn an_explanation_hides_what_the_package_hides() {
    let app = TestApp::new().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    let ask = async |name: &str| {
        let answer = eve.get(&format!("/-/strongroom/v1/access/explain?package=@ada%2f{name}")).await.expect(404);
        String::from_utf8_lossy(&answer.bytes).replace(name, "NAME")
    };
    assert_eq!(ask("one").await, ask("two").await);
    app.anonymous().get("/-/strongroom/v1/access/explain?package=@ada%2fone").await.expect(401);
}

/// A moment that Postgres writes with more digits than clients read must not make the package unreadable.
#[tokio::test]
async fn an_end_beyond_all_years_is_refused_and_fails_nothing() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    ada.publish(&Package::new("@ada/one", "1.0.0")).await.expect(201);
    let path = "/-/strongroom/v1/package/@ada/one/access/bob";
    let far = json!({ "permission": "read-only", "until": "+10000-01-01T00:00:00Z" });
    ada.json("PUT", path, &far).await.expect(422);
    ada.json("PUT", path, &json!({ "permission": "read-only" })).await.expect(200);
    let pool = app.pool().await;
    sqlx::query("update grants set expires_at = '10000-01-01T00:00:00Z'").execute(&pool).await.expect("an update");
    ada.publish(&Package::new("@ada/one", "1.1.0")).await.expect(201);
    bob.get("/-/user/bob/package").await.expect(200);
}
