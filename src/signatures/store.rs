//! The SQL of signing keys and signatures.

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{PackageId, PackageName, VersionId};

use super::PublicKey;
use super::key::Signer;

/// The key that signs, as it is kept.
pub(super) struct SealedKey {
    pub(super) key_id: String,
    pub(super) sealed_private_key: Vec<u8>,
}

/// Finds the key that signs, and keeps it from expiring before this transaction ends: what was signed with it was then
/// published before it expired. Nothing is found where it expired while this statement waited; the next one sees its
/// successor.
pub(super) async fn hold_signing_key(connection: &mut PgConnection) -> Result<Option<SealedKey>> {
    let key = sqlx::query_as!(
        SealedKey,
        "select key_id, sealed_private_key from signing_keys where expires_at is null for share"
    )
    .fetch_optional(connection)
    .await?;
    Ok(key)
}

/// Adds the key that signs from now on, where there is none; waits for another node that is about to.
pub(super) async fn insert_key_if_none(
    connection: &mut PgConnection,
    key: &Signer,
    sealed: &[u8],
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "insert into signing_keys (key_id, public_key, sealed_private_key, created_at)
         values ($1, $2, $3, $4)
         on conflict do nothing",
        key.key_id,
        key.public,
        sealed,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Waits until nobody signs with the present key or puts another in its place, and holds it.
pub(super) async fn lock_signing_key(connection: &mut PgConnection) -> Result<Option<String>> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('signing key', 0))").execute(&mut *connection).await?;
    let key = sqlx::query_scalar!("select key_id from signing_keys where expires_at is null for update")
        .fetch_optional(connection)
        .await?;
    Ok(key)
}

/// Ends a key, later than everything that it signed was published: clients compare the two, and the clock of the node
/// that published may be ahead of this one's. The newest rows are enough to look at.
pub(super) async fn expire_key(connection: &mut PgConnection, key_id: &str, now: Time) -> Result<()> {
    sqlx::query!(
        "update signing_keys
         set expires_at = greatest(
             $2,
             (
                 select max(published_at) + interval '1 millisecond'
                 from versions
                 where id > (select max(id) - 1000 from versions)
             )
         )
         where key_id = $1",
        key_id,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn list_keys(pool: &PgPool) -> Result<Vec<PublicKey>> {
    let keys = sqlx::query_as!(
        PublicKey,
        "select key_id, public_key, created_at, expires_at
         from signing_keys
         order by expires_at desc nulls first, key_id"
    )
    .fetch_all(pool)
    .await?;
    Ok(keys)
}

pub(super) async fn insert_signature(
    connection: &mut PgConnection,
    version: VersionId,
    key_id: &str,
    signature: &str,
) -> Result<()> {
    sqlx::query!(
        "insert into version_signatures (version_id, key_id, signature)
         values ($1, $2, $3)
         on conflict do nothing",
        version.0,
        key_id,
        signature,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A version that nobody signed: it was published by a release that did not.
pub(super) struct Unsigned {
    pub(super) package: PackageId,
    pub(super) name: PackageName,
    pub(super) version: VersionId,
    pub(super) number: String,
    pub(super) sha512: Vec<u8>,
}

/// Some of the unsigned versions, those of a package side by side.
pub(super) async fn list_unsigned(pool: &PgPool, most: i64) -> Result<Vec<Unsigned>> {
    let rows = sqlx::query_as!(
        Unsigned,
        r#"select
               packages.id as "package: PackageId",
               packages.name as "name: PackageName",
               versions.id as "version: VersionId",
               versions.version as number,
               versions.sha512 as "sha512!"
           from versions
           join packages on packages.id = versions.package_id
           where versions.sha512 is not null
             and not exists (select from version_signatures where version_signatures.version_id = versions.id)
           order by versions.package_id, versions.id
           limit $1"#,
        most,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
