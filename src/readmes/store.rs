//! The SQL of READMEs.

use sqlx::{PgConnection, PgPool};

use crate::error::Result;
use crate::names::{PackageName, VersionId, VersionNumber};

use super::{Body, Readme};

/// A README that this renderer has not made yet.
pub(super) struct Unrendered {
    pub(super) version_id: VersionId,
    pub(super) name: PackageName,
    pub(super) version: String,
    pub(super) text: String,
    pub(super) file_name: String,
}

pub(super) async fn find(pool: &PgPool, name: &PackageName, version: &VersionNumber) -> Result<Option<Readme>> {
    let row = sqlx::query!(
        r#"select
               readmes.html as "html?",
               case when readmes.html is null then versions.readme end as text,
               versions.readme_file
           from versions
           join packages on packages.id = versions.package_id
           left join readmes on readmes.version_id = versions.id
           where packages.name = $1
             and packages.deleted_at is null
             and versions.version = $2
             and versions.unpublished_at is null
             and versions.readme is not null"#,
        name.as_str(),
        version.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Readme {
        file_name: row.readme_file.unwrap_or_default(),
        body: match row.html {
            Some(html) => Body::Html(html),
            None => Body::Plain(row.text.unwrap_or_default()),
        },
    }))
}

/// The READMEs that an older renderer made, or one that was told otherwise, or nobody: the newest first.
pub(super) async fn list_unrendered(pool: &PgPool, current: i64, next: i64, most: i64) -> Result<Vec<Unrendered>> {
    let rows = sqlx::query_as!(
        Unrendered,
        r#"select
               versions.id as "version_id: VersionId",
               packages.name as "name: PackageName",
               versions.version,
               coalesce(versions.readme, '') as "text!",
               coalesce(versions.readme_file, '') as "file_name!"
           from readmes
           join versions on versions.id = readmes.version_id
           join packages on packages.id = versions.package_id
           where readmes.renderer < $1
              or (readmes.renderer > $1 and readmes.renderer < $2)
           order by readmes.version_id desc
           limit $3"#,
        current,
        next,
        most,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

pub(super) async fn keep(connection: &mut PgConnection, version: VersionId, renderer: i64, html: &str) -> Result<()> {
    sqlx::query!("update readmes set html = $3, renderer = $2 where version_id = $1", version.0, renderer, html)
        .execute(connection)
        .await?;
    Ok(())
}
