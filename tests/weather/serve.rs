//! Starting and stopping the server.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::{Client, Reply};
use crate::support::database::TestDatabase;
use crate::support::package::{Release, noise};
use crate::support::place::{Place, data_dir};
use crate::support::server::Server;
use crate::support::{PATIENCE, within};

/// A well-formed address that nobody listens at.
const NOBODY: &str = "postgres://strongroom@127.0.0.1:1/strongroom";

#[test]
fn a_configured_database_that_does_not_answer_is_never_replaced_by_the_embedded_one() {
    let directory = data_dir();
    let refused = Place::external(NOBODY, directory.path()).fail(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, Some(4), "{}", refused.said);
    assert!(refused.said.contains("the database does not answer"), "{}", refused.said);
    assert!(!directory.path().join("postgres").exists(), "an embedded cluster was made");
}

#[test]
fn embedded_and_a_database_url_exclude_each_other() {
    let directory = data_dir();
    let by_flag = Place::external(NOBODY, directory.path()).fail(&["serve", "--embedded"]);
    assert_eq!(by_flag.code, Some(2), "{}", by_flag.said);
    let by_environment = Place::embedded(directory.path()).with("STRONGROOM__DATABASE__URL", NOBODY);
    let by_environment = by_environment.fail(&["serve", "--embedded"]);
    assert_eq!(by_environment.code, Some(3), "{}", by_environment.said);
    assert!(!directory.path().join("postgres").exists(), "an embedded cluster was made");
}

#[tokio::test]
async fn a_request_that_runs_when_the_server_is_told_to_stop_is_finished() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let place = Place::external(&database.url, directory.path());
    let server = Server::start_aside(&place).await;
    let alice = Client::sign_up(server.address, "alice").await;
    let release = Release::new("@alice/last", "1.0.0", &noise(100_000, 1));
    let (mut upload, rest) = alice.begin_publish(&release).await;
    within(PATIENCE, "the upload has begun", async || place.staged_files() == 1).await;

    server.terminate();
    within(PATIENCE, "nobody is let in any more", async || alice.try_get("/-/ping").await.is_err()).await;
    upload.write_all(&rest).await.expect("a listener");
    let reply = Reply::read(&mut upload).await.expect("an answer");
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(server.wait().code(), Some(0));

    let server = Server::start_aside(&place).await;
    release.assert_served(&alice.at(server.address)).await;
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_end() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let server = Server::start_aside(&Place::external(&database.url, directory.path())).await;
    let mut kept_alive = TcpStream::connect(server.address).await.expect("a listener");
    kept_alive.write_all(b"GET /-/ping HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a listener");
    kept_alive.read_exact(&mut [0; 12]).await.expect("an answer");
    let silent = TcpStream::connect(server.address).await.expect("a listener");
    let began = Instant::now();
    let status = tokio::task::spawn_blocking(|| server.stop()).await.expect("no panic");
    assert!(status.success());
    assert!(began.elapsed() < Duration::from_secs(5), "the end took {:?}", began.elapsed());
    drop((kept_alive, silent));
}
