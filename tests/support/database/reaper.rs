//! The process that runs Postgres for the test processes, cleans up after them, and ends after the last.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use strongroom::db::embedded::{EmbeddedError, EmbeddedOptions, EmbeddedPostgres, Profile, Role};

use super::files::{locked, open};
use super::{TEMPLATE_PREFIX, TEST_PREFIX, run, template_name};

/// The executable with the shim that starts Postgres.
const SHIM: &str = env!("CARGO_BIN_EXE_strongroom");
/// Tells a test process that it is the reaper, and of which directory.
pub(super) const REAPER_DIRECTORY: &str = "STRONGROOM_TEST_REAPER";
/// The name of the only test here, as the test executable knows it.
pub(super) const NAME: &str = concat!(module_path!(), "::idle_reaper");
/// How long after the last use the reaper stops Postgres.
const IDLE: Duration = Duration::from_secs(90);
/// How often the reaper looks around.
const ROUND: Duration = Duration::from_secs(1);

/// Runs Postgres for the test processes until it was idle for a while. Does nothing when run as a test.
#[tokio::test]
#[ignore = "the other tests start it when they need it"]
async fn idle_reaper() {
    let Some(directory) = std::env::var_os(REAPER_DIRECTORY).map(PathBuf::from) else {
        return;
    };
    let _alive = locked(&directory.join("reaper.lock"));
    let postgres = open_postgres(&directory).await;
    let administrator: PgConnectOptions = postgres.administrator_url().parse().expect("an address");
    drop_old_templates(&administrator).await;
    announce(&format!("{} {}", postgres.database_url(), postgres.administrator_url()));
    let _stopping = loop {
        tokio::time::sleep(ROUND).await;
        drop_databases_of_the_dead(&administrator).await;
        if let Some(stopping) = nobody_needs_us(&directory) {
            break stopping;
        }
    };
    postgres.stop().await;
}

/// Writes a line to the pipe that [`super::shared_cluster`] gave us for our standard input.
fn announce(line: &str) {
    let pipe = std::io::stdin().as_fd().try_clone_to_owned().expect("a pipe");
    writeln!(File::from(pipe), "{line}").expect("the first test process listens");
}

/// Opens the cluster, or a new one when the old cannot be used, for instance after an upgrade of Postgres.
async fn open_postgres(directory: &Path) -> EmbeddedPostgres {
    if let Ok(postgres) = try_open_postgres(directory).await {
        return postgres;
    }
    let _ = fs::remove_dir_all(directory.join("postgres"));
    match try_open_postgres(directory).await {
        Ok(postgres) => postgres,
        Err(error) => panic!("{error}"),
    }
}

async fn try_open_postgres(directory: &Path) -> Result<EmbeddedPostgres, EmbeddedError> {
    let options = EmbeddedOptions {
        profile: Profile::Disposable,
        shim: Some(SHIM.into()),
        runtime_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres-runtime")),
        ..EmbeddedOptions::new(directory, Role::Server)
    };
    EmbeddedPostgres::open(options, |line| eprintln!("{line}")).await
}

/// Returns the lock that keeps new test processes waiting while we end, when nobody is there and nobody was for
/// a while. The time of the file tells of the last use.
fn nobody_needs_us(directory: &Path) -> Option<File> {
    let starting = open(&directory.join("starting.lock"));
    starting.try_lock().ok()?;
    let in_use = open(&directory.join("in-use.lock"));
    if in_use.try_lock().is_err() {
        in_use.set_modified(SystemTime::now()).ok()?;
        return None;
    }
    let used = in_use.metadata().and_then(|metadata| metadata.modified()).ok()?;
    let idle = used.elapsed().unwrap_or_default() >= IDLE;
    idle.then_some(starting)
}

async fn drop_databases_of_the_dead(administrator: &PgConnectOptions) {
    let is_dead = |pid| test_kill_process(pid) == Err(Errno::SRCH);
    drop_databases(administrator, |name| owner_of(name).is_some_and(is_dead)).await;
}

/// The test process that made a database.
fn owner_of(name: &str) -> Option<Pid> {
    let (pid, _) = name.strip_prefix(TEST_PREFIX)?.split_once('_')?;
    Pid::from_raw(pid.parse().ok().filter(|pid| *pid > 0)?)
}

async fn drop_old_templates(administrator: &PgConnectOptions) {
    let current = template_name();
    let is_old = |name: &str| name.starts_with(TEMPLATE_PREFIX) && name != current;
    drop_databases(administrator, is_old).await;
}

async fn drop_databases(administrator: &PgConnectOptions, is_doomed: impl Fn(&str) -> bool) {
    let mut connection = administrator.connect().await.expect("our own Postgres answers");
    let names: Vec<String> = sqlx::query_scalar("select datname::text from pg_database")
        .fetch_all(&mut connection)
        .await
        .expect("the catalogue answers");
    for name in names.into_iter().filter(|name| is_doomed(name)) {
        run(&mut connection, format!("alter database {name} is_template false")).await;
        run(&mut connection, format!("drop database {name} with (force)")).await;
    }
    connection.close().await.expect("the connection closes");
}
