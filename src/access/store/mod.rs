//! The SQL of visibility and grants: what decisions need to know, what was given, lists; and here the rows of packages.

mod facts;
mod grants;
mod lists;

use std::sync::Arc;

use sqlx::PgConnection;

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, PackageId, PackageName};
use crate::policy::{AccountFacts, PackageSecondFactor, Visibility};

pub(super) use facts::{Grants, Listed, list_facts, list_facts_named, load_facts};
pub(crate) use grants::find_team;
pub(super) use grants::{
    Gift, Holder, delete_ended_grants, delete_grant, delete_team_grant, find_developers_get, find_level, find_reminder,
    note_reminder, set_level, upsert_grant, upsert_team_grant,
};
pub(super) use lists::{list_accounts, list_packages_with_ended_grants, list_shares, list_team_grants};

/// Holds the package's row until the transaction ends. Where there is none, the name is held instead, so that two first
/// publishes of one name come one after the other; the second then finds the row that the first made.
pub(super) async fn lock(connection: &mut PgConnection, name: &PackageName) -> Result<()> {
    if !lock_row(connection, name).await? {
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", name.as_str())
            .execute(&mut *connection)
            .await?;
        lock_row(connection, name).await?;
    }
    Ok(())
}

async fn lock_row(connection: &mut PgConnection, name: &PackageName) -> Result<bool> {
    let found = sqlx::query_scalar!("select id from packages where name = $1 for update", name.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

pub(super) async fn find_owner(connection: &mut PgConnection, scope: &AccountName) -> Result<Option<AccountId>> {
    let owner = sqlx::query_scalar!(r#"select id as "id: AccountId" from accounts where name = $1"#, scope.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(owner)
}

pub(super) async fn set_visibility(
    connection: &mut PgConnection,
    package: PackageId,
    visibility: Visibility,
) -> Result<()> {
    sqlx::query!("update packages set visibility = $2 where id = $1", package.0, visibility.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn set_second_factor(
    connection: &mut PgConnection,
    package: PackageId,
    wanted: PackageSecondFactor,
) -> Result<()> {
    sqlx::query!(
        "update packages
         set publish_requires_second_factor = $2, automation_overrides_second_factor = $3
         where id = $1",
        package.0,
        wanted.publish_requires,
        wanted.automation_overrides,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Grows the revision by one and moves `modified` forward, never back. Returns the new revision.
pub(super) async fn bump_revision(connection: &mut PgConnection, package: PackageId, now: Time) -> Result<i64> {
    let revision = sqlx::query_scalar!(
        "update packages
         set revision = revision + 1, modified_at = greatest(modified_at, $2)
         where id = $1
         returning revision",
        package.0,
        now,
    )
    .fetch_one(connection)
    .await?;
    Ok(revision)
}

pub(super) async fn find_revision(connection: &mut PgConnection, package: PackageId) -> Result<i64> {
    Ok(sqlx::query_scalar!("select revision from packages where id = $1", package.0).fetch_one(connection).await?)
}

pub(super) async fn find_user(connection: &mut PgConnection, name: &AccountName) -> Result<Option<Arc<AccountFacts>>> {
    match crate::users::find_user(connection, name).await? {
        Some(id) => crate::users::load_account_facts(connection, id).await,
        None => Ok(None),
    }
}
