//! The SQL of versions that wait for approval.

use sqlx::{PgConnection, PgPool};

use crate::blobs::Digest;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, DistTag, InvalidName, PackageName, RandomId, VersionNumber};
use crate::packages::archive::Readme;
use crate::packages::manifest::StoredManifest;
use crate::packages::{Checked, Publisher};
use crate::policy::{Actor, Visibility};
use crate::tokens::TrustedPublisher;

use super::{Page, Paging, StagedVersion, VersionStatus};

/// A version to be put up.
pub(super) struct NewStaged<'a> {
    pub(super) id: &'a RandomId,
    pub(super) name: &'a PackageName,
    pub(super) owner: AccountId,
    pub(super) checked: &'a Checked,
    pub(super) publisher: &'a Publisher,
}

pub(super) async fn insert(
    connection: &mut PgConnection,
    staged: &NewStaged<'_>,
    now: Time,
) -> Result<(), sqlx::Error> {
    let checked = staged.checked;
    let trusted = staged.publisher.trusted.as_ref().map(|trusted| serde_json::json!(trusted));
    let provenance = checked.provenance.as_ref().map(|provenance| serde_json::json!(provenance).to_string());
    sqlx::query!(
        "insert into staged_versions
             (id, package_name, owner_id, version, tag, access, staged_by, trusted_publisher, staged_at, manifest,
              abbreviated, has_install_script, sha512, sha1, size_bytes, unpacked_bytes, file_count, readme,
              readme_file, provenance)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        staged.id.as_str(),
        staged.name.as_str(),
        staged.owner.0,
        checked.version.as_str(),
        checked.tag.as_str(),
        checked.access.map(Visibility::as_str),
        staged.publisher.account.0,
        trusted,
        now,
        checked.manifest.full,
        checked.manifest.abbreviated,
        checked.manifest.has_install_script,
        checked.digest.as_bytes(),
        &checked.sha1[..],
        number(checked.size_bytes),
        number(checked.unpacked_bytes),
        i32::try_from(checked.file_count).unwrap_or(i32::MAX),
        checked.readme.as_ref().map(|readme| readme.text.as_str()),
        checked.readme.as_ref().map(|readme| readme.file_name.as_str()),
        provenance,
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn number(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn size(bytes: i64) -> Result<u64> {
    u64::try_from(bytes).map_err(Error::internal)
}

/// The packages that have something waiting and that the actor may have to do with: a first sieve, the decision comes
/// after it.
pub(super) async fn list_names(
    pool: &PgPool,
    actor: &Actor,
    package: Option<&PackageName>,
) -> Result<Vec<PackageName>> {
    let names = sqlx::query_scalar!(
        r#"select distinct staged_versions.package_name as "package_name: PackageName"
           from staged_versions
           left join packages on packages.name = staged_versions.package_name
           where ($2::text is null or staged_versions.package_name = $2)
             and (
                 $3
                 or staged_versions.owner_id = $1
                 or exists (
                     select from organization_members
                     where organization_id = staged_versions.owner_id
                       and user_id = $1
                 )
                 or exists (
                     select from collaborations
                     where collaborations.package_id = packages.id
                       and collaborations.user_id = $1
                 )
             )
           order by 1"#,
        actor.account_id().map(|account| account.0),
        package.map(PackageName::as_str),
        matches!(actor, Actor::Operator),
    )
    .fetch_all(pool)
    .await?;
    Ok(names)
}

struct Row {
    id: RandomId,
    package: PackageName,
    version: String,
    tag: DistTag,
    access: Option<Visibility>,
    visibility: Option<Visibility>,
    staged_by: AccountName,
    trusted_publisher: Option<String>,
    staged_at: Time,
    sha512: Vec<u8>,
    sha1: Vec<u8>,
    size_bytes: i64,
}

impl TryFrom<Row> for StagedVersion {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            package: row.package,
            version: number_of(&row.version)?,
            tag: row.tag,
            visibility: row.visibility.or(row.access).unwrap_or(Visibility::Restricted),
            staged_by: row.staged_by,
            trusted_publisher: row.trusted_publisher,
            staged_at: row.staged_at,
            digest: digest(row.sha512)?,
            sha1: row.sha1,
            size_bytes: size(row.size_bytes)?,
        })
    }
}

fn number_of(text: &str) -> Result<VersionNumber> {
    text.parse().map_err(|cause: InvalidName| Error::internal(cause))
}

fn digest(bytes: Vec<u8>) -> Result<Digest> {
    Digest::try_from(bytes).map_err(|_| Error::internal("a stored digest has the wrong length"))
}

/// One page of what waits for these packages.
pub(super) async fn list(pool: &PgPool, names: &[String], paging: Paging) -> Result<Page> {
    let total =
        sqlx::query_scalar!(r#"select count(*) as "count!" from staged_versions where package_name = any($1)"#, names,)
            .fetch_one(pool)
            .await?;
    let rows = sqlx::query_as!(
        Row,
        r#"select
               staged_versions.id as "id: RandomId",
               staged_versions.package_name as "package: PackageName",
               staged_versions.version,
               staged_versions.tag as "tag: DistTag",
               staged_versions.access as "access: Visibility",
               packages.visibility as "visibility?: Visibility",
               accounts.name as "staged_by: AccountName",
               staged_versions.trusted_publisher ->> 'title' as trusted_publisher,
               staged_versions.staged_at,
               staged_versions.sha512,
               staged_versions.sha1,
               staged_versions.size_bytes
           from staged_versions
           join accounts on accounts.id = staged_versions.staged_by
           left join packages on packages.name = staged_versions.package_name and packages.deleted_at is null
           where staged_versions.package_name = any($1)
           order by staged_versions.staged_at desc, staged_versions.id
           limit $2
           offset $3"#,
        names,
        i64::from(paging.per_page),
        i64::from(paging.page) * i64::from(paging.per_page),
    )
    .fetch_all(pool)
    .await?;
    Ok(Page { items: rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?, total })
}

pub(super) async fn find(pool: &PgPool, id: &RandomId) -> Result<Option<StagedVersion>> {
    let row = sqlx::query_as!(
        Row,
        r#"select
               staged_versions.id as "id: RandomId",
               staged_versions.package_name as "package: PackageName",
               staged_versions.version,
               staged_versions.tag as "tag: DistTag",
               staged_versions.access as "access: Visibility",
               packages.visibility as "visibility?: Visibility",
               accounts.name as "staged_by: AccountName",
               staged_versions.trusted_publisher ->> 'title' as trusted_publisher,
               staged_versions.staged_at,
               staged_versions.sha512,
               staged_versions.sha1,
               staged_versions.size_bytes
           from staged_versions
           join accounts on accounts.id = staged_versions.staged_by
           left join packages on packages.name = staged_versions.package_name and packages.deleted_at is null
           where staged_versions.id = $1"#,
        id.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(TryInto::try_into).transpose()
}

/// Takes a version out of the queue, with all that publishing it needs.
pub(super) async fn take(connection: &mut PgConnection, id: &RandomId) -> Result<Option<(Checked, Publisher)>> {
    let row = sqlx::query!(
        r#"delete from staged_versions
           using accounts
           where staged_versions.id = $1
             and accounts.id = staged_versions.staged_by
           returning
               staged_versions.version,
               staged_versions.tag as "tag: DistTag",
               staged_versions.access as "access: Visibility",
               staged_versions.staged_by as "staged_by: AccountId",
               accounts.name as staged_by_name,
               staged_versions.trusted_publisher,
               staged_versions.manifest,
               staged_versions.abbreviated,
               staged_versions.has_install_script,
               staged_versions.sha512,
               staged_versions.sha1,
               staged_versions.size_bytes,
               staged_versions.unpacked_bytes,
               staged_versions.file_count,
               staged_versions.readme,
               staged_versions.readme_file,
               staged_versions.provenance"#,
        id.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let readme = row.readme.zip(row.readme_file).map(|(text, file_name)| Readme { file_name, text });
    let checked = Checked {
        version: number_of(&row.version)?,
        tag: row.tag,
        access: row.access,
        manifest: StoredManifest {
            full: row.manifest,
            abbreviated: row.abbreviated,
            has_install_script: row.has_install_script,
        },
        digest: digest(row.sha512)?,
        sha1: row.sha1.try_into().map_err(|_| Error::internal("a stored SHA-1 has the wrong length"))?,
        size_bytes: size(row.size_bytes)?,
        unpacked_bytes: size(row.unpacked_bytes)?,
        file_count: usize::try_from(row.file_count).map_err(Error::internal)?,
        files: None,
        readme,
        provenance: row.provenance.as_deref().map(serde_json::from_str).transpose().map_err(Error::internal)?,
    };
    let trusted: Option<TrustedPublisher> =
        row.trusted_publisher.map(serde_json::from_value).transpose().map_err(Error::internal)?;
    let publisher = Publisher { account: row.staged_by, name: row.staged_by_name, trusted };
    Ok(Some((checked, publisher)))
}

/// What became of a version number; `None` where it was never used. A package in the trash keeps its numbers.
pub(super) async fn find_status(
    connection: &mut PgConnection,
    name: &PackageName,
    version: &VersionNumber,
) -> Result<Option<VersionStatus>> {
    let row = sqlx::query!(
        r#"select
               (
                   select versions.unpublished_at is null and packages.deleted_at is null
                   from versions
                   join packages on packages.id = versions.package_id
                   where packages.name = $1
                     and versions.version = $2
               ) as "is_published?",
               exists (
                   select from staged_versions where package_name = $1 and version = $2
               ) as "is_staged!""#,
        name.as_str(),
        version.as_str(),
    )
    .fetch_one(connection)
    .await?;
    Ok(match (row.is_published, row.is_staged) {
        (Some(true), _) => Some(VersionStatus::Published),
        (Some(false), _) => Some(VersionStatus::Deleted),
        (None, true) => Some(VersionStatus::Staged),
        (None, false) => None,
    })
}

/// What was thrown away.
pub(super) struct Expired {
    pub(super) id: RandomId,
    pub(super) package: PackageName,
    pub(super) version: String,
    pub(super) owner: AccountId,
}

pub(super) async fn delete_older(connection: &mut PgConnection, than: Time) -> Result<Vec<Expired>> {
    let rows = sqlx::query_as!(
        Expired,
        r#"delete from staged_versions
           where staged_at < $1
           returning
               id as "id: RandomId",
               package_name as "package: PackageName",
               version,
               owner_id as "owner: AccountId""#,
        than,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows)
}
