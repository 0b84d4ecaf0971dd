//! The SQL of the outbox.

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{Email, RandomId};

use super::Letter;

/// How many letters that were given up are told of.
const MOST_TOLD: i64 = 20;

pub(super) async fn insert(
    connection: &mut PgConnection,
    key: &RandomId,
    letter: &Letter,
    sealed: &[u8],
    now: Time,
    expires_at: Time,
) -> Result<()> {
    sqlx::query!(
        "insert into outbox (key, kind, recipient, sealed, created_at, due_at, expires_at)
         values ($1, $2, $3, $4, $5, $5, $6)",
        key.as_str(),
        letter.kind,
        letter.to.as_str(),
        sealed,
        now,
        expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A letter that this node is to send.
pub(super) struct Due {
    pub(super) id: i64,
    pub(super) key: String,
    pub(super) kind: String,
    pub(super) recipient: Email,
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) expires_at: Time,
    pub(super) attempts: i32,
}

/// Takes what is due, the oldest first, until `held`: other nodes pass by it.
pub(super) async fn take_due(connection: &mut PgConnection, now: Time, held: Time, most: i64) -> Result<Vec<Due>> {
    let mut due = sqlx::query_as!(
        Due,
        r#"update outbox
           set due_at = $2, attempts = attempts + 1
           where id in (
               select id
               from outbox
               where due_at <= $1
               order by due_at, id
               limit $3
               for update skip locked
           )
           returning id, key, kind, recipient as "recipient: Email", sealed, expires_at, attempts"#,
        now,
        held,
        most,
    )
    .fetch_all(connection)
    .await?;
    due.sort_by_key(|letter| letter.id);
    Ok(due)
}

/// Writes down how an attempt went. Without a `next` one the letter is finished, and its text is forgotten.
pub(super) async fn finish_attempt(
    connection: &mut PgConnection,
    id: i64,
    failure: Option<&str>,
    next: Option<Time>,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "update outbox
         set sent = $2::text is null,
             failure = $2,
             due_at = $3,
             attempted_at = $4,
             sealed = case when $3::timestamptz is null then null else sealed end
         where id = $1",
        id,
        failure,
        next,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn delete_finished_before(connection: &mut PgConnection, before: Time) -> Result<()> {
    sqlx::query!("delete from outbox where due_at is null and attempted_at < $1", before).execute(connection).await?;
    Ok(())
}

/// A letter that was given up.
#[derive(Debug)]
pub struct FinishedLetter {
    /// What it was, such as `recovery.link`.
    pub kind: String,
    /// To whom it was.
    pub recipient: String,
    /// When it was tried last.
    pub attempted_at: Option<Time>,
    /// Why it was not sent.
    pub failure: Option<String>,
}

pub(super) async fn health(pool: &PgPool) -> Result<(i64, Vec<FinishedLetter>)> {
    let waiting = sqlx::query_scalar!(r#"select count(*) as "count!" from outbox where due_at is not null"#)
        .fetch_one(pool)
        .await?;
    let given_up = sqlx::query_as!(
        FinishedLetter,
        "select kind, recipient, attempted_at, failure
         from outbox
         where due_at is null and not sent
         order by id desc
         limit $1",
        MOST_TOLD,
    )
    .fetch_all(pool)
    .await?;
    Ok((waiting, given_up))
}
