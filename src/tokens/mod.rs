//! Tokens: issue, narrow, revoke, and turn a credential into an [`Actor`].
//!
//! Only hashes are stored; a check is one SHA-256 and a look into memory, and never touches a password hash
//! (`security.md` 3).

mod issue;
mod last_use;
mod memory;
mod password;
mod reach;
mod revoke;
mod secret;
mod sessions;
mod store;
mod trusted;

use std::net::IpAddr;
use std::sync::Arc;

use sqlx::PgConnection;

use crate::clock::{Clock, Time};
use crate::db::{Change, ChangeAwareCache, Db, Weigh};
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, TokenId};
use crate::policy::{AccountFacts, AccountPermit, Actor, Narrowing, Offer, Principal};
use crate::users::Users;

pub use issue::{Issued, check_name, days_allowed};
pub use secret::{TokenDigest, TokenSecret};
pub use sessions::{CONFIRMED_FOR, ListedSession, Opening, SessionSecret};
pub use trusted::TrustedPublisher;

use last_use::{LastUse, Uses};
use memory::PasswordMemory;

/// Handle to the tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    db: Db,
    clock: Clock,
    users: Users,
    cache: Arc<ChangeAwareCache<TokenDigest, Arc<TokenFacts>>>,
    uses: Arc<Uses>,
    passwords: Arc<PasswordMemory>,
}

/// What a request needs to know of a token.
#[derive(Debug)]
pub struct TokenFacts {
    /// Row id.
    pub id: TokenId,
    /// Whose it is.
    pub account: AccountId,
    /// How it narrows its user.
    pub narrowing: Arc<Narrowing>,
    /// The first moment at which it no longer works.
    pub expires_at: Option<Time>,
    last_use: LastUse,
}

impl TokenFacts {
    fn new(id: TokenId, account: AccountId, narrowing: Arc<Narrowing>, expires_at: Option<Time>) -> Self {
        Self { id, account, narrowing, expires_at, last_use: LastUse::default() }
    }

    fn is_over(&self, now: Time) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
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
    /// By a password that comes with every request; it has no text that anyone could show.
    Password,
    /// In exchange for what a trusted publisher showed.
    Trusted,
}

impl TokenKind {
    /// Reads [`TokenKind::as_str`]; the kinds that a list shows.
    fn read(word: &str) -> Self {
        match word {
            "login" => Self::Login,
            "trusted" => Self::Trusted,
            "password" => Self::Password,
            _ => Self::Granular,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Granular => "granular",
            Self::Password => "password",
            Self::Trusted => "trusted",
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
    /// What it is for.
    pub description: Option<String>,
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
    /// What it is for.
    pub description: Option<String>,
    /// How it came to be.
    pub kind: TokenKind,
    /// Whose it is.
    pub account: AccountName,
    /// How it narrows its user.
    pub narrowing: Narrowing,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Option<Time>,
    /// When it was last used, a minute ago or longer.
    pub last_used_at: Option<Time>,
    /// An address that it was used from in the last minute of its use.
    pub last_used_address: Option<String>,
}

/// A piece of a list.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// At most so many.
    pub limit: i64,
    /// After so many.
    pub offset: i64,
}

impl Page {
    /// All there is.
    pub const WHOLE: Self = Self { limit: i64::MAX, offset: 0 };
}

impl Tokens {
    /// Sets the room up.
    ///
    /// # Errors
    /// `Internal` where the system has no randomness.
    pub fn new(db: Db, clock: Clock, users: Users) -> Result<Self> {
        let cache = Arc::new(ChangeAwareCache::new(10_000, 16 << 20, db.changes().clone()));
        let heard: Arc<ChangeAwareCache<TokenDigest, Arc<TokenFacts>>> = cache.clone();
        let passwords = Arc::new(PasswordMemory::new()?);
        let remembered = passwords.clone();
        db.changes().subscribe(move |change| match change {
            Some(Change::Token(hex)) => match TokenDigest::from_hex(hex) {
                Some(digest) => heard.forget(&digest),
                None => heard.clear(),
            },
            Some(Change::Account(_)) => remembered.clear(),
            Some(Change::Package(_) | Change::Advisories | Change::Instance) => {}
            None => {
                heard.clear();
                remembered.clear();
            }
        });
        Ok(Self { db, clock, users, cache, uses: Arc::default(), passwords })
    }

    /// Tells who shows this text as a token, from `address`. What is no living token makes a dead actor.
    ///
    /// # Errors
    /// `Unavailable` where it is not in memory and the database does not answer: an outage is never a 401.
    pub async fn authenticate(&self, text: &str, address: IpAddr) -> Result<Actor> {
        let Some(secret) = TokenSecret::parse(text) else { return Ok(Actor::Dead) };
        match self.find(&secret.digest()).await? {
            Some(facts) => self.embody(&facts, address).await,
            None => Ok(Actor::Dead),
        }
    }

    async fn find(&self, digest: &TokenDigest) -> Result<Option<Arc<TokenFacts>>> {
        self.cache.get_or_load(digest, async || store::find(self.db.reads(), digest).await).await
    }

    async fn embody(&self, token: &Arc<TokenFacts>, address: IpAddr) -> Result<Actor> {
        let now = self.clock.now();
        if token.is_over(now) {
            return Ok(Actor::Dead);
        }
        let account = self.users.facts(token.account).await?.filter(|account| !account.disabled);
        Ok(account.map_or(Actor::Dead, |account| {
            self.uses.note(token, address, now);
            let narrowing = token.narrowing.clone();
            let offer = Offer::default();
            Actor::User(Principal { account, token: token.id, narrowing, address, confirmed: false, offer })
        }))
    }

    /// Writes when tokens were last used, as far as this node saw it.
    ///
    /// # Errors
    /// The database's.
    pub async fn write_last_uses(&self) -> Result<()> {
        let uses = self.uses.take();
        if uses.is_empty() {
            return Ok(());
        }
        let mut transaction = self.db.begin().await?;
        store::note_uses(&mut transaction, &uses).await?;
        transaction.commit().await
    }

    /// The actor as the database has them now, inside a caller's transaction: what began a while ago, such as an
    /// upload, asks before it changes anything.
    ///
    /// # Errors
    /// The database's.
    pub async fn refresh(&self, connection: &mut PgConnection, actor: &Actor) -> Result<Actor> {
        let Actor::User(principal) = actor else { return Ok(actor.clone()) };
        if principal.token == TokenId::NONE {
            return self.refresh_stand_in(connection, principal).await;
        }
        let Some(token) = store::find_by_id(connection, principal.token).await? else { return Ok(Actor::Dead) };
        if token.is_over(self.clock.now()) {
            return Ok(Actor::Dead);
        }
        let account = crate::users::load_account_facts(connection, token.account).await?;
        Ok(account.filter(|account| !account.disabled).map_or(Actor::Dead, |account| {
            Actor::User(Principal { account, token: token.id, narrowing: token.narrowing.clone(), ..principal.clone() })
        }))
    }

    /// Who acts without a token is who they are now, or nobody.
    async fn refresh_stand_in(&self, connection: &mut PgConnection, principal: &Principal) -> Result<Actor> {
        let account = crate::users::load_account_facts(connection, principal.account.id).await?;
        let living = account.filter(|account| !account.disabled);
        Ok(living.map_or(Actor::Dead, |account| Actor::User(Principal { account, ..principal.clone() })))
    }

    /// The same for a change that begins behind a slow body: a token that was revoked meanwhile does nothing more.
    ///
    /// # Errors
    /// `DeadCredential`; the database's.
    pub async fn refresh_living(&self, connection: &mut PgConnection, actor: &Actor) -> Result<Actor> {
        match self.refresh(connection, actor).await? {
            Actor::Dead => Err(Error::DeadCredential),
            actor => Ok(actor),
        }
    }

    /// The account behind a token, where both are alive, inside a caller's transaction: for what was said yes to through
    /// it a moment ago.
    ///
    /// # Errors
    /// The database's.
    pub async fn living_account(
        &self,
        connection: &mut PgConnection,
        token: TokenId,
    ) -> Result<Option<Arc<AccountFacts>>> {
        let Some(token) = store::find_by_id(connection, token).await? else { return Ok(None) };
        if token.is_over(self.clock.now()) {
            return Ok(None);
        }
        Ok(crate::users::load_account_facts(connection, token.account).await?.filter(|account| !account.disabled))
    }

    /// The living tokens of one account, or of all, newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, account: Option<AccountId>) -> Result<Vec<ListedToken>> {
        Ok(store::list(self.db.reads(), account, None, self.clock.now(), Page::WHOLE).await?.0)
    }

    /// A page of the account's own tokens, and how many there are.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_own(&self, permit: &AccountPermit, page: Page) -> Result<(Vec<ListedToken>, i64)> {
        store::list(self.db.reads(), Some(permit.account().id), None, self.clock.now(), page).await
    }

    /// One of the account's own tokens, by its key.
    ///
    /// # Errors
    /// `NotFound` for what is none of its living tokens.
    pub async fn find_own(&self, permit: &AccountPermit, key: &str) -> Result<ListedToken> {
        let (account, now) = (permit.account().id, self.clock.now());
        let wanted = Some(key).filter(|key| revoke::is_key(key)).ok_or_else(revoke::unknown_token)?;
        let (found, _) = store::list(self.db.reads(), Some(account), Some(wanted), now, Page::WHOLE).await?;
        found.into_iter().next().ok_or_else(revoke::unknown_token)
    }

    /// What a text is as a token, for whoever holds it: alive, with what it may do.
    ///
    /// # Errors
    /// The database's.
    pub async fn inspect(&self, text: &str) -> Result<Option<ListedToken>> {
        let Some(secret) = TokenSecret::parse(text) else { return Ok(None) };
        let Some(key) = store::find_key(self.db.reads(), &secret.digest()).await? else { return Ok(None) };
        let (found, _) = store::list(self.db.reads(), None, Some(&key), self.clock.now(), Page::WHOLE).await?;
        Ok(found.into_iter().next())
    }
}
