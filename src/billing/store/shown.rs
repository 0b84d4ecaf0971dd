//! The SQL behind pages and reports.

use sqlx::PgPool;

use crate::billing::money::Money;
use crate::billing::plan::{Override, Usage};
use crate::billing::report::ReportLine;
use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName};
use crate::policy::AccountKind;

use super::flags::from_columns;

/// What an account uses, and whom it would concern if it were no longer paid: everybody else who can read a private
/// package of its scope.
pub(in crate::billing) async fn find_usage(pool: &PgPool, account: AccountId, now: Time) -> Result<Usage> {
    let usage = sqlx::query_as!(
        Usage,
        r#"with private as (
               select id from packages where owner_id = $1 and visibility = 'restricted' and deleted_at is null
           )
           select
               (select count(*) from private) as "private_packages!",
               (
                   select count(*) from (
                       select user_id from collaborations
                       where package_id in (select id from private) and (expires_at is null or expires_at > $2)
                       union
                       select user_id from organization_members where organization_id = $1
                   ) as readers
                   where user_id <> $1
               ) as "people!",
               (
                   select coalesce(sum(size_bytes), 0)::bigint from versions
                   where package_id in (select id from private) and sha512 is not null
               ) as "bytes!",
               (select count(*) from organization_members where organization_id = $1) as "members!""#,
        account.0,
        now,
    );
    Ok(usage.fetch_one(pool).await?)
}

pub(in crate::billing) async fn find_override(
    pool: &PgPool,
    account: AccountId,
    now: Time,
) -> Result<Option<Override>> {
    let found = sqlx::query_as!(
        Override,
        "select set_by, set_at, ends_at from billing_overrides
         where account_id = $1 and (ends_at is null or ends_at > $2)",
        account.0,
        now,
    );
    Ok(found.fetch_optional(pool).await?)
}

/// Some of those who can set plans.
pub(in crate::billing) async fn list_administrators(pool: &PgPool) -> Result<Vec<AccountName>> {
    let names = sqlx::query_scalar!(
        r#"select name as "name: AccountName" from accounts
           where administrator and disabled_at is null
           order by name
           limit 5"#,
    );
    Ok(names.fetch_all(pool).await?)
}

/// Every account with its flag, what it uses, and what it paid between two moments, a line for each currency.
pub(in crate::billing) async fn list_report(pool: &PgPool, from: Time, to: Time) -> Result<Vec<ReportLine>> {
    let rows = sqlx::query!(
        r#"select
               accounts.name as "name: AccountName",
               accounts.kind as "kind: AccountKind",
               accounts.paid,
               accounts.paid_until,
               (select count(*) from organization_members where organization_id = accounts.id) as "members!",
               (
                   select count(*) from packages
                   where owner_id = accounts.id and visibility = 'restricted' and deleted_at is null
               ) as "private_packages!",
               income.currency as "currency?",
               income.amount as "amount?",
               coalesce(income.invoices, 0) as "invoices!"
           from accounts
           left join (
               select account_id, currency, sum(amount)::bigint as amount, count(*) as invoices
               from billing_invoices
               where status = 'paid' and issued_at >= $1 and issued_at < $2
               group by account_id, currency
           ) as income on income.account_id = accounts.id
           where accounts.created_at < $2
           order by accounts.name, income.currency"#,
        from,
        to,
    )
    .fetch_all(pool)
    .await?;
    let lines = rows.into_iter().map(|row| ReportLine {
        flag: from_columns(row.paid, row.paid_until),
        name: row.name,
        kind: row.kind,
        members: row.members,
        private_packages: row.private_packages,
        income: row.amount.zip(row.currency).map(|(amount, currency)| Money { amount, currency }),
        invoices: row.invoices,
    });
    Ok(lines.collect())
}

/// How many users and how many organizations are paid at a moment.
pub(in crate::billing) async fn count_paid(pool: &PgPool, now: Time) -> Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"select
               count(*) filter (where kind = 'user') as "users!",
               count(*) filter (where kind = 'organization') as "organizations!"
           from accounts
           where paid and (paid_until is null or paid_until > $1)"#,
        now,
    );
    let row = row.fetch_one(pool).await?;
    Ok((row.users, row.organizations))
}

/// The organizations that a user owns.
pub(in crate::billing) async fn list_owned(pool: &PgPool, user: AccountId) -> Result<Vec<AccountName>> {
    let names = sqlx::query_scalar!(
        r#"select accounts.name as "name: AccountName"
           from organization_members
           join accounts on accounts.id = organization_members.organization_id
           where organization_members.user_id = $1 and organization_members.role = 'owner'
           order by accounts.name"#,
        user.0,
    );
    Ok(names.fetch_all(pool).await?)
}
