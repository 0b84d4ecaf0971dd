//! Getting back in, and showing that a mail address is one's own: one-time links.
//!
//! Whoever forgot a password types a name or an address, and is told the same whatever there is: the request only notes
//! what was typed, and a chore finds out whose it is. A link is good for half an hour and once; it ends every session and
//! login of the account, and does not stand in for its second factor.

mod letters;
mod store;

use std::net::IpAddr;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::clock::{Clock, Time};
use crate::db::{Db, Transaction};
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::mail::{Mail, Way};
use crate::names::{AccountId, AccountName, Email, UrlSecret};
use crate::policy::{AccountPermit, Actor, Offer};
use crate::second_factor::SecondFactor;
use crate::tokens::Tokens;
use crate::users::{self, Details, DetailsChange, Password, Users};

use store::{LinkRow, NewLink, Purpose};

/// How long a link is good that was sent because of a forgotten password, or handed out by the operator.
const RESET_LIFE: TimeDelta = TimeDelta::minutes(30);
const RECOVER_LIFE: TimeDelta = TimeDelta::hours(24);

/// How long a link is good that shows who reads an address.
const VERIFY_LIFE: TimeDelta = TimeDelta::days(2);

/// Links that are sent to one account in an hour: strangers can ask, too.
const MOST_LINKS: i64 = 5;

/// What is typed is a name or an address, and neither is longer.
const MOST_TYPED: usize = 254;

/// Handle to forgotten passwords and unproven addresses.
#[derive(Debug, Clone)]
pub struct Recovery {
    db: Db,
    clock: Clock,
    users: Users,
    instance: Instance,
    second_factor: SecondFactor,
    tokens: Tokens,
    mail: Mail,
    public_url: Arc<str>,
}

/// What the room is made of.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Accounts.
    pub users: Users,
    /// What letters call the registry.
    pub instance: Instance,
    /// What is still asked for.
    pub second_factor: SecondFactor,
    /// What ends with a password.
    pub tokens: Tokens,
    /// How links travel.
    pub mail: Mail,
    /// What links begin with.
    pub public_url: Arc<str>,
}

/// What the page of a link shows.
#[derive(Debug)]
pub struct ResetLink {
    /// Whose password it is.
    pub account: AccountName,
    /// Whether the account has a second factor, which is asked for beside the link.
    pub asks_second_factor: bool,
    /// When the link ends.
    pub expires_at: Time,
}

/// A new password, through a link.
#[derive(Debug)]
pub struct Reset {
    /// What was chosen.
    pub password: Password,
    /// A one-time code or recovery code.
    pub code: Option<String>,
    /// Whether granular tokens end too.
    pub ends_all_tokens: bool,
    /// Where the request comes from.
    pub address: IpAddr,
}

impl Recovery {
    /// Sets the room up.
    pub fn new(parts: Parts) -> Self {
        let Parts { db, clock, users, instance, second_factor, tokens, mail, public_url } = parts;
        Self { db, clock, users, instance, second_factor, tokens, mail, public_url }
    }

    /// Notes that somebody forgot the password of what they typed. The same work, whatever it is.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_forgotten(&self, typed: &str, address: IpAddr) -> Result<()> {
        let typed: String = typed.trim().chars().filter(|one| !one.is_control()).take(MOST_TYPED).collect();
        let mut transaction = self.db.begin().await?;
        store::insert_forgotten(&mut transaction, &typed, &address.to_string(), self.clock.now()).await?;
        transaction.commit().await
    }

    /// Sends links to those whose passwords were forgotten, until there are none left.
    ///
    /// # Errors
    /// The database's.
    pub async fn answer_forgotten(&self) -> Result<()> {
        loop {
            let mut transaction = self.db.begin().await?;
            let forgotten = store::take_forgotten(&mut transaction).await?;
            if forgotten.is_empty() {
                return Ok(());
            }
            for one in forgotten {
                for (account, name) in find_meant(&mut transaction, &one.typed).await? {
                    self.send_link(&mut transaction, account, &name, one.address.as_deref()).await?;
                }
            }
            transaction.commit().await?;
        }
    }

    async fn send_link(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        name: &AccountName,
        address: Option<&str>,
    ) -> Result<()> {
        let now = self.clock.now();
        let sent = store::count_since(transaction, account, Purpose::Reset, now - TimeDelta::hours(1)).await?;
        let Some(email) = users::find_recovery_email(transaction, account).await? else { return Ok(()) };
        if sent >= MOST_LINKS {
            return Ok(());
        }
        let expires_at = now + RESET_LIFE;
        let link = NewLink { account, purpose: Purpose::Reset, email: Some(&email), now, expires_at };
        let url = format!("{}/forgot/{}", self.public_url, insert_link(transaction, link).await?.expose());
        let registry = self.instance.settings().await?.name;
        let letter = letters::reset(email.clone(), name, &registry, address, &url).worthless_at(expires_at);
        self.mail.enqueue(transaction, &letter).await
    }

    /// Makes a link for an account, for the operator to hand out.
    ///
    /// # Errors
    /// `NotFound` for an unknown user.
    pub async fn hand_out(&self, name: &AccountName) -> Result<String> {
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let account = users::find_user(&mut transaction, name).await?.ok_or_else(|| users::no_user(name))?;
        let expires_at = now + RECOVER_LIFE;
        let link = NewLink { account, purpose: Purpose::Recover, email: None, now, expires_at };
        let secret = insert_link(&mut transaction, link).await?;
        let event = audit::Event {
            action: "user.recover",
            subject: name.as_str(),
            scope: Some(account),
            outcome: Outcome::Done,
            detail: json!({ "expires_at": expires_at }),
        };
        audit::record(&mut transaction, &By::from(&Actor::Operator), &event, now).await?;
        transaction.commit().await?;
        Ok(format!("{}/forgot/{}", self.public_url, secret.expose()))
    }

    /// What the page behind a link shows.
    ///
    /// # Errors
    /// `NotFound` where the link is over, or never was.
    pub async fn reset_link(&self, code: &str) -> Result<ResetLink> {
        let row = self.find_reset(code).await?;
        let facts = self.users.facts(row.account).await?.ok_or_else(over)?;
        let asks_second_factor = facts.second_factor.is_some();
        Ok(ResetLink { account: row.name, asks_second_factor, expires_at: row.expires_at })
    }

    /// Chooses a new password through a link. What was opened with the old one ends, on every node.
    ///
    /// # Errors
    /// `NotFound` where the link is over; `SecondFactorRequired`, `WrongSecondFactor`, `TooManyRequests`.
    pub async fn reset(&self, code: &str, reset: Reset) -> Result<AccountName> {
        let row = self.find_reset(code).await?;
        let facts = self.users.facts(row.account).await?.filter(|facts| !facts.disabled).ok_or_else(over)?;
        let offer = Offer { code: reset.code.map(Into::into), web: false };
        self.second_factor.confirm_login(&facts, &offer, reset.address).await?;
        let hash = self.users.hash(reset.password).await?;
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        if !store::use_link(&mut transaction, row.id, now).await? {
            return Err(over());
        }
        let by =
            By { account: Some(row.account), name: row.name.to_string(), token: None, address: Some(reset.address) };
        self.tokens.reset_password(&mut transaction, &facts, &hash, reset.ends_all_tokens, &by).await?;
        store::end_links(&mut transaction, row.account, now).await?;
        // Who has the link reads what is sent there; one that the operator handed out says nothing of that.
        if let (Purpose::Reset, Some(email)) = (row.purpose, &row.email) {
            users::note_email_proof(&mut transaction, row.account, email, now).await?;
        }
        transaction.commit().await?;
        Ok(row.name)
    }

    /// Changes what an account says of itself. Where that is another mail address, it is asked for a proof. Whoever
    /// reads the old one is told by `notices`.
    ///
    /// # Errors
    /// `Unprocessable` for what a field does not take; `TooManyRequests` where the address changes all the time.
    pub async fn change_details(&self, permit: &AccountPermit, change: &DetailsChange) -> Result<Details> {
        let account = permit.account();
        let mut transaction = self.db.begin().await?;
        let actor = Actor::User(permit.principal().clone());
        self.tokens.refresh_living(&mut transaction, &actor).await?;
        let before = users::find_email(&mut transaction, account.id).await?;
        self.users.change_details(&mut transaction, permit, change).await?;
        let moved = change.email.as_ref().filter(|email| before.as_ref() != Some(email));
        if let Some(email) = moved.filter(|_| self.mail.way() != Way::Nowhere) {
            self.send_proof(&mut transaction, account.id, &account.name, email).await?;
        }
        transaction.commit().await?;
        self.users.details(account.id).await
    }

    /// Sends a link by which an account shows that it reads what is sent to its address; nothing where that is known.
    ///
    /// # Errors
    /// `TooManyRequests` where it was just done.
    pub async fn ask_for_proof(&self, account: AccountId) -> Result<()> {
        let details = self.users.details(account).await?;
        let facts = self.users.facts(account).await?;
        let (Ok(email), Some(facts), false) = (details.email.parse::<Email>(), facts, details.email_verified) else {
            return Ok(());
        };
        let mut transaction = self.db.begin().await?;
        self.send_proof(&mut transaction, account, &facts.name, &email).await?;
        transaction.commit().await
    }

    async fn send_proof(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        name: &AccountName,
        email: &Email,
    ) -> Result<()> {
        let now = self.clock.now();
        let sent = store::count_since(transaction, account, Purpose::Verify, now - TimeDelta::hours(1)).await?;
        if sent >= MOST_LINKS {
            let sentence = "Several links were sent to this address already. Look for them, or wait an hour.";
            return Err(Error::TooManyRequests { sentence: sentence.into(), retry_after_secs: 3600 });
        }
        let expires_at = now + VERIFY_LIFE;
        let link = NewLink { account, purpose: Purpose::Verify, email: Some(email), now, expires_at };
        let url = format!("{}/verify/{}", self.public_url, insert_link(transaction, link).await?.expose());
        let registry = self.instance.settings().await?.name;
        let letter = letters::verify(email.clone(), name, &registry, &url).worthless_at(expires_at);
        self.mail.enqueue(transaction, &letter).await
    }

    /// Whose address a link would prove, and which.
    ///
    /// # Errors
    /// `NotFound` where the link is over.
    pub async fn proof_link(&self, code: &str) -> Result<(AccountName, Email)> {
        let row = self.find(code).await?.filter(|row| row.purpose == Purpose::Verify).ok_or_else(over)?;
        Ok((row.name, row.email.ok_or_else(over)?))
    }

    /// Notes that who has the link reads what is sent to the address, if it is the account's still. Only who is logged in
    /// with that account can say so: else a click in a letter that nobody asked for would show that the address is some
    /// stranger's, and with it what is sent there.
    ///
    /// # Errors
    /// `NotFound` where the link is over, or the account has another address now; `Forbidden` to everybody else.
    pub async fn prove(&self, permit: &AccountPermit, code: &str) -> Result<AccountName> {
        let row = self.find(code).await?.filter(|row| row.purpose == Purpose::Verify).ok_or_else(over)?;
        if row.account != permit.account().id {
            return Err(Error::Forbidden(
                format!("This link is for account {}. Log in with that one, or leave the link alone.", row.name).into(),
            ));
        }
        let email = row.email.as_ref().ok_or_else(over)?;
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        let used = store::use_link(&mut transaction, row.id, now).await?;
        if !used || !users::note_email_proof(&mut transaction, row.account, email, now).await? {
            return Err(over());
        }
        let event = audit::Event {
            action: "user.email-proof",
            subject: row.name.as_str(),
            scope: Some(row.account),
            outcome: Outcome::Done,
            detail: json!({}),
        };
        audit::record(&mut transaction, &By::from(permit), &event, now).await?;
        transaction.commit().await?;
        Ok(row.name)
    }

    async fn find_reset(&self, code: &str) -> Result<LinkRow> {
        let row = self.find(code).await?;
        row.filter(|row| matches!(row.purpose, Purpose::Reset | Purpose::Recover)).ok_or_else(over)
    }

    async fn find(&self, code: &str) -> Result<Option<LinkRow>> {
        let Some(code) = UrlSecret::parse(code) else { return Ok(None) };
        store::find_link(self.db.reads(), &code.digest(), self.clock.now()).await
    }
}

/// The accounts that somebody means who types a name or a mail address.
async fn find_meant(transaction: &mut Transaction, typed: &str) -> Result<Vec<(AccountId, AccountName)>> {
    if let Ok(email) = typed.parse::<Email>() {
        return users::list_by_email(transaction, &email).await;
    }
    let Ok(name) = typed.to_ascii_lowercase().parse::<AccountName>() else { return Ok(Vec::new()) };
    let found = users::find_user(transaction, &name).await?;
    Ok(found.map(|account| (account, name)).into_iter().collect())
}

async fn insert_link(transaction: &mut Transaction, link: NewLink<'_>) -> Result<UrlSecret> {
    let secret = UrlSecret::random()?;
    store::insert_link(transaction, &link, &secret.digest()).await?;
    Ok(secret)
}

fn over() -> Error {
    Error::NotFound("This link is over: it was used, or is too old. Ask for a new one.".into())
}
