//! The SQL of members and teams.

use std::sync::Arc;

use sqlx::{PgConnection, PgPool};

use super::settings::Settings;
use super::{MemberDetails, TeamDetails};
use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, PackageId, PackageName, TeamId, TeamName};
use crate::policy::{AccountFacts, OrganizationRole};

/// Holds the organization until the transaction ends: who its members are changes one change after the other. Weaker
/// than a lock against key references, so that publishing into its scope goes on.
pub(super) async fn lock(connection: &mut PgConnection, organization: AccountId) -> Result<()> {
    sqlx::query!("select id from accounts where id = $1 for no key update", organization.0)
        .fetch_optional(connection)
        .await?;
    Ok(())
}

/// A member, as lists show them.
pub(super) struct MemberRow {
    pub(super) name: AccountName,
    pub(super) role: String,
}

pub(super) async fn list_members(pool: &PgPool, organization: AccountId) -> Result<Vec<MemberRow>> {
    let rows = sqlx::query_as!(
        MemberRow,
        r#"select accounts.name as "name: AccountName", organization_members.role
           from organization_members
           join accounts on accounts.id = organization_members.user_id
           where organization_members.organization_id = $1
           order by accounts.name"#,
        organization.0,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

/// A membership, as the user's list shows it.
pub(super) struct MembershipRow {
    pub(super) organization: AccountName,
    pub(super) role: String,
    pub(super) members: i64,
}

pub(super) async fn list_memberships(pool: &PgPool, user: AccountId) -> Result<Vec<MembershipRow>> {
    let rows = sqlx::query_as!(
        MembershipRow,
        r#"select
               accounts.name as "organization: AccountName",
               own.role,
               (select count(*) from organization_members where organization_id = accounts.id) as "members!"
           from organization_members as own
           join accounts on accounts.id = own.organization_id
           where own.user_id = $1
           order by accounts.name"#,
        user.0,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

pub(super) async fn upsert_member(
    connection: &mut PgConnection,
    organization: AccountId,
    user: AccountId,
    role: OrganizationRole,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "insert into organization_members (organization_id, user_id, role, created_at)
         values ($1, $2, $3, $4)
         on conflict (organization_id, user_id) do update set role = excluded.role",
        organization.0,
        user.0,
        role.as_str(),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a member out of the organization and of all its teams.
pub(super) async fn delete_member(
    connection: &mut PgConnection,
    organization: AccountId,
    user: AccountId,
) -> Result<()> {
    sqlx::query!(
        "delete from team_members
         where user_id = $2 and team_id in (select id from teams where organization_id = $1)",
        organization.0,
        user.0,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "delete from organization_members where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How many packages of the organization a user was given by name, outside of its teams.
pub(super) async fn count_own_grants(
    connection: &mut PgConnection,
    organization: AccountId,
    user: AccountId,
) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from grants
           join packages on packages.id = grants.package_id
           where packages.owner_id = $1 and grants.user_id = $2"#,
        organization.0,
        user.0,
    )
    .fetch_one(connection)
    .await?;
    Ok(count)
}

/// Breaks `teams_organization_id_name_key` where the name is taken.
pub(super) async fn insert_team(
    connection: &mut PgConnection,
    organization: AccountId,
    name: &str,
    description: &str,
    now: Time,
) -> Result<TeamId, sqlx::Error> {
    sqlx::query_scalar!(
        r#"insert into teams (organization_id, name, description, created_at)
           values ($1, $2, $3, $4)
           returning id as "id: TeamId""#,
        organization.0,
        name,
        description,
        now,
    )
    .fetch_one(connection)
    .await
}

pub(super) async fn list_teams(pool: &PgPool, organization: AccountId) -> Result<Vec<TeamName>> {
    let names = sqlx::query_scalar!(
        r#"select name as "name: TeamName" from teams where organization_id = $1 order by name"#,
        organization.0,
    )
    .fetch_all(pool)
    .await?;
    Ok(names)
}

pub(super) async fn lock_team(connection: &mut PgConnection, team: TeamId) -> Result<()> {
    sqlx::query!("select id from teams where id = $1 for update", team.0).fetch_optional(connection).await?;
    Ok(())
}

pub(super) async fn delete_team(connection: &mut PgConnection, team: TeamId) -> Result<()> {
    sqlx::query!("delete from teams where id = $1", team.0).execute(connection).await?;
    Ok(())
}

pub(super) async fn list_team_members(pool: &PgPool, team: TeamId) -> Result<Vec<AccountName>> {
    let names = sqlx::query_scalar!(
        r#"select accounts.name as "name: AccountName"
           from team_members
           join accounts on accounts.id = team_members.user_id
           where team_members.team_id = $1
           order by accounts.name"#,
        team.0,
    )
    .fetch_all(pool)
    .await?;
    Ok(names)
}

pub(super) async fn insert_team_member(
    connection: &mut PgConnection,
    team: TeamId,
    user: AccountId,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "insert into team_members (team_id, user_id, created_at) values ($1, $2, $3) on conflict do nothing",
        team.0,
        user.0,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn delete_team_member(connection: &mut PgConnection, team: TeamId, user: AccountId) -> Result<bool> {
    let deleted = sqlx::query!("delete from team_members where team_id = $1 and user_id = $2", team.0, user.0)
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() > 0)
}

/// Locks the packages of an organization, or those of them that one team was given: what a change of members shows in.
/// In the order of their names, as a batch of publishes locks them: two that wait for each other would both fail.
pub(super) async fn list_packages(
    connection: &mut PgConnection,
    organization: AccountId,
    team: Option<TeamId>,
) -> Result<Vec<(PackageId, PackageName)>> {
    let rows = sqlx::query!(
        r#"select id as "id: PackageId", name as "name: PackageName"
           from packages
           where owner_id = $1
             and deleted_at is null
             and ($2::bigint is null or id in (select package_id from team_grants where team_id = $2))
           order by name collate "C"
           for update"#,
        organization.0,
        team.map(|team| team.0),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// The same by name, without holding them.
pub(super) async fn list_names(
    connection: &mut PgConnection,
    organization: AccountId,
    team: Option<TeamId>,
) -> Result<Vec<PackageName>> {
    let names = sqlx::query_scalar!(
        r#"select name as "name: PackageName"
           from packages
           where owner_id = $1
             and deleted_at is null
             and ($2::bigint is null or id in (select package_id from team_grants where team_id = $2))"#,
        organization.0,
        team.map(|team| team.0),
    )
    .fetch_all(connection)
    .await?;
    Ok(names)
}

/// An organization, as the operator's list shows it.
pub(super) struct ListedOrganization {
    pub(super) name: AccountName,
    pub(super) members: i64,
    pub(super) packages: i64,
}

pub(super) async fn list_organizations(pool: &PgPool) -> Result<Vec<ListedOrganization>> {
    let rows = sqlx::query_as!(
        ListedOrganization,
        r#"select
               name as "name: AccountName",
               (select count(*) from organization_members where organization_id = accounts.id) as "members!",
               (select count(*) from packages where owner_id = accounts.id and deleted_at is null) as "packages!"
           from accounts
           where kind = 'organization'
           order by name"#,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

pub(super) async fn load_facts(
    connection: &mut PgConnection,
    organization: AccountId,
) -> Result<Option<Arc<AccountFacts>>> {
    crate::users::load_account_facts(connection, organization).await
}

/// See [`MemberDetails`].
pub(super) struct MemberDetailsRow {
    name: AccountName,
    role: String,
    since: Time,
    has_second_factor: bool,
    last_seen: Option<Time>,
    own_grants: i64,
}

impl MemberDetailsRow {
    pub(super) fn into_details(self) -> MemberDetails {
        MemberDetails {
            name: self.name,
            role: self.role.parse().unwrap_or(OrganizationRole::Member),
            since: self.since,
            has_second_factor: self.has_second_factor,
            last_seen: self.last_seen,
            own_grants: self.own_grants,
        }
    }
}

pub(super) async fn list_member_details(
    pool: &PgPool,
    organization: AccountId,
    sought: &str,
    most: i64,
    skip: i64,
) -> Result<Vec<MemberDetailsRow>> {
    let rows = sqlx::query_as!(
        MemberDetailsRow,
        r#"select
               accounts.name as "name: AccountName",
               organization_members.role,
               organization_members.created_at as since,
               accounts.second_factor is not null as "has_second_factor!",
               (select max(coalesce(last_used_at, created_at)) from tokens where account_id = accounts.id) as last_seen,
               (
                   select count(*)
                   from grants
                   join packages on packages.id = grants.package_id
                   where packages.owner_id = $1 and packages.deleted_at is null and grants.user_id = accounts.id
               ) as "own_grants!"
           from organization_members
           join accounts on accounts.id = organization_members.user_id
           where organization_members.organization_id = $1
             and position($2 in accounts.name) > 0
           order by accounts.name
           limit $3
           offset $4"#,
        organization.0,
        sought,
        most,
        skip,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

pub(super) async fn count_members(pool: &PgPool, organization: AccountId, sought: &str) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from organization_members
           join accounts on accounts.id = organization_members.user_id
           where organization_members.organization_id = $1
             and position($2 in accounts.name) > 0"#,
        organization.0,
        sought,
    )
    .fetch_one(pool)
    .await?;
    Ok(count)
}

pub(super) async fn count_without_second_factor(pool: &PgPool, organization: AccountId) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from organization_members
           join accounts on accounts.id = organization_members.user_id
           where organization_members.organization_id = $1
             and accounts.second_factor is null"#,
        organization.0,
    )
    .fetch_one(pool)
    .await?;
    Ok(count)
}

/// How many organizations that are not closed the user is an owner of.
pub(super) async fn count_owned(connection: &mut PgConnection, user: AccountId) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from organization_members where user_id = $1 and role = 'owner'"#,
        user.0,
    )
    .fetch_one(connection)
    .await?;
    Ok(count)
}

/// Switches the account off, and takes everybody out of it.
pub(super) async fn close(connection: &mut PgConnection, organization: AccountId, now: Time) -> Result<()> {
    sqlx::query!(
        "with closed as (
             update accounts set disabled_at = $2, updated_at = $2 where id = $1
         ), without_teams as (
             delete from teams where organization_id = $1
         )
         delete from organization_members where organization_id = $1",
        organization.0,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn find_developers_get(pool: &PgPool, organization: AccountId) -> Result<String> {
    let get = sqlx::query_scalar!("select developers_get from accounts where id = $1", organization.0)
        .fetch_optional(pool)
        .await?;
    Ok(get.unwrap_or_default())
}

pub(super) async fn set_settings(
    connection: &mut PgConnection,
    organization: AccountId,
    wanted: Settings,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "update accounts
         set members_need_second_factor = $2, developers_get = $3, updated_at = $4
         where id = $1",
        organization.0,
        wanted.members_need_second_factor,
        wanted.developers_get.as_str(),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn list_team_details(pool: &PgPool, organization: AccountId) -> Result<Vec<TeamDetails>> {
    let rows = sqlx::query_as!(
        TeamDetails,
        r#"select
               name as "name: TeamName",
               description,
               (select count(*) from team_members where team_id = teams.id) as "members!"
           from teams
           where organization_id = $1
           order by name"#,
        organization.0,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

pub(super) async fn describe_team(connection: &mut PgConnection, team: TeamId, description: &str) -> Result<()> {
    sqlx::query!("update teams set description = $2 where id = $1", team.0, description).execute(connection).await?;
    Ok(())
}
