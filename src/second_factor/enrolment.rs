//! Setting one-time codes up, changing when they are asked for, and giving the second factor up.

use serde_json::json;
use sqlx::PgConnection;

use crate::audit::{self, By, Outcome};
use crate::db::{Change, Transaction};
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName};
use crate::policy::{AccountFacts, AccountPermit, Actor, InstancePermit, SecondFactorMode};

use super::recovery::{CODES, RecoveryCode};
use super::totp::{Seed, TotpCode};
use super::{OWN_ACCOUNT, SecondFactor, Showing, store};

/// How an account stands to its second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It has none.
    Off,
    /// A seed waits for its first code.
    Pending(SecondFactorMode),
    /// It is asked for.
    On(SecondFactorMode),
}

/// What came of asking for a second factor.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    /// The `otpauth:` URL of a seed, which waits for its first code.
    Seed(String),
    /// There was one already; it is now asked for at other times.
    ModeChanged(SecondFactorMode),
}

/// What a seed is sealed for: it opens for this account alone.
pub(super) fn seed_context(account: AccountId) -> String {
    format!("totp:{account}")
}

impl SecondFactor {
    /// How the account stands.
    ///
    /// # Errors
    /// The database's.
    pub async fn status(&self, account: &AccountFacts) -> Result<Status> {
        if let Some(mode) = account.second_factor {
            return Ok(Status::On(mode));
        }
        let seed = store::codes::find_seed(self.db.reads(), account.id).await?;
        Ok(seed.map_or(Status::Off, |seed| Status::Pending(seed.mode)))
    }

    /// Makes a seed for an account without a second factor; changes the mode of one that has one. Who has keys alone and
    /// asks for the mode there is gets a seed too.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin(&self, permit: &AccountPermit, mode: SecondFactorMode) -> Result<Begun> {
        let account = permit.account();
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let seed = store::codes::find_seed(&mut *transaction, account.id).await?;
        let has_seed = seed.is_some_and(|seed| seed.confirmed);
        if account.second_factor.is_some_and(|current| current != mode || has_seed) {
            store::set_mode(&mut transaction, account.id, Some(mode), now).await?;
            self.finish_change(transaction, account.id, &account.name, &By::from(permit), mode.as_str()).await?;
            return Ok(Begun::ModeChanged(mode));
        }
        let seed = Seed::random()?;
        let sealed = self.vault.seal(&seed_context(account.id), seed.as_bytes())?;
        store::codes::offer_seed(&mut transaction, account.id, &sealed, mode, now).await?;
        transaction.commit().await?;
        Ok(Begun::Seed(seed.otpauth_url(&self.party.id, account.name.as_str())))
    }

    /// Takes the first code of a seed that waits for it: from now on the second factor is asked for. Returns new recovery
    /// codes, the only time that anyone sees them.
    ///
    /// # Errors
    /// `Unprocessable` where no seed waits, `WrongSecondFactor`.
    pub async fn finish(&self, permit: &AccountPermit, code: &str) -> Result<Vec<String>> {
        let account = permit.account();
        let mut transaction = self.db.begin().await?;
        let waiting = store::codes::find_seed(&mut *transaction, account.id).await?.filter(|seed| !seed.confirmed);
        let waiting = waiting.ok_or_else(|| {
            Error::Unprocessable("No second factor waits to be confirmed. Run npm profile enable-2fa first.".into())
        })?;
        let seed = Seed::from_bytes(self.vault.open(&seed_context(account.id), &waiting.sealed)?);
        let code = TotpCode::parse(code).ok_or(Error::WrongSecondFactor)?;
        let showing = Showing::of(permit.principal(), OWN_ACCOUNT);
        let wrong = self.await_turn(&mut transaction, showing).await?;
        let right = self.use_totp(&mut transaction, &seed, code, showing).await?;
        self.count(&mut transaction, &wrong, right, showing).await?;
        if !right {
            transaction.commit().await?;
            return Err(Error::WrongSecondFactor);
        }
        let now = self.clock.now();
        store::codes::confirm_seed(&mut transaction, account.id, now).await?;
        store::set_mode(&mut transaction, account.id, Some(waiting.mode), now).await?;
        let codes = renew_recovery_codes(&mut transaction, account.id).await?;
        self.finish_change(transaction, account.id, &account.name, &By::from(permit), waiting.mode.as_str()).await?;
        Ok(codes)
    }

    /// Gives the second factor up: codes, recovery codes and keys.
    ///
    /// # Errors
    /// The database's.
    pub async fn disable(&self, permit: &AccountPermit) -> Result<()> {
        let account = permit.account();
        self.forget(account.id, &account.name, &By::from(permit)).await
    }

    /// The same for somebody who lost theirs: the operator's door.
    ///
    /// # Errors
    /// `NotFound` for an unknown user.
    pub async fn disable_for(&self, name: &AccountName) -> Result<()> {
        let profile = self.users.find(name).await?.ok_or_else(|| crate::users::no_user(name))?;
        self.forget(profile.id, name, &By::from(&Actor::Operator)).await
    }

    /// The same by who administers the instance.
    ///
    /// # Errors
    /// `NotFound` for an unknown user.
    pub async fn disable_by(&self, permit: &InstancePermit, name: &AccountName) -> Result<()> {
        let profile = self.users.find(name).await?.ok_or_else(|| crate::users::no_user(name))?;
        self.forget(profile.id, name, &By::from(permit.actor())).await
    }

    async fn forget(&self, account: AccountId, name: &AccountName, by: &By) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        store::forget_everything(&mut transaction, account).await?;
        store::set_mode(&mut transaction, account, None, self.clock.now()).await?;
        self.finish_change(transaction, account, name, by, "disabled").await
    }

    /// Writes a change of mode down, and has every node see it.
    pub(super) async fn finish_change(
        &self,
        mut transaction: Transaction,
        account: AccountId,
        name: &AccountName,
        by: &By,
        mode: &str,
    ) -> Result<()> {
        let event = audit::Event {
            action: "second-factor.change",
            subject: name.as_str(),
            scope: Some(account),
            outcome: Outcome::Done,
            detail: json!({ "mode": mode }),
        };
        audit::record(&mut transaction, by, &event, self.clock.now()).await?;
        transaction.announce(Change::Account(account));
        transaction.commit().await
    }
}

/// Makes recovery codes in place of those there were.
pub(super) async fn renew_recovery_codes(connection: &mut PgConnection, account: AccountId) -> Result<Vec<String>> {
    let codes = (0..CODES).map(|_| RecoveryCode::random()).collect::<Result<Vec<_>>>()?;
    let digests: Vec<Vec<u8>> = codes.iter().map(|code| code.digest().to_vec()).collect();
    store::codes::replace_recovery_codes(connection, account, &digests).await?;
    Ok(codes.iter().map(RecoveryCode::expose).collect())
}
