//! Search: what is found, in which order, and by whom.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use strongroom::policy::{BillingFlag, Narrowing};

use crate::support::app::{Answer, Package, Person, TestApp};

fn described(name: &str, description: &str, keywords: &[&str]) -> Package {
    let manifest = json!({ "description": description, "keywords": keywords, "author": "Ada Byron" });
    Package { manifest, ..Package::new(name, "1.0.0") }.access("public")
}

async fn search(person: &Person<'_>, text: &str) -> Answer {
    let text = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
    person.get(&format!("/-/v1/search?text={text}&size=250")).await.expect(200)
}

fn names(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let objects = body["objects"].as_array().expect("a list");
    assert_eq!(body["total"], objects.len(), "the total is that of all pages");
    objects.iter().map(|one| one["package"]["name"].as_str().expect("a name").to_owned()).collect()
}

async fn found(person: &Person<'_>, text: &str) -> Vec<String> {
    names(&search(person, text).await)
}

/// Four packages about different things.
async fn library(app: &TestApp) -> Person<'_> {
    let ada = app.user("ada").await;
    for package in [
        described("@ada/vault-client", "Talks to a safe", &["secrets", "http"]),
        described("@ada/vault", "Keeps secrets", &["secrets"]),
        described("@ada/http_server", "Serves a vault", &["http"]),
        Package { version: "0.3.0".into(), ..described("@ada/colours", "Ünïcode färben 颜色", &["Paint"]) },
    ] {
        ada.publish(&package).await.expect(201);
    }
    ada
}

#[tokio::test]
async fn words_are_found_in_names_first_and_the_whole_name_before_all() {
    let app = TestApp::new().await;
    let ada = library(&app).await;
    assert_eq!(found(&ada, "vault").await, ["@ada/vault", "@ada/vault-client", "@ada/http_server"]);
    assert_eq!(found(&ada, "vault boost-exact:false").await.len(), 3);
    assert_eq!(found(&ada, "@ada/vault-client").await, ["@ada/vault-client"]);
    assert_eq!(found(&ada, "CLI").await, ["@ada/vault-client"], "the start of a word, whatever its case");
    assert_eq!(found(&ada, "server vault").await, ["@ada/http_server"], "all words must be there");
    assert_eq!(found(&ada, "färben").await, ["@ada/colours"]);
    assert_eq!(found(&ada, "byron").await.len(), 4, "the author");
    assert_eq!(found(&ada, "!!! '").await, [""; 0]);
    assert_eq!(found(&ada, "").await.len(), 4, "no word lists everything");
}

#[tokio::test]
async fn where_no_word_fits_names_that_are_alike_are_found_with_trigrams_or_without() {
    let app = TestApp::new().await;
    let ada = library(&app).await;
    let pool = app.pool().await;
    let trigrams = "select exists (select from pg_extension where extname = 'pg_trgm')";
    if sqlx::query_scalar(trigrams).fetch_one(&pool).await.expect("an answer") {
        assert_eq!(found(&ada, "htpserver").await, ["@ada/http_server"]);
    } else {
        eprintln!("no pg_trgm in this Postgres: misspelt names are not found");
    }
    assert_eq!(found(&ada, "olou").await, ["@ada/colours"]);
    assert_eq!(found(&ada, "zzzz").await, [""; 0]);
    sqlx::query(
        "create or replace function search_likeness(sought text, name text) returns real language sql immutable
         as $$ select case when position(sought in name) > 0 then 0.9 else 0 end::real $$",
    )
    .execute(&pool)
    .await
    .expect("the function of a database without trigrams");
    assert_eq!(found(&ada, "olou").await, ["@ada/colours"]);
    assert_eq!(found(&ada, "htpserver").await, [""; 0]);
}

#[tokio::test]
async fn qualifiers_narrow_the_search() {
    let app = TestApp::new().await;
    let ada = library(&app).await;
    let bob = app.user("bob").await;
    bob.publish(&described("@bob/vault", "Another", &[])).await.expect(201);
    bob.publish(&Package::new("@bob/mine", "1.0.0")).await.expect(201);
    app.grant("@bob/vault", "ada", strongroom::policy::Permission::ReadWrite).await;
    for (text, expected) in [
        ("scope:bob", vec!["@bob/mine", "@bob/vault"]),
        ("vault scope:@bob", vec!["@bob/vault"]),
        ("maintainer:bob", vec!["@bob/mine", "@bob/vault"]),
        ("vault maintainer:ada", vec!["@ada/vault", "@bob/vault", "@ada/vault-client", "@ada/http_server"]),
        ("author:bob", vec!["@bob/mine", "@bob/vault"]),
        ("keywords:paint", vec!["@ada/colours"]),
        ("keywords:secrets,paint", vec!["@ada/colours", "@ada/vault", "@ada/vault-client"]),
        ("keywords:secrets,-http", vec!["@ada/vault"]),
        ("is:unstable", vec!["@ada/colours"]),
        ("vault not:unstable scope:bob", vec!["@bob/vault"]),
        ("is:insecure", vec![]),
        ("is:private", vec!["@bob/mine"]),
        ("scope:nobody", vec![]),
    ] {
        assert_eq!(found(&bob, text).await, expected, "{text}");
    }
    assert_eq!(found(&ada, "is:private").await, [""; 0]);
}

#[tokio::test]
async fn a_hit_has_every_member_that_clients_print() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let manifest = json!({
        "description": "All of it", "license": "MIT", "keywords": ["a", "b"], "homepage": "https://x.test",
        "repository": { "type": "git", "url": "git+https://x.test/a.git" }, "bugs": { "url": "javascript:alert(1)" },
    });
    ada.publish(&Package { manifest, ..Package::new("@ada/all", "1.2.3") }).await.expect(201);
    ada.publish(&Package { manifest: json!({}), ..Package::new("@ada/nothing", "1.0.0") }).await.expect(201);
    let answer = search(&ada, "all").await;
    let hit = &answer.json()["objects"][0];
    let package = &hit["package"];
    let person = json!({ "username": "ada", "email": "" });
    assert_eq!(package["version"], "1.2.3");
    assert_eq!((&package["publisher"], &package["maintainers"]), (&person, &json!([person])));
    assert_eq!(package["keywords"], json!(["a", "b"]));
    assert_eq!(
        package["links"],
        json!({
            "npm": "http://registry.test/package/@ada/all",
            "homepage": "https://x.test",
            "repository": "https://x.test/a",
        })
    );
    assert!(package["date"].as_str().is_some_and(|date| date.ends_with('Z')));
    assert_eq!(hit["score"]["detail"].as_object().map(serde_json::Map::len), Some(3));
    assert!(answer.header("cache-control").starts_with("no-store"), "{answer:?}");

    let bare = search(&ada, "nothing").await.json()["objects"][0]["package"].clone();
    assert_eq!((&bare["description"], &bare["keywords"]), (&json!(""), &json!([])));
}

#[tokio::test]
async fn pages_follow_each_other_and_numbers_have_limits() {
    let app = TestApp::new().await;
    let ada = library(&app).await;
    let mut seen = Vec::new();
    for from in 0..5 {
        let page = ada.get(&format!("/-/v1/search?text=&size=1&from={from}")).await.expect(200).json();
        assert_eq!(page["total"], 4);
        seen.extend(page["objects"].as_array().expect("a list").iter().map(|one| one["package"]["name"].clone()));
    }
    assert_eq!(seen.iter().map(Value::to_string).collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(ada.get("/-/v1/search?text=&size=100000").await.expect(200).json()["total"], 4);
    let long = "a".repeat(257);
    for query in ["", "?size=3", "?text=&size=x", "?text=&from=-1", "?text=&from=10001", &format!("?text={long}")] {
        let answer = ada.get(&format!("/-/v1/search{query}")).await.expect(400);
        assert!(answer.json()["code"].is_string(), "{query}");
    }
    assert_eq!(app.anonymous().get("/-/all").await.expect(200).json(), json!({}));
}

/// All in the transaction of the change: the next search knows.
#[tokio::test]
async fn every_change_is_searched_at_once() {
    let app = TestApp::new().await;
    let ada = library(&app).await;
    let stranger = app.user("stranger").await;
    let path = "/-/package/@ada%2fvault/access";
    assert_eq!(found(&stranger, "keeps").await, ["@ada/vault"]);
    ada.json("POST", path, &json!({ "access": "restricted" })).await.expect(200);
    assert_eq!(found(&stranger, "keeps").await, [""; 0]);
    assert_eq!(found(&ada, "keeps").await, ["@ada/vault"]);
    ada.json("POST", path, &json!({ "access": "public" })).await.expect(200);
    assert_eq!(found(&stranger, "keeps").await, ["@ada/vault"]);

    let next = Package { version: "1.1.0".into(), ..described("@ada/vault", "Guards treasure", &[]) };
    ada.publish(&next).await.expect(201);
    assert_eq!(found(&stranger, "keeps").await, [""; 0]);
    assert_eq!(found(&stranger, "treasure").await, ["@ada/vault"]);

    let beta = described("@ada/vault", "Unheard of", &[]);
    ada.publish(&Package { version: "2.0.0-b.1".into(), tag: "beta".into(), ..beta }).await.expect(201);
    assert_eq!(found(&stranger, "unheard").await, [""; 0], "only the latest counts");
}

#[tokio::test]
async fn what_is_deprecated_as_a_whole_is_found_by_who_asks_for_it() {
    let app = TestApp::new().await;
    let ada = library(&app).await;
    let pool = app.pool().await;
    let deprecate = "update versions set deprecated = 'old'
                     where package_id = (select id from packages where name = '@ada/vault')";
    let bump = "update packages set revision = revision + 1 where name = '@ada/vault'";
    let mut transaction = pool.begin().await.expect("a transaction");
    sqlx::query(deprecate).execute(&mut *transaction).await.expect("an update");
    sqlx::query(bump).execute(&mut *transaction).await.expect("an update");
    transaction.commit().await.expect("a commit");
    assert_eq!(found(&ada, "vault").await, ["@ada/vault-client", "@ada/http_server"]);
    assert_eq!(found(&ada, "vault is:deprecated").await, ["@ada/vault"]);
    ada.publish(&Package { version: "2.0.0".into(), ..described("@ada/vault", "New", &[]) }).await.expect(201);
    assert_eq!(found(&ada, "vault").await.len(), 3, "one version that is not deprecated is enough");
}

/// Nothing in a manifest may keep its package from being published or found.
#[tokio::test]
async fn odd_manifests_are_found_by_their_names() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    for (name, manifest) in [
        ("nul", json!({ "description": "a\u{0}b \\u0000", "keywords": ["a\u{0}b", "fine"] })),
        ("types", json!({ "description": 7, "keywords": { "a": 1 }, "author": [1], "license": null })),
        ("mixed", json!({ "keywords": [1, null, "one", ["x"]], "repository": "x/y" })),
        ("huge", json!({ "description": "word ".repeat(200_000), "keywords": vec!["k"; 1000] })),
        ("text", json!({ "keywords": "one, two three" })),
    ] {
        let package = Package { manifest, ..Package::new(&format!("@ada/{name}"), "1.0.0") };
        ada.publish(&package).await.expect(201);
        assert_eq!(found(&ada, name).await, [format!("@ada/{name}")]);
    }
    assert_eq!(found(&ada, "keywords:fine").await, ["@ada/nul"]);
    assert_eq!(found(&ada, "b u0000").await, ["@ada/nul"]);
    assert_eq!(found(&ada, "keywords:two").await, ["@ada/text"]);
}

const PEOPLE: [&str; 9] =
    ["alice", "admin", "member", "reader", "writer", "teammate", "former", "stranger", "disabled"];
const PACKAGES: [&str; 4] = ["@alice/open", "@alice/shut", "@acme/open", "@acme/shut"];

/// A user's scope and an organization's, with everyone who can stand in some way to their packages.
async fn populate(app: &TestApp) {
    for name in PEOPLE {
        app.user(name).await;
    }
    let pool = app.pool().await;
    let organization = "
        insert into accounts (name, kind, email, paid, created_at, updated_at)
        values ('acme', 'organization', '', true, now(), now());
        insert into organization_members (organization_id, user_id, role, created_at)
        select acme.id, people.id, roles.role, now()
        from accounts as acme, accounts as people
        join (values ('alice', 'owner'), ('admin', 'admin'), ('member', 'member')) as roles (name, role)
            on roles.name = people.name
        where acme.name = 'acme';
        insert into teams (organization_id, name, description, created_at)
        select id, 'team', '', now() from accounts where name = 'acme';
        insert into team_members (team_id, user_id, created_at)
        select teams.id, accounts.id, now() from teams, accounts where accounts.name = 'teammate'";
    sqlx::raw_sql(organization).execute(&pool).await.expect("an organization");
    let alice = app.token("alice", Narrowing::default(), None).await;
    for name in PACKAGES {
        let access = if name.ends_with("open") { "public" } else { "restricted" };
        alice.publish(&Package::new(name, "1.0.0").access(access)).await.expect(201);
    }
    let grants = "
        insert into grants (package_id, user_id, permission, created_at, expires_at)
        select packages.id, accounts.id, given.permission, now(), given.until
        from packages, accounts
        join (values ('reader', 'read-only', null), ('writer', 'read-write', now() + interval '1 day'),
                     ('disabled', 'read-write', null), ('former', 'read-write', now() - interval '1 second'))
            as given (name, permission, until) on given.name = accounts.name;
        insert into team_grants (package_id, team_id, permission, created_at)
        select packages.id, teams.id, 'read-only', now() from packages, teams";
    sqlx::raw_sql(grants).execute(&pool).await.expect("grants");
    let disable = "update accounts set disabled_at = now() where name = 'disabled'";
    sqlx::query(disable).execute(&pool).await.expect("an update");
}

fn tokens() -> Vec<Narrowing> {
    let to = |pattern: &str| Narrowing { packages: vec![pattern.parse().expect("a pattern")], ..Narrowing::default() };
    let network = vec!["10.0.0.0/8".parse().expect("a network")];
    vec![
        Narrowing::default(),
        Narrowing::read_only(),
        to("@acme/*"),
        to("@alice/shut"),
        Narrowing { networks: network, ..Narrowing::default() },
    ]
}

/// The filter of the one query against the one decision, which an install asks: over everyone, every token, and every
/// state of the plans.
#[tokio::test]
async fn what_is_found_is_what_can_be_installed() {
    let app = TestApp::new().await;
    populate(&app).await;
    let mut askers = vec![("anonymous".to_owned(), app.anonymous())];
    askers.push(("dead".into(), app.with_token("npm_000000000000000000000000000000000000")));
    for name in PEOPLE.iter().filter(|name| **name != "disabled") {
        for (number, narrowing) in tokens().into_iter().enumerate() {
            askers.push((format!("{name} with token {number}"), app.token(name, narrowing, None).await));
        }
    }
    let lapsed = BillingFlag::Paid { until: Some(app.clock.now()) };
    let mut ever = BTreeSet::new();
    for plans in 0..8 {
        let flag = |bit: u8| if plans & bit == 0 { BillingFlag::Paid { until: None } } else { lapsed };
        app.set_billing("alice", flag(1)).await;
        app.set_billing("acme", flag(2)).await;
        for name in PEOPLE.iter().filter(|name| !["alice", "disabled"].contains(name)) {
            app.set_billing(name, flag(4)).await;
        }
        for (label, person) in &askers {
            let mut installed = BTreeSet::new();
            for name in PACKAGES {
                if person.get(&format!("/{}", name.replace('/', "%2f"))).await.status == 200 {
                    installed.insert(name.to_owned());
                }
            }
            let found: BTreeSet<_> = found(person, "").await.into_iter().collect();
            assert_eq!(found, installed, "{label}, plans {plans:03b}");
            ever.insert(found.len());
        }
    }
    assert_eq!(ever, BTreeSet::from([2, 3, 4]), "the matrix has people who see more and who see less");
}
