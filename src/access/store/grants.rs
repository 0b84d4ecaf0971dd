//! What was given to users and teams, and when they were reminded of it.

use sqlx::PgConnection;

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, PackageId, TeamId, TeamName};
use crate::policy::Permission;

/// What is given on a package, to whomever.
pub(in crate::access) struct Gift {
    pub(in crate::access) package: PackageId,
    pub(in crate::access) permission: Permission,
    pub(in crate::access) by: Option<AccountId>,
    pub(in crate::access) until: Option<Time>,
    pub(in crate::access) now: Time,
}

/// Who holds a grant.
#[derive(Debug, Clone, Copy)]
pub(in crate::access) enum Holder {
    User(AccountId),
    Team(TeamId),
}

impl Holder {
    /// The two columns of which one is set.
    fn ids(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::User(user) => (Some(user.0), None),
            Self::Team(team) => (None, Some(team.0)),
        }
    }
}

/// What somebody was given by name, where it still holds.
pub(in crate::access) async fn find_level(
    connection: &mut PgConnection,
    package: PackageId,
    holder: Holder,
    now: Time,
) -> Result<Option<Permission>> {
    let (user, team) = holder.ids();
    let level = sqlx::query_scalar!(
        r#"select permission as "permission!: Permission"
           from grants
           where package_id = $1 and user_id = $2 and (expires_at is null or expires_at > $4)
           union all
           select permission
           from team_grants
           where package_id = $1 and team_id = $3 and (expires_at is null or expires_at > $4)"#,
        package.0,
        user,
        team,
        now,
    )
    .fetch_optional(connection)
    .await?;
    Ok(level)
}

pub(in crate::access) async fn set_level(
    connection: &mut PgConnection,
    package: PackageId,
    holder: Holder,
    permission: Permission,
) -> Result<()> {
    let (user, team) = holder.ids();
    sqlx::query!(
        "with users as (
             update grants set permission = $4 where package_id = $1 and user_id = $2
         )
         update team_grants set permission = $4 where package_id = $1 and team_id = $3",
        package.0,
        user,
        team,
        permission.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::access) async fn upsert_grant(connection: &mut PgConnection, user: AccountId, gift: &Gift) -> Result<()> {
    sqlx::query!(
        "insert into grants (package_id, user_id, permission, granted_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (package_id, user_id)
         do update set
             permission = excluded.permission,
             granted_by = $4,
             expires_at = excluded.expires_at,
             created_at = case when grants.expires_at <= $5 then $5 else grants.created_at end",
        gift.package.0,
        user.0,
        gift.permission.as_str(),
        gift.by.map(|by| by.0),
        gift.now,
        gift.until,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::access) async fn delete_grant(
    connection: &mut PgConnection,
    package: PackageId,
    user: AccountId,
) -> Result<bool> {
    let deleted = sqlx::query!("delete from grants where package_id = $1 and user_id = $2", package.0, user.0)
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() > 0)
}

/// When somebody was reminded of what they were given, and by whom they were given it.
pub(in crate::access) struct Reminder {
    pub(in crate::access) given_by: Option<AccountName>,
    pub(in crate::access) reminded_at: Option<Time>,
}

pub(in crate::access) async fn find_reminder(
    connection: &mut PgConnection,
    package: PackageId,
    user: AccountId,
    now: Time,
) -> Result<Option<Reminder>> {
    let found = sqlx::query_as!(
        Reminder,
        r#"select givers.name as "given_by?: AccountName", grants.reminded_at
           from grants
           left join accounts as givers on givers.id = grants.granted_by
           where grants.package_id = $1 and grants.user_id = $2
             and (grants.expires_at is null or grants.expires_at > $3)"#,
        package.0,
        user.0,
        now,
    )
    .fetch_optional(connection)
    .await?;
    Ok(found)
}

pub(in crate::access) async fn note_reminder(
    connection: &mut PgConnection,
    package: PackageId,
    user: AccountId,
    now: Time,
) -> Result<()> {
    sqlx::query!("update grants set reminded_at = $3 where package_id = $1 and user_id = $2", package.0, user.0, now,)
        .execute(connection)
        .await?;
    Ok(())
}

/// A team by its name, for the room of organizations too.
pub(crate) async fn find_team(
    connection: &mut PgConnection,
    organization: AccountId,
    name: &TeamName,
) -> Result<Option<TeamId>> {
    let id = sqlx::query_scalar!(
        r#"select id as "id: TeamId" from teams where organization_id = $1 and name = $2"#,
        organization.0,
        name.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(id)
}

pub(in crate::access) async fn upsert_team_grant(
    connection: &mut PgConnection,
    team: TeamId,
    gift: &Gift,
) -> Result<()> {
    sqlx::query!(
        "insert into team_grants (package_id, team_id, permission, granted_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (package_id, team_id)
         do update set
             permission = excluded.permission,
             granted_by = $4,
             expires_at = excluded.expires_at,
             created_at = case when team_grants.expires_at <= $5 then $5 else team_grants.created_at end",
        gift.package.0,
        team.0,
        gift.permission.as_str(),
        gift.by.map(|by| by.0),
        gift.now,
        gift.until,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::access) async fn delete_team_grant(
    connection: &mut PgConnection,
    package: PackageId,
    team: TeamId,
) -> Result<bool> {
    let deleted = sqlx::query!("delete from team_grants where package_id = $1 and team_id = $2", package.0, team.0)
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() > 0)
}

/// Removes what has ended on one package, and tells who it was given to.
pub(in crate::access) async fn delete_ended_grants(
    connection: &mut PgConnection,
    package: PackageId,
    now: Time,
) -> Result<Vec<String>> {
    let whom = sqlx::query_scalar!(
        r#"with users as (
               delete from grants where package_id = $1 and expires_at <= $2 returning user_id
           ), groups as (
               delete from team_grants where package_id = $1 and expires_at <= $2 returning team_id
           )
           select name as "name!" from accounts where id in (select user_id from users)
           union all
           select 'team ' || name from teams where id in (select team_id from groups)"#,
        package.0,
        now,
    )
    .fetch_all(connection)
    .await?;
    Ok(whom)
}

/// What members get on new packages of an organization; `None` for nothing.
pub(in crate::access) async fn find_developers_get(
    connection: &mut PgConnection,
    organization: AccountId,
) -> Result<Option<Permission>> {
    let word = sqlx::query_scalar!("select developers_get from accounts where id = $1", organization.0)
        .fetch_optional(connection)
        .await?;
    Ok(word.and_then(|word| word.parse().ok()))
}
