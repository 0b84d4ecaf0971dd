//! The SQL of visibility and grants.

use std::sync::Arc;

use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, PackageId, PackageName, TeamId, TeamName};
use crate::policy::{
    AccountFacts, AccountKind, ExistingPackage, Grant, PackageFacts, PackageSecondFactor, Permission, SecondFactorMode,
    Visibility,
};
use crate::users::FactsRow;

/// What decisions need to know of a name, as the database has it.
struct Row {
    owner_id: AccountId,
    owner_name: AccountName,
    owner_kind: AccountKind,
    paid: bool,
    paid_until: Option<Time>,
    disabled: bool,
    second_factor: Option<SecondFactorMode>,
    members_need_second_factor: bool,
    member_ids: Vec<i64>,
    member_roles: Vec<String>,
    package_id: Option<PackageId>,
    package_name: Option<PackageName>,
    visibility: Option<Visibility>,
    revision: Option<i64>,
    publish_requires: Option<bool>,
    automation_overrides: Option<bool>,
    grants: Option<Json<Vec<GrantRow>>>,
}

/// A line of the view `collaborations`.
#[derive(Deserialize)]
struct GrantRow {
    user_id: i64,
    permission: String,
    /// As text: an end that cannot be read must end one grant, and not fail everything about the package.
    expires_at: Option<String>,
    team: Option<String>,
}

impl Row {
    fn into_facts(self, name: PackageName) -> PackageFacts {
        let package = match (self.package_id, self.visibility, self.revision) {
            (Some(id), Some(visibility), Some(revision)) => {
                let grants = self.grants.map_or_else(Vec::new, |Json(rows)| grants(rows));
                let second_factor = PackageSecondFactor {
                    publish_requires: self.publish_requires.unwrap_or_default(),
                    automation_overrides: self.automation_overrides.unwrap_or_default(),
                };
                Some(Arc::new(ExistingPackage { id, visibility, grants, second_factor, revision }))
            }
            _ => None,
        };
        let owner = FactsRow {
            id: self.owner_id,
            name: self.owner_name,
            kind: self.owner_kind,
            paid: self.paid,
            paid_until: self.paid_until,
            disabled: self.disabled,
            second_factor: self.second_factor,
            // A scope's owner is looked at for what they own, never for what they administer.
            administrator: false,
            members_need_second_factor: self.members_need_second_factor,
            member_ids: self.member_ids,
            member_roles: self.member_roles,
        };
        PackageFacts { name, owner: Some(owner.into_facts()), package }
    }
}

/// Whose grants are loaded.
#[derive(Debug, Clone, Copy)]
pub(super) enum Grants {
    /// Everyone's.
    All,
    /// Those of one account, or of nobody: all that a decision about them needs, and the same work however many others
    /// have access.
    Of(Option<AccountId>),
}

/// One query, whether the package exists or not: its time must tell nothing.
pub(super) async fn load_facts(
    executor: impl PgExecutor<'_>,
    name: &PackageName,
    grants: Grants,
) -> Result<PackageFacts> {
    let (all, of) = match grants {
        Grants::All => (true, None),
        Grants::Of(account) => (false, account),
    };
    let scope = name.scope();
    let row = sqlx::query_as!(
        Row,
        r#"select
               owners.id as "owner_id: AccountId",
               owners.name as "owner_name: AccountName",
               owners.kind as "owner_kind: AccountKind",
               owners.paid,
               owners.paid_until,
               owners.disabled_at is not null as "disabled!",
               owners.second_factor as "second_factor: SecondFactorMode",
               owners.members_need_second_factor,
               array(select user_id from organization_members where organization_id = owners.id order by user_id)
                   as "member_ids!",
               array(select role from organization_members where organization_id = owners.id order by user_id)
                   as "member_roles!",
               packages.id as "package_id?: PackageId",
               packages.name as "package_name?: PackageName",
               packages.visibility as "visibility?: Visibility",
               packages.revision as "revision?",
               packages.publish_requires_second_factor as "publish_requires?",
               packages.automation_overrides_second_factor as "automation_overrides?",
               (
                   select jsonb_agg(to_jsonb(given) - 'package_id' order by user_id, team nulls first)
                   from collaborations as given
                   where package_id = packages.id and ($3 or user_id = $4)
               ) as "grants: Json<Vec<GrantRow>>"
           from accounts as owners
           left join packages
               on packages.owner_id = owners.id and packages.name = $2 and packages.deleted_at is null
           where owners.name = $1"#,
        scope.as_str(),
        name.as_str(),
        all,
        of.map(|account| account.0),
    )
    .fetch_optional(executor)
    .await?;
    let missing = || PackageFacts { name: name.clone(), owner: None, package: None };
    Ok(row.map_or_else(missing, |row| row.into_facts(name.clone())))
}

/// What decisions about one account need to know of many names; of those in scopes that nobody owns, nothing.
pub(super) async fn list_facts_named(
    pool: &PgPool,
    names: &[PackageName],
    viewer: Option<AccountId>,
) -> Result<Vec<PackageFacts>> {
    let scopes: Vec<String> = names.iter().map(|name| name.scope().to_string()).collect();
    let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select
               owners.id as "owner_id: AccountId",
               owners.name as "owner_name: AccountName",
               owners.kind as "owner_kind: AccountKind",
               owners.paid,
               owners.paid_until,
               owners.disabled_at is not null as "disabled!",
               owners.second_factor as "second_factor: SecondFactorMode",
               owners.members_need_second_factor,
               array(select user_id from organization_members where organization_id = owners.id order by user_id)
                   as "member_ids!",
               array(select role from organization_members where organization_id = owners.id order by user_id)
                   as "member_roles!",
               packages.id as "package_id?: PackageId",
               wanted.name as "package_name: PackageName",
               packages.visibility as "visibility?: Visibility",
               packages.revision as "revision?",
               packages.publish_requires_second_factor as "publish_requires?",
               packages.automation_overrides_second_factor as "automation_overrides?",
               (
                   select jsonb_agg(to_jsonb(given) - 'package_id' order by user_id, team nulls first)
                   from collaborations as given
                   where package_id = packages.id and user_id = $3
               ) as "grants: Json<Vec<GrantRow>>"
           from unnest($1::text[], $2::text[]) as wanted (scope, name)
           join accounts as owners on owners.name = wanted.scope
           left join packages
               on packages.owner_id = owners.id and packages.name = wanted.name and packages.deleted_at is null"#,
        &scopes,
        &texts,
        viewer.map(|viewer| viewer.0),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().filter_map(|row| row.package_name.clone().map(|name| row.into_facts(name))).collect())
}

/// Which packages a list is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Listed<'a> {
    /// Those in the scope of an account, and those shared with it.
    Of(AccountId),
    /// Some of these.
    Among(&'a [PackageId]),
}

/// Packages in the order of their names; of the restricted ones only those that concern `viewer` in some way. Whether
/// they may see them is still to be decided, but what they surely may not see costs no time that could be measured.
pub(super) async fn list_facts(
    pool: &PgPool,
    listed: Listed<'_>,
    viewer: Option<AccountId>,
) -> Result<Vec<PackageFacts>> {
    let (account, among) = match listed {
        Listed::Of(account) => (Some(account.0), None),
        Listed::Among(packages) => (None, Some(packages.iter().map(|package| package.0).collect::<Vec<_>>())),
    };
    let rows = sqlx::query_as!(
        Row,
        r#"select
               owners.id as "owner_id: AccountId",
               owners.name as "owner_name: AccountName",
               owners.kind as "owner_kind: AccountKind",
               owners.paid,
               owners.paid_until,
               owners.disabled_at is not null as "disabled!",
               owners.second_factor as "second_factor: SecondFactorMode",
               owners.members_need_second_factor,
               array(select user_id from organization_members where organization_id = owners.id order by user_id)
                   as "member_ids!",
               array(select role from organization_members where organization_id = owners.id order by user_id)
                   as "member_roles!",
               packages.id as "package_id?: PackageId",
               packages.name as "package_name?: PackageName",
               packages.visibility as "visibility?: Visibility",
               packages.revision as "revision?",
               packages.publish_requires_second_factor as "publish_requires?",
               packages.automation_overrides_second_factor as "automation_overrides?",
               (
                   select jsonb_agg(to_jsonb(given) - 'package_id' order by user_id, team nulls first)
                   from collaborations as given
                   where package_id = packages.id
               ) as "grants: Json<Vec<GrantRow>>"
           from packages
           join accounts as owners on owners.id = packages.owner_id
           where (
                   packages.id = any($3)
                   or packages.owner_id = $1
                   or packages.id in (select package_id from collaborations where user_id = $1)
               )
             and packages.deleted_at is null
             and (
                   packages.visibility = 'public'
                   or packages.owner_id = $2
                   or packages.id in (select package_id from collaborations where user_id = $2)
                   or packages.owner_id in (select organization_id from organization_members where user_id = $2)
               )
           order by packages.name"#,
        account,
        viewer.map(|viewer| viewer.0),
        among.as_deref(),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().filter_map(|row| row.package_name.clone().map(|name| row.into_facts(name))).collect())
}

/// What cannot be read gives nothing.
fn grants(rows: Vec<GrantRow>) -> Vec<Grant> {
    let grant = |row: GrantRow| {
        let team = row.team.map(|team| team.parse()).transpose().ok()?;
        let permission = row.permission.parse().ok()?;
        let expires_at = row.expires_at.map(|end| end.parse()).transpose().ok()?;
        Some(Grant { user: row.user_id.into(), permission, expires_at, team })
    };
    rows.into_iter().filter_map(grant).collect()
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

/// What is given on a package, to whomever.
pub(super) struct Gift {
    pub(super) package: PackageId,
    pub(super) permission: Permission,
    pub(super) by: Option<AccountId>,
    pub(super) until: Option<Time>,
    pub(super) now: Time,
}

/// Who holds a grant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holder {
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
pub(super) async fn find_level(
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

pub(super) async fn set_level(
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

pub(super) async fn upsert_grant(connection: &mut PgConnection, user: AccountId, gift: &Gift) -> Result<()> {
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

pub(super) async fn delete_grant(connection: &mut PgConnection, package: PackageId, user: AccountId) -> Result<bool> {
    let deleted = sqlx::query!("delete from grants where package_id = $1 and user_id = $2", package.0, user.0)
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() > 0)
}

/// When somebody was reminded of what they were given, and by whom they were given it.
pub(super) struct Reminder {
    pub(super) given_by: Option<AccountName>,
    pub(super) reminded_at: Option<Time>,
}

pub(super) async fn find_reminder(
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

pub(super) async fn note_reminder(
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

pub(super) async fn upsert_team_grant(connection: &mut PgConnection, team: TeamId, gift: &Gift) -> Result<()> {
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

pub(super) async fn delete_team_grant(connection: &mut PgConnection, package: PackageId, team: TeamId) -> Result<bool> {
    let deleted = sqlx::query!("delete from team_grants where package_id = $1 and team_id = $2", package.0, team.0)
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() > 0)
}

/// What one team was given, in the order of the packages' names.
pub(super) async fn list_team_grants(pool: &PgPool, team: TeamId, now: Time) -> Result<Vec<(PackageName, Permission)>> {
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
pub(super) async fn list_packages_with_ended_grants(pool: &PgPool, now: Time) -> Result<Vec<PackageName>> {
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

/// Removes what has ended on one package, and tells who it was given to.
pub(super) async fn delete_ended_grants(
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

/// An account as lists of collaborators show it.
pub(super) struct ListedAccount {
    pub(super) id: AccountId,
    pub(super) name: AccountName,
}

pub(super) async fn list_accounts(pool: &PgPool, ids: &[AccountId]) -> Result<Vec<ListedAccount>> {
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

pub(super) async fn list_shares(pool: &PgPool, user: AccountId) -> Result<Vec<super::Share>> {
    let shares = sqlx::query_as!(
        super::Share,
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

/// What members get on new packages of an organization; `None` for nothing.
pub(super) async fn find_developers_get(
    connection: &mut PgConnection,
    organization: AccountId,
) -> Result<Option<Permission>> {
    let word = sqlx::query_scalar!("select developers_get from accounts where id = $1", organization.0)
        .fetch_optional(connection)
        .await?;
    Ok(word.and_then(|word| word.parse().ok()))
}
