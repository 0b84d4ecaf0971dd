//! The SQL of accounts.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, Email};
use crate::policy::{AccountFacts, AccountKind, BillingFlag, OrganizationRole, SecondFactorMode};

use super::administration::{ListedAccount, Wanted};
use super::profile::{Details, DetailsChange};

/// A new row of `accounts`.
pub(super) struct NewAccount<'a> {
    pub(super) name: &'a AccountName,
    pub(super) email: &'a Email,
    pub(super) password_hash: &'a str,
    pub(super) administrator: bool,
    pub(super) flag: BillingFlag,
    pub(super) now: Time,
}

/// Breaks `accounts_name_key` where the name is taken.
pub(super) async fn insert_user(
    connection: &mut PgConnection,
    account: &NewAccount<'_>,
) -> Result<AccountId, sqlx::Error> {
    let (paid, until) = match account.flag {
        BillingFlag::Unpaid => (false, None),
        BillingFlag::Paid { until } => (true, until),
    };
    sqlx::query_scalar!(
        r#"insert into accounts
               (name, kind, email, password_hash, administrator, paid, paid_until, created_at, updated_at)
           values ($1, 'user', $2, $3, $4, $5, $6, $7, $7)
           returning id as "id: AccountId""#,
        account.name.as_str(),
        account.email.as_str(),
        account.password_hash,
        account.administrator,
        paid,
        until,
        account.now,
    )
    .fetch_one(connection)
    .await
}

/// Breaks `accounts_name_key` where the name is taken.
pub(super) async fn insert_organization(
    connection: &mut PgConnection,
    name: &AccountName,
    flag: BillingFlag,
    now: Time,
) -> Result<AccountId, sqlx::Error> {
    let (paid, until) = match flag {
        BillingFlag::Unpaid => (false, None),
        BillingFlag::Paid { until } => (true, until),
    };
    sqlx::query_scalar!(
        r#"insert into accounts (name, kind, email, paid, paid_until, created_at, updated_at)
           values ($1, 'organization', '', $2, $3, $4, $4)
           returning id as "id: AccountId""#,
        name.as_str(),
        paid,
        until,
        now,
    )
    .fetch_one(connection)
    .await
}

/// What a login needs.
pub(super) struct Credentials {
    pub(super) id: AccountId,
    pub(super) name: AccountName,
    pub(super) email: String,
    pub(super) password_hash: Option<String>,
    pub(super) created_at: Time,
}

pub(super) async fn find_credentials(pool: &PgPool, name: &AccountName) -> Result<Option<Credentials>> {
    let row = sqlx::query_as!(
        Credentials,
        r#"select
               id as "id: AccountId",
               name as "name: AccountName",
               email,
               password_hash,
               created_at
           from accounts
           where name = $1
             and kind = 'user'
             and disabled_at is null"#,
        name.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row)
}

pub(super) async fn replace_password_hash(connection: &mut PgConnection, id: AccountId, hash: &str) -> Result<()> {
    sqlx::query!("update accounts set password_hash = $2 where id = $1", id.0, hash).execute(connection).await?;
    Ok(())
}

pub(super) async fn is_empty(pool: &PgPool) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select not exists (select from accounts) as "empty!""#).fetch_one(pool).await?)
}

pub(super) async fn find_account(pool: &PgPool, name: &AccountName) -> Result<Option<(AccountId, AccountKind)>> {
    let row = sqlx::query!(
        r#"select id as "id: AccountId", kind as "kind: AccountKind"
           from accounts
           where name = $1 and disabled_at is null"#,
        name.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (row.id, row.kind)))
}

pub(super) async fn find_user(connection: &mut PgConnection, name: &AccountName) -> Result<Option<AccountId>> {
    let id = sqlx::query_scalar!(
        r#"select id as "id: AccountId" from accounts where name = $1 and kind = 'user' and disabled_at is null"#,
        name.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(id)
}

pub(super) async fn find_any_user(connection: &mut PgConnection, name: &AccountName) -> Result<Option<AccountId>> {
    let id = sqlx::query_scalar!(
        r#"select id as "id: AccountId" from accounts where name = $1 and kind = 'user'"#,
        name.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(id)
}

/// The columns that make [`AccountFacts`], for other rooms' joins too.
#[expect(clippy::struct_excessive_bools, reason = "each is a column")]
pub(crate) struct FactsRow {
    pub(crate) id: AccountId,
    pub(crate) name: AccountName,
    pub(crate) kind: AccountKind,
    pub(crate) paid: bool,
    pub(crate) paid_until: Option<Time>,
    pub(crate) disabled: bool,
    pub(crate) second_factor: Option<SecondFactorMode>,
    pub(crate) administrator: bool,
    pub(crate) members_need_second_factor: bool,
    pub(crate) member_ids: Vec<i64>,
    pub(crate) member_roles: Vec<String>,
}

impl FactsRow {
    /// The facts in the row.
    pub(crate) fn into_facts(self) -> Arc<AccountFacts> {
        let roles = self.member_roles.iter().map(|role| role.parse().unwrap_or(OrganizationRole::Member));
        Arc::new(AccountFacts {
            id: self.id,
            name: self.name,
            kind: self.kind,
            billing: if self.paid { BillingFlag::Paid { until: self.paid_until } } else { BillingFlag::Unpaid },
            members: self.member_ids.iter().map(|id| AccountId::from(*id)).zip(roles).collect(),
            disabled: self.disabled,
            second_factor: self.second_factor,
            administrator: self.administrator,
            members_need_second_factor: self.members_need_second_factor,
        })
    }
}

pub(super) async fn load_facts(executor: impl PgExecutor<'_>, id: AccountId) -> Result<Option<Arc<AccountFacts>>> {
    let row = sqlx::query_as!(
        FactsRow,
        r#"select
               id as "id: AccountId",
               name as "name: AccountName",
               kind as "kind: AccountKind",
               paid,
               paid_until,
               disabled_at is not null as "disabled!",
               second_factor as "second_factor: SecondFactorMode",
               administrator,
               members_need_second_factor,
               array(select user_id from organization_members where organization_id = id order by user_id)
                   as "member_ids!",
               array(select role from organization_members where organization_id = id order by user_id)
                   as "member_roles!"
           from accounts
           where id = $1"#,
        id.0,
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(FactsRow::into_facts))
}

pub(super) async fn find_details(executor: impl PgExecutor<'_>, id: AccountId) -> Result<Details> {
    let row = sqlx::query_as!(
        Details,
        r#"select
               email,
               email_verified_at is not null as "email_verified!",
               fullname,
               homepage,
               github,
               twitter,
               freenode,
               created_at,
               updated_at
           from accounts
           where id = $1"#,
        id.0,
    )
    .fetch_one(executor)
    .await?;
    Ok(row)
}

/// Writes the fields that are given; false where they were so already.
pub(super) async fn change_details(
    connection: &mut PgConnection,
    id: AccountId,
    change: &DetailsChange,
    now: Time,
) -> Result<bool> {
    let changed = sqlx::query!(
        "update accounts
         set email = wanted.email,
             fullname = wanted.fullname,
             homepage = wanted.homepage,
             github = wanted.github,
             twitter = wanted.twitter,
             freenode = wanted.freenode,
             updated_at = $13
         from (
             select
                 id,
                 coalesce($2, email) as email,
                 case when $3 then $4 else fullname end as fullname,
                 case when $5 then $6 else homepage end as homepage,
                 case when $7 then $8 else github end as github,
                 case when $9 then $10 else twitter end as twitter,
                 case when $11 then $12 else freenode end as freenode
             from accounts
             where id = $1
             for update
         ) as wanted
         where accounts.id = wanted.id
           and (accounts.email, accounts.fullname, accounts.homepage, accounts.github, accounts.twitter,
                accounts.freenode)
               is distinct from (wanted.email, wanted.fullname, wanted.homepage, wanted.github, wanted.twitter,
                                 wanted.freenode)",
        id.0,
        change.email.as_ref().map(Email::as_str),
        change.fullname.is_given(),
        change.fullname.text(),
        change.homepage.is_given(),
        change.homepage.text(),
        change.github.is_given(),
        change.github.text(),
        change.twitter.is_given(),
        change.twitter.text(),
        change.freenode.is_given(),
        change.freenode.text(),
        now,
    )
    .execute(connection)
    .await?;
    Ok(changed.rows_affected() > 0)
}

/// Returns the user, where there is one.
pub(super) async fn set_disabled(
    connection: &mut PgConnection,
    name: &AccountName,
    disabled_at: Option<Time>,
) -> Result<Option<AccountId>> {
    let id = sqlx::query_scalar!(
        r#"update accounts
           set disabled_at = case when $2::timestamptz is null then null else coalesce(disabled_at, $2) end
           where name = $1 and kind = 'user'
           returning id as "id: AccountId""#,
        name.as_str(),
        disabled_at,
    )
    .fetch_optional(connection)
    .await?;
    Ok(id)
}

pub(super) async fn hold_password(connection: &mut PgConnection, id: AccountId, hash: &str) -> Result<bool> {
    let held = sqlx::query_scalar!(
        "select id from accounts where id = $1 and password_hash = $2 and disabled_at is null for update",
        id.0,
        hash,
    )
    .fetch_optional(connection)
    .await?;
    Ok(held.is_some())
}

/// More accounts than these share no address for a good reason.
const MOST_SHARING: i64 = 5;

pub(super) async fn list_by_email(
    connection: &mut PgConnection,
    email: &Email,
) -> Result<Vec<(AccountId, AccountName)>> {
    let rows = sqlx::query!(
        r#"select id as "id: AccountId", name as "name: AccountName"
           from accounts
           where lower(email) = lower($1) and kind = 'user' and disabled_at is null
           order by id
           limit $2"#,
        email.as_str(),
        MOST_SHARING,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// An address that is proven, or that has never been another.
pub(super) async fn find_recovery_email(connection: &mut PgConnection, id: AccountId) -> Result<Option<Email>> {
    let email = sqlx::query_scalar!(
        r#"select email as "email: Email"
           from accounts
           where id = $1
             and kind = 'user'
             and email <> ''
             and disabled_at is null
             and (email_verified_at is not null or email_changed_at is null)"#,
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(email)
}

pub(super) async fn find_email(connection: &mut PgConnection, id: AccountId) -> Result<Option<Email>> {
    let text = sqlx::query_scalar!("select email from accounts where id = $1 and kind = 'user'", id.0)
        .fetch_optional(connection)
        .await?;
    Ok(text.and_then(|text| text.parse().ok()))
}

pub(super) async fn note_email_proof(
    connection: &mut PgConnection,
    id: AccountId,
    email: &Email,
    now: Time,
) -> Result<bool> {
    let noted = sqlx::query!(
        "update accounts
         set email_verified_at = coalesce(email_verified_at, $3)
         where id = $1 and lower(email) = lower($2)",
        id.0,
        email.as_str(),
        now,
    )
    .execute(connection)
    .await?;
    Ok(noted.rows_affected() > 0)
}

pub(super) async fn list_users(pool: &PgPool, names: &[AccountName]) -> Result<HashMap<AccountName, AccountId>> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let rows = sqlx::query!(
        r#"select name as "name: AccountName", id as "id: AccountId"
           from accounts
           where name = any($1) and kind = 'user' and disabled_at is null"#,
        &names,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.id)).collect())
}

pub(super) async fn list_accounts(pool: &PgPool, wanted: Wanted<'_>) -> Result<Vec<ListedAccount>> {
    let rows = sqlx::query!(
        r#"select
               accounts.name as "name: AccountName",
               accounts.email,
               accounts.created_at,
               accounts.disabled_at,
               accounts.administrator,
               accounts.second_factor is not null as "has_second_factor!",
               accounts.paid,
               accounts.paid_until,
               (select count(*) from packages where owner_id = accounts.id and deleted_at is null) as "packages!",
               (select count(*) from organization_members where organization_id = accounts.id) as "members!",
               (select max(coalesce(last_used_at, created_at)) from tokens where account_id = accounts.id) as last_seen
           from accounts
           where accounts.kind = $1
             and (position($2 in accounts.name) > 0 or position($2 in lower(accounts.email)) > 0)
           order by accounts.name
           limit $3
           offset $4"#,
        kind_word(wanted.kind),
        wanted.sought.to_lowercase(),
        i64::from(wanted.size),
        i64::from(wanted.page.max(1) - 1) * i64::from(wanted.size),
    )
    .fetch_all(pool)
    .await?;
    let listed = rows.into_iter().map(|row| ListedAccount {
        name: row.name,
        email: row.email,
        created_at: row.created_at,
        disabled_at: row.disabled_at,
        administrator: row.administrator,
        has_second_factor: row.has_second_factor,
        flag: if row.paid { BillingFlag::Paid { until: row.paid_until } } else { BillingFlag::Unpaid },
        packages: row.packages,
        members: row.members,
        last_seen: row.last_seen,
    });
    Ok(listed.collect())
}

pub(super) async fn count_accounts(pool: &PgPool, wanted: Wanted<'_>) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from accounts
           where kind = $1 and (position($2 in name) > 0 or position($2 in lower(email)) > 0)"#,
        kind_word(wanted.kind),
        wanted.sought.to_lowercase(),
    )
    .fetch_one(pool)
    .await?;
    Ok(count)
}

fn kind_word(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::User => "user",
        AccountKind::Organization => "organization",
    }
}

/// Holds every administrator, and the named user, by the order of their ids, so that no two wait for each other.
pub(super) async fn hold_administrators(connection: &mut PgConnection, name: &AccountName) -> Result<()> {
    sqlx::query!(
        r#"select id from accounts where kind = 'user' and (administrator or name = $1) order by id for update"#,
        name.as_str(),
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

pub(super) async fn has_administrator(connection: &mut PgConnection) -> Result<bool> {
    let has = sqlx::query_scalar!(
        r#"select exists (select from accounts where kind = 'user' and administrator and disabled_at is null) as "has!""#
    )
    .fetch_one(connection)
    .await?;
    Ok(has)
}

/// Returns the user, where there is one.
pub(super) async fn set_administrator(
    connection: &mut PgConnection,
    name: &AccountName,
    is_one: bool,
    now: Time,
) -> Result<Option<AccountId>> {
    let id = sqlx::query_scalar!(
        r#"update accounts
           set administrator = $2, updated_at = $3
           where name = $1 and kind = 'user'
           returning id as "id: AccountId""#,
        name.as_str(),
        is_one,
        now,
    )
    .fetch_optional(connection)
    .await?;
    Ok(id)
}

pub(super) async fn has_dismissed_checklist(pool: &PgPool, id: AccountId) -> Result<bool> {
    let dismissed = sqlx::query_scalar!(
        r#"select checklist_dismissed_at is not null as "dismissed!" from accounts where id = $1"#,
        id.0,
    )
    .fetch_optional(pool)
    .await?;
    Ok(dismissed.unwrap_or_default())
}

pub(super) async fn dismiss_checklist(connection: &mut PgConnection, id: AccountId, now: Time) -> Result<()> {
    sqlx::query!(
        "update accounts set checklist_dismissed_at = coalesce(checklist_dismissed_at, $2) where id = $1",
        id.0,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}
