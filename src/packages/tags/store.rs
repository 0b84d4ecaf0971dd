//! The SQL of dist-tags.

use sqlx::{PgConnection, PgExecutor};

use crate::error::Result;
use crate::names::{DistTag, PackageId, VersionId, VersionNumber};

/// A tag, and the version it points at.
pub(super) struct TagRow {
    pub(super) tag: String,
    pub(super) version: String,
}

pub(super) async fn list(executor: impl PgExecutor<'_>, package: PackageId) -> Result<Vec<TagRow>> {
    let rows = sqlx::query_as!(
        TagRow,
        "select dist_tags.tag, versions.version
         from dist_tags
         join versions on versions.id = dist_tags.version_id
         where dist_tags.package_id = $1
         order by dist_tags.tag",
        package.0,
    )
    .fetch_all(executor)
    .await?;
    Ok(rows)
}

/// A version that a tag may point at.
pub(super) async fn find_version(
    connection: &mut PgConnection,
    package: PackageId,
    version: &VersionNumber,
) -> Result<Option<VersionId>> {
    let id = sqlx::query_scalar!(
        r#"select id as "id: VersionId"
           from versions
           where package_id = $1 and version = $2 and unpublished_at is null"#,
        package.0,
        version.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(id)
}

pub(super) async fn delete(connection: &mut PgConnection, package: PackageId, tag: &DistTag) -> Result<()> {
    sqlx::query!("delete from dist_tags where package_id = $1 and tag = $2", package.0, tag.as_str())
        .execute(connection)
        .await?;
    Ok(())
}
