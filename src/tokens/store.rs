//! The SQL of tokens.

use std::sync::Arc;

use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, TokenId};

use super::last_use::Use;
use super::reach::ReachRow;
use super::{ListedToken, NewToken, Page, TokenDigest, TokenFacts, TokenKind, TokenSecret};

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
              package_right, trusted_deeds, organization_right, organizations, bypasses_second_factor, description)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
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
        token.description,
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
        Ok(Arc::new(TokenFacts::new(self.id, self.account, narrowing, self.expires_at)))
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

pub(super) async fn find_by_id(connection: &mut PgConnection, id: TokenId) -> Result<Option<Arc<TokenFacts>>> {
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
    row.map(TokenRow::into_facts).transpose()
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

/// Ends one of the account's own tokens, by its whole key.
pub(super) async fn revoke_own_by_key(
    connection: &mut PgConnection,
    account: AccountId,
    key: &str,
    now: Time,
) -> Result<Option<Revoked>> {
    let row = sqlx::query!(
        r#"update tokens
           set revoked_at = coalesce(revoked_at, $3)
           where account_id = $1
             and key = $2
             and kind not in ('password', 'session')
           returning key, digest, revoked_at = $3 as "was_alive!""#,
        account.0,
        key,
        now,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        let digest = TokenDigest::from_slice(&row.digest)?;
        Some(Revoked { key: row.key, account, digest, was_alive: row.was_alive })
    }))
}

/// Ends what was opened with the account's password, and its granular tokens too where `all` says so; but not the token
/// `keep`. Returns the digests of what ended.
pub(super) async fn revoke_sessions(
    connection: &mut PgConnection,
    account: AccountId,
    keep: TokenId,
    all: bool,
    now: Time,
) -> Result<Vec<TokenDigest>> {
    let digests = sqlx::query_scalar!(
        "update tokens
         set revoked_at = $4
         where account_id = $1
           and id <> $2
           and revoked_at is null
           and (kind in ('login', 'password', 'session') or $3)
         returning digest",
        account.0,
        keep.0,
        all,
        now,
    )
    .fetch_all(connection)
    .await?;
    Ok(digests.iter().filter_map(|digest| TokenDigest::from_slice(digest)).collect())
}

/// Ends all that an account has opened, but granular tokens only where `all` says so. Returns the digests of what ended.
pub(super) async fn revoke_opened(
    connection: &mut PgConnection,
    account: AccountId,
    all: bool,
    now: Time,
) -> Result<Vec<TokenDigest>> {
    let digests = sqlx::query_scalar!(
        "update tokens
         set revoked_at = $3
         where account_id = $1
           and revoked_at is null
           and (kind <> 'granular' or $2)
         returning digest",
        account.0,
        all,
        now,
    )
    .fetch_all(connection)
    .await?;
    Ok(digests.iter().filter_map(|digest| TokenDigest::from_slice(digest)).collect())
}

/// The living token that stands for the account's password.
pub(super) async fn find_password_token(
    connection: &mut PgConnection,
    account: AccountId,
) -> Result<Option<TokenDigest>> {
    let digest = sqlx::query_scalar!(
        "select digest from tokens where account_id = $1 and kind = 'password' and revoked_at is null limit 1",
        account.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(digest.and_then(|digest| TokenDigest::from_slice(&digest)))
}

/// Holds the account, so that its tokens are counted one after the other.
pub(super) async fn count_living(connection: &mut PgConnection, account: AccountId, now: Time) -> Result<i64> {
    sqlx::query!("select id from accounts where id = $1 for no key update", account.0)
        .fetch_optional(&mut *connection)
        .await?;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from tokens
           where account_id = $1
             and kind not in ('password', 'session')
             and revoked_at is null
             and (expires_at is null or expires_at > $2)"#,
        account.0,
        now,
    )
    .fetch_one(connection)
    .await?;
    Ok(count)
}

/// Writes when tokens were last used: one statement for all of them.
pub(super) async fn note_uses(connection: &mut PgConnection, uses: &[Use]) -> Result<()> {
    let ids: Vec<i64> = uses.iter().map(|used| used.token.0).collect();
    let moments: Vec<Time> = uses.iter().map(|used| used.moment).collect();
    let addresses: Vec<String> = uses.iter().map(|used| used.address.to_string()).collect();
    sqlx::query!(
        "update tokens
         set last_used_at = used.moment, last_used_address = used.address
         from unnest($1::bigint[], $2::timestamptz[], $3::text[]) as used (id, moment, address)
         where tokens.id = used.id and (tokens.last_used_at is null or tokens.last_used_at < used.moment)",
        &ids,
        &moments,
        &addresses,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The living tokens of one account or of all, or the one with this key, newest first, a page of them; with how many there are.
pub(super) async fn list(
    executor: impl PgExecutor<'_>,
    account: Option<AccountId>,
    key: Option<&str>,
    now: Time,
    page: Page,
) -> Result<(Vec<ListedToken>, i64)> {
    let rows = sqlx::query!(
        r#"select
               tokens.key,
               tokens.prefix,
               tokens.name,
               tokens.kind,
               accounts.name as "account: AccountName",
               tokens.read_only,
               tokens.packages,
               tokens.networks,
               tokens.package_right,
               tokens.trusted_deeds,
               tokens.organization_right,
               tokens.organizations,
               tokens.bypasses_second_factor,
               tokens.description,
               tokens.created_at,
               tokens.expires_at,
               tokens.last_used_at,
               tokens.last_used_address,
               count(*) over () as "total!"
           from tokens
           join accounts on accounts.id = tokens.account_id
           where ($1::bigint is null or tokens.account_id = $1)
             and ($5::text is null or tokens.key = $5)
             and tokens.kind not in ('password', 'session')
             and tokens.revoked_at is null
             and (tokens.expires_at is null or tokens.expires_at > $2)
           order by tokens.id desc
           limit $3
           offset $4"#,
        account.map(|account| account.0),
        now,
        page.limit,
        page.offset,
        key,
    )
    .fetch_all(executor)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let listed = rows
        .into_iter()
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
                description: row.description,
                kind: TokenKind::read(&row.kind),
                account: row.account,
                created_at: row.created_at,
                expires_at: row.expires_at,
                last_used_at: row.last_used_at,
                last_used_address: row.last_used_address,
            })
        })
        .collect::<Result<_>>()?;
    Ok((listed, total))
}

/// The key of a living token.
pub(super) async fn find_key(executor: impl PgExecutor<'_>, digest: &TokenDigest) -> Result<Option<String>> {
    let key =
        sqlx::query_scalar!("select key from tokens where digest = $1 and revoked_at is null", digest.as_bytes(),)
            .fetch_optional(executor)
            .await?;
    Ok(key)
}

pub(super) async fn set_trusted_publisher(
    connection: &mut PgConnection,
    key: &str,
    publisher: &serde_json::Value,
) -> Result<()> {
    sqlx::query!("update tokens set trusted_publisher = $2 where key = $1", key, publisher).execute(connection).await?;
    Ok(())
}

/// Ends the tokens that one configuration of trust has let in, and gives their digests.
pub(super) async fn revoke_trusted(
    connection: &mut PgConnection,
    configuration: &str,
    now: Time,
) -> Result<Vec<TokenDigest>> {
    let digests = sqlx::query_scalar!(
        "update tokens
         set revoked_at = $2
         where trusted_publisher is not null
           and trusted_publisher ->> 'id' = $1
           and revoked_at is null
         returning digest",
        configuration,
        now,
    )
    .fetch_all(connection)
    .await?;
    Ok(digests.iter().filter_map(|digest| TokenDigest::from_slice(digest)).collect())
}
