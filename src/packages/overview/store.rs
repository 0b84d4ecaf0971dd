//! The SQL of what pages tell of versions.

use sqlx::PgPool;
use sqlx::types::Json;

use crate::clock::Time;
use crate::error::Result;
use crate::names::PackageName;
use crate::tokens::TrustedPublisher;

use super::ListedVersion;

/// A version and its package.
pub(super) struct DescribedRow {
    pub(super) number: String,
    pub(super) manifest: String,
    pub(super) versions: i64,
    pub(super) first_at: Time,
    pub(super) latest: Option<String>,
}

/// The versions of a package, the newest first; or the one that has a number.
pub(super) async fn list_versions(
    pool: &PgPool,
    name: &PackageName,
    number: Option<&str>,
    from: u32,
    most: u32,
) -> Result<Vec<ListedVersion>> {
    let rows = sqlx::query_as!(
        ListedVersion,
        r#"select
               versions.version as number,
               versions.published_at,
               accounts.name as publisher,
               versions.trusted_publisher as "trusted_publisher: Json<TrustedPublisher>",
               versions.provenance_type is not null as "has_provenance!",
               versions.size_bytes,
               versions.unpacked_bytes,
               versions.file_count,
               nullif(versions.deprecated, '') as deprecated,
               (select name from accounts where id = versions.deprecated_by) as deprecated_by,
               versions.deprecated_at,
               array(
                   select tag
                   from dist_tags
                   where dist_tags.package_id = versions.package_id
                     and dist_tags.version_id = versions.id
                   order by tag <> 'latest', tag
               ) as "tags!"
           from versions
           join packages on packages.id = versions.package_id
           join accounts on accounts.id = versions.published_by
           where packages.name = $1
             and packages.deleted_at is null
             and versions.unpublished_at is null
             and ($2::text is null or versions.version = $2)
           order by versions.id desc
           limit $3
           offset $4"#,
        name.as_str(),
        number,
        i64::from(most),
        i64::from(from),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

/// Finds a version by its number, else by a tag that points at it.
pub(super) async fn describe(
    pool: &PgPool,
    name: &PackageName,
    number: Option<String>,
    tag: Option<String>,
) -> Result<Option<DescribedRow>> {
    let row = sqlx::query_as!(
        DescribedRow,
        r#"select
               versions.version as number,
               versions.manifest,
               (
                   select count(*) from versions as living
                   where living.package_id = packages.id and living.unpublished_at is null
               ) as "versions!",
               (
                   select min(living.published_at) from versions as living
                   where living.package_id = packages.id and living.unpublished_at is null
               ) as "first_at!",
               (
                   select latest.version
                   from dist_tags
                   join versions as latest on latest.id = dist_tags.version_id
                   where dist_tags.package_id = packages.id and dist_tags.tag = 'latest'
               ) as latest
           from versions
           join packages on packages.id = versions.package_id
           left join dist_tags as tagged
               on tagged.package_id = packages.id
              and tagged.version_id = versions.id
              and tagged.tag = $3
           where packages.name = $1
             and packages.deleted_at is null
             and versions.unpublished_at is null
             and (versions.version = $2 or tagged.tag is not null)
           order by versions.version = $2 desc nulls last
           limit 1"#,
        name.as_str(),
        number,
        tag,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row)
}
