//! The SQL of download counts.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::{PgConnection, PgPool};

use crate::error::Result;
use crate::names::PackageId;

use super::{Counts, Period};

/// Adds the counts in one statement, always in the same order: two nodes that do so at once wait for each other, and
/// never each for the other.
pub(super) async fn add(connection: &mut PgConnection, counts: &Counts) -> Result<()> {
    let mut rows: Vec<_> = counts.iter().collect();
    rows.sort_unstable();
    let packages: Vec<i64> = rows.iter().map(|((package, ..), _)| package.0).collect();
    let versions: Vec<String> = rows.iter().map(|((_, version, _), _)| version.to_string()).collect();
    let days: Vec<NaiveDate> = rows.iter().map(|((.., day), _)| *day).collect();
    let numbers: Vec<i64> = rows.iter().map(|(_, count)| **count).collect();
    sqlx::query!(
        "insert into downloads (package_id, version, day, count)
         select package_id, version, day, count
         from unnest($1::bigint[], $2::text[], $3::date[], $4::bigint[]) as new (package_id, version, day, count)
         order by package_id, version, day
         on conflict (package_id, day, version) do update set count = downloads.count + excluded.count",
        &packages,
        &versions,
        &days,
        &numbers,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn by_day(pool: &PgPool, package: PackageId, period: Period) -> Result<HashMap<NaiveDate, i64>> {
    let rows = sqlx::query!(
        r#"select day, sum(count)::bigint as "count!"
           from downloads
           where package_id = $1
             and day between $2 and $3
           group by day"#,
        package.0,
        period.start,
        period.end,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.day, row.count)).collect())
}

/// Of the packages that are public now: what was counted before of one that is restricted is nobody's business.
pub(super) async fn public_by_day(pool: &PgPool, period: Period) -> Result<HashMap<NaiveDate, i64>> {
    let rows = sqlx::query!(
        r#"select downloads.day, sum(downloads.count)::bigint as "count!"
           from downloads
           join packages on packages.id = downloads.package_id
           where packages.visibility = 'public'
             and packages.deleted_at is null
             and downloads.day between $1 and $2
           group by downloads.day"#,
        period.start,
        period.end,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.day, row.count)).collect())
}

/// Versions that are unpublished are not told of.
pub(super) async fn by_version(pool: &PgPool, package: PackageId, period: Period) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"select downloads.version, sum(downloads.count)::bigint as "count!"
           from downloads
           join versions
               on versions.package_id = downloads.package_id
              and versions.version = downloads.version
              and versions.unpublished_at is null
           where downloads.package_id = $1
             and downloads.day between $2 and $3
           group by downloads.version
           order by downloads.version"#,
        package.0,
        period.start,
        period.end,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.version, row.count)).collect())
}
