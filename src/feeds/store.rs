//! The SQL of the feeds.

use sqlx::{PgConnection, PgPool};

use crate::error::Result;
use crate::names::PackageName;

use super::{Entry, Listed, Summary};

pub(super) async fn has_unnumbered(pool: &PgPool) -> Result<bool> {
    let found = sqlx::query_scalar!(r#"select exists (select from feed where sequence is null) as "found!""#);
    Ok(found.fetch_one(pool).await?)
}

/// Gives the next numbers to what is committed and has none.
///
/// One after the other, under a lock that is held until the numbers are committed: so whoever reads a number reads all
/// smaller ones. A transaction that commits later finds no number given yet that is higher than what it will get. A line
/// that another change holds just now is left to the next reader, who comes after that change.
pub(super) async fn number(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('the numbers of the feed', 0))")
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "update feed
         set sequence = nextval('feed_sequence')
         where package_id in (
             select package_id from feed where sequence is null order by package_id for update skip locked
         )",
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn list_changes(pool: &PgPool, since: i64, limit: u32) -> Result<Vec<Entry>> {
    let rows = sqlx::query_as!(
        Entry,
        r#"select sequence as "sequence!", name as "name: PackageName", revision, deleted
           from feed
           where sequence > $1
           order by sequence
           limit $2"#,
        since,
        i64::from(limit),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

pub(super) async fn list_packages(pool: &PgPool, start: &str, limit: u32) -> Result<(i64, Vec<Listed>)> {
    let before =
        sqlx::query_scalar!(r#"select count(*) as "before!" from feed where not deleted and name < $1"#, start)
            .fetch_one(pool)
            .await?;
    let rows = sqlx::query_as!(
        Listed,
        r#"select name as "name: PackageName", revision
           from feed
           where not deleted
             and name >= $1
           order by name
           limit $2"#,
        start,
        i64::from(limit),
    )
    .fetch_all(pool)
    .await?;
    Ok((before, rows))
}

pub(super) async fn summarise(pool: &PgPool) -> Result<Summary> {
    let summary = sqlx::query_as!(
        Summary,
        r#"select
               count(*) filter (where not deleted) as "packages!",
               coalesce(max(sequence), 0) as "sequence!"
           from feed"#,
    )
    .fetch_one(pool)
    .await?;
    Ok(summary)
}
