//! Reading the log: by who may, a page at a time.

use serde_json::Value;
use sqlx::PgPool;

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName};
use crate::policy::{InstancePermit, OrganizationAction, OrganizationPermit};

/// A line as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its number: lines that were added later have greater ones.
    pub id: i64,
    /// When.
    pub at: Time,
    /// Who, by the name they had.
    pub actor: String,
    /// The public key of the token, where one was shown.
    pub token_key: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// What, as `room.verb`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// What else is worth knowing.
    pub detail: Value,
    /// The scope it concerns, where it concerns one.
    pub scope: Option<AccountName>,
}

/// Which lines are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A text that stands in who, what, to what, from where, or is a token's key; empty means all.
    pub text: String,
    /// Not before this moment.
    pub since: Option<Time>,
    /// Before this moment.
    pub until: Option<Time>,
    /// Only lines before this one: where a part of an export ended. Never shown: it counts what happens elsewhere, too.
    pub before: Option<i64>,
    /// How many lines to leave out, for pages.
    pub skip: u32,
}

/// What of the log somebody may read: made from their permit alone.
#[derive(Debug, Clone, Copy)]
pub struct Reach(Option<AccountId>);

impl Reach {
    /// What concerns one organization.
    ///
    /// # Errors
    /// `Internal` for a permit that was given for something else.
    pub fn of_organization(permit: &OrganizationPermit) -> Result<Self> {
        match permit.action() {
            OrganizationAction::SeeLog => Ok(Self(Some(permit.organization().id))),
            _ => Err(Error::internal("the log is read by a permit for something else")),
        }
    }

    /// All of it.
    pub fn whole(_permit: &InstancePermit) -> Self {
        Self(None)
    }
}

/// The lines that fit, the latest first.
///
/// # Errors
/// The database's.
pub async fn list(pool: &PgPool, reach: Reach, filter: &Filter, most: i64) -> Result<Vec<Line>> {
    let pattern = format!("%{}%", escaped(&filter.text));
    match reach.0 {
        Some(scope) => list_of_scope(pool, scope, filter, &pattern, most).await,
        None => list_all(pool, filter, &pattern, most).await,
    }
}

/// In the order of the index on scope and time.
async fn list_of_scope(
    pool: &PgPool,
    scope: AccountId,
    filter: &Filter,
    pattern: &str,
    most: i64,
) -> Result<Vec<Line>> {
    let lines = sqlx::query_as!(
        Line,
        r#"select
               events.id,
               events.at,
               events.actor,
               events.token_key,
               events.address,
               events.action,
               events.subject,
               events.outcome,
               events.detail,
               scopes.name as "scope?: AccountName"
           from audit_events as events
           left join accounts as scopes on scopes.id = events.scope_id
           where events.scope_id = $1
             and ($2::bigint is null or (events.at, events.id) < (select at, id from audit_events where id = $2))
             and ($3::timestamptz is null or events.at >= $3)
             and ($4::timestamptz is null or events.at < $4)
             and concat_ws(' ', events.actor, events.action, events.subject, events.address, events.token_key) ilike $5
           order by events.at desc, events.id desc
           limit $6
           offset $7"#,
        scope.0,
        filter.before,
        filter.since,
        filter.until,
        pattern,
        most,
        i64::from(filter.skip),
    )
    .fetch_all(pool)
    .await?;
    Ok(lines)
}

/// In the order of the lines themselves.
async fn list_all(pool: &PgPool, filter: &Filter, pattern: &str, most: i64) -> Result<Vec<Line>> {
    let lines = sqlx::query_as!(
        Line,
        r#"select
               events.id,
               events.at,
               events.actor,
               events.token_key,
               events.address,
               events.action,
               events.subject,
               events.outcome,
               events.detail,
               scopes.name as "scope?: AccountName"
           from audit_events as events
           left join accounts as scopes on scopes.id = events.scope_id
           where ($1::bigint is null or events.id < $1)
             and ($2::timestamptz is null or events.at >= $2)
             and ($3::timestamptz is null or events.at < $3)
             and concat_ws(
                 ' ', events.actor, events.action, events.subject, events.address, events.token_key, scopes.name
             ) ilike $4
           order by events.id desc
           limit $5
           offset $6"#,
        filter.before,
        filter.since,
        filter.until,
        pattern,
        most,
        i64::from(filter.skip),
    )
    .fetch_all(pool)
    .await?;
    Ok(lines)
}

/// What is looked for is text, not a pattern.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
