//! The SQL of tokens.

use std::sync::Arc;

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, TokenId};
use crate::policy::Narrowing;

use super::{ListedToken, NewToken, TokenDigest, TokenFacts, TokenSecret};

pub(super) async fn insert(
    connection: &mut PgConnection,
    token: &NewToken,
    key: &str,
    secret: &TokenSecret,
    now: Time,
) -> Result<()> {
    let packages: Vec<String> = token.narrowing.packages.iter().map(ToString::to_string).collect();
    let networks: Vec<String> = token.narrowing.networks.iter().map(ToString::to_string).collect();
    let digest = secret.digest();
    sqlx::query!(
        "insert into tokens
             (account_id, key, digest, prefix, name, kind, read_only, packages, networks, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        token.account.0,
        key,
        digest.as_bytes(),
        secret.visible_prefix(),
        token.name,
        token.kind.as_str(),
        token.narrowing.read_only,
        &packages,
        &networks,
        now,
        token.expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct TokenRow {
    id: TokenId,
    account: AccountId,
    read_only: bool,
    packages: Vec<String>,
    networks: Vec<String>,
    expires_at: Option<Time>,
}

impl TokenRow {
    fn into_facts(self) -> Result<Arc<TokenFacts>> {
        let narrowing = Arc::new(narrowing(self.read_only, &self.packages, &self.networks)?);
        Ok(Arc::new(TokenFacts { id: self.id, account: self.account, narrowing, expires_at: self.expires_at }))
    }
}

/// A narrowing that cannot be read must not become none at all.
fn narrowing(read_only: bool, packages: &[String], networks: &[String]) -> Result<Narrowing> {
    Ok(Narrowing {
        read_only,
        packages: packages.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(Error::internal)?,
        networks: networks.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(Error::internal)?,
    })
}

pub(super) async fn find(pool: &PgPool, digest: &TokenDigest) -> Result<Option<Arc<TokenFacts>>> {
    let row = sqlx::query_as!(
        TokenRow,
        r#"select
               id as "id: TokenId",
               account_id as "account: AccountId",
               read_only,
               packages,
               networks,
               expires_at
           from tokens
           where digest = $1
             and revoked_at is null"#,
        digest.as_bytes(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(TokenRow::into_facts).transpose()
}

pub(super) async fn find_by_id(connection: &mut PgConnection, id: TokenId) -> Result<Option<TokenFacts>> {
    let row = sqlx::query_as!(
        TokenRow,
        r#"select
               id as "id: TokenId",
               account_id as "account: AccountId",
               read_only,
               packages,
               networks,
               expires_at
           from tokens
           where id = $1
             and revoked_at is null"#,
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| row.into_facts().map(Arc::unwrap_or_clone)).transpose()
}

/// A token that has just been ended, or had been before.
pub(super) struct Revoked {
    pub(super) key: String,
    pub(super) account: AccountId,
    pub(super) digest: TokenDigest,
    /// Whether it still worked.
    pub(super) was_alive: bool,
}

pub(super) async fn revoke_by_digest(
    connection: &mut PgConnection,
    digest: &TokenDigest,
    now: Time,
) -> Result<Option<Revoked>> {
    let row = sqlx::query!(
        r#"update tokens
           set revoked_at = coalesce(revoked_at, $2)
           where digest = $1
           returning key, account_id as "account: AccountId", revoked_at = $2 as "was_alive!""#,
        digest.as_bytes(),
        now,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Revoked { key: row.key, account: row.account, digest: *digest, was_alive: row.was_alive }))
}

/// Takes a whole key, or the start of one where that names a single token.
pub(super) async fn revoke_by_key(connection: &mut PgConnection, key: &str, now: Time) -> Result<Option<Revoked>> {
    let row = sqlx::query!(
        r#"update tokens
           set revoked_at = coalesce(revoked_at, $2)
           where id = (
               select min(id)
               from tokens
               where starts_with(key, $1)
               having count(*) = 1 and length($1) >= 6
           )
           returning key, account_id as "account: AccountId", digest, revoked_at = $2 as "was_alive!""#,
        key,
        now,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        let digest = TokenDigest::from_slice(&row.digest)?;
        Some(Revoked { key: row.key, account: row.account, digest, was_alive: row.was_alive })
    }))
}

pub(super) async fn list(pool: &PgPool, account: Option<AccountId>, now: Time) -> Result<Vec<ListedToken>> {
    let rows = sqlx::query!(
        r#"select
               tokens.key,
               tokens.prefix,
               tokens.name,
               accounts.name as "account: AccountName",
               tokens.read_only,
               tokens.packages,
               tokens.networks,
               tokens.created_at,
               tokens.expires_at
           from tokens
           join accounts on accounts.id = tokens.account_id
           where ($1::bigint is null or tokens.account_id = $1)
             and tokens.revoked_at is null
             and (tokens.expires_at is null or tokens.expires_at > $2)
           order by tokens.id desc"#,
        account.map(|account| account.0),
        now,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(ListedToken {
                narrowing: narrowing(row.read_only, &row.packages, &row.networks)?,
                key: row.key,
                prefix: row.prefix,
                name: row.name,
                account: row.account,
                created_at: row.created_at,
                expires_at: row.expires_at,
            })
        })
        .collect()
}
