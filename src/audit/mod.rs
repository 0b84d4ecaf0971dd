//! The audit log: who did what, when, from where, with which token, and what came of it.
//!
//! Rows are only ever added, in the transaction of the change they speak of (`security.md` 6.12). Never a secret. They are
//! read by the owners of an organization, and by who administers the instance.

mod export;
mod reading;

use std::net::IpAddr;

use serde_json::Value;
use sqlx::PgConnection;

use crate::clock::Time;
use crate::error::Result;
use crate::names::AccountId;
use crate::policy::{AccountPermit, Actor, Principal};

pub use export::Layout;
pub use reading::{Filter, Line, Reach, list};

/// One line of the log.
#[derive(Debug)]
pub struct Event<'a> {
    /// What was done, as `room.verb`: `package.publish`, `access.grant`, `user.login`.
    pub action: &'static str,
    /// What it was done to: a package, an account, a token's key.
    pub subject: &'a str,
    /// The scope whose owner may read this line.
    pub scope: Option<AccountId>,
    /// Whether it was done or refused.
    pub outcome: Outcome,
    /// What else is worth knowing.
    pub detail: Value,
}

/// What came of a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// Who did it.
#[derive(Debug, Clone, Default)]
pub struct By {
    /// The account, where it is known.
    pub account: Option<AccountId>,
    /// The account's name at the time, or `operator`, or `anonymous`.
    pub name: String,
    /// The public key of the token.
    pub token: Option<i64>,
    /// The address of the request.
    pub address: Option<IpAddr>,
}

impl From<&Principal> for By {
    fn from(principal: &Principal) -> Self {
        Self {
            account: Some(principal.account.id),
            name: principal.account.name.to_string(),
            token: Some(principal.token.0),
            address: Some(principal.address),
        }
    }
}

impl From<&AccountPermit> for By {
    fn from(permit: &AccountPermit) -> Self {
        Self::from(permit.principal())
    }
}

impl From<&Actor> for By {
    fn from(actor: &Actor) -> Self {
        match actor {
            Actor::User(principal) => Self::from(principal),
            Actor::Operator => Self { name: "operator".into(), ..Self::default() },
            Actor::Anonymous | Actor::Dead => Self { name: "anonymous".into(), ..Self::default() },
        }
    }
}

/// Adds a line. Give the connection of the transaction that makes the change.
///
/// # Errors
/// The database's.
pub async fn record(connection: &mut PgConnection, by: &By, event: &Event<'_>, now: Time) -> Result<()> {
    let outcome = match event.outcome {
        Outcome::Done => "done",
        Outcome::Refused => "refused",
    };
    sqlx::query!(
        "insert into audit_events (at, scope_id, actor_id, actor, token_key, address, action, subject, outcome, detail)
         values ($1, $2, $3, $4, (select key from tokens where id = $5), $6, $7, $8, $9, $10)",
        now,
        event.scope.map(|scope| scope.0),
        by.account.map(|account| account.0),
        by.name,
        by.token,
        by.address.map(|address| address.to_string()),
        event.action,
        event.subject,
        outcome,
        event.detail,
    )
    .execute(connection)
    .await?;
    Ok(())
}
