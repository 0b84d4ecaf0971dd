use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::{Instant, sleep};

use crate::error::{Error, Result};

use super::changes::{Change, Changes};

/// How long, and how often, the database is asked what became of a commit that it did not answer.
const DOUBT: Duration = Duration::from_secs(10);
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// A transaction that announces what it changes: other nodes hear of it exactly if it commits, and this node's caches
/// have dropped it by the time [`Transaction::commit`] returns.
#[derive(Debug)]
pub struct Transaction {
    inner: sqlx::Transaction<'static, Postgres>,
    /// For the question what became of it, which its own connection may not live to answer.
    pool: PgPool,
    changes: Changes,
    announced: Vec<Change>,
}

impl Transaction {
    pub(super) async fn begin(pool: &PgPool, changes: Changes) -> Result<Self> {
        Ok(Self { inner: pool.begin().await?, pool: pool.clone(), changes, announced: Vec::new() })
    }

    /// Notes that `change` is part of this transaction.
    pub fn announce(&mut self, change: Change) {
        if !self.announced.contains(&change) {
            self.announced.push(change);
        }
    }

    /// Commits, and makes the announced changes seen: here at once, on every other node through NOTIFY.
    ///
    /// Where the connection is lost before the answer is there, another one is asked what became of the transaction: an
    /// error that is returned means that nothing was changed.
    ///
    /// # Errors
    /// The database's; `OutcomeUnknown` where it stays away for longer than [`DOUBT`] after a lost answer.
    pub async fn commit(mut self) -> Result<()> {
        let id = self.notify().await?;
        let outcome = match self.inner.commit().await {
            Ok(()) => Ok(()),
            Err(cause) => learn_outcome(&self.pool, &id, cause.into()).await,
        };
        // Also after a failure: the change may stand, and forgetting too much is harmless.
        for change in &self.announced {
            self.changes.apply(change);
        }
        outcome
    }

    /// Sends the announcements, which arrive when the transaction commits, and returns its number.
    async fn notify(&mut self) -> Result<String> {
        let announced: Vec<String> = self.announced.iter().map(ToString::to_string).collect();
        let row = sqlx::query!(
            r#"select
                   pg_current_xact_id()::text as "id!",
                   array(select pg_notify('strongroom', change)::text from unnest($1::text[]) as change) as told"#,
            &announced,
        )
        .fetch_one(&mut *self.inner)
        .await?;
        Ok(row.id)
    }
}

/// Asks what became of a transaction whose commit failed with `failure`: it is an error no more where it was done.
async fn learn_outcome(pool: &PgPool, id: &str, failure: Error) -> Result<()> {
    if !matches!(failure, Error::Unavailable(_)) {
        return Err(failure);
    }
    let deadline = Instant::now() + DOUBT;
    while Instant::now() < deadline {
        match find_status(pool, id).await.as_deref() {
            Ok("committed") => return Ok(()),
            Ok("aborted") => return Err(failure),
            // It is still being carried out, or the database is not back yet.
            _ => sleep(ASK_AGAIN).await,
        }
    }
    tracing::error!(transaction.id = id, "nobody could tell whether a transaction was committed");
    Err(Error::OutcomeUnknown)
}

async fn find_status(pool: &PgPool, id: &str) -> Result<String> {
    let status = sqlx::query_scalar!("select pg_xact_status($1::text::xid8)", id).fetch_one(pool).await?;
    // No status means that it was so long ago that it was forgotten, which ten seconds are not.
    Ok(status.unwrap_or_default())
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}
