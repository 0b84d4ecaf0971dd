//! The SQL of tokens.

use std::sync::Arc;

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, TokenId};

use super::reach::ReachRow;
use super::{ListedToken, NewToken, TokenDigest, TokenFacts, TokenSecret};

pub(super) async fn insert(
    connection: &mut PgConnection,
    token: &NewToken,
    key: &str,
    secret: &TokenSecret,
    now: Time,
) -> Result<()> {
    let digest = secret.digest();
    let reach = ReachRow::of(&token.narrowing);
    sqlx::query!(
        "insert into tokens
             (account_id, key, digest, prefix, name, kind, read_only, packages, networks, created_at, expires_at,
              package_right, trusted_deeds, organization_right, organizations, bypasses_second_factor)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        token.account.0,
        key,
        digest.as_bytes(),
        secret.visible_prefix(),
        token.name,
        token.kind.as_str(),
        reach.read_only,
        &reach.packages,
        &reach.networks,
        now,
        token.expires_at,
        reach.package_right,
        &reach.trusted_deeds,
        reach.organization_right,
        &reach.organizations,
        reach.bypasses_second_factor,
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct TokenRow {
    id: TokenId,
    account: AccountId,
    expires_at: Option<Time>,
    read_only: bool,
    packages: Vec<String>,
    networks: Vec<String>,
    package_right: String,
    trusted_deeds: Vec<String>,
    organization_right: String,
    organizations: Vec<String>,
    bypasses_second_factor: bool,
}

impl TokenRow {
    fn into_facts(self) -> Result<Arc<TokenFacts>> {
        let reach = ReachRow {
            read_only: self.read_only,
            packages: self.packages,
            networks: self.networks,
            package_right: self.package_right,
            trusted_deeds: self.trusted_deeds,
            organization_right: self.organization_right,
            organizations: self.organizations,
            bypasses_second_factor: self.bypasses_second_factor,
        };
        let narrowing = Arc::new(reach.into_narrowing()?);
        Ok(Arc::new(TokenFacts { id: self.id, account: self.account, narrowing, expires_at: self.expires_at }))
    }
}

pub(super) async fn find(pool: &PgPool, digest: &TokenDigest) -> Result<Option<Arc<TokenFacts>>> {
    let row = sqlx::query_as!(
        TokenRow,
        r#"select
               id as "id: TokenId",
               account_id as "account: AccountId",
               expires_at,
               read_only,
               packages,
               networks,
               package_right,
               trusted_deeds,
               organization_right,
               organizations,
               bypasses_second_factor
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
               expires_at,
               read_only,
               packages,
               networks,
               package_right,
               trusted_deeds,
               organization_right,
               organizations,
               bypasses_second_factor
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
               tokens.package_right,
               tokens.trusted_deeds,
               tokens.organization_right,
               tokens.organizations,
               tokens.bypasses_second_factor,
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
                narrowing: ReachRow {
                    read_only: row.read_only,
                    packages: row.packages,
                    networks: row.networks,
                    package_right: row.package_right,
                    trusted_deeds: row.trusted_deeds,
                    organization_right: row.organization_right,
                    organizations: row.organizations,
                    bypasses_second_factor: row.bypasses_second_factor,
                }
                .into_narrowing()?,
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
