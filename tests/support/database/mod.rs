//! One real database for each test, cloned in milliseconds from a migrated template.
//!
//! The cluster is shared by all test processes of the workspace; see [`shared_cluster`]. `TEST_DATABASE_URL`
//! names another one, whose role must be allowed to create databases; there, nobody drops what tests leave.

mod files;
mod reaper;
mod shared_cluster;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgPool};
use tokio::sync::OnceCell;

use shared_cluster::SharedCluster;

/// The migrations that the template has.
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
/// Start of the names of templates.
const TEMPLATE_PREFIX: &str = "template_";
/// Start of the names of databases of tests; the process id follows, so that the reaper knows whose they are.
const TEST_PREFIX: &str = "test_";

/// A database of its own for one test. It is dropped some time after the test's process has ended, so a failed
/// test's data can be looked at only while a debugger holds the process.
pub(crate) struct TestDatabase {
    /// The address of the database, for strongroom's own role.
    pub(crate) url: String,
    options: PgConnectOptions,
}

impl TestDatabase {
    /// Clones the template, which the first caller after a change of the migrations makes.
    pub(crate) async fn create() -> Self {
        let cluster = SharedCluster::get().await;
        let template = template(cluster).await;
        let name = new_name();
        clone(cluster, template, &name).await;
        let options = cluster.options.clone().database(&name);
        Self { url: options.to_url_lossy().to_string(), options }
    }

    /// A pool on the database; three to five connections are enough for a test.
    pub(crate) async fn pool(&self, max: u32) -> PgPool {
        PgPoolOptions::new()
            .max_connections(max)
            .connect_with(self.options.clone())
            .await
            .expect("the test database accepts connections")
    }
}

/// Unique among living processes and, by the time, among dead ones whose number came again.
fn new_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let process = std::process::id();
    format!("{TEST_PREFIX}{process}_{number}_{}", now.as_micros())
}

/// The name of the template for the present migrations, which exists when this returns.
async fn template(cluster: &SharedCluster) -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let name = template_name();
            make_template(cluster, &name).await;
            name
        })
        .await
}

fn template_name() -> String {
    let mut files: Vec<_> =
        std::fs::read_dir(MIGRATIONS).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        hasher.update(file.file_name().unwrap_or_default().as_encoded_bytes());
        hasher.update(std::fs::read(&file).unwrap_or_default());
    }
    format!("{TEMPLATE_PREFIX}{}", short_hash(&hasher.finalize()))
}

/// Enough of a hash for a name.
fn short_hash(hash: &[u8]) -> String {
    let start = hash.iter().take(8);
    start.fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Makes the template unless it is there and whole, which its mark as a template says. One process does it, the
/// others wait at the advisory lock, which ends with the connection.
async fn make_template(cluster: &SharedCluster, name: &str) {
    let mut administrator = cluster.administrator().await;
    run(&mut administrator, "select pg_advisory_lock(7236491)".to_owned()).await;
    let whole = sqlx::query("select from pg_database where datname = $1 and datistemplate")
        .bind(name)
        .fetch_optional(&mut administrator)
        .await
        .expect("the catalogue answers");
    if whole.is_none() {
        run(&mut administrator, format!("drop database if exists {name}")).await;
        run(&mut administrator, format!("create database {name} owner {}", cluster.role())).await;
        migrate(&cluster.options.clone().database(name)).await;
        run(&mut administrator, format!("alter database {name} is_template true allow_connections false")).await;
    }
    administrator.close().await.expect("the connection closes");
}

async fn migrate(options: &PgConnectOptions) {
    if !Path::new(MIGRATIONS).exists() {
        return;
    }
    let migrator = Migrator::new(Path::new(MIGRATIONS)).await.expect("the migrations can be read");
    let mut connection = options.connect().await.expect("the template accepts connections");
    migrator.run(&mut connection).await.expect("the migrations succeed");
    connection.close().await.expect("the connection closes");
}

/// Copies the template. Where autovacuum runs, it may be looking into the template for a moment.
async fn clone(cluster: &SharedCluster, template: &str, name: &str) {
    let role = cluster.role();
    let statement = format!("create database {name} template {template} strategy file_copy owner {role}");
    let mut administrator = cluster.administrator().await;
    for _ in 0..50 {
        match administrator.execute(AssertSqlSafe(statement.clone())).await {
            Ok(_) => return administrator.close().await.expect("the connection closes"),
            Err(error) if is_in_use(&error) => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(error) => panic!("the template could not be cloned: {error}"),
        }
    }
    panic!("the template stays in use by other connections");
}

fn is_in_use(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.as_deref() == Some("55006")
}

async fn run(connection: &mut PgConnection, statement: String) {
    if let Err(error) = connection.execute(AssertSqlSafe(statement.clone())).await {
        panic!("{statement}: {error}");
    }
}
