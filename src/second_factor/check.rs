//! Whether a code is right: once, by one credential, and not by guessing.

use chrono::TimeDelta;
use serde_json::json;
use sqlx::PgConnection;

use crate::audit::{self, Outcome};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::UrlSecret;

use super::recovery::RecoveryCode;
use super::secret;
use super::store::{self, WrongCodes};
use super::totp::{Seed, Step, TotpCode};
use super::{SecondFactor, Showing};

/// How long the credential that used a code up may show it again: npm sends one with every request of a command.
const REPEATABLE: TimeDelta = TimeDelta::seconds(60);

/// Wrong codes in a row that cost nothing; each one above doubles the wait, up to an hour. A guesser then has some
/// thirty tries a day at one in three hundred thousand each.
const FREE_MISTAKES: i32 = 5;
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(5);
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

impl SecondFactor {
    /// Looks at a code. Only six digits can be guessed, so only they are counted: whoever has a recovery code or a key
    /// gets in, however many strangers guess.
    pub(super) async fn check(&self, code: &str, showing: Showing<'_>) -> Result<()> {
        let right = if let Some(secret) = secret::parse_code(code) {
            self.check_confirmation(&secret, showing).await?
        } else if let Some(code) = RecoveryCode::parse(code) {
            self.check_recovery_code(&code, showing).await?
        } else if let Some(code) = TotpCode::parse(code) {
            self.check_totp(code, showing).await?
        } else {
            false
        };
        if right { Ok(()) } else { Err(Error::WrongSecondFactor) }
    }

    async fn check_confirmation(&self, secret: &UrlSecret, showing: Showing<'_>) -> Result<bool> {
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let right = store::confirmations::use_code(
            &mut transaction,
            showing.account,
            showing.token,
            showing.subject,
            &secret.digest(),
            now,
            now - REPEATABLE,
        )
        .await?;
        transaction.commit().await?;
        Ok(right)
    }

    async fn check_recovery_code(&self, code: &RecoveryCode, showing: Showing<'_>) -> Result<bool> {
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let digest = code.digest();
        let (account, token) = (showing.account, showing.token);
        let right =
            store::codes::use_recovery_code(&mut transaction, account, &digest, token, now, now - REPEATABLE).await?;
        let outcome = if right { Outcome::Done } else { Outcome::Refused };
        self.record(&mut transaction, showing, "second-factor.recovery-code", outcome).await?;
        transaction.commit().await?;
        Ok(right)
    }

    async fn check_totp(&self, code: TotpCode, showing: Showing<'_>) -> Result<bool> {
        let mut transaction = self.db.begin().await?;
        let wrong = self.await_turn(&mut transaction, showing).await?;
        let right = match self.open_seed(&mut transaction, showing).await? {
            Some(seed) => self.use_totp(&mut transaction, &seed, code, showing).await?,
            None => false,
        };
        self.count(&mut transaction, &wrong, right, showing).await?;
        transaction.commit().await?;
        Ok(right)
    }

    /// Has the codes of an account looked at one after the other, and none while there were too many wrong ones.
    pub(super) async fn await_turn(&self, connection: &mut PgConnection, showing: Showing<'_>) -> Result<WrongCodes> {
        let wrong = store::lock_wrong_codes(connection, showing.account).await?;
        refuse_while_closed(&wrong, self.clock.now())?;
        Ok(wrong)
    }

    /// Counts a code that was wrong, and forgets the wrong ones before a right one.
    pub(super) async fn count(
        &self,
        connection: &mut PgConnection,
        wrong: &WrongCodes,
        right: bool,
        showing: Showing<'_>,
    ) -> Result<()> {
        let now = self.clock.now();
        if right {
            return match wrong.count {
                0 => Ok(()),
                _ => store::set_wrong_codes(connection, showing.account, 0, now).await,
            };
        }
        let count = wrong.count.saturating_add(1);
        store::set_wrong_codes(connection, showing.account, count, now + wait_after(count)).await?;
        self.record(connection, showing, "second-factor.code", Outcome::Refused).await
    }

    /// Whether it is the code of a step that is good now, and nobody else's already.
    pub(super) async fn use_totp(
        &self,
        connection: &mut PgConnection,
        seed: &Seed,
        code: TotpCode,
        showing: Showing<'_>,
    ) -> Result<bool> {
        let now = self.clock.now();
        let Some(step) = seed.step_of(code, now) else { return Ok(false) };
        store::codes::use_step(connection, showing.account, step, showing.token, Step::forgotten_at(now)).await
    }

    async fn open_seed(&self, connection: &mut PgConnection, showing: Showing<'_>) -> Result<Option<Seed>> {
        let row = store::codes::find_seed(connection, showing.account).await?;
        let Some(row) = row.filter(|row| row.confirmed) else { return Ok(None) };
        let bytes = self.vault.open(&super::enrolment::seed_context(showing.account), &row.sealed)?;
        Ok(Some(Seed::from_bytes(bytes)))
    }

    /// Writes down what came of a code: the log never has the code itself.
    async fn record(
        &self,
        connection: &mut PgConnection,
        showing: Showing<'_>,
        action: &'static str,
        outcome: Outcome,
    ) -> Result<()> {
        let detail = json!({ "for": showing.subject });
        let event = audit::Event { action, subject: showing.name, scope: Some(showing.account), outcome, detail };
        audit::record(connection, &showing.by(), &event, self.clock.now()).await
    }
}

fn refuse_while_closed(wrong: &WrongCodes, now: Time) -> Result<()> {
    let wait = wrong.closed_until - now;
    if wait <= TimeDelta::zero() {
        return Ok(());
    }
    // Rounded up: who waits for as long as they were told is let in.
    let seconds = wait.num_milliseconds().unsigned_abs().div_ceil(1000);
    Err(Error::TooManyRequests {
        sentence: format!("Too many wrong one-time codes. Wait {seconds} seconds, or use a recovery code.").into(),
        retry_after_secs: seconds,
    })
}

fn wait_after(count: i32) -> TimeDelta {
    let doublings = count - FREE_MISTAKES;
    if doublings <= 0 {
        return TimeDelta::zero();
    }
    let wait = FIRST_WAIT * 2_i32.pow(doublings.min(16).unsigned_abs() - 1);
    wait.min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_mistakes_are_free_and_then_the_wait_doubles() {
        let seconds: Vec<i64> = (4..9).map(|count| wait_after(count).num_seconds()).collect();
        assert_eq!(seconds, [0, 0, 5, 10, 20]);
        assert_eq!(wait_after(i32::MAX), LONGEST_WAIT);
    }
}
