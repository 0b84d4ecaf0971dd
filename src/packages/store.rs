//! The SQL of packages, versions and dist-tags.

use std::collections::HashMap;

use sqlx::{PgConnection, PgPool};

use crate::blobs::Digest;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{AccountId, DistTag, PackageId, PackageName, TokenId, VersionId, VersionNumber};
use crate::policy::Visibility;
use crate::tokens::TrustedPublisher;

use super::entry::TarballFacts;
use super::inventory::{InventoryLine, LicenceLine, Totals};
use super::packument::Form;
use super::provenance::Provenance;

/// A package as its packument shows it.
pub(super) struct PackageRow {
    pub(super) revision: i64,
    pub(super) created_at: Time,
    pub(super) modified_at: Time,
    pub(super) tags: Vec<String>,
    pub(super) tagged_versions: Vec<String>,
    pub(super) maintainers: Vec<String>,
    /// Who gave it a star.
    pub(super) users: Vec<String>,
    pub(super) latest_manifest: Option<String>,
    pub(super) readme: Option<String>,
    pub(super) readme_file: Option<String>,
}

/// A version as a packument shows it; `manifest` is the text of the form that was asked for.
pub(super) struct VersionRow {
    pub(super) version: String,
    pub(super) published_at: Time,
    pub(super) manifest: String,
    pub(super) deprecated: Option<String>,
    pub(super) sha512: Vec<u8>,
    pub(super) sha1: Vec<u8>,
    pub(super) file_count: i32,
    pub(super) unpacked_bytes: i64,
    /// The predicate type of its provenance, where it has one that was checked.
    pub(super) provenance_type: Option<String>,
    /// The keys that signed it, and beside each its signature.
    pub(super) key_ids: Vec<String>,
    pub(super) signatures: Vec<String>,
}

/// Loads what a packument is stitched from, as it was at one moment.
pub(super) async fn load_packument(
    pool: &PgPool,
    name: &PackageName,
    form: Form,
    now: Time,
) -> Result<Option<(PackageRow, Vec<VersionRow>)>> {
    let mut snapshot = pool.begin_with("begin isolation level repeatable read read only").await?;
    let Some(package) = find_package_row(&mut snapshot, name, form, now).await? else { return Ok(None) };
    let versions = list_versions(&mut snapshot, name, form).await?;
    snapshot.commit().await?;
    Ok(Some((package, versions)))
}

async fn find_package_row(
    connection: &mut PgConnection,
    name: &PackageName,
    form: Form,
    now: Time,
) -> Result<Option<PackageRow>> {
    let row = sqlx::query_as!(
        PackageRow,
        r#"select
               packages.revision,
               packages.created_at,
               packages.modified_at,
               array(
                   select tag from dist_tags where package_id = packages.id order by tag
               ) as "tags!",
               array(
                   select versions.version
                   from dist_tags
                   join versions on versions.id = dist_tags.version_id
                   where dist_tags.package_id = packages.id
                   order by dist_tags.tag
               ) as "tagged_versions!",
               array(
                   select accounts.name
                   from accounts
                   where accounts.kind = 'user'
                     and (
                         accounts.id = packages.owner_id
                         or exists (
                             select from organization_members
                             where organization_id = packages.owner_id
                               and user_id = accounts.id
                               and role in ('admin', 'owner')
                         )
                         or exists (
                             select from collaborations
                             where package_id = packages.id
                               and user_id = accounts.id
                               and (permission = 'read-write' or packages.visibility = 'public')
                               and (expires_at is null or expires_at > $3)
                         )
                     )
                   order by accounts.id <> packages.owner_id, accounts.name
               ) as "maintainers!",
               array(
                   select accounts.name
                   from stars
                   join accounts on accounts.id = stars.user_id
                   where stars.package_id = packages.id and $2
                   order by accounts.name
               ) as "users!",
               case when $2 then latest.manifest end as latest_manifest,
               case when $2 then latest.readme end as readme,
               case when $2 then latest.readme_file end as readme_file
           from packages
           left join dist_tags on dist_tags.package_id = packages.id and dist_tags.tag = 'latest'
           left join versions as latest on latest.id = dist_tags.version_id
           where packages.name = $1
             and packages.deleted_at is null"#,
        name.as_str(),
        form == Form::Full,
        now,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row)
}

async fn list_versions(connection: &mut PgConnection, name: &PackageName, form: Form) -> Result<Vec<VersionRow>> {
    let rows = sqlx::query_as!(
        VersionRow,
        r#"select
               versions.version,
               versions.published_at,
               case when $2 then versions.manifest else versions.abbreviated end as "manifest!",
               versions.deprecated,
               versions.sha512 as "sha512!",
               versions.sha1,
               versions.file_count,
               versions.unpacked_bytes,
               versions.provenance_type,
               coalesce(signed.key_ids, '{}') as "key_ids!",
               coalesce(signed.signatures, '{}') as "signatures!"
           from versions
           join packages on packages.id = versions.package_id
           left join lateral (
               select
                   array_agg(key_id order by key_id) as key_ids,
                   array_agg(signature order by key_id) as signatures
               from version_signatures
               where version_id = versions.id
           ) as signed on true
           where packages.name = $1
             and versions.unpublished_at is null
           order by versions.id"#,
        name.as_str(),
        form == Form::Full,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows)
}

/// Finds a version by its number, else by a tag that points at it.
pub(super) async fn find_version(
    pool: &PgPool,
    name: &PackageName,
    number: Option<String>,
    tag: Option<String>,
) -> Result<Option<VersionRow>> {
    let row = sqlx::query_as!(
        VersionRow,
        r#"select
               versions.version,
               versions.published_at,
               versions.manifest,
               versions.deprecated,
               versions.sha512 as "sha512!",
               versions.sha1,
               versions.file_count,
               versions.unpacked_bytes,
               versions.provenance_type,
               coalesce(signed.key_ids, '{}') as "key_ids!",
               coalesce(signed.signatures, '{}') as "signatures!"
           from versions
           join packages on packages.id = versions.package_id
           left join lateral (
               select
                   array_agg(key_id order by key_id) as key_ids,
                   array_agg(signature order by key_id) as signatures
               from version_signatures
               where version_id = versions.id
           ) as signed on true
           left join dist_tags
               on dist_tags.package_id = versions.package_id
              and dist_tags.version_id = versions.id
              and dist_tags.tag = $3
           where packages.name = $1
             and versions.unpublished_at is null
             and (versions.version = $2 or dist_tags.tag is not null)
           limit 1"#,
        name.as_str(),
        number,
        tag,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row)
}

/// The provenance of a version; one that was kept unchecked by an earlier release is none.
pub(super) async fn find_provenance(
    pool: &PgPool,
    name: &PackageName,
    version: &VersionNumber,
) -> Result<Option<Provenance>> {
    let row = sqlx::query_as!(
        Provenance,
        r#"select
               versions.provenance as "bundle!",
               versions.provenance_type as "predicate_type!"
           from versions
           join packages on packages.id = versions.package_id
           where packages.name = $1
             and versions.version = $2
             and versions.unpublished_at is null
             and versions.provenance is not null
             and versions.provenance_type is not null"#,
        name.as_str(),
        version.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row)
}

/// Where the bytes of one version are.
pub(super) async fn find_tarball(
    pool: &PgPool,
    name: &PackageName,
    version: &VersionNumber,
) -> Result<Option<TarballFacts>> {
    let row = sqlx::query!(
        r#"select versions.sha512 as "sha512!", versions.size_bytes
         from versions
         join packages on packages.id = versions.package_id
         where packages.name = $1
           and versions.version = $2
           and versions.unpublished_at is null"#,
        name.as_str(),
        version.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| tarball_facts(row.sha512, row.size_bytes)).transpose()
}

fn tarball_facts(sha512: Vec<u8>, size_bytes: i64) -> Result<TarballFacts> {
    let digest = Digest::try_from(sha512).map_err(|_| Error::internal("a digest of the wrong length"))?;
    Ok(TarballFacts { digest, size_bytes: u64::try_from(size_bytes).map_err(Error::internal)? })
}

pub(super) async fn list_tarballs(pool: &PgPool, name: &PackageName) -> Result<HashMap<Box<str>, TarballFacts>> {
    let rows = sqlx::query!(
        r#"select versions.version, versions.sha512 as "sha512!", versions.size_bytes
         from versions
         join packages on packages.id = versions.package_id
         where packages.name = $1
           and versions.unpublished_at is null"#,
        name.as_str(),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|row| Ok((row.version.into(), tarball_facts(row.sha512, row.size_bytes)?))).collect()
}

pub(super) async fn insert_package(
    connection: &mut PgConnection,
    name: &PackageName,
    owner: AccountId,
    creator: AccountId,
    visibility: Visibility,
    now: Time,
) -> Result<PackageId> {
    let id = sqlx::query_scalar!(
        r#"insert into packages
               (owner_id, name, visibility, revision, manifest_bytes, created_by, created_at, modified_at)
           values ($1, $2, $3, 0, 0, $4, $5, $5)
           returning id as "id: PackageId""#,
        owner.0,
        name.as_str(),
        visibility.as_str(),
        creator.0,
        now,
    )
    .fetch_one(connection)
    .await?;
    Ok(id)
}

/// A version number that was used before.
pub(super) struct UsedVersion {
    /// The hash of its bytes, as long as they are kept.
    pub(super) sha512: Option<Vec<u8>>,
    pub(super) published_by: AccountId,
    pub(super) unpublished: bool,
    /// The tags that point at it, or have moved on to a later version since.
    pub(super) tags: Vec<String>,
}

pub(super) async fn find_used_version(
    connection: &mut PgConnection,
    package: PackageId,
    version: &VersionNumber,
) -> Result<Option<UsedVersion>> {
    let row = sqlx::query_as!(
        UsedVersion,
        r#"select
               sha512,
               published_by as "published_by: AccountId",
               unpublished_at is not null as "unpublished!",
               array(
                   select tag
                   from dist_tags
                   where dist_tags.package_id = versions.package_id
                     and dist_tags.version_id >= versions.id
               ) as "tags!"
           from versions
           where package_id = $1
             and version = $2"#,
        package.0,
        version.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row)
}

/// A new row of `versions`.
pub(super) struct NewVersion<'a> {
    pub(super) package: PackageId,
    pub(super) version: &'a VersionNumber,
    pub(super) publisher: AccountId,
    pub(super) trusted_publisher: Option<&'a TrustedPublisher>,
    pub(super) manifest: &'a str,
    pub(super) abbreviated: &'a str,
    pub(super) digest: &'a Digest,
    pub(super) sha1: &'a [u8],
    pub(super) size_bytes: u64,
    pub(super) unpacked_bytes: u64,
    pub(super) file_count: usize,
    pub(super) readme: Option<&'a str>,
    pub(super) readme_file: Option<&'a str>,
    pub(super) provenance: Option<&'a Provenance>,
    pub(super) now: Time,
}

pub(super) async fn insert_version(connection: &mut PgConnection, version: &NewVersion<'_>) -> Result<VersionId> {
    let id = sqlx::query_scalar!(
        r#"insert into versions
               (package_id, version, published_by, published_at, manifest, abbreviated, sha512, sha1, size_bytes,
                unpacked_bytes, file_count, readme, readme_file, provenance, provenance_type, trusted_publisher)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
           returning id as "id: VersionId""#,
        version.package.0,
        version.version.as_str(),
        version.publisher.0,
        version.now,
        version.manifest,
        version.abbreviated,
        version.digest.as_bytes(),
        version.sha1,
        i64::try_from(version.size_bytes).map_err(Error::internal)?,
        i64::try_from(version.unpacked_bytes).map_err(Error::internal)?,
        i32::try_from(version.file_count).map_err(Error::internal)?,
        version.readme,
        version.readme_file,
        version.provenance.map(|provenance| &provenance.bundle),
        version.provenance.map(|provenance| &provenance.predicate_type),
        version.trusted_publisher.map(serde_json::to_value).transpose().map_err(Error::internal)?,
    )
    .fetch_one(connection)
    .await?;
    Ok(id)
}

/// The trusted publisher that a token was given to.
pub(super) async fn find_trusted_publisher(
    connection: &mut PgConnection,
    token: TokenId,
) -> Result<Option<TrustedPublisher>> {
    let found = sqlx::query_scalar!("select trusted_publisher from tokens where id = $1", token.0)
        .fetch_optional(connection)
        .await?;
    found.flatten().map(serde_json::from_value).transpose().map_err(Error::internal)
}

/// Counts text of manifests into its package, or out of it; tells how many bytes the manifests now are.
pub(super) async fn add_manifest_bytes(connection: &mut PgConnection, package: PackageId, bytes: i64) -> Result<u64> {
    let total = sqlx::query_scalar!(
        "update packages set manifest_bytes = greatest(manifest_bytes + $2, 0) where id = $1 returning manifest_bytes",
        package.0,
        bytes,
    )
    .fetch_one(connection)
    .await?;
    u64::try_from(total).map_err(Error::internal)
}

pub(super) async fn set_tag(
    connection: &mut PgConnection,
    package: PackageId,
    tag: &DistTag,
    version: VersionId,
) -> Result<()> {
    sqlx::query!(
        "insert into dist_tags (package_id, tag, version_id)
         values ($1, $2, $3)
         on conflict (package_id, tag) do update set version_id = excluded.version_id",
        package.0,
        tag.as_str(),
        version.0,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn list_inventory(pool: &PgPool, sought: &str, most: i64, skip: i64) -> Result<Vec<InventoryLine>> {
    let lines = sqlx::query_as!(
        InventoryLine,
        r#"select
               packages.name as "name: PackageName",
               packages.visibility as "visibility: Visibility",
               (
                   select count(*) from versions where package_id = packages.id and unpublished_at is null
               ) as "versions!",
               (
                   select coalesce(sum(size_bytes), 0)::bigint
                   from versions
                   where package_id = packages.id and unpublished_at is null
               ) as "bytes!",
               packages.created_at,
               packages.deleted_at
           from packages
           where position($1 in packages.name) > 0
           order by packages.name
           limit $2
           offset $3"#,
        sought,
        most,
        skip,
    )
    .fetch_all(pool)
    .await?;
    Ok(lines)
}

pub(super) async fn count_inventory(pool: &PgPool, sought: &str) -> Result<i64> {
    let count =
        sqlx::query_scalar!(r#"select count(*) as "count!" from packages where position($1 in name) > 0"#, sought);
    Ok(count.fetch_one(pool).await?)
}

pub(super) async fn count_everything(pool: &PgPool) -> Result<Totals> {
    let totals = sqlx::query_as!(
        Totals,
        r#"select
               (select count(*) from packages where deleted_at is null) as "packages!",
               (select count(*) from packages where deleted_at is null and visibility = 'public') as "public!",
               (select count(*) from versions where unpublished_at is null) as "versions!",
               (select count(*) from blobs) as "files!",
               (select coalesce(sum(size_bytes), 0)::bigint from blobs) as "bytes!""#,
    )
    .fetch_one(pool)
    .await?;
    Ok(totals)
}

pub(super) async fn list_licences(pool: &PgPool, sought: &str) -> Result<Vec<LicenceLine>> {
    let lines = sqlx::query_as!(
        LicenceLine,
        r#"select license as licence, count(*) as "packages!"
           from search_documents
           where $1 = '' or position(lower($1) in lower(license)) > 0
           group by license
           order by count(*) desc, license
           limit 500"#,
        sought,
    )
    .fetch_all(pool)
    .await?;
    Ok(lines)
}

/// Makes the version `latest` if the package has no such tag yet: clients need one while there is a version.
pub(super) async fn set_latest_if_missing(
    connection: &mut PgConnection,
    package: PackageId,
    version: VersionId,
) -> Result<()> {
    sqlx::query!(
        "insert into dist_tags (package_id, tag, version_id) values ($1, 'latest', $2) on conflict do nothing",
        package.0,
        version.0,
    )
    .execute(connection)
    .await?;
    Ok(())
}
