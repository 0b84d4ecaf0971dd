//! The SQL of terminals that wait.

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::TokenId;
use crate::policy::Principal;
use crate::second_factor::Answered;

use super::Approval;

/// What became of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub(super) enum State {
    Pending,
    Approved,
    Refused,
}

impl State {
    pub(super) fn answered(self) -> Answered {
        match self {
            Self::Pending => Answered::NotYet,
            Self::Approved => Answered::Approved,
            Self::Refused => Answered::Refused,
        }
    }
}

/// A new row.
pub(super) struct NewLogin<'a> {
    pub(super) page_digest: &'a [u8],
    pub(super) done_digest: &'a [u8],
    pub(super) client: &'a str,
    pub(super) address: &'a str,
    pub(super) signs_up: bool,
    pub(super) now: Time,
    pub(super) expires_at: Time,
}

/// Makes room by removing what is over, and says how many wait from an address.
pub(super) async fn count_waiting(connection: &mut PgConnection, address: &str, now: Time) -> Result<i64> {
    sqlx::query!("delete from web_logins where expires_at <= $1", now).execute(&mut *connection).await?;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from web_logins where address = $1 and state = 'pending'"#,
        address,
    )
    .fetch_one(connection)
    .await?;
    Ok(count)
}

pub(super) async fn insert(connection: &mut PgConnection, login: &NewLogin<'_>) -> Result<()> {
    sqlx::query!(
        "insert into web_logins
             (page_digest, done_digest, client, address, signs_up, state, created_at, expires_at)
         values ($1, $2, $3, $4, $5, 'pending', $6, $7)",
        login.page_digest,
        login.done_digest,
        login.client,
        login.address,
        login.signs_up,
        login.now,
        login.expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A row, as its page sees it.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) client: String,
    pub(super) address: Option<String>,
    pub(super) signs_up: bool,
    pub(super) state: State,
    pub(super) created_at: Time,
}

pub(super) async fn find_by_page(pool: &PgPool, digest: &[u8], now: Time) -> Result<Option<Row>> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, client, address, signs_up, state as "state: State", created_at
           from web_logins
           where page_digest = $1 and expires_at > $2"#,
        digest,
        now,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row)
}

/// Approves a pending one; false where it was decided before.
pub(super) async fn approve(
    connection: &mut PgConnection,
    id: i64,
    by: &Principal,
    approval: &Approval,
) -> Result<bool> {
    let decided = sqlx::query!(
        "update web_logins
         set state = 'approved', account_id = $2, approved_by = $3, token_name = $4, token_ends_at = $5, read_only = $6
         where id = $1 and state = 'pending'",
        id,
        by.account.id.0,
        by.token.0,
        approval.token_name,
        approval.ends_at,
        approval.read_only,
    )
    .execute(connection)
    .await?;
    Ok(decided.rows_affected() > 0)
}

/// Refuses a pending one; false where it was decided before.
pub(super) async fn refuse(connection: &mut PgConnection, id: i64) -> Result<bool> {
    let decided = sqlx::query!("update web_logins set state = 'refused' where id = $1 and state = 'pending'", id)
        .execute(connection)
        .await?;
    Ok(decided.rows_affected() > 0)
}

/// What became of a login, and when it ends.
pub(super) async fn find_state(pool: &PgPool, done_digest: &[u8]) -> Result<Option<(State, Time)>> {
    let row = sqlx::query!(
        r#"select state as "state: State", expires_at from web_logins where done_digest = $1"#,
        done_digest,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (row.state, row.expires_at)))
}

/// A login that was approved.
pub(super) struct Approved {
    pub(super) id: i64,
    pub(super) approver: TokenId,
    pub(super) address: Option<String>,
    pub(super) token_name: String,
    pub(super) token_ends_at: Option<Time>,
    pub(super) read_only: bool,
    pub(super) collected_at: Option<Time>,
    pub(super) token_key: Option<String>,
}

/// Holds an approved login, so that two who ask at once come one after the other.
pub(super) async fn lock_approved(connection: &mut PgConnection, done_digest: &[u8]) -> Result<Option<Approved>> {
    let row = sqlx::query_as!(
        Approved,
        r#"select
               id,
               approved_by as "approver!: TokenId",
               address,
               token_name as "token_name!",
               token_ends_at,
               read_only,
               collected_at,
               token_key
           from web_logins
           where done_digest = $1 and state = 'approved'
           for update"#,
        done_digest,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row)
}

/// When a token was first made, and the one that counts.
pub(super) struct Collected<'a> {
    pub(super) at: Time,
    pub(super) token_key: &'a str,
}

pub(super) async fn note_collected(connection: &mut PgConnection, id: i64, collected: &Collected<'_>) -> Result<()> {
    sqlx::query!(
        "update web_logins set collected_at = $2, token_key = $3 where id = $1",
        id,
        collected.at,
        collected.token_key,
    )
    .execute(connection)
    .await?;
    Ok(())
}
