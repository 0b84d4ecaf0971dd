//! Keys that are shown on a page: to log in, as the second step of a login, or where a session asks again who its user is.
//!
//! The question that a key signs carries its own end and what it was asked for, sealed; so asking writes nothing, any node
//! can look at the answer, and an answer to another question is none. What was answered is remembered until that end.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use crate::audit::{self, By, Event, Outcome};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::policy::{AccountFacts, AccountPermit, Principal};

use super::keys::descriptors;
use super::store::keys::KnownKey;
use super::webauthn::{Assertion, Shown, base64url};
use super::{OWN_ACCOUNT, SecondFactor, store};

/// How long a page may be looked at before its key is touched.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// What a key is shown for.
#[derive(Debug)]
pub enum Purpose<'a> {
    /// The second step of a login: whose password was right, and what tells that password from every other.
    Step(&'a AccountFacts, [u8; 32]),
    /// A session that asks again who its user is.
    Session(&'a Principal),
}

impl Purpose<'_> {
    fn account(&self) -> &AccountFacts {
        match self {
            Self::Step(account, _) => account,
            Self::Session(principal) => &principal.account,
        }
    }

    fn context(&self) -> String {
        match self {
            Self::Step(account, proof) => format!("key for login step {} {}", account.id, hex::encode(proof)),
            Self::Session(principal) => format!("key for session {}", principal.token),
        }
    }

    fn by(&self, address: IpAddr) -> By {
        let account = self.account();
        let token = match self {
            Self::Step(..) => None,
            Self::Session(principal) => Some(principal.token.0),
        };
        By { account: Some(account.id), name: account.name.to_string(), token, address: Some(address) }
    }
}

const LOGIN: &str = "key for login";

/// What a question for a new key is sealed for.
pub(super) fn registration_context(permit: &AccountPermit) -> String {
    format!("new key for session {}", permit.principal().token)
}

impl SecondFactor {
    /// What the browser is told in order to show one of the account's keys, `PublicKeyCredentialRequestOptionsJSON`; none
    /// where the account has no key.
    ///
    /// # Errors
    /// The database's.
    pub async fn ask(&self, purpose: &Purpose<'_>) -> Result<Option<Value>> {
        let keys = store::keys::list_credentials(self.db.reads(), purpose.account().id).await?;
        if keys.is_empty() {
            return Ok(None);
        }
        let challenge = self.seal_question(&purpose.context())?;
        Ok(Some(self.request_options(&challenge, &descriptors(&keys), "preferred")))
    }

    /// The same for a login with nothing but a passkey, whoever's it is.
    ///
    /// # Errors
    /// The vault's.
    pub fn ask_anybody(&self) -> Result<Value> {
        let challenge = self.seal_question(LOGIN)?;
        Ok(self.request_options(&challenge, &json!([]), "required"))
    }

    fn request_options(&self, challenge: &[u8], allowed: &Value, verification: &str) -> Value {
        json!({
            "challenge": base64url(challenge),
            "rpId": self.party.id,
            "timeout": PATIENCE.num_milliseconds(),
            "allowCredentials": allowed,
            "userVerification": verification,
        })
    }

    /// Looks at what a key signed for [`SecondFactor::ask`]. It cannot be guessed, so that no wait follows a wrong one.
    ///
    /// # Errors
    /// `Unprocessable` where it is not acceptable.
    pub async fn show_key(&self, purpose: &Purpose<'_>, brought: &Assertion, address: IpAddr) -> Result<()> {
        let account = purpose.account();
        let mut transaction = self.db.begin().await?;
        self.take_question(&mut transaction, &purpose.context(), &brought.challenge()?).await?;
        let known = store::keys::lock_by_credential(&mut transaction, account.id, brought.credential()).await?;
        let shown = match &known {
            Some(known) => self.use_key(&mut transaction, known, brought).await,
            None => Err(unknown_key()),
        };
        let event = Event {
            action: "second-factor.key",
            subject: account.name.as_str(),
            scope: Some(account.id),
            outcome: if shown.is_ok() { Outcome::Done } else { Outcome::Refused },
            detail: json!({ "for": OWN_ACCOUNT }),
        };
        audit::record(&mut transaction, &purpose.by(address), &event, self.clock.now()).await?;
        transaction.commit().await?;
        shown.map(drop)
    }

    /// Tells who shows a passkey in order to log in. The key must have known its user: it stands for both factors.
    ///
    /// # Errors
    /// `Unprocessable` where it is not acceptable, or nobody's here.
    pub async fn log_in_with_key(&self, brought: &Assertion, address: IpAddr) -> Result<Arc<AccountFacts>> {
        let mut transaction = self.db.begin().await?;
        self.take_question(&mut transaction, LOGIN, &brought.challenge()?).await?;
        let found = store::keys::lock_anybodys(&mut transaction, brought.credential()).await?;
        let Some((owner, known)) = found else {
            transaction.commit().await?;
            return Err(unknown_key());
        };
        let account = crate::users::load_account_facts(&mut transaction, owner).await?.ok_or_else(unknown_key)?;
        let checked = self.check_login(&mut transaction, &account, &known, brought).await;
        let event = Event {
            action: "user.login",
            subject: account.name.as_str(),
            scope: Some(account.id),
            outcome: if checked.is_ok() { Outcome::Done } else { Outcome::Refused },
            detail: json!({ "by": "passkey" }),
        };
        let name = account.name.to_string();
        let by = By { account: Some(account.id), name, token: None, address: Some(address) };
        audit::record(&mut transaction, &by, &event, self.clock.now()).await?;
        transaction.commit().await?;
        checked.map(|()| account)
    }

    async fn check_login(
        &self,
        connection: &mut PgConnection,
        account: &AccountFacts,
        known: &KnownKey,
        brought: &Assertion,
    ) -> Result<()> {
        let owns = brought.user_handle() == Some(&super::keys::user_handle(account.id));
        if !owns || account.disabled {
            return Err(unknown_key());
        }
        let shown = self.use_key(connection, known, brought).await?;
        if !shown.user_verified {
            return Err(Error::Unprocessable(
                "This key did not ask who you are, so it is no more than a second factor. Log in with your password."
                    .into(),
            ));
        }
        Ok(())
    }

    /// Checks a signature over the question it carries, which was looked at before, and raises the key's counter.
    async fn use_key(&self, connection: &mut PgConnection, known: &KnownKey, brought: &Assertion) -> Result<Shown> {
        let known_count = u32::try_from(known.sign_count).map_err(Error::internal)?;
        let shown = self.party.check_assertion(brought, &brought.challenge()?, &known.public_key, known_count)?;
        store::keys::note_use(connection, known.id, shown.sign_count, self.clock.now()).await?;
        Ok(shown)
    }

    /// A question for one purpose: its end, sealed, with enough chance in it that no two are alike.
    pub(super) fn seal_question(&self, context: &str) -> Result<Vec<u8>> {
        let end = (self.clock.now() + PATIENCE).timestamp();
        self.vault.seal(context, &end.to_be_bytes())
    }

    /// Whether this was asked for that purpose, is not over, and was never answered before.
    pub(super) async fn take_question(&self, connection: &mut PgConnection, context: &str, asked: &[u8]) -> Result<()> {
        let now = self.clock.now();
        let end = self.end_of(context, asked).filter(|end| *end > now).ok_or_else(late)?;
        let first = store::keys::use_challenge(connection, &Sha256::digest(asked), end, now).await?;
        if first { Ok(()) } else { Err(late()) }
    }

    fn end_of(&self, context: &str, asked: &[u8]) -> Option<Time> {
        let end: [u8; 8] = self.vault.open(context, asked).ok()?.try_into().ok()?;
        DateTime::from_timestamp(i64::from_be_bytes(end), 0)
    }
}

fn unknown_key() -> Error {
    Error::Unprocessable("This passkey or security key is not registered here. Use another one, or a code.".into())
}

fn late() -> Error {
    Error::Unprocessable("The key answered too late, or twice. Use it once more.".into())
}
