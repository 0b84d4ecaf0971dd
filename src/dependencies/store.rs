//! The SQL of who needs whom.

use sqlx::PgPool;

use crate::error::{Error, Result};
use crate::names::{AccountId, PackageName};

/// A package whose latest version needs another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// Its name.
    pub name: PackageName,
    /// As what it needs the other: the member of its manifest.
    pub kind: String,
    /// Which versions fit.
    pub range: String,
    /// What it says of itself.
    pub description: Option<String>,
}

/// Packages that need `name`, and that are public or have something to do with `viewer`: about these a decision is asked
/// next. Of the others not even a row is read, so that they cost no time.
pub(super) async fn list_dependents(
    pool: &PgPool,
    name: &PackageName,
    viewer: Option<AccountId>,
    most: usize,
) -> Result<Vec<Dependent>> {
    let rows = sqlx::query_as!(
        Dependent,
        r#"select distinct on (packages.name)
               packages.name as "name: PackageName",
               dependencies.kind,
               dependencies.range,
               search_documents.description as "description?"
           from dependencies
           join packages on packages.id = dependencies.package_id
           left join search_documents on search_documents.package_id = packages.id
           where dependencies.name = $1
             and packages.deleted_at is null
             and (
                 packages.visibility = 'public'
                 or packages.owner_id = $2
                 or exists (
                     select from organization_members
                     where organization_id = packages.owner_id and user_id = $2
                 )
                 or exists (
                     select from collaborations
                     where collaborations.package_id = packages.id and collaborations.user_id = $2
                 )
             )
           order by packages.name, dependencies.kind
           limit $3"#,
        name.as_str(),
        viewer.map(|viewer| viewer.0),
        i64::try_from(most).map_err(Error::internal)?,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

/// The versions of these packages, with the names of the packages.
pub(super) async fn list_versions(pool: &PgPool, packages: &[i64]) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"select packages.name, versions.version
           from versions
           join packages on packages.id = versions.package_id
           where versions.package_id = any($1)
             and versions.unpublished_at is null
           limit 200000"#,
        packages,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.version)).collect())
}
