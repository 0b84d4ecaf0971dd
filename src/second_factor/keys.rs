//! Security keys: registering, listing and removing them.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::audit::{self, By, Outcome};
use crate::clock::Time;
use crate::db::Transaction;
use crate::error::{Error, OnConstraint, Result};
use crate::names::{AccountId, UrlSecret};
use crate::policy::{AccountPermit, SecondFactorMode};

use super::enrolment::renew_recovery_codes;
use super::passkeys::registration_context;
use super::webauthn::{self, NewKey, Registration, base64url};
use super::{SecondFactor, store};

/// How long a browser has for its answer.
pub(super) const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// The one kind of signature that is taken.
const ES256: i32 = -7;

const MOST_KEYS: usize = 20;
const MOST_NAME_CHARACTERS: usize = 64;

/// A line of the list of keys.
#[derive(Debug)]
pub struct SecurityKey {
    /// Its public name, random.
    pub key: String,
    /// What its user calls it.
    pub name: String,
    /// Whether it knows its user, and so logs in without a password.
    pub verifies_user: bool,
    /// When it was registered.
    pub created_at: Time,
    /// When it last confirmed something.
    pub last_used_at: Option<Time>,
}

/// A key that was just registered.
#[derive(Debug)]
pub struct Registered {
    /// Its public name.
    pub key: String,
    /// New recovery codes, where the account had no second factor before.
    pub recovery_codes: Option<Vec<String>>,
}

impl SecondFactor {
    /// What the browser is told in order to register a key: `PublicKeyCredentialCreationOptionsJSON`.
    ///
    /// # Errors
    /// `Unprocessable` where the account has as many keys as it may.
    pub async fn offer_key(&self, permit: &AccountPermit) -> Result<Value> {
        let account = permit.account();
        let challenge = webauthn::random_challenge()?;
        let known = self.list_known(permit).await?;
        let mut transaction = self.db.begin().await?;
        store::keys::offer(&mut transaction, account.id, &challenge, self.clock.now() + PATIENCE).await?;
        transaction.commit().await?;
        Ok(self.creation_options(permit, &challenge, &known))
    }

    fn creation_options(&self, permit: &AccountPermit, challenge: &[u8], known: &[Vec<u8>]) -> Value {
        let account = permit.account();
        json!({
            "rp": { "id": self.party.id, "name": self.party.id },
            "user": {
                "id": base64url(&user_handle(account.id)),
                "name": account.name,
                "displayName": account.name,
            },
            "challenge": base64url(challenge),
            "pubKeyCredParams": [{ "type": "public-key", "alg": ES256 }],
            "timeout": PATIENCE.num_milliseconds(),
            "excludeCredentials": descriptors(known),
            // A key that keeps the account's name itself, and knows its user, logs in without a password.
            "authenticatorSelection": { "residentKey": "preferred", "userVerification": "preferred" },
            "attestation": "none",
        })
    }

    /// The same for a page that brings the answer with a form.
    ///
    /// # Errors
    /// `Unprocessable` where the account has as many keys as it may.
    pub async fn draft_key(&self, permit: &AccountPermit) -> Result<Value> {
        let known = self.list_known(permit).await?;
        let challenge = self.seal_question(&registration_context(permit))?;
        Ok(self.creation_options(permit, &challenge, &known))
    }

    async fn list_known(&self, permit: &AccountPermit) -> Result<Vec<Vec<u8>>> {
        let known = store::keys::list_credentials(self.db.reads(), permit.account().id).await?;
        if known.len() >= MOST_KEYS {
            return Err(Error::Unprocessable(
                format!("An account has at most {MOST_KEYS} security keys. Remove one first.").into(),
            ));
        }
        Ok(known)
    }

    /// Registers the key that the browser brings. The first one of an account without a second factor turns it on.
    ///
    /// # Errors
    /// `Unprocessable` where the browser's answer is not acceptable or comes too late; `Conflict` for a key that is
    /// registered already.
    pub async fn register_key(&self, permit: &AccountPermit, name: &str, brought: &Registration) -> Result<Registered> {
        let name = key_name(name)?;
        let account = permit.account();
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let challenge = store::keys::take_offer(&mut transaction, account.id, now).await?.ok_or_else(late)?;
        let made = self.party.check_registration(brought, &challenge)?;
        self.keep_key(transaction, permit, name, &made).await
    }

    /// Registers the key that a form brings in answer to [`SecondFactor::draft_key`].
    ///
    /// # Errors
    /// As [`SecondFactor::register_key`].
    pub async fn adopt_key(&self, permit: &AccountPermit, name: &str, brought: &Registration) -> Result<Registered> {
        let name = key_name(name)?;
        let challenge = brought.challenge()?;
        let mut transaction = self.db.begin().await?;
        self.take_question(&mut transaction, &registration_context(permit), &challenge).await?;
        let made = self.party.check_registration(brought, &challenge)?;
        self.keep_key(transaction, permit, name, &made).await
    }

    async fn keep_key(
        &self,
        mut transaction: Transaction,
        permit: &AccountPermit,
        name: &str,
        made: &NewKey,
    ) -> Result<Registered> {
        let (account, now) = (permit.account(), self.clock.now());
        let before = self.lock_mode(&mut transaction, permit).await?;
        let key = UrlSecret::random()?.expose()[..20].to_owned();
        store::keys::insert(&mut transaction, account.id, &key, name, made, now)
            .await
            .on_constraint("security_keys_credential_key", || {
                Error::Conflict("This security key is registered already. Nothing was changed.".into())
            })?;
        let recovery_codes = match before {
            Some(_) => None,
            None => Some(self.turn_on(&mut transaction, permit).await?),
        };
        let mode = before.unwrap_or(SecondFactorMode::AuthAndWrites);
        self.record_key(&mut transaction, permit, "second-factor.key-add", &key).await?;
        self.finish_change(transaction, account.id, &account.name, &By::from(permit), mode.as_str()).await?;
        Ok(Registered { key, recovery_codes })
    }

    async fn turn_on(&self, transaction: &mut Transaction, permit: &AccountPermit) -> Result<Vec<String>> {
        let (account, mode) = (permit.account().id, SecondFactorMode::AuthAndWrites);
        store::codes::remove_seed(transaction, account).await?;
        store::set_mode(transaction, account, Some(mode), self.clock.now()).await?;
        renew_recovery_codes(transaction, account).await
    }

    /// The keys of the account.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_keys(&self, permit: &AccountPermit) -> Result<Vec<SecurityKey>> {
        store::keys::list(self.db.reads(), permit.account().id).await
    }

    /// Gives a key another name.
    ///
    /// # Errors
    /// `NotFound` for an unknown key; `Unprocessable` for what is no name.
    pub async fn rename_key(&self, permit: &AccountPermit, key: &str, name: &str) -> Result<()> {
        let name = key_name(name)?;
        let mut transaction = self.db.begin().await?;
        let is_key = key.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_key || !store::keys::rename(&mut transaction, permit.account().id, key, name).await? {
            return Err(no_key());
        }
        self.record_key(&mut transaction, permit, "second-factor.key-rename", key).await?;
        transaction.commit().await
    }

    /// Removes a key. With the last thing that an account could show, its second factor is off.
    ///
    /// # Errors
    /// `NotFound` for an unknown key.
    pub async fn remove_key(&self, permit: &AccountPermit, key: &str) -> Result<()> {
        let account = permit.account();
        let mut transaction = self.db.begin().await?;
        // The account's turn: two keys that are removed at once must not leave a second factor that nobody can show.
        let before = self.lock_mode(&mut transaction, permit).await?;
        let is_key = key.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_key || !store::keys::remove(&mut transaction, account.id, key).await? {
            return Err(no_key());
        }
        self.record_key(&mut transaction, permit, "second-factor.key-remove", key).await?;
        let has_seed = store::codes::find_seed(&mut *transaction, account.id).await?.is_some_and(|seed| seed.confirmed);
        let has_keys = !store::keys::list_credentials(&mut *transaction, account.id).await?.is_empty();
        let mode = before.filter(|_| has_seed || has_keys);
        if mode.is_none() {
            store::forget_everything(&mut transaction, account.id).await?;
            store::set_mode(&mut transaction, account.id, None, self.clock.now()).await?;
        }
        let word = mode.map_or("disabled", SecondFactorMode::as_str);
        self.finish_change(transaction, account.id, &account.name, &By::from(permit), word).await
    }

    async fn record_key(
        &self,
        transaction: &mut Transaction,
        permit: &AccountPermit,
        action: &'static str,
        key: &str,
    ) -> Result<()> {
        let account = permit.account();
        let event = audit::Event {
            action,
            subject: key,
            scope: Some(account.id),
            outcome: Outcome::Done,
            detail: json!({ "account": account.name }),
        };
        audit::record(transaction, &By::from(permit), &event, self.clock.now()).await
    }
}

/// How an authenticator names the account.
pub(super) fn user_handle(account: AccountId) -> [u8; 8] {
    account.0.to_be_bytes()
}

/// Keys as the browser's interface names them.
pub(super) fn descriptors(credentials: &[Vec<u8>]) -> Value {
    credentials.iter().map(|id| json!({ "type": "public-key", "id": base64url(id) })).collect()
}

fn key_name(text: &str) -> Result<&str> {
    let name = text.trim();
    let well_formed = !name.is_empty() && name.chars().count() <= MOST_NAME_CHARACTERS;
    if well_formed && !name.chars().any(char::is_control) {
        Ok(name)
    } else {
        Err(Error::Unprocessable("A security key needs a name of 1 to 64 characters. Give one.".into()))
    }
}

fn no_key() -> Error {
    Error::NotFound("There is no such security key. List them to see their names.".into())
}

fn late() -> Error {
    Error::Unprocessable("No security key waits to be registered: it took too long. Begin again.".into())
}
