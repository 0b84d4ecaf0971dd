use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, Postgres};

use crate::error::{Error, Result};

use super::changes::{Change, Changes};

/// A transaction that announces what it changes: other nodes hear of it exactly if it commits, and this node's caches
/// have dropped it by the time [`Transaction::commit`] returns.
#[derive(Debug)]
pub struct Transaction {
    inner: sqlx::Transaction<'static, Postgres>,
    changes: Changes,
    announced: Vec<Change>,
}

impl Transaction {
    pub(super) fn new(inner: sqlx::Transaction<'static, Postgres>, changes: Changes) -> Self {
        Self { inner, changes, announced: Vec::new() }
    }

    /// Notes that `change` is part of this transaction.
    pub fn announce(&mut self, change: Change) {
        if !self.announced.contains(&change) {
            self.announced.push(change);
        }
    }

    /// Commits, and makes the announced changes seen: here at once, on every other node through NOTIFY.
    ///
    /// # Errors
    /// `OutcomeUnknown` where the answer to the commit was lost; otherwise the database's, and nothing was changed.
    pub async fn commit(mut self) -> Result<()> {
        for change in &self.announced {
            sqlx::query!("select pg_notify('strongroom', $1)", change.to_string()).execute(&mut *self.inner).await?;
        }
        let outcome = self.inner.commit().await;
        // Also after a failure: a commit whose answer was lost may have happened, and forgetting too much is harmless.
        for change in &self.announced {
            self.changes.apply(change);
        }
        outcome.map_err(|cause| match Error::from(cause) {
            Error::Unavailable(_) => Error::OutcomeUnknown,
            refusal => refusal,
        })
    }
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
