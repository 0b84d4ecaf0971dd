//! The SQL of what a package has in all.

use sqlx::PgPool;

use crate::blobs::Digest;
use crate::error::{Error, Result};
use crate::names::PackageId;

use super::{Exposure, NewestVersion};

pub(super) async fn sum(pool: &PgPool, package: PackageId) -> Result<Exposure> {
    let row = sqlx::query!(
        r#"select
               count(*) as "versions!",
               count(*) filter (where readme is not null) as "readmes!",
               coalesce(sum(file_count), 0)::bigint as "files!",
               coalesce(sum(unpacked_bytes), 0)::bigint as "unpacked_bytes!",
               min(published_at) as since
           from versions
           where package_id = $1 and unpublished_at is null"#,
        package.0,
    )
    .fetch_one(pool)
    .await?;
    Ok(Exposure {
        versions: unsigned(row.versions),
        readmes: unsigned(row.readmes),
        files: unsigned(row.files),
        unpacked_bytes: unsigned(row.unpacked_bytes),
        since: row.since,
    })
}

fn unsigned(count: i64) -> u64 {
    count.try_into().unwrap_or_default()
}

pub(super) async fn list_newest(pool: &PgPool, package: PackageId, most: u32) -> Result<Vec<NewestVersion>> {
    let rows = sqlx::query!(
        "select versions.version, versions.sha512, versions.size_bytes
         from versions
         left join dist_tags on dist_tags.version_id = versions.id and dist_tags.tag = 'latest'
         where versions.package_id = $1 and versions.unpublished_at is null
         order by dist_tags.tag nulls last, versions.published_at desc, versions.id desc
         limit $2",
        package.0,
        i64::from(most),
    )
    .fetch_all(pool)
    .await?;
    let read = |sha512: Option<Vec<u8>>| {
        let bytes = sha512.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Digest::from_bytes).ok_or_else(|| Error::internal("a version without a file"))
    };
    rows.into_iter()
        .map(|row| {
            let (digest, size_bytes) = (read(row.sha512)?, unsigned(row.size_bytes));
            Ok(NewestVersion { version: row.version, digest, size_bytes })
        })
        .collect()
}
