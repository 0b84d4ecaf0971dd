//! The SQL of trusted publishers and of exchanges.

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, PackageName, RandomId};

use super::exchange::Owner;
use super::{Kind, Publisher, TrustPermission};

struct Row {
    id: RandomId,
    package: Option<PackageName>,
    issuer: String,
    kind: String,
    claims: serde_json::Value,
    permissions: Vec<String>,
    created_at: Time,
}

impl TryFrom<Row> for Publisher {
    type Error = Error;

    /// What cannot be read must not become a rule that lets everybody in.
    fn try_from(row: Row) -> Result<Self> {
        let permissions = row.permissions.into_iter().map(|word| serde_json::from_value(word.into()));
        Ok(Self {
            id: row.id,
            package: row.package,
            issuer: row.issuer,
            kind: Kind::from_word(&row.kind).ok_or_else(|| Error::internal("an unknown kind of issuer"))?,
            rules: serde_json::from_value(row.claims).map_err(Error::internal)?,
            permissions: permissions.collect::<Result<_, _>>().map_err(Error::internal)?,
            created_at: row.created_at,
        })
    }
}

pub(super) async fn insert(
    connection: &mut PgConnection,
    owner: AccountId,
    publisher: &Publisher,
    by: Option<AccountId>,
) -> Result<(), sqlx::Error> {
    let permissions: Vec<String> =
        publisher.permissions.iter().map(|permission| TrustPermission::as_str(*permission).to_owned()).collect();
    sqlx::query!(
        "insert into trusted_publishers
             (id, owner_id, package_name, issuer, kind, claims, permissions, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        publisher.id.as_str(),
        owner.0,
        publisher.package.as_ref().map(PackageName::as_str),
        publisher.issuer,
        publisher.kind.as_str(),
        serde_json::json!(publisher.rules),
        &permissions,
        by.map(|account| account.0),
        publisher.created_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn delete(
    connection: &mut PgConnection,
    owner: AccountId,
    package: Option<&PackageName>,
    id: &RandomId,
) -> Result<bool> {
    let deleted = sqlx::query!(
        "delete from trusted_publishers
         where id = $1
           and owner_id = $2
           and package_name is not distinct from $3",
        id.as_str(),
        owner.0,
        package.map(PackageName::as_str),
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected() > 0)
}

pub(super) async fn count(
    connection: &mut PgConnection,
    owner: AccountId,
    package: Option<&PackageName>,
) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from trusted_publishers
           where owner_id = $1
             and package_name is not distinct from $2"#,
        owner.0,
        package.map(PackageName::as_str),
    )
    .fetch_one(connection)
    .await?;
    Ok(count)
}

/// Those of a package and of its whole scope; without a package, those of the scope alone.
pub(super) async fn list(pool: &PgPool, owner: AccountId, package: Option<&PackageName>) -> Result<Vec<Publisher>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select
               id as "id: RandomId",
               package_name as "package: PackageName",
               issuer,
               kind,
               claims,
               permissions,
               created_at
           from trusted_publishers
           where owner_id = $1
             and (package_name is null or package_name = $2)
           order by package_name is null, created_at, id"#,
        owner.0,
        package.map(PackageName::as_str),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Those that a token of this issuer may be of: one query, whoever owns the scope and if nobody does.
pub(super) async fn list_candidates(
    pool: &PgPool,
    owner: Option<AccountId>,
    package: &PackageName,
    issuer: &str,
) -> Result<Vec<Publisher>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select
               id as "id: RandomId",
               package_name as "package: PackageName",
               issuer,
               kind,
               claims,
               permissions,
               created_at
           from trusted_publishers
           where owner_id = $1
             and issuer = $2
             and (package_name is null or package_name = $3)
           order by package_name is null, cardinality(permissions) desc, created_at, id"#,
        owner.map(|owner| owner.0),
        issuer,
        package.as_str(),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Whether any package trusts this issuer.
pub(super) async fn is_trusted_anywhere(pool: &PgPool, issuer: &str) -> Result<bool> {
    let found =
        sqlx::query_scalar!(r#"select exists (select from trusted_publishers where issuer = $1) as "found!""#, issuer)
            .fetch_one(pool)
            .await?;
    Ok(found)
}

/// The account that owns the scope of a package, if it can act.
pub(super) async fn find_owner(pool: &PgPool, package: &PackageName) -> Result<Option<Owner>> {
    let scope = package.scope();
    let owner = sqlx::query_as!(
        Owner,
        r#"select id as "id: AccountId", name as "name: AccountName"
           from accounts
           where name = $1
             and disabled_at is null"#,
        scope.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(owner)
}

/// Keeps a publisher from being revoked while its token is made; `false` where it was.
pub(super) async fn hold(connection: &mut PgConnection, id: &RandomId) -> Result<bool> {
    let held = sqlx::query_scalar!("select id from trusted_publishers where id = $1 for share", id.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(held.is_some())
}

/// Notes that a token was exchanged; `false` where it had been before.
pub(super) async fn note_exchange(connection: &mut PgConnection, digest: &[u8], expires_at: Time) -> Result<bool> {
    let noted = sqlx::query!(
        "insert into exchanged_tokens (digest, expires_at) values ($1, $2) on conflict do nothing",
        digest,
        expires_at,
    )
    .execute(connection)
    .await?;
    Ok(noted.rows_affected() > 0)
}

pub(super) async fn forget_exchanges(connection: &mut PgConnection, now: Time) -> Result<()> {
    sqlx::query!("delete from exchanged_tokens where expires_at < $1", now).execute(connection).await?;
    Ok(())
}
