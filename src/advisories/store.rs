//! The SQL of advisories.

use std::collections::HashMap;

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::{Error, Result};

use super::osv::NewAdvisory;
use super::{Advisory, Severity};

/// A row of both tables.
struct Row {
    id: i64,
    osv_id: String,
    package: String,
    title: String,
    details: String,
    severity: Severity,
    cwes: Vec<String>,
    cves: Vec<String>,
    cvss_score: f64,
    cvss_vector: Option<String>,
    url: String,
    published_at: Time,
    modified_at: Time,
    affected: String,
}

impl Row {
    fn into_advisory(self) -> Result<Advisory> {
        Ok(Advisory {
            id: self.id,
            osv_id: self.osv_id,
            package: self.package,
            title: self.title,
            details: self.details,
            severity: self.severity,
            cwes: self.cwes,
            cves: self.cves,
            cvss_score: self.cvss_score,
            cvss_vector: self.cvss_vector,
            url: self.url,
            published_at: self.published_at,
            modified_at: self.modified_at,
            affected: serde_json::from_str(&self.affected).map_err(Error::internal)?,
        })
    }
}

pub(super) async fn has_any(pool: &PgPool) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select exists(select from advisories) as "any!""#).fetch_one(pool).await?)
}

/// The advisories about any of these packages.
pub(super) async fn list_about(pool: &PgPool, packages: &[String]) -> Result<Vec<Advisory>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select
               advisory_packages.id,
               osv_id,
               package,
               title,
               details,
               severity as "severity: Severity",
               cwes,
               cves,
               cvss_score,
               cvss_vector,
               url,
               published_at,
               modified_at,
               affected
           from advisory_packages
           join advisories on advisories.id = advisory_packages.advisory_id
           where package = any($1)
           order by package, advisory_packages.id"#,
        packages,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Row::into_advisory).collect()
}

/// Every advisory, or those about one package, in the order of their names.
pub(super) async fn list(pool: &PgPool, package: Option<&str>) -> Result<Vec<Advisory>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select
               advisory_packages.id,
               osv_id,
               package,
               title,
               details,
               severity as "severity: Severity",
               cwes,
               cves,
               cvss_score,
               cvss_vector,
               url,
               published_at,
               modified_at,
               affected
           from advisory_packages
           join advisories on advisories.id = advisory_packages.advisory_id
           where $1::text is null or package = $1
           order by osv_id, package"#,
        package,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Row::into_advisory).collect()
}

/// When each of these advisories last changed, as far as they are known.
pub(super) async fn list_modified(connection: &mut PgConnection, osv_ids: &[String]) -> Result<HashMap<String, Time>> {
    let rows = sqlx::query!("select osv_id, modified_at from advisories where osv_id = any($1)", osv_ids)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.osv_id, row.modified_at)).collect())
}

/// Keeps an advisory in place of what was kept of it before. Its packages keep their numbers.
pub(super) async fn upsert(connection: &mut PgConnection, advisory: &NewAdvisory, now: Time) -> Result<()> {
    let id = sqlx::query_scalar!(
        "insert into advisories
             (osv_id, title, details, severity, cwes, cves, cvss_score, cvss_vector, url, published_at, modified_at,
              imported_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (osv_id) do update set
             title = excluded.title,
             details = excluded.details,
             severity = excluded.severity,
             cwes = excluded.cwes,
             cves = excluded.cves,
             cvss_score = excluded.cvss_score,
             cvss_vector = excluded.cvss_vector,
             url = excluded.url,
             published_at = excluded.published_at,
             modified_at = excluded.modified_at,
             imported_at = excluded.imported_at
         returning id",
        advisory.osv_id,
        advisory.title,
        advisory.details,
        advisory.severity.as_str(),
        &advisory.cwes,
        &advisory.cves,
        advisory.cvss_score,
        advisory.cvss_vector,
        advisory.url,
        advisory.published_at,
        advisory.modified_at,
        now,
    )
    .fetch_one(&mut *connection)
    .await?;
    let packages: Vec<String> = advisory.packages.keys().cloned().collect();
    let affected = advisory.packages.values().map(serde_json::to_string);
    let affected = affected.collect::<Result<Vec<_>, _>>().map_err(Error::internal)?;
    sqlx::query!("delete from advisory_packages where advisory_id = $1 and package <> all($2)", id, &packages)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "insert into advisory_packages (advisory_id, package, affected)
         select $1, package, affected from unnest($2::text[], $3::text[]) as given (package, affected)
         on conflict (advisory_id, package) do update set affected = excluded.affected",
        id,
        &packages,
        &affected,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn delete(connection: &mut PgConnection, osv_id: &str) -> Result<bool> {
    let deleted = sqlx::query!("delete from advisories where osv_id = $1", osv_id).execute(connection).await?;
    Ok(deleted.rows_affected() > 0)
}
