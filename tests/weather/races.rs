//! Publishes that meet each other, and one whose client hangs up.

use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;

use crate::support::client::Client;
use crate::support::database::TestDatabase;
use crate::support::package::{Release, noise};
use crate::support::place::{Place, data_dir};
use crate::support::server::Server;
use crate::support::{PATIENCE, within};

/// How many publish at once.
const RIVALS: u64 = 20;

#[tokio::test]
async fn of_twenty_publishes_of_one_version_exactly_one_wins() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let server = Server::start_aside(&Place::external(&database.url, directory.path())).await;
    let alice = Client::sign_up(server.address, "alice").await;
    // The first publish makes the package, the second round finds it: both races are run.
    for version in ["1.0.0", "1.0.1"] {
        let rivals: Vec<_> =
            (0..RIVALS).map(|rival| Release::new("@alice/wanted", version, &noise(2000, rival))).collect();
        let replies = join_all(rivals.iter().map(|release| alice.publish(release))).await;
        let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        let winners: Vec<_> = statuses.iter().zip(&rivals).filter(|(status, _)| **status == 201).collect();
        assert_eq!(winners.len(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), rivals.len() - 1, "{statuses:?}");
        let (_, winner) = winners[0];
        assert!(winner.is_listed(&alice).await);
        winner.assert_served(&alice).await;
    }
    assert_eq!(Place::external(&database.url, directory.path()).staged_files(), 0);
}

#[tokio::test]
async fn the_same_bytes_twenty_times_at_once_are_one_publish_and_nineteen_repeats() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let server = Server::start_aside(&Place::external(&database.url, directory.path())).await;
    let alice = Client::sign_up(server.address, "alice").await;
    let release = Release::new("@alice/again", "1.0.0", b"the same each time");
    let replies = join_all((0..RIVALS).map(|_| alice.publish(&release))).await;
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
    assert!(release.is_listed(&alice).await);
    release.assert_served(&alice).await;
}

/// A client that never saw the answer sends its publish again; by then others may have published more.
#[tokio::test]
async fn a_repeat_is_a_success_also_after_its_tag_has_moved_on() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let server = Server::start_aside(&Place::external(&database.url, directory.path())).await;
    let alice = Client::sign_up(server.address, "alice").await;
    let [first, second] = ["1.0.0", "1.0.1"].map(|version| Release::new("@alice/resent", version, version.as_bytes()));
    for release in [&first, &second, &first] {
        assert_eq!(alice.publish(release).await.status, 201);
    }
    let packument = alice.get(&first.packument_path()).await.json();
    assert_eq!(packument["dist-tags"]["latest"], "1.0.1");
}

#[tokio::test]
async fn a_client_that_hangs_up_in_the_middle_leaves_nothing_behind() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let place = Place::external(&database.url, directory.path());
    let server = Server::start_aside(&place).await;
    let alice = Client::sign_up(server.address, "alice").await;
    let release = Release::new("@alice/abandoned", "1.0.0", &noise(300_000, 3));
    let (stream, _) = alice.begin_publish(&release).await;
    within(PATIENCE, "the upload has begun", async || place.staged_files() == 1).await;

    drop(stream);
    within(PATIENCE, "the abandoned upload is gone", async || place.staged_files() == 0).await;
    assert_eq!(alice.get(&release.packument_path()).await.status, 404);
    assert_eq!(alice.publish(&release).await.status, 201);
    release.assert_served(&alice).await;
}

#[tokio::test]
async fn a_client_that_hangs_up_before_the_answer_has_published_all_or_nothing() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let place = Place::external(&database.url, directory.path());
    let server = Server::start_aside(&place).await;
    let alice = Client::sign_up(server.address, "alice").await;
    for round in 0..10 {
        let release = Release::new("@alice/hasty", &format!("1.0.{round}"), &noise(1000, round));
        let (mut stream, rest) = alice.begin_publish(&release).await;
        stream.write_all(&rest).await.expect("a listener");
        drop(stream);
        if release.is_listed(&alice).await {
            release.assert_served(&alice).await;
        }
        assert_eq!(alice.publish(&release).await.status, 201, "round {round}");
        release.assert_served(&alice).await;
    }
    within(PATIENCE, "no upload is left", async || place.staged_files() == 0).await;
}
