//! What somebody looks over and changes about their second factor on a page (`/settings/security`).
//!
//! A seed that is being set up is no row yet: its form carries it, sealed for the session, until the first code was right.
//! So the one before works until then, and a page that is left leaves nothing behind.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sqlx::PgConnection;

use crate::audit::{self, By, Event, Outcome};
use crate::error::{Error, Result};
use crate::policy::{AccountPermit, SecondFactorMode};

use super::enrolment::{renew_recovery_codes, seed_context};
use super::keys::SecurityKey;
use super::totp::{Seed, TotpCode};
use super::{OWN_ACCOUNT, SecondFactor, Showing, store};

/// How an account's second factor stands.
#[derive(Debug)]
pub struct Overview {
    /// When it is asked for; `None` where there is none.
    pub mode: Option<SecondFactorMode>,
    /// Whether there are one-time codes.
    pub has_totp: bool,
    /// How many recovery codes are left.
    pub recovery_codes: i64,
    /// Passkeys and security keys.
    pub keys: Vec<SecurityKey>,
}

/// A seed that waits for its first code.
#[derive(Debug)]
pub struct Draft {
    /// What an authenticator app scans.
    pub url: String,
    /// The same to be typed, in groups of four.
    pub secret: String,
    /// The seed, for the form that brings the first code.
    pub sealed: String,
}

fn draft_context(permit: &AccountPermit) -> String {
    format!("totp draft of session {}", permit.principal().token)
}

impl SecondFactor {
    /// How the account's second factor stands.
    ///
    /// # Errors
    /// The database's.
    pub async fn overview(&self, permit: &AccountPermit) -> Result<Overview> {
        let account = permit.account();
        let seed = store::codes::find_seed(self.db.reads(), account.id).await?;
        Ok(Overview {
            mode: account.second_factor,
            has_totp: seed.is_some_and(|seed| seed.confirmed),
            recovery_codes: store::codes::count_recovery_codes(self.db.reads(), account.id).await?,
            keys: self.list_keys(permit).await?,
        })
    }

    /// A new seed, for an account that has none yet or wants another one.
    ///
    /// # Errors
    /// The vault's.
    pub fn draft_seed(&self, permit: &AccountPermit) -> Result<Draft> {
        let seed = Seed::random()?;
        let sealed = self.vault.seal(&draft_context(permit), seed.as_bytes())?;
        Ok(self.draft(permit, &seed, URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// The same seed again, after a code that was wrong.
    ///
    /// # Errors
    /// `Unprocessable` for what no page of this session had.
    pub fn drafted_seed(&self, permit: &AccountPermit, sealed: &str) -> Result<Draft> {
        let seed = self.open_draft(permit, sealed)?;
        Ok(self.draft(permit, &seed, sealed.to_owned()))
    }

    fn draft(&self, permit: &AccountPermit, seed: &Seed, sealed: String) -> Draft {
        let url = seed.otpauth_url(&self.party.id, permit.account().name.as_str());
        Draft { url, secret: seed.in_groups(), sealed }
    }

    fn open_draft(&self, permit: &AccountPermit, sealed: &str) -> Result<Seed> {
        let over = || Error::Unprocessable("This page is too old. Begin again with a new secret.".into());
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| over())?;
        self.vault.open(&draft_context(permit), &sealed).map(Seed::from_bytes).map_err(|_| over())
    }

    /// Takes the first code of a seed: from now on it is the account's, in the place of the one before. Turns the second
    /// factor on where it was off; returns new recovery codes where there were none, the only time that anyone sees them.
    ///
    /// # Errors
    /// `WrongSecondFactor`; `SecondFactorRequired` where one was set up meanwhile.
    pub async fn adopt_seed(
        &self,
        permit: &AccountPermit,
        sealed: &str,
        code: &str,
        mode: SecondFactorMode,
    ) -> Result<Option<Vec<String>>> {
        let seed = self.open_draft(permit, sealed)?;
        let code = TotpCode::parse(code).ok_or(Error::WrongSecondFactor)?;
        let (account, now) = (permit.account(), self.clock.now());
        let mut transaction = self.db.begin().await?;
        let before = self.lock_mode(&mut transaction, permit).await?;
        let mode = before.unwrap_or(mode);
        // Codes of the seed before are no codes of this one.
        store::codes::forget_used(&mut transaction, account.id).await?;
        let showing = Showing::of(permit.principal(), OWN_ACCOUNT);
        if !self.use_totp(&mut transaction, &seed, code, showing).await? {
            return Err(Error::WrongSecondFactor);
        }
        let kept = self.vault.seal(&seed_context(account.id), seed.as_bytes())?;
        store::codes::replace_seed(&mut transaction, account.id, &kept, mode, now).await?;
        store::set_mode(&mut transaction, account.id, Some(mode), now).await?;
        let has_codes =
            before.is_some() && store::codes::count_recovery_codes(&mut *transaction, account.id).await? > 0;
        let codes = if has_codes { None } else { Some(renew_recovery_codes(&mut transaction, account.id).await?) };
        self.finish_change(transaction, account.id, &account.name, &By::from(permit), mode.as_str()).await?;
        Ok(codes)
    }

    /// Says when the second factor is asked for.
    ///
    /// # Errors
    /// `Unprocessable` for an account without one.
    pub async fn change_mode(&self, permit: &AccountPermit, mode: SecondFactorMode) -> Result<()> {
        let account = permit.account();
        let mut transaction = self.db.begin().await?;
        self.lock_mode(&mut transaction, permit).await?.ok_or_else(no_factor)?;
        store::set_mode(&mut transaction, account.id, Some(mode), self.clock.now()).await?;
        self.finish_change(transaction, account.id, &account.name, &By::from(permit), mode.as_str()).await
    }

    /// Makes new recovery codes in place of those there were, and returns them: the only time that anyone sees them.
    ///
    /// # Errors
    /// `Unprocessable` for an account without a second factor.
    pub async fn renew_recovery(&self, permit: &AccountPermit) -> Result<Vec<String>> {
        let account = permit.account();
        let mut transaction = self.db.begin().await?;
        let mode = self.lock_mode(&mut transaction, permit).await?.ok_or_else(no_factor)?;
        let codes = renew_recovery_codes(&mut transaction, account.id).await?;
        let event = Event {
            action: "second-factor.recovery-renew",
            subject: account.name.as_str(),
            scope: Some(account.id),
            outcome: Outcome::Done,
            detail: json!({}),
        };
        audit::record(&mut transaction, &By::from(permit), &event, self.clock.now()).await?;
        self.finish_change(transaction, account.id, &account.name, &By::from(permit), mode.as_str()).await?;
        Ok(codes)
    }

    /// The account's turn, and its mode as it is now: what was off when the actor was asked may be on.
    pub(super) async fn lock_mode(
        &self,
        connection: &mut PgConnection,
        permit: &AccountPermit,
    ) -> Result<Option<SecondFactorMode>> {
        store::lock_wrong_codes(connection, permit.account().id).await?;
        let facts = crate::users::load_account_facts(connection, permit.account().id).await?;
        let mode = facts.filter(|facts| !facts.disabled).ok_or(Error::DeadCredential)?.second_factor;
        match (mode, permit.account().second_factor) {
            (Some(_), None) => Err(Error::SecondFactorRequired { web: None }),
            _ => Ok(mode),
        }
    }
}

fn no_factor() -> Error {
    Error::Unprocessable("Your account has no second factor. Set one up first.".into())
}
