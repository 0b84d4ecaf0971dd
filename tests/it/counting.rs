//! Download counts.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::app::{Package, Person, TestApp};

async fn point(person: &Person<'_>, path: &str) -> i64 {
    person.get(&format!("/downloads/point/{path}")).await.expect(200).json()["downloads"].as_i64().expect("a number")
}

async fn publish_and_download(app: &TestApp) -> Person<'_> {
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/open", "1.0.0").access("public")).await.expect(201);
    alice.publish(&Package::new("@alice/open", "2.0.0")).await.expect(201);
    alice.publish(&Package::new("@alice/shut", "1.0.0")).await.expect(201);
    for file in ["open/-/open-1.0.0.tgz", "open/-/open-2.0.0.tgz", "open/-/open-2.0.0.tgz", "shut/-/shut-1.0.0.tgz"] {
        alice.get(&format!("/@alice/{file}")).await.expect(200);
    }
    alice
}

#[tokio::test]
async fn whole_tarballs_are_counted_and_nothing_else() {
    let app = TestApp::new().await;
    let alice = publish_and_download(&app).await;
    let path = "/@alice/open/-/open-2.0.0.tgz";
    let etag = alice.get(path).await.header("etag").to_owned();
    alice.get_with(path, &[("if-none-match", &etag)]).await.expect(304);
    alice.get_with(path, &[("range", "bytes=5-9")]).await.expect(206);
    alice.send("HEAD", path, &[], axum::body::Body::empty()).await.expect(200);
    app.anonymous().get("/@alice/shut/-/shut-1.0.0.tgz").await.expect(404);
    alice.get("/@alice/open").await.expect(200);
    assert_eq!(point(&alice, "last-day/@alice/open").await, 0, "nothing is written while it is counted");
    app.run_chore("downloads.flush").await;
    app.run_chore("downloads.flush").await;
    assert_eq!(point(&alice, "last-day/@alice/open").await, 4);
    assert_eq!(point(&alice, "last-day/@alice%2fshut").await, 1);
    let versions = alice.get("/versions/@alice%2fopen/last-week").await.expect(200).json();
    assert_eq!(versions, json!({ "package": "@alice/open", "downloads": { "1.0.0": 1, "2.0.0": 3 } }));
}

#[tokio::test]
async fn nodes_add_up_and_days_are_apart() {
    let app = TestApp::new().await;
    let alice = publish_and_download(&app).await;
    app.run_chore("downloads.flush").await;
    let second = app.second_node().await;
    let today = app.clock.now();
    app.clock.set(today + TimeDelta::days(1));
    second.anonymous().get("/@alice/open/-/open-1.0.0.tgz").await.expect(200);
    second.run_chore("downloads.flush").await;
    let [today, tomorrow] = [today, app.clock.now()].map(|time| time.date_naive());
    let range = alice.get(&format!("/downloads/range/{today}:{tomorrow}/@alice/open")).await.expect(200).json();
    let days = json!([{ "day": today, "downloads": 3 }, { "day": tomorrow, "downloads": 1 }]);
    assert_eq!(range, json!({ "downloads": days, "start": today, "end": tomorrow, "package": "@alice/open" }));
    assert_eq!(point(&alice, "last-week/@alice/open").await, 4);
    assert_eq!(point(&alice, &format!("{today}/@alice/open")).await, 3);
    app.clock.set(app.clock.now() + TimeDelta::days(7));
    assert_eq!(point(&alice, "last-week/@alice/open").await, 0);
    let hit = alice.get("/-/v1/search?text=open").await.expect(200).json()["objects"][0].clone();
    assert_eq!(hit["downloads"], json!({ "weekly": 0, "monthly": 4 }));
}

#[tokio::test]
async fn totals_are_of_public_packages_and_a_hidden_package_is_a_missing_one() {
    let app = TestApp::new().await;
    let alice = publish_and_download(&app).await;
    app.run_chore("downloads.flush").await;
    let stranger = app.user("stranger").await;
    for person in [&alice, &stranger] {
        assert_eq!(point(person, "last-week").await, 3, "also for who could read more");
    }
    for form in ["downloads/point/last-week/@alice%2fNAME", "versions/@alice%2fNAME/last-week"] {
        let hidden = stranger.get(&format!("/{}", form.replace("NAME", "shut"))).await.expect(404);
        let missing = stranger.get(&format!("/{}", form.replace("NAME", "none"))).await.expect(404);
        assert_eq!(hidden.error().replace("shut", "none"), missing.error());
    }
    let many = "/downloads/point/last-week/@alice%2fopen,@alice%2fshut,@alice%2fnone,lodash";
    let counted = stranger.get(many).await.expect(200).json();
    assert_eq!(counted["@alice/open"]["downloads"], 3);
    for name in ["@alice/shut", "@alice/none", "lodash"] {
        assert!(counted[name].is_null(), "{name}");
    }
    assert_eq!(alice.get(many).await.expect(200).json()["@alice/shut"]["downloads"], 1);
    for period in ["yesterday", "2026-02-30", "2020-01-01:2026-01-01"] {
        alice.get(&format!("/downloads/point/{period}")).await.expect(400);
    }
}

/// What a node has counted outlives its end.
#[tokio::test]
async fn a_node_that_stops_writes_down_what_it_has_counted() {
    let app = TestApp::new().await;
    let alice = publish_and_download(&app).await;
    let tending = strongroom::chores::start(&app.app);
    tending.stopping().cancel();
    tending.stop(std::time::Duration::from_secs(10)).await;
    assert_eq!(point(&alice, "last-week").await, 3);
}
