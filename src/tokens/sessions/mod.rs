//! Sessions of the web: a session is a token that only a cookie shows (`security.md` 3.9).
//!
//! So a visitor who is logged in acts like anybody else who acts through a token: every decision, every line of the audit
//! log and everything that ends tokens holds for sessions too.

mod secret;
mod store;

use std::net::IpAddr;

use chrono::TimeDelta;
use serde_json::json;
use sqlx::PgConnection;

use crate::audit::{self, By, Outcome};
use crate::clock::Time;
use crate::db::{Change, Transaction};
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, TokenId};
use crate::policy::{AccountPermit, Actor, Principal};
use crate::users::{self, Proven};

use super::{TokenDigest, Tokens, secret as keys};

pub use secret::SessionSecret;

/// A session that is not used for this long ends.
const IDLE: TimeDelta = TimeDelta::days(7);

/// How long after its user showed who they are a session may do what asks for it again (`ux.md` 2, "sudo").
pub const CONFIRMED_FOR: TimeDelta = TimeDelta::minutes(15);

/// The end of a session is moved at most this often.
const MOVED_EVERY: TimeDelta = TimeDelta::days(1);

const MOST_CLIENT_CHARACTERS: usize = 200;

/// What a session is made of.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// Whose it shall be.
    pub account: AccountId,
    /// Their name.
    pub name: &'a AccountName,
    /// The password that was right, where it was one: a change of it in the same moment leaves no session.
    pub proven: Option<&'a Proven>,
    /// What the browser says it is.
    pub client: &'a str,
    /// Where it is.
    pub address: IpAddr,
    /// For how many days at most.
    pub days: u32,
}

/// A line of the list of sessions.
#[derive(Debug)]
pub struct ListedSession {
    /// The row.
    pub id: TokenId,
    /// Its public name, random.
    pub key: String,
    /// What the browser said it is.
    pub client: String,
    /// Where it was opened.
    pub address: Option<String>,
    /// When it was opened.
    pub created_at: Time,
    /// When it was last used, a minute ago or longer.
    pub last_used_at: Option<Time>,
    /// When it ends if it is not used.
    pub expires_at: Option<Time>,
}

impl Tokens {
    /// Opens a session for somebody who has just shown who they are.
    ///
    /// # Errors
    /// `WrongPassword` where the password was changed meanwhile.
    pub async fn open_session(&self, opening: Opening<'_>) -> Result<SessionSecret> {
        let mut transaction = self.db.begin().await?;
        let secret = self.open_session_within(&mut transaction, opening).await?;
        transaction.commit().await?;
        Ok(secret)
    }

    /// The same inside a caller's transaction.
    ///
    /// # Errors
    /// As [`Tokens::open_session`].
    pub async fn open_session_within(
        &self,
        transaction: &mut Transaction,
        opening: Opening<'_>,
    ) -> Result<SessionSecret> {
        if let Some(proven) = opening.proven {
            users::hold_password(transaction, proven).await?;
        }
        let (secret, key, now) = (SessionSecret::random()?, keys::random_key()?, self.clock.now());
        let ends_at = now + TimeDelta::days(opening.days.into());
        let row = store::NewSession {
            account: opening.account,
            key: &key,
            digest: &secret.digest(),
            client: &shortened(opening.client),
            address: opening.address,
            now,
            expires_at: ends_at.min(now + IDLE),
            ends_at,
        };
        store::insert(transaction, &row).await?;
        let event = audit::Event {
            action: "session.open",
            subject: &key,
            scope: Some(opening.account),
            outcome: Outcome::Done,
            detail: json!({ "client": row.client }),
        };
        let name = opening.name.to_string();
        let by = By { account: Some(opening.account), name, token: None, address: Some(opening.address) };
        audit::record(transaction, &by, &event, now).await?;
        Ok(secret)
    }

    /// Tells whose session this is; none where it has ended. Using it moves its end.
    ///
    /// # Errors
    /// `Unavailable` where it is not in memory and the database does not answer.
    pub async fn authenticate_session(&self, secret: &SessionSecret, address: IpAddr) -> Result<Option<Principal>> {
        let digest = secret.digest();
        let Some(facts) = self.find(&digest).await? else { return Ok(None) };
        let Actor::User(principal) = self.embody(&facts, address).await? else { return Ok(None) };
        let now = self.clock.now();
        if facts.expires_at.is_some_and(|end| end - now < IDLE - MOVED_EVERY) {
            self.move_end(&digest, facts.id, now).await?;
        }
        Ok(Some(principal))
    }

    async fn move_end(&self, digest: &TokenDigest, session: TokenId, now: Time) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        if store::move_end(&mut transaction, session, now + IDLE).await? {
            transaction.announce(Change::Token(digest.to_hex()));
        }
        transaction.commit().await
    }

    /// Until when the session may do what asks its user again who they are; none where they must be asked.
    ///
    /// # Errors
    /// The database's.
    pub async fn session_confirmed_until(&self, principal: &Principal) -> Result<Option<Time>> {
        let confirmed_at = store::find_confirmed_at(self.db.reads(), principal.token).await?;
        let until = confirmed_at.map(|at| at + CONFIRMED_FOR);
        Ok(until.filter(|until| *until > self.clock.now()))
    }

    /// Notes that the session's user has just shown again who they are: by their second factor, or else by a password,
    /// which is not enough for an account that has a second factor by now.
    ///
    /// # Errors
    /// The database's.
    pub async fn confirm_session(&self, principal: &Principal, by_second_factor: bool) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        store::confirm(&mut transaction, principal.token, by_second_factor, self.clock.now()).await?;
        transaction.commit().await
    }

    /// Ends the session behind a cookie; fine where it has ended already.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_session(&self, secret: &SessionSecret, address: IpAddr) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let digest = secret.digest();
        let found = super::store::revoke_by_digest(&mut transaction, &digest, self.clock.now()).await?;
        let Some(revoked) = found.filter(|revoked| revoked.was_alive) else { return Ok(()) };
        let name = "who held the session".into();
        let by = By { account: Some(revoked.account), name, token: None, address: Some(address) };
        self.record_end(&mut transaction, &by, revoked.account, &revoked.key).await?;
        transaction.announce(Change::Token(digest.to_hex()));
        transaction.commit().await
    }

    /// The living sessions of the account, the one used last first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_sessions(&self, permit: &AccountPermit) -> Result<Vec<ListedSession>> {
        store::list(self.db.reads(), permit.account().id, self.clock.now()).await
    }

    /// Ends one of the account's sessions, by its key.
    ///
    /// # Errors
    /// `NotFound` for what is none of its sessions.
    pub async fn end_session_named(&self, permit: &AccountPermit, key: &str) -> Result<()> {
        let account = permit.account().id;
        let mut transaction = self.db.begin().await?;
        let is_key = key.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let ended = if is_key { store::end(&mut transaction, account, key, self.clock.now()).await? } else { None };
        let digest = ended.ok_or_else(|| {
            Error::NotFound("There is no such session. It may have ended already; look at the list again.".into())
        })?;
        self.record_end(&mut transaction, &By::from(permit), account, key).await?;
        transaction.announce(Change::Token(digest.to_hex()));
        transaction.commit().await
    }

    /// Ends every session of the account but the one that asks. Returns how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_other_sessions(&self, permit: &AccountPermit) -> Result<usize> {
        let account = permit.account().id;
        let mut transaction = self.db.begin().await?;
        let keep = permit.principal().token;
        let ended = store::end_others(&mut transaction, account, keep, self.clock.now()).await?;
        for (key, digest) in &ended {
            self.record_end(&mut transaction, &By::from(permit), account, key).await?;
            transaction.announce(Change::Token(digest.to_hex()));
        }
        transaction.commit().await?;
        Ok(ended.len())
    }

    async fn record_end(&self, connection: &mut PgConnection, by: &By, account: AccountId, key: &str) -> Result<()> {
        let event = audit::Event {
            action: "session.end",
            subject: key,
            scope: Some(account),
            outcome: Outcome::Done,
            detail: json!({}),
        };
        audit::record(connection, by, &event, self.clock.now()).await
    }
}

fn shortened(client: &str) -> String {
    client.chars().filter(|one| !one.is_control()).take(MOST_CLIENT_CHARACTERS).collect()
}
