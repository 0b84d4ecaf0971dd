//! Tokens: issue, narrow, revoke, and turn a credential into an [`Actor`].
//!
//! Only hashes are stored; a check is one SHA-256 and a look into memory, and never touches a password hash
//! (`security.md` 3).

mod reach;
mod secret;
mod store;
mod trusted;

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::json;
use sqlx::PgConnection;

use crate::audit::{self, By, Outcome};
use crate::clock::{Clock, Time};
use crate::db::{Change, ChangeAwareCache, Db, Weigh};
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, TokenId};
use crate::policy::{Actor, Narrowing, Offer, Principal};
use crate::users::Users;

pub use secret::{TokenDigest, TokenSecret};
pub use trusted::TrustedPublisher;

/// Handle to the tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    db: Db,
    clock: Clock,
    users: Users,
    cache: Arc<ChangeAwareCache<TokenDigest, Arc<TokenFacts>>>,
}

/// What a request needs to know of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFacts {
    /// Row id.
    pub id: TokenId,
    /// Whose it is.
    pub account: AccountId,
    /// How it narrows its user.
    pub narrowing: Arc<Narrowing>,
    /// The first moment at which it no longer works.
    pub expires_at: Option<Time>,
}

impl Weigh for Arc<TokenFacts> {
    fn weight(&self) -> u64 {
        200 + 40 * (self.narrowing.packages.len() + self.narrowing.networks.len()) as u64
    }
}

/// How a token came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// By `npm login`.
    Login,
    /// On purpose, with a name and perhaps narrowed.
    Granular,
}

impl TokenKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Granular => "granular",
        }
    }
}

/// What a new token is made of.
#[derive(Debug)]
pub struct NewToken {
    /// Whose it shall be.
    pub account: AccountId,
    /// What its user calls it.
    pub name: String,
    /// How it came to be.
    pub kind: TokenKind,
    /// How it narrows its user.
    pub narrowing: Narrowing,
    /// When it ends.
    pub expires_at: Option<Time>,
}

/// A line of a token list. The secret is not in it, since nobody has it any more.
#[derive(Debug)]
pub struct ListedToken {
    /// Its public name, random.
    pub key: String,
    /// The first characters of the secret.
    pub prefix: String,
    /// What its user calls it.
    pub name: String,
    /// Whose it is.
    pub account: AccountName,
    /// How it narrows its user.
    pub narrowing: Narrowing,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Option<Time>,
}

impl Tokens {
    /// Sets the room up.
    pub fn new(db: Db, clock: Clock, users: Users) -> Self {
        let cache = Arc::new(ChangeAwareCache::new(10_000, 16 << 20, db.changes().clone()));
        let heard: Arc<ChangeAwareCache<TokenDigest, Arc<TokenFacts>>> = cache.clone();
        db.changes().subscribe(move |change| match change {
            Some(Change::Token(hex)) => match TokenDigest::from_hex(hex) {
                Some(digest) => heard.forget(&digest),
                None => heard.clear(),
            },
            Some(Change::Package(_) | Change::Account(_) | Change::Advisories) => {}
            None => heard.clear(),
        });
        Self { db, clock, users, cache }
    }

    /// Makes a token and returns its secret: the only time that anyone sees it.
    ///
    /// # Errors
    /// The database's.
    pub async fn issue(&self, token: NewToken, by: &By) -> Result<TokenSecret> {
        let secret = TokenSecret::random()?;
        let key = secret::random_key()?;
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        store::insert(&mut transaction, &token, &key, &secret, now).await?;
        let event = audit::Event {
            action: "token.create",
            subject: &key,
            scope: Some(token.account),
            outcome: Outcome::Done,
            detail: json!({ "name": token.name, "reach": token.narrowing.right.as_str() }),
        };
        audit::record(&mut transaction, by, &event, now).await?;
        transaction.commit().await?;
        Ok(secret)
    }

    /// Tells who shows this text as a token, from `address`. What is no living token makes a dead actor.
    ///
    /// # Errors
    /// `Unavailable` where it is not in memory and the database does not answer: an outage is never a 401.
    pub async fn authenticate(&self, text: &str, address: IpAddr) -> Result<Actor> {
        let Some(secret) = TokenSecret::parse(text) else { return Ok(Actor::Dead) };
        let digest = secret.digest();
        match self.cache.get_or_load(&digest, async || store::find(self.db.reads(), &digest).await).await? {
            Some(facts) => self.embody(&facts, address).await,
            None => Ok(Actor::Dead),
        }
    }

    async fn embody(&self, token: &TokenFacts, address: IpAddr) -> Result<Actor> {
        if token.expires_at.is_some_and(|end| end <= self.clock.now()) {
            return Ok(Actor::Dead);
        }
        let account = self.users.facts(token.account).await?.filter(|account| !account.disabled);
        Ok(account.map_or(Actor::Dead, |account| {
            let narrowing = token.narrowing.clone();
            let offer = Offer::default();
            Actor::User(Principal { account, token: token.id, narrowing, address, confirmed: false, offer })
        }))
    }

    /// The actor as the database has them now, inside a caller's transaction: what began a while ago, such as an
    /// upload, asks before it changes anything.
    ///
    /// # Errors
    /// The database's.
    pub async fn refresh(&self, connection: &mut PgConnection, actor: &Actor) -> Result<Actor> {
        let Actor::User(principal) = actor else { return Ok(actor.clone()) };
        let Some(token) = store::find_by_id(connection, principal.token).await? else { return Ok(Actor::Dead) };
        if token.expires_at.is_some_and(|end| end <= self.clock.now()) {
            return Ok(Actor::Dead);
        }
        let account = crate::users::load_account_facts(connection, token.account).await?;
        Ok(account.filter(|account| !account.disabled).map_or(Actor::Dead, |account| {
            Actor::User(Principal { account, token: token.id, narrowing: token.narrowing, ..principal.clone() })
        }))
    }

    /// Ends a token, named by its secret: who has it may end it. Also fine for one that has ended already.
    ///
    /// # Errors
    /// `NotFound` for text that never was a token.
    pub async fn revoke_secret(&self, text: &str, address: IpAddr) -> Result<()> {
        let secret = TokenSecret::parse(text).ok_or_else(unknown_token)?;
        let mut transaction = self.db.begin().await?;
        let found = store::revoke_by_digest(&mut transaction, &secret.digest(), self.clock.now()).await?;
        let by = By {
            account: found.as_ref().map(|revoked| revoked.account),
            name: "who held the token".into(),
            token: None,
            address: Some(address),
        };
        self.finish_revocation(transaction, found, &by).await
    }

    /// Ends a token, named by its key or the start of it, whoever owns it: the operator's door.
    ///
    /// # Errors
    /// `NotFound` for an unknown key.
    pub async fn revoke_key(&self, key: &str, by: &By) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let found = store::revoke_by_key(&mut transaction, key, self.clock.now()).await?;
        self.finish_revocation(transaction, found, by).await
    }

    async fn finish_revocation(
        &self,
        mut transaction: crate::db::Transaction,
        found: Option<store::Revoked>,
        by: &By,
    ) -> Result<()> {
        let revoked = found.ok_or_else(unknown_token)?;
        if !revoked.was_alive {
            return Ok(());
        }
        let event = audit::Event {
            action: "token.revoke",
            subject: &revoked.key,
            scope: Some(revoked.account),
            outcome: Outcome::Done,
            detail: json!({}),
        };
        audit::record(&mut transaction, by, &event, self.clock.now()).await?;
        transaction.announce(Change::Token(revoked.digest.to_hex()));
        transaction.commit().await
    }

    /// The living tokens of one account, or of all, newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, account: Option<AccountId>) -> Result<Vec<ListedToken>> {
        store::list(self.db.reads(), account, self.clock.now()).await
    }
}

fn unknown_token() -> Error {
    Error::NotFound("There is no such token. It may have been revoked already.".into())
}
