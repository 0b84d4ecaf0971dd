//! The SQL of the `blobs` table.

use sqlx::PgConnection;

use crate::clock::Time;
use crate::error::Result;

use super::Digest;

/// Inserts the row of a blob, or says that it is wanted again.
pub(super) async fn touch(connection: &mut PgConnection, digest: &Digest, size: u64, now: Time) -> Result<()> {
    sqlx::query!(
        "insert into blobs (sha512, size_bytes, touched_at)
         values ($1, $2, $3)
         on conflict (sha512) do update set touched_at = greatest(blobs.touched_at, excluded.touched_at)",
        digest.as_bytes(),
        i64::try_from(size).unwrap_or(i64::MAX),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes the rows of up to a hundred blobs that no version points at, published or staged, and no publish has touched since `before`.
///
/// The rows stay locked until the transaction ends, and a publish of the same bytes waits for that in [`touch`]: so the
/// files may be removed before the commit.
pub(super) async fn take_abandoned(connection: &mut PgConnection, before: Time) -> Result<Vec<Digest>> {
    let rows = sqlx::query_scalar!(
        "delete from blobs
         where sha512 in (
             select sha512
             from blobs
             where touched_at < $1
               and not exists (select from versions where versions.sha512 = blobs.sha512)
               and not exists (select from staged_versions where staged_versions.sha512 = blobs.sha512)
             limit 100
             for update skip locked
         )
         returning sha512",
        before,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().filter_map(|bytes| Digest::try_from(bytes).ok()).collect())
}
