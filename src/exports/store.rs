//! What an export reads, a batch at a time, and whose turn it is.

use std::fmt::Write as _;

use serde_json::json;
use sqlx::{PgConnection, PgPool};

use crate::blobs::Digest;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{AccountId, PackageName};

use super::Extent;

/// True where nobody has the turn.
pub(super) async fn take_turn(
    connection: &mut PgConnection,
    account: AccountId,
    now: Time,
    held_until: Time,
) -> Result<bool> {
    let taken = sqlx::query!(
        "insert into exports (account_id, held_until)
         values ($1, $2)
         on conflict (account_id) do update set held_until = excluded.held_until where exports.held_until <= $3",
        account.0,
        held_until,
        now,
    )
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() > 0)
}

pub(super) async fn renew_turn(connection: &mut PgConnection, account: AccountId, held_until: Time) -> Result<()> {
    sqlx::query!("update exports set held_until = $2 where account_id = $1", account.0, held_until)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn end_turn(connection: &mut PgConnection, account: AccountId) -> Result<()> {
    sqlx::query!("delete from exports where account_id = $1", account.0).execute(connection).await?;
    Ok(())
}

pub(super) async fn measure(pool: &PgPool, account: AccountId) -> Result<Extent> {
    let extent = sqlx::query_as!(
        Extent,
        r#"select
               count(distinct packages.id) as "packages!",
               count(versions.id) as "versions!",
               coalesce(sum(versions.size_bytes), 0)::bigint as "bytes!"
           from packages
           left join versions on versions.package_id = packages.id and versions.unpublished_at is null
           where packages.owner_id = $1
             and packages.deleted_at is null"#,
        account.0,
    )
    .fetch_one(pool)
    .await?;
    Ok(extent)
}

/// Names in the account's scope, in their order, after one of them.
pub(super) async fn list_packages(
    pool: &PgPool,
    account: AccountId,
    after: Option<&PackageName>,
    limit: i64,
) -> Result<Vec<PackageName>> {
    let names = sqlx::query_scalar!(
        r#"select name as "name: PackageName"
           from packages
           where owner_id = $1
             and deleted_at is null
             and ($2::text is null or name > $2)
           order by name
           limit $3"#,
        account.0,
        after.map(PackageName::as_str),
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(names)
}

/// A version and where its tarball is.
pub(super) struct StoredVersion {
    pub(super) id: i64,
    pub(super) version: String,
    pub(super) digest: Digest,
    pub(super) size_bytes: u64,
    pub(super) published_at: Time,
}

pub(super) async fn list_versions(
    pool: &PgPool,
    name: &PackageName,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredVersion>> {
    let rows = sqlx::query!(
        r#"select versions.id, versions.version, versions.sha512 as "sha512!", versions.size_bytes, versions.published_at
           from versions
           join packages on packages.id = versions.package_id
           where packages.name = $1
             and packages.deleted_at is null
             and versions.unpublished_at is null
             and versions.id > $2
           order by versions.id
           limit $3"#,
        name.as_str(),
        after,
        limit,
    )
    .fetch_all(pool)
    .await?;
    let broken = |_| Error::internal("a version has no digest");
    let versions = rows.into_iter().map(|row| {
        Ok(StoredVersion {
            id: row.id,
            version: row.version,
            digest: Digest::try_from(row.sha512).map_err(broken)?,
            size_bytes: u64::try_from(row.size_bytes).map_err(Error::internal)?,
            published_at: row.published_at,
        })
    });
    versions.collect()
}

/// Lines of the log that the account may read, as JSON, after one of them; with the number of the last.
pub(super) async fn list_audit(
    pool: &PgPool,
    account: AccountId,
    after: Option<(Time, i64)>,
    limit: i64,
) -> Result<(String, Option<(Time, i64)>)> {
    let (at, id) = after.unzip();
    let rows = sqlx::query!(
        "select id, at, actor, token_key, address, action, subject, outcome, detail
         from audit_events
         where scope_id = $1
           and ($2::timestamptz is null or (at, id) > ($2, $3))
         order by at, id
         limit $4",
        account.0,
        at,
        id,
        limit,
    )
    .fetch_all(pool)
    .await?;
    let mut text = String::new();
    for row in &rows {
        let line = json!({
            "at": row.at,
            "actor": row.actor,
            "token": row.token_key,
            "address": row.address,
            "action": row.action,
            "subject": row.subject,
            "outcome": row.outcome,
            "detail": row.detail,
        });
        // Writing to a string does not fail.
        let _ = writeln!(text, "{line}");
    }
    Ok((text, rows.last().map(|row| (row.at, row.id))))
}
