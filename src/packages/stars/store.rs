//! The SQL of stars.

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, PackageId};

/// Whether that was news.
pub(super) async fn insert(
    connection: &mut PgConnection,
    package: PackageId,
    user: AccountId,
    now: Time,
) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into stars (package_id, user_id, created_at) values ($1, $2, $3) on conflict do nothing",
        package.0,
        user.0,
        now,
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

/// Whether there was one.
pub(super) async fn delete(connection: &mut PgConnection, package: PackageId, user: AccountId) -> Result<bool> {
    let deleted = sqlx::query!("delete from stars where package_id = $1 and user_id = $2", package.0, user.0)
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() > 0)
}

pub(super) async fn list_users(pool: &PgPool, package: PackageId) -> Result<Vec<AccountName>> {
    let names = sqlx::query_scalar!(
        r#"select accounts.name as "name: AccountName"
           from stars
           join accounts on accounts.id = stars.user_id
           where stars.package_id = $1
           order by accounts.name"#,
        package.0,
    )
    .fetch_all(pool)
    .await?;
    Ok(names)
}

/// The packages that a user gave a star, whoever may see them.
pub(super) async fn list_packages(pool: &PgPool, user: &AccountName) -> Result<Vec<PackageId>> {
    let ids = sqlx::query_scalar!(
        r#"select stars.package_id as "id: PackageId"
           from stars
           join accounts on accounts.id = stars.user_id
           where accounts.name = $1"#,
        user.as_str(),
    )
    .fetch_all(pool)
    .await?;
    Ok(ids)
}
