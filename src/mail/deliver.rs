//! Sending the letters that are due.

use chrono::TimeDelta;
use futures_util::StreamExt;

use crate::clock::Time;
use crate::error::{Error, Result};

use super::courier::{Blame, Failure};
use super::letter::Text;
use super::store::Due;
use super::{Mail, context, store};

/// Letters taken at a time, and sent at once.
const TAKEN: i64 = 16;
const AT_ONCE: usize = 4;

/// For how long a node that took a letter has it for itself: longer than all that it took can take.
const HELD: TimeDelta = TimeDelta::minutes(3);

/// The pause after a first failure, which doubles with each further one, up to an hour.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(30);
const MOST_DOUBLINGS: i32 = 7;

/// How long the log of letters goes back.
const KEPT: TimeDelta = TimeDelta::days(30);

/// What became of one letter.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Settled,
    ServerFailed(String),
}

impl Mail {
    /// Sends the letters that are due, until there are none. A letter whose server answers and whose note is lost may
    /// come twice, with the same id.
    ///
    /// # Errors
    /// The database's; `Unavailable` where the mail server does not do its part, which makes the chore ail.
    pub async fn deliver(&self) -> Result<()> {
        loop {
            let now = self.now();
            let mut transaction = self.db.begin().await?;
            let due = store::take_due(&mut transaction, now, now + HELD, TAKEN).await?;
            transaction.commit().await?;
            if due.is_empty() {
                return Ok(());
            }
            let sent = futures_util::stream::iter(due).map(|letter| self.deliver_one(letter)).buffer_unordered(AT_ONCE);
            for outcome in sent.collect::<Vec<_>>().await {
                if let Outcome::ServerFailed(reason) = outcome? {
                    return Err(Error::Unavailable(format!("the mail server does not take letters: {reason}").into()));
                }
            }
        }
    }

    /// Forgets letters that were finished a month ago.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget(&self) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        store::delete_finished_before(&mut transaction, self.now() - KEPT).await?;
        transaction.commit().await
    }

    async fn deliver_one(&self, due: Due) -> Result<Outcome> {
        let now = self.now();
        if due.expires_at <= now {
            self.note(&due, Some("it waited until it was worth nothing"), None).await?;
            return Ok(Outcome::Settled);
        }
        let failure = match self.open(&due) {
            Ok(text) => self.courier.send(&due.key, &due.recipient, &text, now).await.err(),
            // Sealed with another key, or changed: nobody will ever read it.
            Err(cause) => Some(Failure { reason: cause.to_string(), blame: Blame::Letter }),
        };
        let Some(failure) = failure else {
            self.note(&due, None, None).await?;
            return Ok(Outcome::Settled);
        };
        let next = Some(now + pause_after(due.attempts))
            .filter(|next| failure.blame != Blame::Letter && *next < due.expires_at);
        self.note(&due, Some(&failure.reason), next).await?;
        Ok(if failure.blame == Blame::Server { Outcome::ServerFailed(failure.reason) } else { Outcome::Settled })
    }

    fn open(&self, due: &Due) -> Result<Text> {
        let sealed = due.sealed.as_deref().ok_or_else(|| Error::internal("a letter that waits has no text"))?;
        serde_json::from_slice(&self.vault.open(&context(&due.key), sealed)?).map_err(Error::internal)
    }

    async fn note(&self, due: &Due, failure: Option<&str>, next: Option<Time>) -> Result<()> {
        if let (Some(failure), None) = (failure, next) {
            tracing::warn!(
                mail.kind = due.kind,
                mail.id = due.key,
                attempts = due.attempts,
                failure,
                "a letter was given up"
            );
        }
        let mut transaction = self.db.begin().await?;
        store::finish_attempt(&mut transaction, due.id, failure, next, self.now()).await?;
        transaction.commit().await
    }
}

fn pause_after(attempts: i32) -> TimeDelta {
    FIRST_PAUSE * 2_i32.pow((attempts - 1).clamp(0, MOST_DOUBLINGS).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_or_so() {
        let seconds: Vec<i64> = [1, 2, 3, 8, 9, 40].map(|attempts| pause_after(attempts).num_seconds()).into();
        assert_eq!(seconds, [30, 60, 120, 3840, 3840, 3840]);
    }
}
