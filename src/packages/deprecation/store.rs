//! The SQL of deprecations.

use sqlx::PgConnection;

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, PackageId, VersionId};

/// A version that was ever published.
pub(super) struct VersionRow {
    pub(super) id: VersionId,
    pub(super) version: String,
    pub(super) deprecated: Option<String>,
    pub(super) deprecated_revision: i64,
    pub(super) unpublished: bool,
}

pub(super) async fn list(connection: &mut PgConnection, package: PackageId) -> Result<Vec<VersionRow>> {
    let rows = sqlx::query_as!(
        VersionRow,
        r#"select
               id as "id: VersionId",
               version,
               deprecated,
               deprecated_revision,
               unpublished_at is not null as "unpublished!"
           from versions
           where package_id = $1"#,
        package.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows)
}

/// By whom something is said, where it is a user, and when.
pub(super) struct Said {
    pub(super) by: Option<AccountId>,
    pub(super) at: Time,
}

/// Writes what was said at `revision` of each version; nothing takes a deprecation back.
pub(super) async fn update(
    connection: &mut PgConnection,
    revision: i64,
    said: Said,
    versions: &[i64],
    messages: &[Option<String>],
) -> Result<()> {
    sqlx::query!(
        "update versions
         set deprecated = said.message, deprecated_revision = $1, deprecated_by = $4, deprecated_at = $5
         from unnest($2::bigint[], $3::text[]) as said (id, message)
         where versions.id = said.id",
        revision,
        versions,
        messages as &[Option<String>],
        said.by.map(|by| by.0),
        said.at,
    )
    .execute(connection)
    .await?;
    Ok(())
}
