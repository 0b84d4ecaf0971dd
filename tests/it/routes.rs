//! Every route as every kind of actor; a route without a row here fails.

use axum::body::Body;
use chrono::TimeDelta;
use strongroom::policy::{BillingFlag, Narrowing, Permission};

use crate::support::app::{Package, Person, TestApp};

/// The people, in the order of the columns.
const PEOPLE: [&str; 9] =
    ["anonymous", "dead", "stranger", "reader", "writer", "owner", "read-only token", "lapsed owner", "lapsed reader"];

/// A route, and the statuses it gives to [`PEOPLE`]: on a restricted package, a public one and a missing one where it
/// concerns a package, else once.
#[derive(Clone)]
struct Row {
    method: &'static str,
    route: &'static str,
    body: &'static str,
    restricted: [u16; 9],
    public: [u16; 9],
    missing: [u16; 9],
}

const SAME: [u16; 9] = [0; 9];

const fn row(method: &'static str, route: &'static str, body: &'static str, statuses: [u16; 9]) -> Row {
    Row { method, route, body, restricted: statuses, public: SAME, missing: SAME }
}

const fn package_row(
    method: &'static str,
    route: &'static str,
    body: &'static str,
    restricted: [u16; 9],
    public: [u16; 9],
    missing: [u16; 9],
) -> Row {
    Row { method, route, body, restricted, public, missing }
}

/// Statuses of a plain read: hidden from strangers, paid for by owner and reader.
const READ: [[u16; 9]; 3] = [
    [404, 401, 404, 200, 200, 200, 200, 402, 402],
    [200, 200, 200, 200, 200, 200, 200, 200, 200],
    [404, 401, 404, 404, 404, 404, 404, 404, 404],
];

/// Statuses of a look at settings: as a read, but open to the lapsed owner.
const INSPECT: [[u16; 9]; 3] = [[404, 401, 404, 200, 200, 200, 200, 200, 402], READ[1], READ[2]];

/// An organization of which owner is an owner, writer an admin and reader a developer.
const SEE_MEMBERS: [u16; 9] = [401, 401, 403, 200, 200, 200, 200, 403, 403];
const CHANGE_TEAMS: [u16; 9] = [401, 401, 403, 403, 400, 400, 403, 403, 403];
/// Trust takes a second factor, which nobody here has; the owner is told that, and the others that it is not theirs.
const TRUST: [[u16; 9]; 3] = [
    [401, 401, 404, 403, 403, 403, 403, 403, 403],
    [401, 401, 403, 403, 403, 403, 403, 403, 403],
    [401, 401, 404, 404, 404, 403, 403, 403, 404],
];
const TRUST_OF_SCOPE: [u16; 9] = [401, 401, 404, 404, 404, 403, 403, 404, 404];

/// Of what is staged nobody knows by its id who could not approve it, and here nothing is staged.
const STAGED_ELSEWHERE: [u16; 9] = [401, 401, 404, 404, 404, 404, 404, 404, 404];

/// Statuses of a look at people: with an account only.
const LIST: [[u16; 9]; 3] = [INSPECT[0], [401, 401, 200, 200, 200, 200, 200, 200, 200], READ[2]];

/// Statuses of a change that takes the right to write, with a body that is not acceptable.
const MOVE_TAG: [[u16; 9]; 3] = [
    [401, 401, 404, 403, 400, 400, 403, 402, 403],
    [401, 401, 403, 400, 400, 400, 403, 400, 400],
    [401, 401, 404, 404, 404, 404, 403, 404, 404],
];

/// The body is not acceptable, so that a change that is permitted goes no further than 4xx and changes nothing.
const NOT_ACCEPTABLE: &str = "{\"access\":\"ajar\",\"name\":\"x\",\"maintainers\":[]}";

/// A hook that leads nowhere.
const HOOK: &str = "{\"type\":\"scope\",\"name\":\"@owner\",\"endpoint\":\"nowhere\",\"secret\":\"s\"}";

/// Looking at one's own account, and changing it: with a body that is not acceptable, and what is not there.
const ACCOUNT: [u16; 9] = [401, 401, 200, 200, 200, 200, 200, 200, 200];
const CHANGE_ACCOUNT: [[u16; 9]; 2] =
    [[401, 401, 400, 400, 400, 400, 403, 400, 400], [401, 401, 404, 404, 404, 404, 403, 404, 404]];

fn rows() -> Vec<Row> {
    const OK: [u16; 9] = [200; 9];
    let mut rows = vec![
        row("GET", "/", "", OK),
        // Nobody is asked who they are: an event is signed, and here nobody would send one.
        row("POST", "/-/strongroom/v1/billing/stripe", "{}", [404; 9]),
        row("GET", "/-/ping", "", OK),
        row("GET", "/-/livez", "", OK),
        row("GET", "/-/readyz", "", OK),
        row("GET", "/-/whoami", "", [401, 401, 200, 200, 200, 200, 200, 200, 200]),
        row("GET", "/-/user/{user}", "", OK),
        row("PUT", "/-/user/{user}", "{\"name\":\"owner\",\"password\":\"wrong password\"}", [401; 9]),
        row("PUT", "/-/user/{user}/-rev/{rev}", "{\"name\":\"owner\",\"password\":\"wrong password\"}", [401; 9]),
        row("DELETE", "/-/user/token/{token}", "", [404; 9]),
        row("GET", "/-/npm/v1/tokens", "", ACCOUNT),
        row("POST", "/-/npm/v1/tokens", "{\"password\":1}", CHANGE_ACCOUNT[0]),
        row("DELETE", "/-/npm/v1/tokens/token/{token}", "", CHANGE_ACCOUNT[1]),
        row("GET", "/-/npm/v1/user", "", ACCOUNT),
        row("POST", "/-/npm/v1/user", "{\"tfa\":1}", CHANGE_ACCOUNT[0]),
        row("GET", "/-/strongroom/v1/security-keys", "", ACCOUNT),
        row("POST", "/-/strongroom/v1/security-keys", "{}", CHANGE_ACCOUNT[0]),
        row("POST", "/-/strongroom/v1/security-keys/challenge", "{\"password\":1}", CHANGE_ACCOUNT[0]),
        row("DELETE", "/-/strongroom/v1/security-keys/{key}", "", CHANGE_ACCOUNT[1]),
        // Who knows a secret may use it, whoever they are; nobody knows this one.
        row("GET", "/-/v1/done/{secret}", "", OK),
        row("PUT", "/-/v1/done/{secret}", "", OK),
        row("POST", "/-/v1/done/{secret}", "", OK),
        row("DELETE", "/-/v1/done/{secret}", "", OK),
        row("POST", "/-/strongroom/v1/confirmations/{secret}/challenge", "", [404; 9]),
        row(
            "POST",
            "/-/strongroom/v1/confirmations/{secret}/assertion",
            "{\"rawId\":\"\",\"response\":{\"clientDataJSON\":\"\",\"authenticatorData\":\"\",\"signature\":\"\"}}",
            [404; 9],
        ),
        row("GET", "/-/user/{user}/package", "", [200, 200, 200, 200, 200, 200, 200, 200, 200]),
        row("GET", "/-/org/{account}/package", "", [404; 9]),
        row("POST", "/-/v1/login", "{}", [404; 9]),
        row("GET", "/-/npm/v1/keys", "", OK),
        row("POST", "/-/npm/v1/security/advisories/bulk", "{\"@owner/restricted\":[\"1.0.0\"]}", OK),
        row("POST", "/-/npm/v1/security/audits", "{}", OK),
        row("POST", "/-/npm/v1/security/audits/quick", "{}", OK),
        package_row(
            "GET",
            "/-/npm/v1/attestations/{spec}",
            "",
            [404, 401, 404, 404, 404, 404, 404, 402, 402],
            [404; 9],
            READ[2],
        ),
        row("GET", "/-/org/{account}/user", "", SEE_MEMBERS),
        row("PUT", "/-/org/{account}/user", "{}", [401, 401, 403, 403, 403, 400, 403, 403, 403]),
        row("DELETE", "/-/org/{account}/user", "{}", [401, 401, 403, 400, 400, 400, 403, 403, 403]),
        row("GET", "/-/org/{account}/team", "", SEE_MEMBERS),
        row("PUT", "/-/org/{account}/team", "{}", CHANGE_TEAMS),
        row("DELETE", "/-/team/{account}/{team}", "", [401, 401, 403, 403, 404, 404, 403, 403, 403]),
        row("GET", "/-/team/{account}/{team}/user", "", [401, 401, 403, 404, 404, 404, 404, 403, 403]),
        row("PUT", "/-/team/{account}/{team}/user", "{}", CHANGE_TEAMS),
        row("DELETE", "/-/team/{account}/{team}/user", "{}", CHANGE_TEAMS),
        row("GET", "/-/team/{account}/{team}/package", "", [401, 401, 403, 404, 404, 404, 404, 403, 403]),
        row("PUT", "/-/team/{account}/{team}/package", "{}", [401, 401, 403, 400, 400, 400, 400, 403, 403]),
        row("DELETE", "/-/team/{account}/{team}/package", "{}", [401, 401, 403, 400, 400, 400, 400, 403, 403]),
        row("GET", "/-/strongroom/v1/access/explain", "", [401, 401, 400, 400, 400, 400, 400, 400, 400]),
        row("GET", "/-/strongroom/v1/errors/{code}", "", OK),
        package_row(
            "PUT",
            "/-/strongroom/v1/package/{package}/access/{who}",
            NOT_ACCEPTABLE,
            [401, 401, 404, 403, 403, 400, 403, 402, 403],
            [401, 401, 403, 403, 403, 400, 403, 400, 403],
            [401, 401, 404, 404, 404, 404, 403, 404, 404],
        ),
        package_row(
            "DELETE",
            "/-/strongroom/v1/package/{package}/access/{who}",
            "",
            [401, 401, 404, 403, 403, 404, 403, 404, 403],
            [401, 401, 403, 403, 403, 404, 403, 404, 403],
            [401, 401, 404, 404, 404, 404, 403, 404, 404],
        ),
        row("GET", "/-/stage", "", [401, 401, 200, 200, 200, 200, 200, 200, 200]),
        row("GET", "/-/stage/{id}", "", STAGED_ELSEWHERE),
        row("GET", "/-/stage/{id}/tarball", "", STAGED_ELSEWHERE),
        row("POST", "/-/stage/{id}/approve", "", STAGED_ELSEWHERE),
        row("DELETE", "/-/stage/{id}", "", STAGED_ELSEWHERE),
        package_row(
            "POST",
            "/-/stage/package/{package}",
            NOT_ACCEPTABLE,
            [401, 401, 404, 403, 400, 400, 403, 402, 403],
            [401, 401, 403, 400, 400, 400, 403, 400, 400],
            [401, 401, 404, 404, 404, 400, 403, 400, 404],
        ),
        package_row(
            "GET",
            "/-/package/{package}/version/{version}/status",
            "",
            [404, 401, 404, 404, 200, 200, 200, 200, 404],
            [404, 401, 404, 200, 200, 200, 200, 200, 200],
            [404, 401, 404, 404, 404, 404, 404, 404, 404],
        ),
        row("GET", "/-/v1/search", "", OK),
        row("GET", "/-/all", "", OK),
        row("GET", "/-/all/since", "", OK),
        row("GET", "/downloads/point/{period}", "", OK),
        row("GET", "/downloads/range/{period}", "", OK),
        package_row("GET", "/downloads/point/{period}/{package}", "", READ[0], READ[1], READ[2]),
        package_row("GET", "/downloads/range/{period}/{package}", "", READ[0], READ[1], READ[2]),
        package_row("GET", "/versions/{package}/last-week", "", READ[0], READ[1], READ[2]),
        row("GET", "/-/npm/v1/hooks", "", [401, 401, 200, 200, 200, 200, 200, 200, 200]),
        row("POST", "/-/npm/v1/hooks/hook", HOOK, [401, 401, 422, 422, 422, 422, 403, 422, 422]),
        row("GET", "/-/npm/v1/hooks/hook/{hook}", "", [401, 401, 404, 404, 404, 404, 404, 404, 404]),
        row("PUT", "/-/npm/v1/hooks/hook/{hook}", HOOK, [401, 401, 422, 422, 422, 422, 403, 422, 422]),
        row("DELETE", "/-/npm/v1/hooks/hook/{hook}", "", [401, 401, 404, 404, 404, 404, 403, 404, 404]),
        row("GET", "/-/npm/v1/hooks/hook/{hook}/deliveries", "", [401, 401, 404, 404, 404, 404, 404, 404, 404]),
        row("GET", "/_changes", "", OK),
        row("GET", "/_all_docs", "", OK),
        row("GET", "/-/-/package", "", [401, 401, 200, 200, 200, 200, 200, 200, 200]),
        row("GET", "/-/user/v1/star", "", [401, 401, 200, 200, 200, 200, 200, 200, 200]),
        row("PUT", "/-/user/v1/star", "{}", [401, 401, 400, 400, 400, 400, 400, 400, 400]),
        row("DELETE", "/-/user/v1/star", "{}", [401, 401, 400, 400, 400, 400, 400, 400, 400]),
        row("GET", "/-/user/{user}/stars", "", OK),
        row("GET", "/-/util/user/{user}/stars", "", OK),
        row("GET", "/-/_view/starredByUser", "", [400; 9]),
        row("GET", "/-/_view/starredByPackage", "", [400; 9]),
        row("GET", "/-/strongroom/v1/trash", "", [401, 401, 200, 200, 200, 200, 200, 200, 200]),
        row("PUT", "/-/pnpr/v0/publish", "{}", [401, 401, 400, 400, 400, 400, 403, 400, 400]),
        row("PUT", "/-/pnpm/v1/publish", "{}", [401, 401, 400, 400, 400, 400, 403, 400, 400]),
        package_row("GET", "/-/package/{package}/dist-tags", "", INSPECT[0], INSPECT[1], INSPECT[2]),
        package_row("PUT", "/-/package/{package}/dist-tags", "[]", MOVE_TAG[0], MOVE_TAG[1], MOVE_TAG[2]),
        package_row("POST", "/-/package/{package}/dist-tags", "[]", MOVE_TAG[0], MOVE_TAG[1], MOVE_TAG[2]),
        package_row("PUT", "/-/package/{package}/dist-tags/{tag}", "[]", MOVE_TAG[0], MOVE_TAG[1], MOVE_TAG[2]),
        package_row(
            "DELETE",
            "/-/package/{package}/dist-tags/{tag}",
            "",
            [401, 401, 404, 403, 404, 404, 403, 402, 403],
            [401, 401, 403, 404, 404, 404, 403, 404, 404],
            MOVE_TAG[2],
        ),
        package_row("GET", "/-/package/{package}/owners", "", LIST[0], LIST[1], LIST[2]),
        package_row(
            "PUT",
            "/-/package/{package}/owners",
            "{}",
            [401, 401, 404, 403, 403, 400, 403, 402, 403],
            [401, 401, 403, 403, 403, 400, 403, 400, 403],
            MOVE_TAG[2],
        ),
        package_row(
            "DELETE",
            "/-/package/{package}/owners/{user}",
            "",
            [401, 401, 404, 403, 403, 403, 403, 404, 403],
            [401, 401, 403, 403, 403, 403, 403, 404, 403],
            MOVE_TAG[2],
        ),
        package_row(
            "PUT",
            "/-/user/package/{package}/star",
            "",
            [401, 401, 404, 200, 200, 200, 403, 402, 402],
            [401, 401, 200, 200, 200, 200, 403, 200, 200],
            MOVE_TAG[2],
        ),
        package_row(
            "DELETE",
            "/-/user/package/{package}/star",
            "",
            [401, 401, 404, 200, 200, 200, 403, 402, 402],
            [401, 401, 200, 200, 200, 200, 403, 200, 200],
            MOVE_TAG[2],
        ),
        package_row(
            "POST",
            "/-/strongroom/v1/package/{package}/restore",
            "{\"version\":\"1.0.0\"}",
            [401, 401, 404, 403, 403, 409, 403, 409, 403],
            [401, 401, 403, 403, 403, 409, 403, 409, 403],
            [401, 401, 404, 404, 404, 404, 403, 404, 404],
        ),
        package_row("GET", "/-/package/{package}/trust", "", TRUST[0], TRUST[1], TRUST[2]),
        package_row("POST", "/-/package/{package}/trust", NOT_ACCEPTABLE, TRUST[0], TRUST[1], TRUST[2]),
        package_row("DELETE", "/-/package/{package}/trust/{id}", "", TRUST[0], TRUST[1], TRUST[2]),
        row("GET", "/-/strongroom/v1/scope/{scope}/trust", "", TRUST_OF_SCOPE),
        row("POST", "/-/strongroom/v1/scope/{scope}/trust", NOT_ACCEPTABLE, TRUST_OF_SCOPE),
        row("DELETE", "/-/strongroom/v1/scope/{scope}/trust/{id}", "", TRUST_OF_SCOPE),
        row("POST", "/-/npm/v1/oidc/token/exchange/package/{package}", "", [401; 9]),
        package_row("GET", "/{package}", "", READ[0], READ[1], READ[2]),
        package_row("GET", "/{package}/{version}", "", READ[0], READ[1], READ[2]),
        package_row("GET", "/{package}/-/{file}", "", READ[0], READ[1], READ[2]),
        package_row("GET", "/-/package/{package}/access", "", INSPECT[0], INSPECT[1], INSPECT[2]),
        package_row("GET", "/-/package/{package}/visibility", "", INSPECT[0], INSPECT[1], INSPECT[2]),
        package_row("GET", "/-/package/{package}/collaborators", "", LIST[0], LIST[1], LIST[2]),
        package_row(
            "POST",
            "/-/package/{package}/access",
            NOT_ACCEPTABLE,
            [401, 401, 404, 403, 403, 422, 403, 422, 403],
            [401, 401, 403, 403, 403, 422, 403, 422, 403],
            [401, 401, 404, 404, 404, 404, 403, 404, 404],
        ),
        package_row(
            "PUT",
            "/{package}",
            NOT_ACCEPTABLE,
            [401, 401, 404, 403, 400, 400, 403, 402, 403],
            [401, 401, 403, 400, 400, 400, 403, 400, 400],
            [401, 401, 404, 404, 404, 400, 403, 400, 404],
        ),
        package_row(
            "PUT",
            "/{package}/-rev/{rev}",
            NOT_ACCEPTABLE,
            [401, 401, 404, 422, 422, 422, 403, 422, 422],
            [401, 401, 403, 422, 422, 422, 403, 422, 422],
            [401, 401, 404, 404, 404, 404, 403, 404, 404],
        ),
        package_row(
            "DELETE",
            "/{package}/-rev/{rev}",
            "",
            [401, 401, 404, 403, 403, 409, 403, 409, 403],
            [401, 401, 403, 403, 403, 409, 403, 409, 403],
            [401, 401, 404, 404, 404, 404, 403, 404, 404],
        ),
        package_row(
            "DELETE",
            "/{package}/-/{file}/-rev/{rev}",
            "",
            [401, 401, 404, 403, 409, 409, 403, 409, 403],
            [401, 401, 403, 409, 409, 409, 403, 409, 409],
            [401, 401, 404, 404, 404, 404, 403, 404, 404],
        ),
    ];
    // npm's own description of its interface writes the teams' paths in another way; they are the same routes.
    let aliased = rows.clone().into_iter().filter_map(|row| Some(Row { route: alias(row.route)?, ..row }));
    rows.extend(aliased);
    rows
}

fn alias(route: &str) -> Option<&'static str> {
    match route {
        "/-/team/{account}/{team}" => Some("/-/org/{account}/{team}"),
        "/-/team/{account}/{team}/user" => Some("/-/org/{account}/{team}/user"),
        "/-/team/{account}/{team}/package" => Some("/-/org/{account}/{team}/package"),
        _ => None,
    }
}

/// Paths of the routes, with a scope that stands for every package of the table.
pub(crate) fn path_of(route: &str, package: &str) -> String {
    let unscoped = package.rsplit('/').next().unwrap_or_default();
    route
        .replace("{package}", &package.replace('/', "%2f"))
        .replace("{spec}", &format!("{}@1.0.0", package.replace('/', "%2f")))
        .replace("{version}", "1.0.0")
        .replace("{period}", "last-week")
        .replace("{hook}", "000000")
        .replace("v1/search", "v1/search?text=x")
        .replace("{file}", &format!("{unscoped}-1.0.0.tgz"))
        .replace("{rev}", "1-0")
        .replace("{tag}", "beta")
        .replace("{user}/stars", "owner/stars")
        .replace("/owners/{user}", "/owners/owner")
        .replace("{user}/package", "owner/package")
        .replace("{user}", "org.couchdb.user:owner")
        .replace("/-/org/{account}/package", "/-/org/owner/package")
        .replace("{account}", "crew")
        .replace("{code}", "SR-PLAN-01")
        .replace("{team}", "ops")
        .replace("{who}", "nobody")
        .replace("{account}", "owner")
        .replace("{scope}", "@owner")
        .replace("{id}", "00000000-0000-4000-8000-000000000000")
        .replace("{key}", "00000000000000000000")
        .replace("{secret}", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        .replace("{token}", "npm_000000000000000000000000000000000000")
}

async fn people(app: &TestApp) -> Vec<Person<'_>> {
    let mut people = vec![app.anonymous(), app.with_token("npm_000000000000000000000000000000000000")];
    for name in ["stranger", "reader", "writer", "owner"] {
        people.push(app.user(name).await);
    }
    people.push(app.token("owner", Narrowing::read_only(), None).await);
    people.push(app.user("lapsing").await);
    people.push(app.user("lapsingreader").await);
    people
}

/// The scopes: what the lapsed people are asked about is theirs.
async fn fill(app: &TestApp, people: &[Person<'_>]) {
    app.organization("crew", "owner", &[("writer", "admin"), ("reader", "developer")]).await;
    for (person, scope) in [(&people[5], "owner"), (&people[7], "lapsing")] {
        for (name, access) in [("restricted", "restricted"), ("public", "public")] {
            let package = Package::new(&format!("@{scope}/{name}"), "1.0.0").access(access);
            person.publish(&package).await.expect(201);
            app.grant(&package.name, "reader", Permission::ReadOnly).await;
            app.grant(&package.name, "writer", Permission::ReadWrite).await;
            app.grant(&package.name, "lapsingreader", Permission::ReadOnly).await;
            person.get(&format!("/{}", package.name)).await.expect(200);
        }
    }
    // The plans end by the clock alone, on a warm cache.
    let until = Some(app.clock.now() + TimeDelta::seconds(5));
    for account in ["lapsing", "lapsingreader"] {
        app.set_billing(account, BillingFlag::Paid { until }).await;
    }
    app.clock.set(app.clock.now() + TimeDelta::seconds(5));
}

#[tokio::test]
async fn every_route_gives_every_actor_what_the_rules_say() {
    let app = TestApp::new().await;
    let people = people(&app).await;
    fill(&app, &people).await;
    let mut wrong = Vec::new();
    for row in rows() {
        let kinds = [("restricted", row.restricted), ("public", row.public), ("missing", row.missing)];
        for (kind, statuses) in kinds.into_iter().filter(|(_, statuses)| *statuses != SAME) {
            for (at, person) in people.iter().enumerate() {
                let scope = if PEOPLE[at] == "lapsed owner" { "lapsing" } else { "owner" };
                let path = path_of(row.route, &format!("@{scope}/{kind}"));
                let headers = [("content-type", "application/json")];
                let answer = person.send(row.method, &path, &headers, Body::from(row.body)).await;
                if answer.status.as_u16() != statuses[at] {
                    let sentence = String::from_utf8_lossy(&answer.bytes).into_owned();
                    wrong.push(format!(
                        "{} {path} as {}: {} instead of {} {sentence}",
                        row.method, PEOPLE[at], answer.status, statuses[at]
                    ));
                }
                assert_eq!(answer.header("x-content-type-options"), "nosniff");
                if answer.status.is_client_error() {
                    let is_page = answer.header("content-type").starts_with("text/html");
                    assert!(is_page || !answer.error().is_empty(), "{} {path}: no sentence", row.method);
                    assert!(answer.header("cache-control").starts_with("no-store"), "{} {path}", row.method);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_route_has_a_row() {
    let rows = rows();
    let has_row = |method: &str, path: &str| rows.iter().any(|row| row.method == method && row.route == path);
    for route in strongroom::registry::routes() {
        for method in route.methods {
            assert!(has_row(method, route.path), "{method} {} has no row in this file", route.path);
        }
    }
    for path in strongroom::ops::PATHS {
        assert!(has_row("GET", path), "GET {path} has no row in this file");
    }
}

/// Deny by default: a method that no row names is refused on every route.
#[tokio::test]
async fn what_is_not_a_route_is_refused_in_npms_shape() {
    let app = TestApp::new().await;
    let owner = app.user("owner").await;
    for route in strongroom::registry::routes() {
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH"] {
            if !route.methods.contains(&method) {
                let answer = owner.send(method, &path_of(route.path, "@owner/x"), &[], Body::empty()).await;
                let status = answer.status.as_u16();
                assert!([404, 405].contains(&status), "{method} {}: {status}", route.path);
                assert!(!answer.error().is_empty(), "{method} {}", route.path);
            }
        }
    }
}
