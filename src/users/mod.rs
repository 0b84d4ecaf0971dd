//! Accounts: who they are, and whether a name and a password belong together.
//!
//! Users and organizations share one namespace. This room knows no tokens and no packages; what an account may do is
//! `policy`'s to say, from the [`AccountFacts`] loaded here.

mod administration;
mod checklist;
mod common_passwords;
mod password;
mod profile;
mod store;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgPool};

use crate::audit::{self, By, Outcome};
use crate::clock::{Clock, Time};
use crate::config;
use crate::db::{Change, ChangeAwareCache, Db, Transaction, Weigh};
use crate::error::{Error, OnConstraint, Result};
use crate::names::{AccountId, AccountName, Email};
use crate::policy::{AccountFacts, AccountKind, BillingFlag};

pub use administration::{ListedAccount, Wanted};
pub use password::Password;
pub use profile::{Details, DetailsChange, Field, PasswordHash, replace_password};

pub(crate) use store::FactsRow;

use password::PasswordHasher;

/// Handle to the accounts.
#[derive(Debug, Clone)]
pub struct Users {
    db: Db,
    clock: Clock,
    hasher: Arc<PasswordHasher>,
    facts: Arc<ChangeAwareCache<AccountId, Arc<AccountFacts>>>,
    first_flag: BillingFlag,
}

/// What a new user is made of.
#[derive(Debug)]
pub struct NewUser {
    /// The name, already held against the reserved ones.
    pub name: AccountName,
    /// Where mail goes.
    pub email: Email,
    /// What they will log in with.
    pub password: Password,
    /// Whether they administer the instance.
    pub administrator: bool,
}

/// A new user whose password is hashed.
pub struct PreparedUser {
    name: AccountName,
    email: Email,
    administrator: bool,
    hash: String,
}

impl std::fmt::Debug for PreparedUser {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PreparedUser").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What others may know of a user.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The account.
    pub id: AccountId,
    /// Its name.
    pub name: AccountName,
    /// Its mail address: shown to the user alone.
    pub email: String,
    /// When it was made.
    pub created_at: Time,
}

/// A user whose password was right a moment ago.
#[derive(Debug)]
pub struct Proven {
    /// Who it is.
    pub profile: Profile,
    hash: String,
}

impl Proven {
    /// What tells this password from every later one, for a proof that is held against the account again.
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(self.hash.as_bytes()).into()
    }
}

impl Weigh for Arc<AccountFacts> {
    fn weight(&self) -> u64 {
        256 + 16 * self.members.len() as u64
    }
}

impl Users {
    /// Sets the room up; `first_flag` is the billing flag of a new account.
    pub fn new(db: Db, clock: Clock, limits: &config::Auth, first_flag: BillingFlag) -> Self {
        let facts = Arc::new(ChangeAwareCache::new(10_000, 16 << 20, db.changes().clone()));
        let cache: Arc<ChangeAwareCache<AccountId, Arc<AccountFacts>>> = facts.clone();
        db.changes().subscribe(move |change| match change {
            Some(Change::Account(id)) => cache.forget(id),
            Some(Change::Package(_) | Change::Token(_) | Change::Advisories | Change::Instance) => {}
            None => cache.clear(),
        });
        let hasher = Arc::new(PasswordHasher::new(limits.password_hashes_at_once, limits.password_hashes_waiting));
        Self { db, clock, hasher, facts, first_flag }
    }

    /// Creates a user.
    ///
    /// # Errors
    /// `Conflict` when the name is taken; `Unavailable` when too many passwords wait to be hashed.
    pub async fn create(&self, user: NewUser, by: &By) -> Result<Profile> {
        let user = self.prepare(user).await?;
        let mut transaction = self.db.begin().await?;
        let profile = self.insert(&mut transaction, &user, by).await?;
        transaction.commit().await?;
        Ok(profile)
    }

    /// Hashes the password of a user who is about to be created, before the transaction that does it: hashing may wait.
    ///
    /// # Errors
    /// `Unavailable` when too many passwords wait to be hashed.
    pub async fn prepare(&self, user: NewUser) -> Result<PreparedUser> {
        let hash = self.hasher.hash(user.password).await?;
        Ok(PreparedUser { name: user.name, email: user.email, administrator: user.administrator, hash })
    }

    /// Creates a user in a caller's transaction.
    ///
    /// # Errors
    /// `Conflict` when the name is taken.
    pub async fn insert(&self, transaction: &mut Transaction, user: &PreparedUser, by: &By) -> Result<Profile> {
        let now = self.clock.now();
        let row = store::NewAccount {
            name: &user.name,
            email: &user.email,
            password_hash: &user.hash,
            administrator: user.administrator,
            flag: self.first_flag,
            now,
        };
        let id = store::insert_user(transaction, &row).await.on_constraint("accounts_name_key", || {
            Error::Conflict(format!("The name {} is taken. Choose another one.", user.name).into())
        })?;
        let event = audit::Event {
            action: "user.create",
            subject: user.name.as_str(),
            scope: Some(id),
            outcome: Outcome::Done,
            detail: json!({ "administrator": user.administrator }),
        };
        audit::record(transaction, by, &event, now).await?;
        transaction.announce(Change::Account(id));
        Ok(Profile { id, name: user.name.clone(), email: user.email.to_string(), created_at: now })
    }

    /// Adds the account of an organization, in a caller's transaction; it has the flag of a new account.
    ///
    /// # Errors
    /// `Conflict` when the name is taken.
    pub async fn insert_organization(&self, connection: &mut PgConnection, name: &AccountName) -> Result<AccountId> {
        let inserted = store::insert_organization(connection, name, self.first_flag, self.clock.now()).await;
        inserted.on_constraint("accounts_name_key", || {
            Error::Conflict(format!("The name {name} is taken. Choose another one.").into())
        })
    }

    /// Checks a name and a password. An unknown name takes as long as a wrong password, and gets the same answer.
    ///
    /// # Errors
    /// `WrongPassword`; `Unavailable` when too many passwords wait to be checked.
    pub async fn log_in(&self, name: &AccountName, password: Password, address: Option<IpAddr>) -> Result<Proven> {
        let found = store::find_credentials(self.db.reads(), name).await?;
        let known = found.as_ref().and_then(|row| row.password_hash.clone());
        let verified = self.hasher.verify(password, known).await?;
        let outcome = if verified.matches { Outcome::Done } else { Outcome::Refused };
        let by = By { account: found.as_ref().map(|row| row.id), name: name.to_string(), token: None, address };
        let mut transaction = self.db.begin().await?;
        self.record_login(&mut transaction, &by, outcome).await?;
        if let (Some(row), Some(hash)) = (&found, &verified.better_hash) {
            store::replace_password_hash(&mut transaction, row.id, hash).await?;
        }
        transaction.commit().await?;
        match found {
            Some(row) if verified.matches => Ok(Proven {
                profile: Profile { id: row.id, name: row.name, email: row.email, created_at: row.created_at },
                hash: verified.better_hash.or(row.password_hash).unwrap_or_default(),
            }),
            _ => Err(Error::WrongPassword),
        }
    }

    /// The same proof again, a moment later: for a login of more than one step.
    ///
    /// # Errors
    /// `WrongPassword` where the password is no longer the one that was right, or the account is off.
    pub async fn prove_again(&self, name: &AccountName, fingerprint: &[u8]) -> Result<Proven> {
        let row = store::find_credentials(self.db.reads(), name).await?.ok_or(Error::WrongPassword)?;
        let hash = row.password_hash.unwrap_or_default();
        let profile = Profile { id: row.id, name: row.name, email: row.email, created_at: row.created_at };
        let proven = Proven { profile, hash };
        if proven.fingerprint()[..] == *fingerprint { Ok(proven) } else { Err(Error::WrongPassword) }
    }

    async fn record_login(&self, connection: &mut PgConnection, by: &By, outcome: Outcome) -> Result<()> {
        let event =
            audit::Event { action: "user.login", subject: &by.name, scope: by.account, outcome, detail: json!({}) };
        audit::record(connection, by, &event, self.clock.now()).await
    }

    /// What decisions need to know of an account; from memory where possible.
    ///
    /// # Errors
    /// The database's.
    pub async fn facts(&self, id: AccountId) -> Result<Option<Arc<AccountFacts>>> {
        self.facts.get_or_load(&id, async || store::load_facts(self.db.reads(), id).await).await
    }

    /// Finds a user by name.
    ///
    /// # Errors
    /// The database's.
    pub async fn find(&self, name: &AccountName) -> Result<Option<Profile>> {
        Ok(store::find_credentials(self.db.reads(), name).await?.map(|row| Profile {
            id: row.id,
            name: row.name,
            email: row.email,
            created_at: row.created_at,
        }))
    }

    /// Finds an account by name, and whether it is a user or an organization.
    ///
    /// # Errors
    /// The database's.
    pub async fn find_account(&self, name: &AccountName) -> Result<Option<(AccountId, AccountKind)>> {
        store::find_account(self.db.reads(), name).await
    }

    /// Whether there is no account at all yet.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_empty(&self) -> Result<bool> {
        store::is_empty(self.db.reads()).await
    }
}

/// Whether the password that was right is still the one, inside the transaction that opens something with it: the account
/// is held, so that a change of the password comes before or after.
///
/// # Errors
/// `WrongPassword` where it was changed meanwhile.
pub async fn hold_password(connection: &mut PgConnection, proven: &Proven) -> Result<()> {
    let holds = store::hold_password(connection, proven.profile.id, &proven.hash).await?;
    if holds { Ok(()) } else { Err(Error::WrongPassword) }
}

/// Finds a user by name inside a caller's transaction; who is disabled is nobody.
///
/// # Errors
/// The database's.
pub async fn find_user(connection: &mut PgConnection, name: &AccountName) -> Result<Option<AccountId>> {
    store::find_user(connection, name).await
}

/// Finds a user by name inside a caller's transaction, whether they are disabled or not: for taking something from them.
///
/// # Errors
/// The database's.
pub async fn find_any_user(connection: &mut PgConnection, name: &AccountName) -> Result<Option<AccountId>> {
    store::find_any_user(connection, name).await
}

/// The users who have mail sent to this address, at most a few; who is disabled is nobody.
///
/// # Errors
/// The database's.
pub async fn list_by_email(connection: &mut PgConnection, email: &Email) -> Result<Vec<(AccountId, AccountName)>> {
    store::list_by_email(connection, email).await
}

/// Where an account has mail sent.
///
/// # Errors
/// The database's.
pub async fn find_email(connection: &mut PgConnection, id: AccountId) -> Result<Option<Email>> {
    store::find_email(connection, id).await
}

/// Where a link to a new password may go: an address that is proven, or the one that the account was made with. Of others
/// nobody knows who put them there.
///
/// # Errors
/// The database's.
pub async fn find_recovery_email(connection: &mut PgConnection, id: AccountId) -> Result<Option<Email>> {
    store::find_recovery_email(connection, id).await
}

/// Notes that somebody showed that they read what is sent to this address, if it is the account's still.
///
/// # Errors
/// The database's.
pub async fn note_email_proof(connection: &mut PgConnection, id: AccountId, email: &Email, now: Time) -> Result<bool> {
    store::note_email_proof(connection, id, email, now).await
}

/// Those of the names that are users', with their accounts; who is disabled is nobody.
///
/// # Errors
/// The database's.
pub async fn list_users(pool: &PgPool, names: &[AccountName]) -> Result<HashMap<AccountName, AccountId>> {
    store::list_users(pool, names).await
}

/// What is said of a name that no user has. Accounts are public knowledge.
pub fn no_user(name: &AccountName) -> Error {
    Error::NotFound(format!("There is no user {name}. Check the name.").into())
}

/// Loads what decisions need to know of an account as the database has it now, inside a caller's transaction.
///
/// # Errors
/// The database's.
pub async fn load_account_facts(connection: &mut PgConnection, id: AccountId) -> Result<Option<Arc<AccountFacts>>> {
    store::load_facts(connection, id).await
}
