//! Logging terminals in through the browser (`protocol.md` 5.1): a terminal asks, somebody who is logged in on the page
//! says yes, and the terminal gets a token.
//!
//! Page and terminal know different secrets, so that who sees the address in the browser does not get the token. Page and
//! terminal also show the same short code, by which people notice that they are about to let in somebody else's terminal.

mod client;
mod compare;
mod store;

use std::net::IpAddr;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::clock::{Clock, Time};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::names::UrlSecret;
use crate::policy::{AccountPermit, Narrowing};
use crate::second_factor::Answered;
use crate::tokens::{self, NewToken, TokenKind, Tokens};

pub use client::describe_client;

use compare::PageSecret;
use store::{Collected, NewLogin, Row, State};

/// How long a terminal waits: pnpm for five minutes, npm for as long as it is let.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// How many may wait from one address.
const MOST_WAITING: i64 = 30;

/// For how long a terminal that lost the answer may ask for it again.
const REPEATABLE: TimeDelta = TimeDelta::seconds(60);

/// Handle to the terminals that wait.
#[derive(Debug, Clone)]
pub struct Logins {
    db: Db,
    clock: Clock,
    tokens: Tokens,
    public_url: Arc<str>,
}

/// A terminal that asks to be logged in.
#[derive(Debug)]
pub struct Asking<'a> {
    /// What it says it is: its `User-Agent`.
    pub user_agent: &'a str,
    /// Where it is.
    pub address: IpAddr,
    /// Whether it was asked to make an account: `npm adduser`.
    pub signs_up: bool,
}

/// What the terminal is told.
#[derive(Debug)]
pub struct Opened {
    /// The page to open.
    pub login_url: String,
    /// What to ask until the page was used.
    pub done_url: String,
    /// What page and terminal show for people to compare.
    pub code: String,
}

/// What the page shows.
#[derive(Debug)]
pub struct Waiting {
    /// What to compare with the terminal.
    pub code: String,
    /// Such as `npm 11 on linux`.
    pub client: String,
    /// Where the terminal is.
    pub address: Option<String>,
    /// When it asked.
    pub created_at: Time,
    /// Whether it asked for a new account.
    pub signs_up: bool,
    /// What somebody said to it.
    pub answered: Answered,
}

/// What the token of a terminal shall be.
#[derive(Debug)]
pub struct Approval {
    /// What its user calls it.
    pub token_name: String,
    /// When it ends.
    pub ends_at: Option<Time>,
    /// Whether it may only read.
    pub read_only: bool,
}

/// What a terminal that asks again is told.
#[derive(Debug)]
pub enum LoginPoll {
    /// Nothing yet.
    Pending,
    /// The token.
    Token(String),
    /// It was refused, has expired, or was collected.
    Over,
}

impl Logins {
    /// Sets the room up; pages are below `public_url`, which has no slash at its end.
    pub fn new(db: Db, clock: Clock, tokens: Tokens, public_url: Arc<str>) -> Self {
        Self { db, clock, tokens, public_url }
    }

    /// Notes that a terminal waits.
    ///
    /// # Errors
    /// `Unavailable` where too many wait from there: any 4xx would have npm ask for a password instead.
    pub async fn open(&self, asking: &Asking<'_>) -> Result<Opened> {
        let (page, done) = (PageSecret::random()?, UrlSecret::random()?);
        let (now, address) = (self.clock.now(), asking.address.to_string());
        let mut transaction = self.db.begin().await?;
        if store::count_waiting(&mut transaction, &address, now).await? >= MOST_WAITING {
            return Err(Error::Unavailable("too many terminals wait to be logged in from your address".into()));
        }
        let login = NewLogin {
            page_digest: &page.digest(),
            done_digest: &done.digest(),
            client: &describe_client(asking.user_agent),
            address: &address,
            signs_up: asking.signs_up,
            now,
            expires_at: now + PATIENCE,
        };
        store::insert(&mut transaction, &login).await?;
        transaction.commit().await?;
        Ok(Opened {
            login_url: format!("{}/login/cli/{}", self.public_url, page.expose()),
            done_url: format!("{}/-/v1/done/{}", self.public_url, done.expose()),
            code: page.code(),
        })
    }

    /// What the page behind a secret shows.
    ///
    /// # Errors
    /// `NotFound` where it is over, or never was.
    pub async fn find(&self, page: &str) -> Result<Waiting> {
        let page = PageSecret::parse(page).ok_or_else(over)?;
        let row = self.row(&page).await?;
        Ok(Waiting {
            code: page.code(),
            client: row.client,
            address: row.address,
            created_at: row.created_at,
            signs_up: row.signs_up,
            answered: row.state.answered(),
        })
    }

    /// Says yes: the terminal gets a token of the account that asks.
    ///
    /// # Errors
    /// `NotFound` where it is over, `Conflict` where it was decided, `Unprocessable` for what no token can be called.
    pub async fn approve(&self, permit: &AccountPermit, page: &str, approval: &Approval) -> Result<()> {
        let name = approval.token_name.trim();
        tokens::check_name(name)?;
        if approval.ends_at.is_some_and(|end| end <= self.clock.now()) {
            return Err(Error::Unprocessable("The token would have ended already. Choose a later end.".into()));
        }
        let page = PageSecret::parse(page).ok_or_else(over)?;
        let row = self.row(&page).await?;
        let mut transaction = self.db.begin().await?;
        let approval = Approval { token_name: name.to_owned(), ..*approval };
        if !store::approve(&mut transaction, row.id, permit.principal(), &approval).await? {
            return Err(decided());
        }
        self.record(&mut transaction, &By::from(permit), &row, Outcome::Done).await?;
        transaction.commit().await
    }

    /// Says no: the terminal gives up. Whoever has the page may say so.
    ///
    /// # Errors
    /// `NotFound` where it is over, `Conflict` where it was decided.
    pub async fn refuse(&self, page: &str, by: &By) -> Result<()> {
        let page = PageSecret::parse(page).ok_or_else(over)?;
        let row = self.row(&page).await?;
        let mut transaction = self.db.begin().await?;
        if !store::refuse(&mut transaction, row.id).await? {
            return Err(decided());
        }
        self.record(&mut transaction, by, &row, Outcome::Refused).await?;
        transaction.commit().await
    }

    /// What the terminal behind a secret is told; `None` where no login is meant.
    ///
    /// # Errors
    /// The database's.
    pub async fn poll(&self, done: &str) -> Result<Option<LoginPoll>> {
        let Some(done) = UrlSecret::parse(done) else { return Ok(None) };
        let digest = done.digest();
        let Some(state) = store::find_state(self.db.reads(), &digest).await? else { return Ok(None) };
        Ok(Some(match state {
            (_, expires_at) if expires_at <= self.clock.now() => LoginPoll::Over,
            (State::Pending, _) => LoginPoll::Pending,
            (State::Refused, _) => LoginPoll::Over,
            (State::Approved, _) => self.collect(&digest).await?.map_or(LoginPoll::Over, LoginPoll::Token),
        }))
    }

    /// Makes the token. A terminal that lost the answer gets another one in its place.
    async fn collect(&self, digest: &[u8]) -> Result<Option<String>> {
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let Some(login) = store::lock_approved(&mut transaction, digest).await? else { return Ok(None) };
        if login.collected_at.is_some_and(|at| at + REPEATABLE <= now) {
            return Ok(None);
        }
        // What approved it may have ended meanwhile: with a new password, or because somebody ended it.
        let Some(account) = self.tokens.living_account(&mut transaction, login.approver).await? else {
            return Ok(None);
        };
        let by = By {
            account: Some(account.id),
            name: account.name.to_string(),
            token: Some(login.approver.0),
            address: login.address.as_deref().and_then(|text| text.parse().ok()),
        };
        if let Some(key) = &login.token_key {
            self.tokens.replace(&mut transaction, key).await?;
        }
        let token = NewToken {
            account: account.id,
            name: login.token_name,
            description: None,
            kind: TokenKind::Login,
            narrowing: if login.read_only { Narrowing::read_only() } else { Narrowing::default() },
            expires_at: login.token_ends_at,
        };
        let issued = self.tokens.insert(&mut transaction, &token, &by).await?;
        let collected = Collected { at: login.collected_at.unwrap_or(now), token_key: &issued.key };
        store::note_collected(&mut transaction, login.id, &collected).await?;
        transaction.commit().await?;
        Ok(Some(issued.secret.expose().to_owned()))
    }

    async fn row(&self, page: &PageSecret) -> Result<Row> {
        store::find_by_page(self.db.reads(), &page.digest(), self.clock.now()).await?.ok_or_else(over)
    }

    async fn record(
        &self,
        transaction: &mut crate::db::Transaction,
        by: &By,
        row: &Row,
        outcome: Outcome,
    ) -> Result<()> {
        let event = audit::Event {
            action: "user.terminal-login",
            subject: &by.name,
            scope: by.account,
            outcome,
            detail: json!({ "client": row.client, "address": row.address }),
        };
        audit::record(transaction, by, &event, self.clock.now()).await
    }
}

fn over() -> Error {
    Error::NotFound("This page is over: no terminal waits for it any more. Run npm login again.".into())
}

fn decided() -> Error {
    Error::Conflict("This was decided before. Run npm login again if you must.".into())
}
