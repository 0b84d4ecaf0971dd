//! The SQL of hooks and their deliveries.

use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::AccountId;

use super::{Delivery, Hook, Subject, event};

/// Counts an account's hooks, and holds the account until the transaction ends: two new ones come one after the other.
pub(super) async fn count(connection: &mut PgConnection, account: AccountId) -> Result<i64> {
    sqlx::query!("select id from accounts where id = $1 for no key update", account.0)
        .fetch_optional(&mut *connection)
        .await?;
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from hooks where account_id = $1"#, account.0);
    Ok(count.fetch_one(connection).await?)
}

/// Whether the account has a hook from there to there.
pub(super) async fn exists(
    connection: &mut PgConnection,
    account: AccountId,
    subject: &Subject,
    endpoint: &str,
) -> Result<bool> {
    let exists = sqlx::query_scalar!(
        r#"select exists (
               select from hooks where account_id = $1 and kind = $2 and name = $3 and endpoint = $4
           ) as "exists!""#,
        account.0,
        subject.kind(),
        subject.name(),
        endpoint,
    )
    .fetch_one(connection)
    .await?;
    Ok(exists)
}

pub(super) async fn insert(
    connection: &mut PgConnection,
    account: AccountId,
    key: &str,
    subject: &Subject,
    endpoint: &str,
    secret: &[u8],
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "insert into hooks (key, account_id, kind, name, endpoint, secret, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)",
        key,
        account.0,
        subject.kind(),
        subject.name(),
        endpoint,
        secret,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn list(
    pool: &PgPool,
    account: AccountId,
    name: Option<&str>,
    (offset, limit): (u32, u32),
) -> Result<(i64, Vec<Hook>)> {
    let total = sqlx::query_scalar!(
        r#"select count(*) as "total!" from hooks where account_id = $1 and ($2::text is null or name = $2)"#,
        account.0,
        name,
    )
    .fetch_one(pool)
    .await?;
    let hooks = sqlx::query_as!(
        Hook,
        r#"select
               hooks.key,
               accounts.name as owner,
               hooks.kind,
               hooks.name,
               hooks.endpoint,
               hooks.created_at,
               hooks.updated_at,
               hooks.last_delivery_at,
               hooks.last_status
           from hooks
           join accounts on accounts.id = hooks.account_id
           where hooks.account_id = $1
             and ($2::text is null or hooks.name = $2)
           order by hooks.id
           offset $3
           limit $4"#,
        account.0,
        name,
        i64::from(offset),
        i64::from(limit),
    )
    .fetch_all(pool)
    .await?;
    Ok((total, hooks))
}

pub(super) async fn find(pool: &PgPool, account: AccountId, key: &str) -> Result<Option<Hook>> {
    let hook = sqlx::query_as!(
        Hook,
        r#"select
               hooks.key,
               accounts.name as owner,
               hooks.kind,
               hooks.name,
               hooks.endpoint,
               hooks.created_at,
               hooks.updated_at,
               hooks.last_delivery_at,
               hooks.last_status
           from hooks
           join accounts on accounts.id = hooks.account_id
           where hooks.account_id = $1
             and hooks.key = $2"#,
        account.0,
        key,
    )
    .fetch_optional(pool)
    .await?;
    Ok(hook)
}

pub(super) async fn update(
    connection: &mut PgConnection,
    account: AccountId,
    key: &str,
    endpoint: &str,
    secret: &[u8],
    now: Time,
) -> Result<bool> {
    let updated = sqlx::query!(
        "update hooks set endpoint = $3, secret = $4, updated_at = $5 where account_id = $1 and key = $2",
        account.0,
        key,
        endpoint,
        secret,
        now,
    )
    .execute(connection)
    .await?;
    Ok(updated.rows_affected() > 0)
}

pub(super) async fn delete(connection: &mut PgConnection, account: AccountId, key: &str) -> Result<()> {
    sqlx::query!("delete from hooks where account_id = $1 and key = $2", account.0, key).execute(connection).await?;
    Ok(())
}

/// A delivery that this node is to make.
pub(super) struct Due {
    pub(super) id: i64,
    pub(super) hook: i64,
    pub(super) key: String,
    pub(super) account: AccountId,
    pub(super) endpoint: String,
    pub(super) secret: Vec<u8>,
    pub(super) attempts: i32,
    pub(super) action: String,
    pub(super) subject: String,
    pub(super) detail: Value,
    pub(super) at: Time,
}

/// Takes what is due, the oldest first, until `held`: other nodes pass by it.
pub(super) async fn take_due(connection: &mut PgConnection, now: Time, held: Time, most: i64) -> Result<Vec<Due>> {
    let due = sqlx::query_as!(
        Due,
        r#"with taken as (
               update hook_deliveries
               set due_at = $2, attempts = attempts + 1
               where id in (
                   select id
                   from hook_deliveries
                   where due_at <= $1
                   order by due_at, id
                   limit $3
                   for update skip locked
               )
               returning id, hook_id, event_id, attempts
           )
           select
               taken.id,
               taken.hook_id as hook,
               hooks.key,
               hooks.account_id as "account: AccountId",
               hooks.endpoint,
               hooks.secret,
               taken.attempts,
               audit_events.action,
               audit_events.subject,
               audit_events.detail,
               audit_events.at
           from taken
           join hooks on hooks.id = taken.hook_id
           join audit_events on audit_events.id = taken.event_id
           order by taken.id"#,
        now,
        held,
        most,
    )
    .fetch_all(connection)
    .await?;
    Ok(due)
}

/// Writes down how an attempt went; without a `next` one the delivery is finished.
pub(super) async fn finish_attempt(
    connection: &mut PgConnection,
    due: &Due,
    (delivered, status, failure): (bool, Option<u16>, Option<String>),
    next: Option<Time>,
    now: Time,
) -> Result<()> {
    let status = status.map(i32::from);
    sqlx::query!(
        "update hook_deliveries
         set delivered = $2, status = $3, failure = $4, due_at = $5, attempted_at = $6
         where id = $1",
        due.id,
        delivered,
        status,
        failure,
        next,
        now,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("update hooks set last_delivery_at = $2, last_status = $3 where id = $1", due.hook, now, status)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn delete_delivery(connection: &mut PgConnection, id: i64) -> Result<()> {
    sqlx::query!("delete from hook_deliveries where id = $1", id).execute(connection).await?;
    Ok(())
}

pub(super) async fn delete_finished_before(connection: &mut PgConnection, before: Time) -> Result<()> {
    sqlx::query!("delete from hook_deliveries where due_at is null and attempted_at < $1", before)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deliveries that were tried at least once: whether the others may be told of is not decided yet.
pub(super) async fn list_deliveries(pool: &PgPool, account: AccountId, key: &str, limit: u32) -> Result<Vec<Delivery>> {
    let rows = sqlx::query!(
        r#"select
               audit_events.action,
               audit_events.subject,
               audit_events.detail,
               audit_events.at,
               hook_deliveries.attempts,
               hook_deliveries.attempted_at,
               hook_deliveries.due_at,
               hook_deliveries.delivered,
               hook_deliveries.status,
               hook_deliveries.failure
           from hook_deliveries
           join hooks on hooks.id = hook_deliveries.hook_id
           join audit_events on audit_events.id = hook_deliveries.event_id
           where hooks.account_id = $1
             and hooks.key = $2
             and hook_deliveries.attempted_at is not null
           order by hook_deliveries.id desc
           limit $3"#,
        account.0,
        key,
        i64::from(limit),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Delivery {
            event: event::name(&row.action, &row.detail),
            name: row.subject,
            at: row.at,
            attempts: row.attempts,
            attempted_at: row.attempted_at,
            next_attempt_at: row.due_at,
            delivered: row.delivered,
            status: row.status,
            failure: row.failure,
        })
        .collect())
}
