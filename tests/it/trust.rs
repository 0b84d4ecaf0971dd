//! Trusted publishing: rules, the exchange, and what is published by it (`protocol.md` 7.5 and 7.6).

use axum::body::Body;
use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use strongroom::config::{IssuerKind, TrustedIssuer};
use strongroom::names::{PackageName, RandomId};
use strongroom::policy::{Actor, Intent, Narrowing};
use strongroom::trust::NewPublisher;

use crate::second_factor::{assert_asks, enable, wait, with_code};
use crate::support::app::{Answer, Package, Person, TestApp};
use crate::support::issuer::{Issuer, SigningKey};

/// A registry that knows one issuer, and the key that its tokens are signed with.
struct Scene {
    app: TestApp,
    issuer: Issuer,
    key: SigningKey,
}

impl Scene {
    async fn new(kind: IssuerKind) -> Self {
        Self::with_key(kind, SigningKey::ec()).await
    }

    async fn with_key(kind: IssuerKind, key: SigningKey) -> Self {
        let issuer = Issuer::start("first", &key).await;
        let configured = TrustedIssuer {
            name: "ours".into(),
            kind,
            url: issuer.url.clone(),
            audiences: Vec::new(),
            keys_url: None,
            single_use: None,
        };
        let app = TestApp::with(|config| {
            config.trust.issuers = vec![configured];
            config.outgoing.allow = vec!["127.0.0.1/32".parse().expect("a network")];
        })
        .await;
        Self { app, issuer, key }
    }

    /// The claims of a job of `@alice/one`'s repository; each has an id of its own.
    fn claims(&self) -> Value {
        let now = self.app.clock.now().timestamp();
        json!({
            "iss": self.issuer.url,
            "aud": "npm:registry.test",
            "sub": "repo:acme/one:ref:refs/heads/main",
            "jti": RandomId::generate().expect("an id"),
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "repository": "acme/one",
            "workflow_ref": "acme/one/.github/workflows/release.yml@refs/heads/main",
        })
    }

    fn token(&self, claims: &Value) -> String {
        self.key.token("first", claims)
    }

    async fn exchange(&self, package: &str, id_token: &str) -> Answer {
        let path = format!("/-/npm/v1/oidc/token/exchange/package/{}", package.replace('/', "%2f"));
        self.app.with_token(id_token).send("POST", &path, &[], Body::empty()).await
    }

    /// Somebody with the token that was got in exchange.
    async fn publisher(&self, package: &str) -> Person<'_> {
        let answer = self.exchange(package, &self.token(&self.claims())).await.expect(201).json();
        self.app.with_token(answer["token"].as_str().expect("a token"))
    }

    async fn trust(&self, package: &str, permissions: &[&str]) -> RandomId {
        trust(&self.app, package, &github(permissions)).await
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("not an object: {other}"),
    }
}

fn github(permissions: &[&str]) -> NewPublisher {
    serde_json::from_value(json!({
        "type": "github",
        "claims": { "repository": "acme/one", "workflow_ref": { "file": "release.yml" } },
        "permissions": permissions,
    }))
    .expect("a publisher")
}

fn oidc(claims: Value) -> NewPublisher {
    NewPublisher { kind: None, issuer: Some("ours".into()), claims: object(claims), permissions: None }
}

/// Trusts a publisher as the operator, who needs no second factor.
async fn trust(app: &TestApp, package: &str, publisher: &NewPublisher) -> RandomId {
    let name: PackageName = package.parse().expect("a name");
    let permit = app.app.access.permit(&Actor::Operator, &name, Intent::SET_TRUST).await.expect("a permit");
    let added = app.app.trust.add(&permit, std::slice::from_ref(publisher)).await.expect("a trusted publisher");
    added[0].id.clone()
}

async fn revoke(app: &TestApp, package: &str, id: &RandomId) {
    let name: PackageName = package.parse().expect("a name");
    let permit = app.app.access.permit(&Actor::Operator, &name, Intent::SET_TRUST).await.expect("a permit");
    app.app.trust.remove(&permit, id).await.expect("an end");
}

#[tokio::test]
async fn a_job_publishes_the_first_version_of_a_package_without_anybodys_token() {
    for key in [SigningKey::rsa(), SigningKey::ec(), SigningKey::ed()] {
        let scene = Scene::with_key(IssuerKind::GitHub, key).await;
        let alice = scene.app.user("alice").await;
        let id = scene.trust("@alice/one", &["createPackage"]).await;
        let answer = scene.exchange("@alice/one", &scene.token(&scene.claims())).await.expect(201);
        assert!(answer.header("cache-control").starts_with("no-store"));
        assert_eq!(answer.json()["token_type"], "oidc");
        let job = scene.app.with_token(answer.json()["token"].as_str().expect("a token"));
        job.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
        job.get("/-/package/@alice%2fone/visibility").await.expect(200);

        let version = alice.get("/@alice%2fone/1.0.0").await.expect(200).json();
        assert_eq!(
            version["_npmUser"],
            json!({
                "name": "GitHub Actions",
                "email": "",
                "trustedPublisher": { "id": "github", "oidcConfigId": format!("oidc:{id}") },
            })
        );
        let kept: Value = sqlx::query_scalar("select trusted_publisher from versions")
            .fetch_one(&scene.app.pool().await)
            .await
            .expect("a version");
        assert_eq!(kept["claims"]["repository"], "acme/one");
        assert_eq!(kept["issuer"], scene.issuer.url);
    }
}

#[tokio::test]
async fn the_token_does_what_was_agreed_and_nothing_else() {
    let scene = Scene::new(IssuerKind::GitHub).await;
    let alice = scene.app.user("alice").await;
    for name in ["@alice/one", "@alice/two"] {
        alice.publish(&Package::new(name, "1.0.0")).await.expect(201);
    }
    scene.trust("@alice/one", &["createPackage"]).await;
    let job = scene.publisher("@alice/one").await;
    job.publish(&Package::new("@alice/one", "1.1.0")).await.expect(201);
    job.publish(&Package::new("@alice/two", "1.1.0")).await.expect(403);
    job.get("/@alice%2ftwo").await.expect(404);
    job.json("POST", "/-/package/@alice%2fone/access", &json!({ "access": "public" })).await.expect(403);
    let open = Package::new("@alice/one", "1.2.0").access("public");
    let notice = job.publish(&open).await.expect(201);
    assert!(notice.header("npm-notice").contains("stays restricted"), "{notice:?}");
    let staged = Package::new("@alice/one", "1.3.0");
    job.json("POST", "/-/stage/package/@alice%2fone", &staged.document()).await.expect(403);

    scene.app.clock.set(scene.app.clock.now() + TimeDelta::minutes(60));
    job.publish(&Package::new("@alice/one", "1.4.0")).await.expect(401);
}

#[tokio::test]
async fn a_job_that_may_only_stage_publishes_nothing_by_itself() {
    let scene = Scene::new(IssuerKind::GitHub).await;
    let alice = scene.app.user("alice").await;
    scene.trust("@alice/one", &["createStagedPackage"]).await;
    let job = scene.publisher("@alice/one").await;
    let package = Package::new("@alice/one", "1.0.0");
    job.publish(&package).await.expect(403);
    let staged = job.json("POST", "/-/stage/package/@alice%2fone", &package.document()).await.expect(201).json();
    let id: RandomId = staged["stageId"].as_str().expect("an id").parse().expect("a UUID");
    let item = alice.get(&format!("/-/stage/{id}")).await.expect(200).json();
    assert_eq!((&item["actor"], &item["actorType"]), (&json!("GitHub Actions"), &json!("trusted automation")));

    scene.app.app.staging.approve(&Actor::Operator, &id).await.expect("an approval");
    let version = alice.get("/@alice%2fone/1.0.0").await.expect(200).json();
    assert_eq!(version["_npmUser"]["trustedPublisher"]["id"], "github");
}

#[tokio::test]
async fn every_refusal_of_an_exchange_reads_the_same() {
    let scene = Scene::new(IssuerKind::GitHub).await;
    let alice = scene.app.user("alice").await;
    scene.app.user("bob").await;
    alice.publish(&Package::new("@alice/hidden", "1.0.0")).await.expect(201);
    scene.trust("@alice/one", &["createPackage"]).await;

    let with = |claim: &str, value: Value| {
        let mut claims = scene.claims();
        claims[claim] = value;
        scene.token(&claims)
    };
    let now = scene.app.clock.now().timestamp();
    let stranger = SigningKey::ec();
    let used = scene.token(&scene.claims());
    scene.exchange("@alice/one", &used).await.expect(201);
    let good = || scene.token(&scene.claims());
    let (head, _) = used.rsplit_once('.').expect("a token");
    let unsigned = format!("{head}.");
    let attempts = [
        ("@alice/one", with("repository", json!("mallory/one"))),
        ("@alice/one", with("workflow_ref", json!("acme/one/.github/workflows/other.yml@refs/heads/main"))),
        ("@alice/one", with("aud", json!("npm:elsewhere.test"))),
        ("@alice/one", with("iss", json!("https://elsewhere.test"))),
        ("@alice/one", with("exp", json!(now - 61))),
        ("@alice/one", with("iat", json!(now - 6 * 3600 - 1))),
        ("@alice/one", with("nbf", json!(now + 120))),
        ("@alice/one", stranger.token("first", &scene.claims())),
        ("@alice/one", scene.key.token("unknown", &scene.claims())),
        ("@alice/one", used),
        ("@alice/one", unsigned),
        ("@alice/one", "npm_000000000000000000000000000000000000".into()),
        ("@alice/hidden", good()),
        ("@alice/missing", good()),
        ("@bob/one", good()),
        ("@nobody/one", good()),
    ];
    for (package, token) in attempts {
        let answer = scene.exchange(package, &token).await.expect(401);
        let sentence = answer.error().replace(package, "PACKAGE");
        assert!(sentence.starts_with("No trusted publisher of PACKAGE has this ID token"), "{package}: {sentence}");
        assert!(answer.header("cache-control").starts_with("no-store"));
    }
    scene
        .app
        .anonymous()
        .send("POST", "/-/npm/v1/oidc/token/exchange/package/@alice%2fone", &[], Body::empty())
        .await
        .expect(401);

    let reasons: Vec<String> = sqlx::query_scalar(
        "select detail ->> 'reason' from audit_events where action = 'trust.exchange' and outcome = 'refused' order by id",
    )
    .fetch_all(&scene.app.pool().await)
    .await
    .expect("lines");
    // Only what its issuer did sign, for us and now, is worth a line: nobody fills the log with inventions.
    assert_eq!(reasons.len(), 7, "{reasons:?}");
    assert_eq!(reasons[2], "it was exchanged before");
}

#[tokio::test]
async fn a_token_is_good_for_one_exchange_where_a_job_can_have_many() {
    for (kind, again) in [(IssuerKind::GitHub, 401), (IssuerKind::Oidc, 201)] {
        let scene = Scene::new(kind).await;
        scene.app.user("alice").await;
        trust(&scene.app, "@alice/one", &oidc(json!({ "repository": "acme/one" }))).await;
        let token = scene.token(&scene.claims());
        scene.exchange("@alice/one", &token).await.expect(201);
        scene.exchange("@alice/one", &token).await.expect(again);

        scene.app.app.run_chore("trust.forget").await.expect("a look");
        scene.exchange("@alice/one", &token).await.expect(again);
        scene.app.clock.set(scene.app.clock.now() + TimeDelta::minutes(10));
        scene.app.app.run_chore("trust.forget").await.expect("a look");
        let left: i64 = sqlx::query_scalar("select count(*) from exchanged_tokens")
            .fetch_one(&scene.app.pool().await)
            .await
            .expect("a count");
        assert_eq!(left, 0);
        scene.exchange("@alice/one", &token).await.expect(401);
    }
}

#[tokio::test]
async fn when_trust_ends_so_do_the_tokens_that_came_of_it() {
    let scene = Scene::new(IssuerKind::GitHub).await;
    scene.app.user("alice").await;
    let id = scene.trust("@alice/one", &["createPackage"]).await;
    let job = scene.publisher("@alice/one").await;
    job.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    revoke(&scene.app, "@alice/one", &id).await;
    job.publish(&Package::new("@alice/one", "1.1.0")).await.expect(401);
    scene.exchange("@alice/one", &scene.token(&scene.claims())).await.expect(401);
}

#[tokio::test]
async fn a_whole_scope_can_trust_a_publisher_before_there_is_a_package() {
    let scene = Scene::new(IssuerKind::GitHub).await;
    scene.app.user("alice").await;
    scene.app.user("bob").await;
    let scope = "alice".parse().expect("a name");
    let permit =
        scene.app.app.access.permit_scope(&Actor::Operator, &scope, Intent::SET_TRUST).await.expect("a permit");
    let added = scene.app.app.trust.add_for_scope(&permit, &[github(&["createPackage"])]).await.expect("trust");
    for name in ["@alice/one", "@alice/two"] {
        scene.publisher(name).await.publish(&Package::new(name, "1.0.0")).await.expect(201);
    }
    scene.exchange("@bob/one", &scene.token(&scene.claims())).await.expect(401);

    let name: PackageName = "@alice/one".parse().expect("a name");
    let one = scene.app.app.access.permit(&Actor::Operator, &name, Intent::SEE_TRUST).await.expect("a permit");
    let listed = scene.app.app.trust.list(&one).await.expect("a list");
    assert_eq!(listed[0].as_json("@alice")["scope"], "@alice");
    let removal = scene.app.app.access.permit(&Actor::Operator, &name, Intent::SET_TRUST).await.expect("a permit");
    let refused = scene.app.app.trust.remove(&removal, &added[0].id).await.expect_err("it is not the package's");
    assert_eq!(refused.status(), 404);
    scene.app.app.trust.remove_for_scope(&permit, &added[0].id).await.expect("an end");
    scene.exchange("@alice/one", &scene.token(&scene.claims())).await.expect(401);
}

#[tokio::test]
async fn a_token_for_one_package_does_not_speak_for_its_scope() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    let narrow = Narrowing { packages: vec!["@alice/x".parse().expect("a pattern")], ..Narrowing::default() };
    let narrow = app.token("alice", narrow, None).await;
    let path = "/-/strongroom/v1/scope/@alice/trust";
    assert!(narrow.get(path).await.expect(403).error().contains("with this token"));
    assert!(alice.get(path).await.expect(403).error().contains("second factor"));
    app.anonymous().get(path).await.expect(401);
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_when_they_rotate() {
    let scene = Scene::new(IssuerKind::GitHub).await;
    scene.app.user("alice").await;
    // Nobody trusts the issuer yet, so it is not asked.
    scene.exchange("@alice/one", &scene.token(&scene.claims())).await.expect(401);
    assert_eq!(scene.issuer.times_asked(), 0);

    scene.trust("@alice/one", &["createPackage"]).await;
    for _ in 0..3 {
        scene.exchange("@alice/one", &scene.token(&scene.claims())).await.expect(201);
    }
    assert_eq!(scene.issuer.times_asked(), 1);

    // Unknown keys make us ask again, but not as often as somebody likes.
    let next = SigningKey::ec();
    for _ in 0..3 {
        scene.exchange("@alice/one", &next.token("second", &scene.claims())).await.expect(401);
    }
    assert_eq!(scene.issuer.times_asked(), 1);
    scene.issuer.publish("second", &next);
    scene.app.clock.set(scene.app.clock.now() + TimeDelta::seconds(31));
    scene.exchange("@alice/one", &next.token("second", &scene.claims())).await.expect(201);
    scene.exchange("@alice/one", &scene.token(&scene.claims())).await.expect(201);
    assert_eq!(scene.issuer.times_asked(), 2);

    // A key that was withdrawn ends when the keys are fetched the next time.
    scene.issuer.withdraw("first");
    scene.app.clock.set(scene.app.clock.now() + TimeDelta::minutes(10));
    scene.exchange("@alice/one", &scene.token(&scene.claims())).await.expect(401);
    scene.exchange("@alice/one", &next.token("second", &scene.claims())).await.expect(201);

    // An issuer that is away is believed for a while.
    scene.issuer.stop();
    scene.app.clock.set(scene.app.clock.now() + TimeDelta::hours(5));
    scene.exchange("@alice/one", &next.token("second", &scene.claims())).await.expect(201);
    scene.app.clock.set(scene.app.clock.now() + TimeDelta::hours(2));
    scene.exchange("@alice/one", &next.token("second", &scene.claims())).await.expect(401);
}

#[tokio::test]
async fn rules_are_kept_only_where_they_can_be() {
    let scene = Scene::new(IssuerKind::GitLab).await;
    scene.app.user("alice").await;
    let name: PackageName = "@alice/one".parse().expect("a name");
    let permit = scene.app.app.access.permit(&Actor::Operator, &name, Intent::SET_TRUST).await.expect("a permit");
    let add = async |publisher: Value| {
        let publisher: NewPublisher = serde_json::from_value(publisher).expect("a publisher");
        let added = scene.app.app.trust.add(&permit, &[publisher]).await;
        added.map(|added| added[0].issuer.clone()).map_err(|refusal| refusal.status())
    };
    let project = json!({ "project_path": "acme/one", "ci_config_ref_uri": { "file": ".gitlab-ci.yml" } });
    // npm says only the kind: the operator's own issuer is meant, and the well-known one by its name.
    assert_eq!(add(json!({ "type": "gitlab", "claims": project })).await, Ok(scene.issuer.url.clone()));
    assert_eq!(add(json!({ "type": "gitlab", "claims": project })).await, Err(409), "there is such a one already");
    assert_eq!(add(json!({ "issuer": "gitlab", "claims": project })).await, Ok("https://gitlab.com".into()));
    let circle = json!({ "oidc.circleci.com/org-id": "1f0e4d7c-52b4-4b8e-9d5a-0c6d7a1b2c3d" });
    assert_eq!(
        add(json!({ "type": "circleci", "claims": circle })).await,
        Ok("https://oidc.circleci.com/org/1f0e4d7c-52b4-4b8e-9d5a-0c6d7a1b2c3d".into())
    );
    for refused in [
        json!({ "claims": project }),
        json!({ "type": "jenkins", "claims": project }),
        json!({ "type": "oidc", "claims": project }),
        json!({ "issuer": "https://elsewhere.test", "claims": project }),
        json!({ "type": "github", "issuer": "gitlab", "claims": project }),
        json!({ "type": "gitlab", "claims": {} }),
        json!({ "type": "gitlab", "claims": project, "permissions": [] }),
        json!({ "type": "circleci", "claims": { "oidc.circleci.com/org-id": "../x" } }),
    ] {
        assert_eq!(add(refused.clone()).await, Err(422), "{refused}");
    }
}

#[tokio::test]
async fn trust_is_seen_and_set_by_administrators_with_a_second_factor() {
    let app = TestApp::new().await;
    let (alice, stranger) = (app.user("alice").await, app.user("stranger").await);
    let writer = app.user("writer").await;
    alice.publish(&Package::new("@alice/one", "1.0.0")).await.expect(201);
    app.grant("@alice/one", "writer", strongroom::policy::Permission::ReadWrite).await;
    let path = "/-/package/@alice%2fone/trust";
    let refused = alice.get(path).await.expect(403);
    assert!(refused.error().contains("second factor"), "{}", refused.error());
    stranger.get(path).await.expect(404);
    writer.get(path).await.expect(403);
    app.anonymous().get(path).await.expect(401);
}

#[tokio::test]
async fn an_issuer_of_several_organizations_says_which_one_a_job_is_of() {
    let scene = Scene::new(IssuerKind::CircleCi).await;
    scene.app.user("alice").await;
    trust(&scene.app, "@alice/one", &oidc(json!({ "oidc.circleci.com/org-id": "ours" }))).await;
    for (organization, status) in [(json!("theirs"), 401), (json!(""), 401), (Value::Null, 401), (json!("ours"), 201)] {
        let mut claims = scene.claims();
        claims["oidc.circleci.com/org-id"] = organization;
        scene.exchange("@alice/one", &scene.token(&claims)).await.expect(status);
    }
}

#[tokio::test]
async fn a_one_time_code_is_enough_to_see_set_and_end_trust() {
    let scene = Scene::new(IssuerKind::GitHub).await;
    let (app, alice) = (&scene.app, scene.app.user("alice").await);
    let (phone, _) = enable(app, &alice, "auth-only").await;
    let wish = json!([{
        "type": "github",
        "claims": { "repository": "acme/one", "workflow_ref": { "file": "release.yml" } },
        "permissions": ["createPackage"],
    }]);
    for path in ["/-/package/@alice%2fone/trust", "/-/strongroom/v1/scope/@alice/trust"] {
        let send = async |method: &str, path: &str, body: &Value| {
            assert_asks(alice.json(method, path, body).await);
            let answer = with_code(&alice, method, path, body, &phone.code(app.clock.now())).await;
            wait(app, 90);
            answer
        };
        let added = send("POST", path, &wish).await.expect(201);
        assert!(added.header("npm-notice").contains(&scene.issuer.url), "{added:?}");
        let listed = send("GET", path, &Value::Null).await.expect(200).json();
        assert_eq!((&listed[0]["type"], &listed[0]["id"]), (&json!("github"), &added.json()[0]["id"]));
        assert!(send("POST", path, &wish).await.expect(409).error().contains("already exists"));

        let job = scene.publisher("@alice/one").await;
        job.json("POST", path, &wish).await.expect(403);
        let id = listed[0]["id"].as_str().expect("an id");
        send("DELETE", &format!("{path}/{id}"), &Value::Null).await.expect(204);
        job.get("/-/package/@alice%2fone/visibility").await.expect(401);
        assert_eq!(send("GET", path, &Value::Null).await.expect(200).json(), json!([]));
    }
}
