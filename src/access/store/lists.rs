//! Lists: of packages, accounts and shares.

use sqlx::PgPool;

use crate::access::Share;
use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, PackageId, PackageName, TeamId};
use crate::policy::Permission;

/// What one team was given, in the order of the packages' names.
pub(in crate::access) async fn list_team_grants(
    pool: &PgPool,
    team: TeamId,
    now: Time,
) -> Result<Vec<(PackageName, Permission)>> {
    let rows = sqlx::query!(
        r#"select packages.name as "name: PackageName", team_grants.permission as "permission: Permission"
           from team_grants
           join packages on packages.id = team_grants.package_id
           where team_grants.team_id = $1
             and packages.deleted_at is null
             and (team_grants.expires_at is null or team_grants.expires_at > $2)
           order by packages.name"#,
        team.0,
        now,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.permission)).collect())
}

/// Packages on which something that was given has ended, a few at a time.
pub(in crate::access) async fn list_packages_with_ended_grants(pool: &PgPool, now: Time) -> Result<Vec<PackageName>> {
    let names = sqlx::query_scalar!(
        r#"select name as "name: PackageName"
           from packages
           where deleted_at is null and id in (
               select package_id from grants where expires_at <= $1
               union
               select package_id from team_grants where expires_at <= $1
           )
           order by id
           limit 100"#,
        now,
    )
    .fetch_all(pool)
    .await?;
    Ok(names)
}

/// An account as lists of collaborators show it.
pub(in crate::access) struct ListedAccount {
    pub(in crate::access) id: AccountId,
    pub(in crate::access) name: AccountName,
}

pub(in crate::access) async fn list_accounts(pool: &PgPool, ids: &[AccountId]) -> Result<Vec<ListedAccount>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        ListedAccount,
        r#"select
               id as "id: AccountId",
               name as "name: AccountName"
           from accounts
           where id = any($1)
           order by name"#,
        &ids,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

pub(in crate::access) async fn list_shares(pool: &PgPool, user: AccountId) -> Result<Vec<Share>> {
    let shares = sqlx::query_as!(
        Share,
        r#"select
               given.package_id as "package!: PackageId",
               accounts.name as "by?: AccountName",
               given.team
           from (
               select package_id, granted_by, null as team from grants where user_id = $1
               union all
               select team_grants.package_id, team_grants.granted_by, owners.name || ':' || teams.name
               from team_members
               join teams on teams.id = team_members.team_id
               join accounts as owners on owners.id = teams.organization_id
               join team_grants on team_grants.team_id = teams.id
               where team_members.user_id = $1
           ) as given
           left join accounts on accounts.id = given.granted_by
           order by given.team nulls first"#,
        user.0,
    )
    .fetch_all(pool)
    .await?;
    Ok(shares)
}
