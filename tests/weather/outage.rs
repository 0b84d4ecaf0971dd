//! The database goes away while the server runs, and comes back.

use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::support::client::{Client, Reply};
use crate::support::database::TestDatabase;
use crate::support::dice::Dice;
use crate::support::package::Release;
use crate::support::place::{Place, data_dir};
use crate::support::proxy::Proxy;
use crate::support::server::Server;
use crate::support::{ONE_SECOND, PATIENCE, within};

/// How soon what is in memory is served once the node knows that its database is not there.
const FROM_MEMORY: Duration = Duration::from_millis(500);

/// How often the database goes away for a moment, and within which time after a publish began.
const SHORT_OUTAGES: u32 = 60;
const DURING_A_PUBLISH: Duration = Duration::from_millis(20);

/// A node whose database is at the end of a cable, and another that has its own way to it.
struct Scene {
    cable: Proxy,
    node: Server,
    direct: Place,
    alice: Client,
    bob: Client,
    open: Release,
    hidden: Release,
    _directory: TempDir,
}

impl Scene {
    /// Both packages are in the node's memory, for everybody who may read them.
    async fn set() -> Self {
        let (database, directory) = (TestDatabase::create().await, data_dir());
        let cable = Proxy::to(&database.url).await;
        let node = Server::start_aside(&Place::external(&cable.url, directory.path())).await;
        let direct = Place::external(&database.url, directory.path());
        let alice = Client::sign_up(node.address, "alice").await;
        let bob = Client::sign_up(node.address, "bob").await;
        let open = Release::new("@alice/open", "1.0.0", b"for all").public();
        let hidden = Release::new("@alice/hidden", "1.0.0", b"for two");
        for release in [&open, &hidden] {
            assert_eq!(alice.publish(release).await.status, 201);
        }
        direct.run_aside(&["access", "grant", "@alice/hidden", "bob", "read-only"]).await;
        let scene = Self { cable, node, direct, alice, bob, open, hidden, _directory: directory };
        scene.warm_up().await;
        scene
    }

    async fn warm_up(&self) {
        for _ in 0..2 {
            for reader in [&self.alice, &self.bob] {
                assert!(self.hidden.is_listed(reader).await);
                self.hidden.assert_served(reader).await;
            }
            for reader in [&self.alice, &self.anonymous()] {
                assert!(self.open.is_listed(reader).await);
                self.open.assert_served(reader).await;
            }
        }
    }

    fn anonymous(&self) -> Client {
        Client::anonymous(self.node.address)
    }

    /// Somebody whose token is a token no more, or never was.
    fn stranger(&self) -> Client {
        Client { token: Some("nonsense".into()), ..self.anonymous() }
    }

    /// What is public and in memory is served to everybody. Returns how long that took.
    async fn assert_public_is_served(&self) -> Duration {
        let began = Instant::now();
        for reader in [self.anonymous(), self.alice.clone(), self.stranger()] {
            assert!(self.open.is_listed(&reader).await);
            self.open.assert_served(&reader).await;
        }
        began.elapsed()
    }

    /// The same without any waiting, as soon as the node has noticed.
    async fn assert_public_is_served_at_once(&self) {
        within(PATIENCE, "what is in memory is served at once", async || {
            self.assert_public_is_served().await < FROM_MEMORY
        })
        .await;
    }

    /// What needs the database is an outage, whoever asks for it.
    async fn assert_the_rest_is_an_outage(&self) {
        let next = Release::new("@alice/open", "1.0.1", b"not now").public();
        let (alice, anonymous, stranger) = (&self.alice, &self.anonymous(), &self.stranger());
        let login = json!({ "name": "alice", "password": "correct horse battery staple" });
        let (packument, tarball) = (self.hidden.packument_path(), self.hidden.tarball_path());
        let replies: [Reply; 10] = tokio::join!(
            alice.get(&packument),
            alice.get(&tarball),
            anonymous.get(&packument),
            anonymous.get(&tarball),
            stranger.get(&packument),
            anonymous.get("/@alice%2fnowhere"),
            alice.get("/-/whoami"),
            alice.publish(&next),
            alice.set_access(&self.open, "restricted"),
            anonymous.json("PUT", "/-/user/org.couchdb.user:alice", &login),
        )
        .into();
        for reply in &replies {
            reply.assert_outage(&[503]);
        }
        assert_eq!(anonymous.get("/-/livez").await.status, 200);
        within(PATIENCE, "it says so", async || anonymous.get("/-/readyz").await.status == 503).await;
    }

    /// Everything is as before, without a restart.
    async fn assert_recovers(&self) {
        let anonymous = self.anonymous();
        within(PATIENCE, "the node is ready", async || anonymous.get("/-/readyz").await.status == 200).await;
        let next = Release::new("@alice/open", "1.0.2", b"now").public();
        within(PATIENCE, "the node publishes", async || {
            let reply = self.alice.publish(&next).await;
            assert!(matches!(reply.status, 201 | 503), "{} {}", reply.status, self.node.said());
            reply.status == 201
        })
        .await;
        assert!(next.is_listed(&anonymous).await);
        self.hidden.assert_served(&self.alice).await;
        assert_eq!(self.stranger().get(&self.hidden.packument_path()).await.status, 401);
        assert_eq!(anonymous.get(&self.hidden.packument_path()).await.status, 404);
    }
}

#[tokio::test]
async fn without_its_database_a_node_serves_what_is_public_and_calls_the_rest_an_outage() {
    let scene = Scene::set().await;
    scene.cable.cut().await;
    scene.assert_public_is_served().await;
    scene.assert_the_rest_is_an_outage().await;
    scene.assert_public_is_served_at_once().await;
    scene.cable.mend().await;
    scene.assert_recovers().await;
}

#[tokio::test]
async fn a_node_that_no_longer_hears_anything_stops_trusting_its_memory_within_a_second() {
    let scene = Scene::set().await;
    scene.cable.silence().await;
    scene.direct.run_aside(&["access", "revoke", "@alice/hidden", "bob"]).await;
    tokio::time::sleep(ONE_SECOND).await;
    scene.bob.get(&scene.hidden.packument_path()).await.assert_outage(&[503]);
    scene.assert_public_is_served_at_once().await;
    scene.assert_the_rest_is_an_outage().await;
    scene.cable.mend().await;
    scene.assert_recovers().await;
    assert_eq!(scene.bob.get(&scene.hidden.packument_path()).await.status, 404);
}

#[tokio::test]
async fn a_publish_during_a_short_outage_is_done_or_has_changed_nothing() {
    let scene = Scene::set().await;
    let mut dice = Dice::announced();
    let mut refused = 0;
    for round in 0..SHORT_OUTAGES {
        let release = Release::new("@alice/hidden", &format!("2.0.{round}"), format!("round {round}").as_bytes());
        let outage = async {
            tokio::time::sleep(dice.time_below(DURING_A_PUBLISH)).await;
            scene.cable.cut().await;
            scene.cable.mend().await;
        };
        let (reply, ()) = tokio::join!(scene.alice.publish(&release), outage);
        scene.assert_recovers().await;
        if reply.status != 201 {
            reply.assert_outage(&[503]);
            refused += 1;
            assert!(!release.is_listed(&scene.alice).await, "round {round} was refused and is there");
            assert_eq!(scene.alice.publish(&release).await.status, 201, "{}", scene.node.said());
        }
        assert!(release.is_listed(&scene.alice).await, "round {round} was acknowledged and is lost");
        release.assert_served(&scene.alice).await;
    }
    eprintln!("{refused} of {SHORT_OUTAGES} publishes were refused");
}

#[tokio::test]
async fn a_publish_whose_commit_is_not_answered_tells_the_truth() {
    let scene = Scene::set().await;
    // The first transaction of a publish keeps the bytes from being swept, the second makes the version visible.
    for transaction in [1, 2] {
        let release = Release::new("@alice/hidden", &format!("3.0.{transaction}"), b"is it there?");
        scene.cable.lose_answer_to_commit(transaction);
        let reply = scene.alice.publish(&release).await;
        assert_eq!(reply.status == 201, release.is_listed(&scene.alice).await, "{} is a lie", reply.status);
        assert_eq!(scene.alice.publish(&release).await.status, 201);
        release.assert_served(&scene.alice).await;
    }
}
