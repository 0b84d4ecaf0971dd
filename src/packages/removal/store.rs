//! The SQL of what was removed.

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, PackageId, PackageName, VersionId, VersionNumber};
use crate::policy::Visibility;

/// A version that can be installed.
pub(super) struct LiveVersion {
    pub(super) id: VersionId,
    pub(super) version: String,
    pub(super) published_at: Time,
}

pub(super) async fn list_live(connection: &mut PgConnection, package: PackageId) -> Result<Vec<LiveVersion>> {
    let rows = sqlx::query_as!(
        LiveVersion,
        r#"select id as "id: VersionId", version, published_at
           from versions
           where package_id = $1 and unpublished_at is null
           order by id"#,
        package.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows)
}

/// Moves versions to the trash, with every tag that points at them, and what their manifests counted.
pub(super) async fn unpublish(
    connection: &mut PgConnection,
    package: PackageId,
    versions: &[i64],
    by: Option<AccountId>,
    now: Time,
) -> Result<()> {
    sqlx::query!("delete from dist_tags where package_id = $1 and version_id = any($2)", package.0, versions)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "with removed as (
             update versions
             set unpublished_at = $3, unpublished_by = $4
             where package_id = $1 and id = any($2) and unpublished_at is null
             returning octet_length(manifest) + coalesce(octet_length(deprecated), 0) as bytes
         )
         update packages
         set manifest_bytes = greatest(manifest_bytes - (select coalesce(sum(bytes), 0) from removed), 0)
         where id = $1",
        package.0,
        versions,
        now,
        by.map(|by| by.0),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves a package to the trash with all that is left of it; tags, grants and stars wait for its return. The versions go
/// at the very moment that the package goes, which is how they are known again.
pub(super) async fn delete(
    connection: &mut PgConnection,
    package: PackageId,
    by: Option<AccountId>,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "update versions set unpublished_at = $2, unpublished_by = $3 where package_id = $1 and unpublished_at is null",
        package.0,
        now,
        by.map(|by| by.0),
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update packages set deleted_at = $2, deleted_by = $3, manifest_bytes = 0 where id = $1",
        package.0,
        now,
        by.map(|by| by.0),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A package that was removed as a whole.
pub(in crate::packages) struct DeletedPackage {
    pub(in crate::packages) id: PackageId,
    pub(in crate::packages) deleted_at: Time,
}

pub(in crate::packages) async fn find_deleted(
    connection: &mut PgConnection,
    name: &PackageName,
) -> Result<Option<DeletedPackage>> {
    let row = sqlx::query_as!(
        DeletedPackage,
        r#"select id as "id: PackageId", deleted_at as "deleted_at!"
           from packages
           where name = $1 and deleted_at is not null"#,
        name.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row)
}

/// Makes a removed package a new one under its old row: nothing of the old one is left but its numbers.
pub(in crate::packages) async fn create_anew(
    connection: &mut PgConnection,
    package: PackageId,
    owner: AccountId,
    creator: AccountId,
    visibility: Visibility,
    now: Time,
) -> Result<()> {
    sqlx::query!("delete from grants where package_id = $1", package.0).execute(&mut *connection).await?;
    sqlx::query!("delete from team_grants where package_id = $1", package.0).execute(&mut *connection).await?;
    sqlx::query!("delete from stars where package_id = $1", package.0).execute(&mut *connection).await?;
    sqlx::query!("delete from dist_tags where package_id = $1", package.0).execute(&mut *connection).await?;
    sqlx::query!(
        "update packages
         set owner_id = $2,
             created_by = $3,
             visibility = $4,
             created_at = $5,
             publish_requires_second_factor = default,
             automation_overrides_second_factor = default,
             manifest_bytes = 0,
             deleted_at = null,
             deleted_by = null
         where id = $1",
        package.0,
        owner.0,
        creator.0,
        visibility.as_str(),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What there is of a version number that was used.
pub(super) struct KnownVersion {
    pub(super) id: VersionId,
    pub(super) unpublished_at: Option<Time>,
    pub(super) has_file: bool,
}

pub(super) async fn find_version(
    connection: &mut PgConnection,
    package: PackageId,
    version: &VersionNumber,
) -> Result<Option<KnownVersion>> {
    let row = sqlx::query_as!(
        KnownVersion,
        r#"select id as "id: VersionId", unpublished_at, sha512 is not null as "has_file!"
           from versions
           where package_id = $1 and version = $2"#,
        package.0,
        version.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row)
}

/// Takes versions out of the trash. Returns how many bytes the manifests of the package then are.
pub(super) async fn restore_versions(
    connection: &mut PgConnection,
    package: PackageId,
    versions: &[i64],
) -> Result<i64> {
    let total = sqlx::query_scalar!(
        "with restored as (
             update versions
             set unpublished_at = null, unpublished_by = null
             where package_id = $1 and id = any($2) and sha512 is not null
             returning octet_length(manifest) + coalesce(octet_length(deprecated), 0) as bytes
         )
         update packages
         set manifest_bytes = manifest_bytes + (select coalesce(sum(bytes), 0) from restored)
         where id = $1
         returning manifest_bytes",
        package.0,
        versions,
    )
    .fetch_one(connection)
    .await?;
    Ok(total)
}

/// The versions that went when their package went.
pub(super) async fn list_deleted_with(
    connection: &mut PgConnection,
    package: PackageId,
    deleted_at: Time,
) -> Result<Vec<i64>> {
    let ids = sqlx::query_scalar!(
        "select id from versions where package_id = $1 and unpublished_at = $2 and sha512 is not null",
        package.0,
        deleted_at,
    )
    .fetch_all(connection)
    .await?;
    Ok(ids)
}

pub(super) async fn undelete(connection: &mut PgConnection, package: PackageId) -> Result<()> {
    sqlx::query!("update packages set deleted_at = null, deleted_by = null where id = $1", package.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Something in the trash.
pub(super) struct TrashRow {
    pub(super) package: PackageName,
    pub(super) owner: AccountId,
    /// `None` for a whole package.
    pub(super) version: Option<String>,
    pub(super) removed_at: Time,
    pub(super) removed_by: Option<AccountName>,
}

/// What was removed after `since`, the latest first: of one package, of the scopes that `account` owns or leads, or all.
/// Versions that went with their package are not listed one by one.
pub(super) async fn list_trash(
    pool: &PgPool,
    of: Option<AccountId>,
    package: Option<&PackageName>,
    since: Time,
    most: i64,
) -> Result<Vec<TrashRow>> {
    let rows = sqlx::query_as!(
        TrashRow,
        r#"with mine as (
               select id, name, owner_id, deleted_at, deleted_by
               from packages
               where (
                       $1::bigint is null
                       or owner_id = $1
                       or owner_id in (
                           select organization_id
                           from organization_members
                           where user_id = $1 and role in ('admin', 'owner')
                       )
                   )
                 and ($2::text is null or name = $2)
           )
           select
               removed.package as "package!: PackageName",
               removed.owner_id as "owner!: AccountId",
               removed.version,
               removed.removed_at as "removed_at!",
               accounts.name as "removed_by?: AccountName"
           from (
               select
                   name as package, owner_id, null::text as version, deleted_at as removed_at,
                   deleted_by as removed_by
               from mine
               where deleted_at > $3
               union all
               select mine.name, mine.owner_id, versions.version, versions.unpublished_at, versions.unpublished_by
               from mine
               join versions on versions.package_id = mine.id
               where versions.unpublished_at > $3
                 and versions.sha512 is not null
                 and versions.unpublished_at is distinct from mine.deleted_at
           ) as removed
           left join accounts on accounts.id = removed.removed_by
           order by removed.removed_at desc, removed.package, removed.version
           limit $4"#,
        of.map(|account| account.0),
        package.map(PackageName::as_str),
        since,
        most,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

/// Lets go of what was removed before `before`: the files can be swept then, and the numbers stay. At most so many
/// versions at once; returns how many there were.
pub(super) async fn purge_versions(connection: &mut PgConnection, before: Time, most: i64) -> Result<u64> {
    let purged = sqlx::query!(
        "update versions
         set sha512 = null,
             manifest = '',
             abbreviated = '',
             readme = null,
             readme_file = null,
             provenance = null,
             deprecated = null
         where id in (
             select id
             from versions
             where unpublished_at <= $1
               and sha512 is not null
             limit $2
             for update skip locked
         )",
        before,
        most,
    )
    .execute(connection)
    .await?;
    Ok(purged.rows_affected())
}

/// Forgets who had what of packages that can no longer be restored.
pub(super) async fn purge_packages(connection: &mut PgConnection, before: Time) -> Result<()> {
    for table in [
        sqlx::query!(
            "delete from dist_tags where package_id in (select id from packages where deleted_at <= $1)",
            before,
        ),
        sqlx::query!("delete from grants where package_id in (select id from packages where deleted_at <= $1)", before),
        sqlx::query!(
            "delete from team_grants where package_id in (select id from packages where deleted_at <= $1)",
            before,
        ),
        sqlx::query!("delete from stars where package_id in (select id from packages where deleted_at <= $1)", before),
    ] {
        table.execute(&mut *connection).await?;
    }
    Ok(())
}
