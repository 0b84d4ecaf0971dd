//! The Postgres behind every room: pools, migrations, transactions, and the channel on which nodes hear of changes.

mod cache;
mod changes;
pub mod embedded;
mod transaction;

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::config;
use crate::error::Result;

pub use cache::{ChangeAwareCache, Weigh};
pub use changes::{Change, Changes, Hearing};
pub use transaction::Transaction;

/// The migrations, compiled in.
static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// How long a request waits for a free connection.
const ACQUIRE: Duration = Duration::from_secs(5);

/// Handle to the database. Reads and writes have pools of their own, so that a storm of publishes cannot keep an
/// install waiting (`security.md` 5.3).
#[derive(Debug, Clone)]
pub struct Db {
    reads: PgPool,
    writes: PgPool,
    changes: Changes,
    options: PgConnectOptions,
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
        Self {
            reads: pool(limits.max_read_connections),
            writes: pool(limits.max_write_connections),
            changes: Changes::default(),
            options,
        }
    }

    /// The pool for statements that change nothing.
    pub fn reads(&self) -> &PgPool {
        &self.reads
    }

    /// Begins a transaction that may change things and announce it.
    ///
    /// # Errors
    /// `Unavailable` where no connection can be had.
    pub async fn begin(&self) -> Result<Transaction> {
        Ok(Transaction::new(self.writes.begin().await?, self.changes.clone()))
    }

    /// What this node hears of changes, its own and other nodes'.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Listens for the changes of all nodes until the process ends; see [`Changes`].
    pub async fn listen(&self) {
        self.changes.listen(&self.options).await;
    }

    /// Runs all migrations under the migrator's advisory lock.
    ///
    /// # Errors
    /// The migrator's own, which name the file.
    pub async fn migrate(&self) -> Result<(), sqlx::migrate::MigrateError> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(self.options.clone().options([("statement_timeout", "0")]))
            .await?;
        MIGRATOR.run(&pool).await?;
        pool.close().await;
        Ok(())
    }

    /// Whether every migration of this build has run, and the database answers.
    ///
    /// # Errors
    /// `Unavailable` where it does not answer.
    pub async fn is_ready(&self) -> Result<bool> {
        let newest = MIGRATOR.iter().map(|migration| migration.version).max();
        let applied = sqlx::query_scalar::<_, Option<i64>>("select max(version) from _sqlx_migrations where success")
            .fetch_one(&self.reads)
            .await?;
        Ok(applied >= newest)
    }

    /// Ends all connections; running statements finish first.
    pub async fn close(&self) {
        tokio::join!(self.reads.close(), self.writes.close());
    }
}
