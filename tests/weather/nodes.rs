//! Two nodes on one database and one folder: what one acknowledged, the other obeys within a second.

use std::time::Instant;

use sqlx::PgPool;
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::database::TestDatabase;
use crate::support::package::Release;
use crate::support::place::{Place, data_dir};
use crate::support::server::Server;
use crate::support::{ONE_SECOND, PATIENCE, within};

/// Two nodes, and people known to both.
struct Nodes {
    place: Place,
    one: Server,
    other: Server,
    alice: Client,
    bob: Client,
    database: TestDatabase,
    _directory: TempDir,
}

impl Nodes {
    async fn start() -> Self {
        let (database, directory) = (TestDatabase::create().await, data_dir());
        let place = Place::external(&database.url, directory.path());
        let (one, other) = tokio::join!(Server::start_aside(&place), Server::start_aside(&place));
        let alice = Client::sign_up(one.address, "alice").await;
        let bob = Client::sign_up(one.address, "bob").await;
        Self { place, one, other, alice, bob, database, _directory: directory }
    }

    /// Alice, or whoever it is, at the other node.
    fn at_other(&self, person: &Client) -> Client {
        person.at(self.other.address)
    }

    fn anonymous_at_other(&self) -> Client {
        Client::anonymous(self.other.address)
    }

    /// A package that bob may read too, warm in the other node's memory for both.
    async fn shared_package(&self) -> Release {
        let release = Release::new("@alice/shared", "1.0.0", b"for two");
        assert_eq!(self.alice.publish(&release).await.status, 201);
        self.place.run_aside(&["access", "grant", "@alice/shared", "bob", "read-only"]).await;
        for person in [&self.alice, &self.bob] {
            let person = self.at_other(person);
            becomes(&person, &release, 200).await;
            becomes(&person, &release, 200).await;
        }
        release
    }
}

/// Fails the test unless the package's document, and then its tarball, are answered with `status` within a second.
async fn becomes(reader: &Client, release: &Release, status: u16) {
    let what = format!("{} is answered with {status}", release.name);
    within(ONE_SECOND, &what, async || reader.get(&release.packument_path()).await.status == status).await;
    let tarball = reader.get(&release.tarball_path()).await;
    assert_eq!(tarball.status, status, "{}", tarball.text());
}

#[tokio::test]
async fn what_one_node_published_the_other_serves_within_a_second() {
    let nodes = Nodes::start().await;
    let reader = nodes.at_other(&nodes.alice);
    for round in 0..5 {
        let release = Release::new("@alice/news", &format!("1.0.{round}"), format!("news {round}").as_bytes());
        assert_eq!(reader.get(&release.tarball_path()).await.status, 404);
        assert_eq!(nodes.alice.publish(&release).await.status, 201);
        within(ONE_SECOND, "the version is listed", async || release.is_listed(&reader).await).await;
        release.assert_served(&reader).await;
    }
}

#[tokio::test]
async fn a_token_ended_at_one_node_is_dead_at_the_other_within_a_second() {
    let nodes = Nodes::start().await;
    let release = nodes.shared_package().await;
    assert_eq!(nodes.alice.log_out().await.status, 200);
    becomes(&nodes.at_other(&nodes.alice), &release, 401).await;
}

#[tokio::test]
async fn a_grant_taken_back_is_gone_at_the_other_node_within_a_second() {
    let nodes = Nodes::start().await;
    let release = nodes.shared_package().await;
    nodes.place.run_aside(&["access", "revoke", "@alice/shared", "bob"]).await;
    becomes(&nodes.at_other(&nodes.bob), &release, 404).await;
    becomes(&nodes.at_other(&nodes.alice), &release, 200).await;
}

#[tokio::test]
async fn a_lapsed_plan_counts_at_the_other_node_within_a_second() {
    let nodes = Nodes::start().await;
    let release = nodes.shared_package().await;
    nodes.place.run_aside(&["billing", "set", "alice", "unpaid"]).await;
    becomes(&nodes.at_other(&nodes.alice), &release, 402).await;
    becomes(&nodes.at_other(&nodes.bob), &release, 402).await;
    nodes.place.run_aside(&["billing", "set", "alice", "paid"]).await;
    becomes(&nodes.at_other(&nodes.alice), &release, 200).await;
    nodes.place.run_aside(&["billing", "set", "bob", "unpaid"]).await;
    becomes(&nodes.at_other(&nodes.bob), &release, 402).await;
}

#[tokio::test]
async fn a_package_made_restricted_is_hidden_at_the_other_node_within_a_second() {
    let nodes = Nodes::start().await;
    let release = Release::new("@alice/open", "1.0.0", b"for all, for now").public();
    assert_eq!(nodes.alice.publish(&release).await.status, 201);
    let anybody = nodes.anonymous_at_other();
    for (access, status) in [("public", 200), ("restricted", 404), ("public", 200), ("restricted", 404)] {
        assert_eq!(nodes.alice.set_access(&release, access).await.status, 200);
        becomes(&anybody, &release, status).await;
    }
}

#[tokio::test]
async fn a_node_whose_listening_connection_is_lost_still_obeys_within_a_second() {
    let nodes = Nodes::start().await;
    let release = nodes.shared_package().await;
    let open = Release::new("@alice/open", "1.0.0", b"for all, for now").public();
    assert_eq!(nodes.alice.publish(&open).await.status, 201);
    becomes(&nodes.anonymous_at_other(), &open, 200).await;
    let pool = nodes.database.pool(1).await;

    end_listeners(&pool).await;
    assert_eq!(nodes.alice.set_access(&open, "restricted").await.status, 200);
    assert_eq!(nodes.bob.log_out().await.status, 200);
    becomes(&nodes.anonymous_at_other(), &open, 404).await;
    becomes(&nodes.at_other(&nodes.bob), &release, 401).await;

    end_listeners(&pool).await;
    assert_eq!(nodes.alice.set_access(&open, "public").await.status, 200);
    becomes(&nodes.anonymous_at_other(), &open, 200).await;
    pool.close().await;
}

/// Ends the connections on which the two nodes hear of changes, once they have them.
async fn end_listeners(pool: &PgPool) {
    let listening = async || {
        let count: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where application_name = 'strongroom listener' and datname = current_database() and query = 'select 1'",
        )
        .fetch_one(pool)
        .await
        .expect("an answer");
        count == 2
    };
    within(PATIENCE, "both nodes listen", listening).await;
    let ended: Vec<bool> = sqlx::query_scalar(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'strongroom listener' and datname = current_database()",
    )
    .fetch_all(pool)
    .await
    .expect("our own connections may be ended");
    assert_eq!(ended, [true, true]);
}

#[tokio::test]
async fn a_node_goes_on_when_the_other_is_killed() {
    let nodes = Nodes::start().await;
    let release = nodes.shared_package().await;
    let began = Instant::now();
    let Nodes { one, other, bob, .. } = nodes;
    one.kill();
    becomes(&bob.at(other.address), &release, 200).await;
    assert!(began.elapsed() < ONE_SECOND);
}
