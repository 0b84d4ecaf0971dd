//! The Postgres cluster that all test processes of this workspace share.
//!
//! The first process that needs it starts another one, the *reaper*: this same test executable, asked to run the
//! ignored test of [`super::reaper`] only. The reaper runs Postgres, drops the databases of dead test processes,
//! and ends when for a while nobody has needed it. When the reaper is killed, Postgres ends with it.
//!
//! Three lock files keep order. `starting.lock` is held, briefly, by whoever looks for the reaper and by the
//! reaper while it ends; `reaper.lock` by the living reaper; `in-use.lock` is shared by all test processes.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use rustix::process::geteuid;
use sha2::{Digest, Sha256};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::files::{locked, open, write_private};
use super::{reaper, short_hash};

/// How much room a RAM disk must have to be used.
const ROOMY_BYTES: u64 = 4 << 30;

/// How to reach the cluster, and the proof that it is in use.
pub(super) struct SharedCluster {
    /// Options for strongroom's own role.
    pub(super) options: PgConnectOptions,
    administrator: PgConnectOptions,
    _in_use: Option<File>,
}

impl SharedCluster {
    /// The cluster, started if nobody runs it.
    pub(super) async fn get() -> &'static Self {
        static CLUSTER: OnceLock<SharedCluster> = OnceLock::new();
        let find = || CLUSTER.get_or_init(Self::find);
        tokio::task::spawn_blocking(find).await.expect("the test cluster can be used")
    }

    /// A connection of the role that may create databases.
    pub(super) async fn administrator(&self) -> PgConnection {
        self.administrator.connect().await.expect("the test cluster accepts connections")
    }

    /// The role that owns the databases.
    pub(super) fn role(&self) -> &str {
        self.options.get_username()
    }

    fn find() -> Self {
        if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
            return Self::from_urls(&url, &url, None);
        }
        let directory = directory();
        let _starting = locked(&directory.join("starting.lock"));
        let in_use = use_until_exit(&directory);
        let urls = directory.join("urls");
        if File::try_lock(&open(&directory.join("reaper.lock"))).is_ok() {
            write_private(&urls, &start_reaper(&directory));
        }
        let text = fs::read_to_string(&urls).expect("the reaper's addresses can be read");
        let (url, administrator) = text.split_once(' ').expect("two addresses");
        Self::from_urls(url, administrator, Some(in_use))
    }

    fn from_urls(url: &str, administrator: &str, in_use: Option<File>) -> Self {
        let parse = |url: &str| -> PgConnectOptions { url.trim().parse().expect("a database address") };
        Self { options: parse(url), administrator: parse(administrator), _in_use: in_use }
    }
}

/// A directory for this workspace and user: in memory when there is room, or was at the first start, else in the
/// target directory.
fn directory() -> PathBuf {
    let in_memory = in_memory();
    let directory = if in_memory.exists() || has_room("/dev/shm") {
        in_memory
    } else {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres")
    };
    make_own(&directory);
    directory
}

fn in_memory() -> PathBuf {
    let workspace = short_hash(&Sha256::digest(env!("CARGO_TARGET_TMPDIR")));
    let user = geteuid().as_raw();
    PathBuf::from(format!("/dev/shm/strongroom-test-{user}-{workspace}"))
}

fn has_room(directory: &str) -> bool {
    let disk = rustix::fs::statvfs(directory);
    disk.is_ok_and(|disk| disk.f_bavail * disk.f_frsize >= ROOMY_BYTES)
}

/// Anybody may write to the RAM disk, so a directory that somebody else made is refused. Other users may pass,
/// because root must run Postgres as one of them; what is inside is private by itself.
fn make_own(directory: &Path) {
    let _ = fs::DirBuilder::new().recursive(true).mode(0o711).create(directory);
    let metadata = fs::symlink_metadata(directory).expect("the directory of the test cluster");
    let user = geteuid().as_raw();
    assert!(metadata.is_dir() && metadata.uid() == user, "{} is not ours", directory.display());
}

/// The time tells the reaper of uses that were shorter than its rounds.
fn use_until_exit(directory: &Path) -> File {
    let file = open(&directory.join("in-use.lock"));
    file.lock_shared().expect("a lock file can be locked");
    file.set_modified(SystemTime::now()).expect("a lock file has a time");
    file
}

/// Starts the reaper and returns the addresses that it announces. It must outlive this process: so its own
/// group, and nothing of ours that a test runner would wait for.
///
/// The pipe for the announcement takes the place of its standard input, since the test harness writes to the other two,
/// for instance when a test has run for a minute, and ends when nobody reads that any more.
fn start_reaper(directory: &Path) -> String {
    let log_path = directory.join("reaper.log");
    let log = File::create(&log_path).expect("the reaper's log");
    let (announced, announcement) = std::io::pipe().expect("a pipe");
    let (_, name) = reaper::NAME.split_once("::").expect("a path in a test crate");
    let mut process = Command::new(std::env::current_exe().expect("this executable"))
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(reaper::REAPER_DIRECTORY, directory)
        .stdin(announcement)
        .stdout(log.try_clone().expect("the reaper's log"))
        .stderr(log)
        .process_group(0)
        .spawn()
        .expect("the test executable can be started");
    let urls = BufReader::new(announced).lines().next().and_then(Result::ok);
    urls.unwrap_or_else(|| {
        let _ = process.wait();
        panic!("no test cluster: {}", fs::read_to_string(&log_path).unwrap_or_default())
    })
}
