//! Clients that are slow, silent or many.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::PATIENCE;
use crate::support::client::{Client, Reply};
use crate::support::database::TestDatabase;
use crate::support::package::{Release, noise};
use crate::support::place::{Place, data_dir};
use crate::support::server::Server;

/// A request that keeps its connection.
const PING: &[u8] = b"GET /-/ping HTTP/1.1\r\nhost: x\r\n\r\n";
/// How long a client may be idle between two requests, at the least.
const LONG_IDLE: Duration = Duration::from_secs(13);

/// All in one test, since each of them waits for a clock and for nothing else.
#[tokio::test]
async fn a_slow_client_is_let_go_and_an_idle_one_is_kept() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let place = Place::external(&database.url, directory.path());
    let server = Server::start_aside(&place).await;
    let alice = Client::sign_up(server.address, "alice").await;
    tokio::join!(
        silent_connection_is_closed(server.address),
        dripping_head_is_closed(server.address),
        half_a_second_head_is_closed(server.address),
        stalled_upload_is_refused(&alice),
        stalled_login_is_refused(server.address),
        idle_connection_is_kept(server.address),
    );
    assert_eq!(place.staged_files(), 0);
    assert_eq!(alice.get("/-/ping").await.status, 200);
}

async fn silent_connection_is_closed(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    assert_closed_after(&mut stream, 9..15).await;
}

/// A byte a second keeps nobody in: the time for the head is one time, not one for each byte.
async fn dripping_head_is_closed(address: SocketAddr) {
    let (mut reading, mut writing) = TcpStream::connect(address).await.expect("a listener").into_split();
    let dripping = async {
        for byte in PING.iter().cycle().filter(|byte| **byte != b'\r') {
            if writing.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(1)).await;
        }
    };
    let (began, mut answer) = (Instant::now(), [0; 256]);
    tokio::select! {
        () = dripping => {}
        _ = reading.read(&mut answer) => {}
    }
    assert_between(began, 9..15);
}

async fn half_a_second_head_is_closed(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    ping(&mut stream).await.expect("an answer");
    stream.write_all(&PING[..10]).await.expect("a listener");
    assert_closed_after(&mut stream, 9..15).await;
}

async fn stalled_upload_is_refused(alice: &Client) {
    let release = Release::new("@alice/stalled", "1.0.0", &noise(100_000, 5));
    let (stream, _) = alice.begin_publish(&release).await;
    assert_refused_for_slowness(stream).await;
    assert_eq!(alice.get(&release.packument_path()).await.status, 404);
}

async fn stalled_login_is_refused(address: SocketAddr) {
    let head = Client::anonymous(address).head("PUT", "/-/user/org.couchdb.user:bob", Some(100));
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    stream.write_all(head.as_bytes()).await.expect("a listener");
    stream.write_all(b"{\"name\":").await.expect("a listener");
    assert_refused_for_slowness(stream).await;
}

/// A body that stops is answered with 408 about fifteen seconds later.
async fn assert_refused_for_slowness(mut stream: TcpStream) {
    let began = Instant::now();
    let reply = timeout(PATIENCE, Reply::read(&mut stream)).await.expect("in time").expect("an answer");
    assert_eq!(reply.status, 408, "{}", reply.text());
    assert!(reply.json()["error"].is_string());
    assert_between(began, 14..22);
}

async fn idle_connection_is_kept(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    ping(&mut stream).await.expect("a first answer");
    sleep(LONG_IDLE).await;
    ping(&mut stream).await.expect("a second answer");
}

/// Sends a request and reads the answer, on a connection that goes on.
async fn ping(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(PING).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"{}") {
        let length = timeout(PATIENCE, stream.read_buf(&mut answer)).await??;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    Ok(())
}

async fn assert_closed_after(stream: &mut TcpStream, seconds: std::ops::Range<u64>) {
    let began = Instant::now();
    let read = timeout(PATIENCE, stream.read(&mut [0; 256])).await.expect("the server closes it");
    assert!(matches!(read, Ok(0) | Err(_)), "an answer to nothing");
    assert_between(began, seconds);
}

fn assert_between(began: Instant, seconds: std::ops::Range<u64>) {
    let took = began.elapsed();
    assert!(seconds.contains(&took.as_secs()), "{took:?}, not {seconds:?} s");
}

#[tokio::test]
async fn five_hundred_connections_from_one_address_are_served() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let server = Server::start_aside(&Place::external(&database.url, directory.path())).await;
    let alice = Client::sign_up(server.address, "alice").await;
    let release = Release::new("@alice/popular", "1.0.0", b"everybody wants it").public();
    assert_eq!(alice.publish(&release).await.status, 201);
    let connecting = (0..500).map(|_| TcpStream::connect(server.address));
    let mut streams: Vec<_> =
        join_all(connecting).await.into_iter().map(|stream| stream.expect("a listener")).collect();
    // All are open at once, and each is used twice.
    for _ in 0..2 {
        join_all(streams.iter_mut().map(ping)).await.into_iter().for_each(|answer| answer.expect("an answer"));
    }
    let everybody = Client::anonymous(server.address);
    let path = release.packument_path();
    let replies = join_all((0..500).map(|_| everybody.get(&path))).await;
    assert!(replies.iter().all(|reply| reply.status == 200 && release.is_in(&reply.json())));
}
