//! The SQL of visibility and grants.

use std::sync::Arc;

use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, PackageId, PackageName};
use crate::policy::{AccountFacts, AccountKind, ExistingPackage, Grant, PackageFacts, Permission, Visibility};
use crate::users::FactsRow;

/// A package in a list, with what the account asked about may do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedPackage {
    /// Which.
    pub name: PackageName,
    /// What the account can do.
    pub permission: Permission,
}

/// One query, whether the package exists or not: its time must tell nothing.
pub(super) async fn load_facts(executor: impl PgExecutor<'_>, name: &PackageName) -> Result<PackageFacts> {
    let scope = name.scope();
    let row = sqlx::query!(
        r#"select
               owners.id as "owner_id: AccountId",
               owners.name as "owner_name: AccountName",
               owners.kind as "owner_kind: AccountKind",
               owners.paid,
               owners.paid_until,
               owners.disabled_at is not null as "disabled!",
               array(select user_id from organization_members where organization_id = owners.id order by user_id)
                   as "member_ids!",
               array(select role from organization_members where organization_id = owners.id order by user_id)
                   as "member_roles!",
               packages.id as "package_id?: PackageId",
               packages.visibility as "visibility?: Visibility",
               packages.revision as "revision?",
               array(select user_id from grants where package_id = packages.id order by user_id) as "grant_users!",
               array(select permission from grants where package_id = packages.id order by user_id)
                   as "grant_permissions!"
           from accounts as owners
           left join packages on packages.owner_id = owners.id and packages.name = $2
           where owners.name = $1"#,
        scope.as_str(),
        name.as_str(),
    )
    .fetch_optional(executor)
    .await?;
    let Some(row) = row else { return Ok(PackageFacts { name: name.clone(), owner: None, package: None }) };
    let package = match (row.package_id, row.visibility, row.revision) {
        (Some(id), Some(visibility), Some(revision)) => Some(Arc::new(ExistingPackage {
            id,
            visibility,
            revision,
            grants: grants(&row.grant_users, &row.grant_permissions),
        })),
        _ => None,
    };
    let owner = FactsRow {
        id: row.owner_id,
        name: row.owner_name,
        kind: row.owner_kind,
        paid: row.paid,
        paid_until: row.paid_until,
        disabled: row.disabled,
        member_ids: row.member_ids,
        member_roles: row.member_roles,
    };
    Ok(PackageFacts { name: name.clone(), owner: Some(owner.into_facts()), package })
}

fn grants(users: &[i64], permissions: &[String]) -> Vec<Grant> {
    let permissions = permissions.iter().filter_map(|text| text.parse().ok());
    users.iter().zip(permissions).map(|(user, permission)| Grant { user: (*user).into(), permission }).collect()
}

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
    let id = sqlx::query_scalar!(
        r#"select id as "id: AccountId" from accounts where name = $1 and kind = 'user' and disabled_at is null"#,
        name.as_str(),
    )
    .fetch_optional(&mut *connection)
    .await?;
    match id {
        Some(id) => crate::users::load_account_facts(connection, id).await,
        None => Ok(None),
    }
}

pub(super) async fn upsert_grant(
    connection: &mut PgConnection,
    package: PackageId,
    user: AccountId,
    permission: Permission,
    by: Option<AccountId>,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "insert into grants (package_id, user_id, permission, granted_by, created_at)
         values ($1, $2, $3, $4, $5)
         on conflict (package_id, user_id) do update set permission = excluded.permission, granted_by = $4",
        package.0,
        user.0,
        permission.as_str(),
        by.map(|by| by.0),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn delete_grant(connection: &mut PgConnection, package: PackageId, user: AccountId) -> Result<bool> {
    let deleted = sqlx::query!("delete from grants where package_id = $1 and user_id = $2", package.0, user.0)
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() > 0)
}

/// An account as lists of collaborators show it.
pub(super) struct ListedAccount {
    pub(super) id: AccountId,
    pub(super) name: AccountName,
    pub(super) email: String,
}

pub(super) async fn list_accounts(pool: &PgPool, ids: &[AccountId]) -> Result<Vec<ListedAccount>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        ListedAccount,
        r#"select
               id as "id: AccountId",
               name as "name: AccountName",
               email
           from accounts
           where id = any($1)
           order by name"#,
        &ids,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

/// Names of the packages in the scope of `owner` and of those shared with them, in order.
pub(super) async fn list_packages_of(pool: &PgPool, owner: &AccountName) -> Result<Vec<PackageName>> {
    let rows = sqlx::query_scalar!(
        r#"select packages.name as "name: PackageName"
           from packages
           where packages.owner_id = (select id from accounts where name = $1)
              or packages.id in (
                  select grants.package_id
                  from grants
                  join accounts on accounts.id = grants.user_id
                  where accounts.name = $1
              )
           order by packages.name"#,
        owner.as_str(),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
