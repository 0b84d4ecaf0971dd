//! The SQL of what files versions have.

use sqlx::{PgConnection, PgPool};

use crate::blobs::Digest;
use crate::error::{Error, Result};
use crate::names::{PackageName, VersionId, VersionNumber};

use super::super::archive::FileEntry;
use super::super::entry::TarballFacts;
use super::Unindexed;

/// Bytes of a SHA-256.
const DIGEST_BYTES: usize = 32;

/// Notes the files of a version.
pub(in crate::packages) async fn fill(
    connection: &mut PgConnection,
    version: VersionId,
    files: &[FileEntry],
) -> Result<()> {
    let number = |value: u64| i64::try_from(value).map_err(Error::internal);
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let sizes: Vec<i64> = files.iter().map(|file| number(file.size)).collect::<Result<_>>()?;
    let offsets: Vec<i64> = files.iter().map(|file| number(file.offset)).collect::<Result<_>>()?;
    let texts: Vec<bool> = files.iter().map(|file| file.is_text).collect();
    let digests: Vec<u8> = files.iter().flat_map(|file| file.sha256).collect();
    sqlx::query!(
        "insert into version_files (version_id, paths, sizes, offsets, texts, digests)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (version_id) do update
         set paths = excluded.paths,
             sizes = excluded.sizes,
             offsets = excluded.offsets,
             texts = excluded.texts,
             digests = excluded.digests",
        version.0,
        &paths as &[&str],
        &sizes,
        &offsets,
        &texts,
        digests,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The version under a number, and where its tarball is.
pub(super) async fn find_version(
    pool: &PgPool,
    name: &PackageName,
    version: &VersionNumber,
) -> Result<Option<Unindexed>> {
    let row = sqlx::query!(
        r#"select versions.id as "id: VersionId", versions.sha512 as "sha512!", versions.size_bytes
           from versions
           join packages on packages.id = versions.package_id
           where packages.name = $1
             and packages.deleted_at is null
             and versions.version = $2
             and versions.unpublished_at is null"#,
        name.as_str(),
        version.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| unindexed(row.id, row.sha512, row.size_bytes)).transpose()
}

fn unindexed(id: VersionId, sha512: Vec<u8>, size_bytes: i64) -> Result<Unindexed> {
    let digest = Digest::try_from(sha512).map_err(|_| Error::internal("a digest of the wrong length"))?;
    let size_bytes = u64::try_from(size_bytes).map_err(Error::internal)?;
    Ok(Unindexed { id, tarball: TarballFacts { digest, size_bytes } })
}

/// The files of a version, in the order in which they were noted; `None` where nobody has noted them.
pub(super) async fn load(pool: &PgPool, version: VersionId) -> Result<Option<Vec<FileEntry>>> {
    let row = sqlx::query!(
        r#"select
               paths as "paths!",
               sizes as "sizes!",
               offsets as "offsets!",
               texts as "texts!",
               digests as "digests!"
           from version_files
           where version_id = $1
             and paths is not null"#,
        version.0,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (digests, _) = row.digests.as_chunks::<DIGEST_BYTES>();
    let places = row.sizes.into_iter().zip(row.offsets).zip(row.texts).zip(digests);
    let files = row.paths.into_iter().zip(places).map(|(path, (((size, offset), is_text), sha256))| {
        let number = |value: i64| u64::try_from(value).map_err(Error::internal);
        Ok(FileEntry { path, size: number(size)?, offset: number(offset)?, is_text, sha256: *sha256 })
    });
    files.collect::<Result<_>>().map(Some)
}

/// Versions whose files nobody has noted, in the order of their ids.
pub(super) async fn list_missing(pool: &PgPool, after: VersionId, most: i64) -> Result<Vec<Unindexed>> {
    let rows = sqlx::query!(
        r#"select versions.id as "id: VersionId", versions.sha512 as "sha512!", versions.size_bytes
           from version_files
           join versions on versions.id = version_files.version_id
           where version_files.paths is null
             and version_files.version_id > $1
             and versions.sha512 is not null
           order by version_files.version_id
           limit $2"#,
        after.0,
        most,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|row| unindexed(row.id, row.sha512, row.size_bytes)).collect()
}
