//! What an account says of itself (`npm profile`), its password, and switching it off.

use serde_json::json;
use sqlx::PgConnection;

use crate::audit::{self, By, Event, Outcome};
use crate::clock::Time;
use crate::db::{Change, Transaction};
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, Email};
use crate::policy::{AccountPermit, Actor};

use super::{Password, Users, store};

/// The longest of the free texts.
const MOST_CHARACTERS: usize = 256;

/// What `npm profile get` shows.
#[derive(Debug, Clone)]
pub struct Details {
    /// Where mail goes.
    pub email: String,
    /// Whether somebody showed that they read what is sent there.
    pub email_verified: bool,
    /// The person's name.
    pub fullname: Option<String>,
    /// Their page.
    pub homepage: Option<String>,
    /// Their name on GitHub.
    pub github: Option<String>,
    /// Their name on Twitter.
    pub twitter: Option<String>,
    /// Their name on an IRC network that npm still asks for.
    pub freenode: Option<String>,
    /// When the account was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// What shall become of one of the free texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Field {
    /// It stays as it is.
    #[default]
    Keep,
    /// There is none any more.
    Empty,
    /// It is this.
    Set(String),
}

impl Field {
    /// Whether it may change.
    pub(super) fn is_given(&self) -> bool {
        *self != Self::Keep
    }

    /// What it is set to.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Set(text) => Some(text),
            Self::Keep | Self::Empty => None,
        }
    }
}

/// What `npm profile set` sends.
#[derive(Debug, Default)]
pub struct DetailsChange {
    /// Where mail shall go.
    pub email: Option<Email>,
    /// See [`Details`].
    pub fullname: Field,
    /// See [`Details`]; http or https.
    pub homepage: Field,
    /// See [`Details`].
    pub github: Field,
    /// See [`Details`].
    pub twitter: Field,
    /// See [`Details`].
    pub freenode: Field,
}

impl DetailsChange {
    fn check(&self) -> Result<()> {
        let texts = [&self.fullname, &self.homepage, &self.github, &self.twitter, &self.freenode];
        for text in texts.into_iter().filter_map(Field::text) {
            if text.chars().count() > MOST_CHARACTERS || text.chars().any(char::is_control) {
                return Err(Error::Unprocessable(
                    "A profile's field holds one line of at most 256 characters. Shorten it.".into(),
                ));
            }
        }
        let homepage = self.homepage.text();
        if homepage.is_some_and(|url| !(url.starts_with("https://") || url.starts_with("http://"))) {
            return Err(Error::Unprocessable("A homepage begins with https:// or http://. Give the whole URL.".into()));
        }
        Ok(())
    }

    fn changes_something(&self) -> bool {
        let texts = [&self.fullname, &self.homepage, &self.github, &self.twitter, &self.freenode];
        self.email.is_some() || texts.into_iter().any(Field::is_given)
    }
}

impl Users {
    /// What an account says of itself.
    ///
    /// # Errors
    /// The database's.
    pub async fn details(&self, id: AccountId) -> Result<Details> {
        store::find_details(self.db.reads(), id).await
    }

    /// Changes what an account says of itself, as far as it differs, inside a caller's transaction.
    ///
    /// # Errors
    /// `Unprocessable` for what a field does not take.
    pub async fn change_details(
        &self,
        connection: &mut PgConnection,
        permit: &AccountPermit,
        change: &DetailsChange,
    ) -> Result<()> {
        change.check()?;
        let (account, now) = (permit.account(), self.clock.now());
        let changes = change.changes_something();
        if changes && store::change_details(connection, account.id, change, now).await? {
            let event = event("user.profile", &account.name, account.id, Outcome::Done);
            audit::record(connection, &By::from(permit), &event, now).await?;
        }
        Ok(())
    }

    /// Asks for the password again before something that matters (`security.md` 3.8).
    ///
    /// # Errors
    /// `WrongPassword`; `Unavailable` when too many passwords wait to be checked.
    pub async fn check_password(&self, permit: &AccountPermit, password: Password) -> Result<()> {
        let account = permit.account();
        let found = store::find_credentials(self.db.reads(), &account.name).await?;
        let verified = self.hasher.verify(password, found.and_then(|row| row.password_hash)).await?;
        if verified.matches {
            return Ok(());
        }
        let mut transaction = self.db.begin().await?;
        let event = event("user.password-check", &account.name, account.id, Outcome::Refused);
        audit::record(&mut transaction, &By::from(permit), &event, self.clock.now()).await?;
        transaction.commit().await?;
        Err(Error::WrongPassword)
    }

    /// Hashes a password that somebody chose, for [`replace_password`].
    ///
    /// # Errors
    /// `Unavailable` when too many passwords wait to be hashed.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        self.hasher.hash(password).await.map(PasswordHash)
    }

    /// Switches an account off, or on again: while it is off its tokens are dead and nobody logs in. The operator may do it
    /// to the last administrator, too: whoever has the command line makes another one.
    ///
    /// # Errors
    /// `NotFound` for an unknown user.
    pub async fn set_disabled(&self, name: &AccountName, disabled: bool) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        self.set_disabled_within(&mut transaction, name, disabled, &By::from(&Actor::Operator)).await?;
        transaction.commit().await
    }

    /// The same in a caller's transaction, by somebody who was found to be allowed to.
    pub(super) async fn set_disabled_within(
        &self,
        transaction: &mut Transaction,
        name: &AccountName,
        disabled: bool,
        by: &By,
    ) -> Result<()> {
        let now = self.clock.now();
        let changed = store::set_disabled(transaction, name, disabled.then_some(now)).await?;
        let id = changed.ok_or_else(|| super::no_user(name))?;
        let action = if disabled { "user.disable" } else { "user.enable" };
        let event = event(action, name, id, Outcome::Done);
        audit::record(transaction, by, &event, now).await?;
        transaction.announce(Change::Account(id));
        Ok(())
    }
}

/// A password as it is stored.
pub struct PasswordHash(String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(password hash)")
    }
}

/// Puts a new password in the place of the old one, inside the transaction that ends what was opened with the old one.
///
/// # Errors
/// The database's.
pub async fn replace_password(connection: &mut PgConnection, id: AccountId, hash: &PasswordHash) -> Result<()> {
    store::replace_password_hash(connection, id, &hash.0).await
}

fn event<'a>(action: &'static str, name: &'a AccountName, id: AccountId, outcome: Outcome) -> Event<'a> {
    Event { action, subject: name.as_str(), scope: Some(id), outcome, detail: json!({}) }
}
