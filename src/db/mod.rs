//! The Postgres behind every room: pools, migrations, transactions, and the channel on which nodes hear of changes.

mod cache;
mod changes;
pub mod embedded;
mod transaction;

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::clock::Time;
use crate::config;
use crate::error::Result;

pub use cache::{ChangeAwareCache, Weigh};
pub use changes::{Change, Changes, Hearing, Listening};
pub use transaction::Transaction;

/// The migrations, compiled in. A database that knows newer ones is fine: the release before runs beside the new one.
fn migrator() -> sqlx::migrate::Migrator {
    let mut migrator = sqlx::migrate!();
    migrator.set_ignore_missing(true);
    migrator
}

/// How long a request waits for a free connection.
const ACQUIRE: Duration = Duration::from_secs(5);

/// Handle to the database. Reads and writes have pools of their own, so that a storm of publishes cannot keep an
/// install waiting (`security.md` 5.3).
#[derive(Debug, Clone)]
pub struct Db {
    reads: PgPool,
    writes: PgPool,
    /// Closed from the start: stands in for both while the database is gone, and fails at once.
    gone: PgPool,
    changes: Changes,
    options: Arc<PgConnectOptions>,
}

/// See [`Db::report`].
#[derive(Debug)]
pub struct Report {
    /// Of Postgres.
    pub version: String,
    /// What the database takes on its disk.
    pub bytes: i64,
    /// Connections of this node that are open for reads, and for writes.
    pub reading: u32,
    /// See `reading`.
    pub writing: u32,
}

impl Db {
    /// Prepares the pools; connections are made when first used.
    pub fn new(options: PgConnectOptions, limits: &config::Database) -> Self {
        let options = options
            .application_name("strongroom")
            .options([("statement_timeout", "15s"), ("idle_in_transaction_session_timeout", "30s")]);
        let pool = |most| {
            PgPoolOptions::new()
                .max_connections(most)
                .acquire_timeout(ACQUIRE)
                .idle_timeout(Duration::from_mins(5))
                .connect_lazy_with(options.clone())
        };
        let gone = pool(1);
        drop(gone.close());
        Self {
            gone,
            reads: pool(limits.max_read_connections),
            writes: pool(limits.max_write_connections),
            changes: Changes::default(),
            options: Arc::new(options),
        }
    }

    /// The pool for statements that change nothing.
    pub fn reads(&self) -> &PgPool {
        self.unless_gone(&self.reads)
    }

    /// While the database is known to be gone nobody waits for it: what can be served from memory is served at once.
    fn unless_gone<'a>(&'a self, pool: &'a PgPool) -> &'a PgPool {
        if self.changes.database_is_gone() { &self.gone } else { pool }
    }

    /// Begins a transaction that may change things and announce it.
    ///
    /// # Errors
    /// `Unavailable` where no connection can be had.
    pub async fn begin(&self) -> Result<Transaction> {
        Transaction::begin(self.unless_gone(&self.writes), self.changes.clone()).await
    }

    /// What this node hears of changes, its own and other nodes'.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Listens for the changes of all nodes until the answer is dropped; see [`Changes`].
    ///
    /// # Errors
    /// The system's, where there can be no more threads.
    pub fn listen(&self) -> std::io::Result<Listening> {
        self.changes.listen(PgConnectOptions::clone(&self.options))
    }

    /// Runs all migrations under the migrator's advisory lock.
    ///
    /// # Errors
    /// The migrator's own, which name the file.
    pub async fn migrate(&self) -> Result<(), sqlx::migrate::MigrateError> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(PgConnectOptions::clone(&self.options).options([("statement_timeout", "0")]))
            .await?;
        migrator().run(&pool).await?;
        pool.close().await;
        Ok(())
    }

    /// Whether every migration of this build has run, and the database answers.
    ///
    /// # Errors
    /// `Unavailable` where it does not answer.
    pub async fn is_ready(&self) -> Result<bool> {
        let newest = migrator().iter().map(|migration| migration.version).max();
        let applied = sqlx::query_scalar::<_, Option<i64>>("select max(version) from _sqlx_migrations where success")
            .fetch_one(self.reads())
            .await?;
        Ok(applied >= newest)
    }

    /// How large the database is, and how much of it this node uses.
    ///
    /// # Errors
    /// `Unavailable` where it does not answer.
    pub async fn report(&self) -> Result<Report> {
        let row = sqlx::query!(
            r#"select
                   current_setting('server_version') as "version!",
                   pg_database_size(current_database()) as "bytes!""#,
        )
        .fetch_one(self.reads())
        .await?;
        Ok(Report { version: row.version, bytes: row.bytes, reading: self.reads.size(), writing: self.writes.size() })
    }

    /// The database's time.
    ///
    /// # Errors
    /// `Unavailable` where it does not answer.
    pub async fn time(&self) -> Result<Time> {
        Ok(sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(self.reads()).await?)
    }

    /// Ends all connections; running statements finish first.
    pub async fn close(&self) {
        tokio::join!(self.reads.close(), self.writes.close());
    }
}
