//! The SQL of sessions.

use std::net::IpAddr;

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, TokenId};

use super::super::TokenDigest;
use super::ListedSession;

/// A row to be.
pub(super) struct NewSession<'a> {
    pub(super) account: AccountId,
    pub(super) key: &'a str,
    pub(super) digest: &'a TokenDigest,
    pub(super) client: &'a str,
    pub(super) address: IpAddr,
    pub(super) now: Time,
    pub(super) expires_at: Time,
    pub(super) ends_at: Time,
}

pub(super) async fn insert(connection: &mut PgConnection, session: &NewSession<'_>) -> Result<()> {
    sqlx::query!(
        "with token as (
             insert into tokens
                 (account_id, key, digest, prefix, name, kind, read_only, packages, networks, created_at, expires_at)
             values ($1, $2, $3, '', 'web session', 'session', false, '{}', '{}', $4, $5)
             returning id
         )
         insert into sessions (token_id, client, address, ends_at, confirmed_at)
         select id, $6, $7, $8, $4 from token",
        session.account.0,
        session.key,
        session.digest.as_bytes(),
        session.now,
        session.expires_at,
        session.client,
        session.address.to_string(),
        session.ends_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Returns whether the end was moved.
pub(super) async fn move_end(connection: &mut PgConnection, session: TokenId, end: Time) -> Result<bool> {
    let moved = sqlx::query!(
        "update tokens
         set expires_at = least($2, sessions.ends_at)
         from sessions
         where sessions.token_id = tokens.id
           and tokens.id = $1
           and tokens.revoked_at is null
           and tokens.expires_at < least($2, sessions.ends_at)",
        session.0,
        end,
    )
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() > 0)
}

pub(super) async fn find_confirmed_at(pool: &PgPool, session: TokenId) -> Result<Option<Time>> {
    let found = sqlx::query_scalar!("select confirmed_at from sessions where token_id = $1", session.0);
    Ok(found.fetch_optional(pool).await?)
}

/// Where the account has a second factor, another thing is not enough, and nothing is noted.
pub(super) async fn confirm(
    connection: &mut PgConnection,
    session: TokenId,
    by_second_factor: bool,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "update sessions
         set confirmed_at = $3
         from tokens
         join accounts on accounts.id = tokens.account_id
         where sessions.token_id = tokens.id
           and tokens.id = $1
           and ($2 or accounts.second_factor is null)",
        session.0,
        by_second_factor,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn list(pool: &PgPool, account: AccountId, now: Time) -> Result<Vec<ListedSession>> {
    let sessions = sqlx::query_as!(
        ListedSession,
        r#"select
               tokens.id as "id: TokenId",
               tokens.key,
               sessions.client,
               sessions.address,
               tokens.created_at,
               tokens.last_used_at,
               tokens.expires_at
           from tokens
           join sessions on sessions.token_id = tokens.id
           where tokens.account_id = $1
             and tokens.revoked_at is null
             and tokens.expires_at > $2
           order by coalesce(tokens.last_used_at, tokens.created_at) desc
           limit 200"#,
        account.0,
        now,
    )
    .fetch_all(pool)
    .await?;
    Ok(sessions)
}

pub(super) async fn end(
    connection: &mut PgConnection,
    account: AccountId,
    key: &str,
    now: Time,
) -> Result<Option<TokenDigest>> {
    let digest = sqlx::query_scalar!(
        "update tokens
         set revoked_at = $3
         where account_id = $1
           and key = $2
           and kind = 'session'
           and revoked_at is null
         returning digest",
        account.0,
        key,
        now,
    )
    .fetch_optional(connection)
    .await?;
    Ok(digest.and_then(|digest| TokenDigest::from_slice(&digest)))
}

/// Ends all but one; returns their keys and digests.
pub(super) async fn end_others(
    connection: &mut PgConnection,
    account: AccountId,
    keep: TokenId,
    now: Time,
) -> Result<Vec<(String, TokenDigest)>> {
    let rows = sqlx::query!(
        "update tokens
         set revoked_at = $3
         where account_id = $1
           and id <> $2
           and kind = 'session'
           and revoked_at is null
         returning key, digest",
        account.0,
        keep.0,
        now,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.key, TokenDigest::from_slice(&row.digest)?))).collect())
}
