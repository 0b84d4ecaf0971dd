//! The SQL of the billing flag.

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName};
use crate::policy::BillingFlag;

pub(in crate::billing) async fn set_flag(
    connection: &mut PgConnection,
    account: &AccountName,
    flag: BillingFlag,
    now: Time,
) -> Result<Option<AccountId>> {
    let (paid, until) = columns(flag);
    let id = sqlx::query_scalar!(
        r#"update accounts
           set paid = $2, paid_until = $3, updated_at = $4
           where name = $1
           returning id as "id: AccountId""#,
        account.as_str(),
        paid,
        until,
        now,
    )
    .fetch_optional(connection)
    .await?;
    Ok(id)
}

pub(in crate::billing) async fn find_flag(pool: &PgPool, account: &AccountName) -> Result<Option<BillingFlag>> {
    let row = sqlx::query!("select paid, paid_until from accounts where name = $1", account.as_str())
        .fetch_optional(pool)
        .await?;
    Ok(row.map(|row| from_columns(row.paid, row.paid_until)))
}

fn columns(flag: BillingFlag) -> (bool, Option<Time>) {
    match flag {
        BillingFlag::Unpaid => (false, None),
        BillingFlag::Paid { until } => (true, until),
    }
}

pub(super) fn from_columns(paid: bool, until: Option<Time>) -> BillingFlag {
    if paid { BillingFlag::Paid { until } } else { BillingFlag::Unpaid }
}

/// An account, held until the transaction ends, with what its flag is to be judged by.
pub(in crate::billing) struct HeldAccount {
    pub(in crate::billing) name: AccountName,
    pub(in crate::billing) flag: BillingFlag,
    /// An administrator's word stands over that of a payment service.
    pub(in crate::billing) overridden: bool,
}

/// Holds the account as a change of its members does, and before anything else of this room is touched.
pub(in crate::billing) async fn hold_account(
    connection: &mut PgConnection,
    account: AccountId,
    now: Time,
) -> Result<Option<HeldAccount>> {
    let row = sqlx::query!(
        r#"select
               name as "name: AccountName",
               paid,
               paid_until,
               exists (
                   select from billing_overrides
                   where account_id = accounts.id and (ends_at is null or ends_at > $2)
               ) as "overridden!"
           from accounts
           where id = $1
           for no key update"#,
        account.0,
        now,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| HeldAccount {
        name: row.name,
        flag: from_columns(row.paid, row.paid_until),
        overridden: row.overridden,
    }))
}

/// Notes that an administrator has spoken, until `ends_at` where that is set.
pub(in crate::billing) async fn upsert_override(
    connection: &mut PgConnection,
    account: AccountId,
    by: &str,
    ends_at: Option<Time>,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "insert into billing_overrides (account_id, set_by, set_at, ends_at)
         values ($1, $2, $3, $4)
         on conflict (account_id) do update
         set set_by = excluded.set_by, set_at = excluded.set_at, ends_at = excluded.ends_at",
        account.0,
        by,
        now,
        ends_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::billing) async fn delete_override(connection: &mut PgConnection, account: AccountId) -> Result<bool> {
    let deleted = sqlx::query!("delete from billing_overrides where account_id = $1", account.0);
    Ok(deleted.execute(connection).await?.rows_affected() > 0)
}

pub(in crate::billing) async fn find_account(
    connection: &mut PgConnection,
    name: &AccountName,
) -> Result<Option<AccountId>> {
    let id = sqlx::query_scalar!(r#"select id as "id: AccountId" from accounts where name = $1"#, name.as_str());
    Ok(id.fetch_optional(connection).await?)
}

/// The mail address of an account, where it has one.
pub(in crate::billing) async fn find_email(pool: &PgPool, account: AccountId) -> Result<Option<String>> {
    let email = sqlx::query_scalar!("select email from accounts where id = $1 and email <> ''", account.0);
    Ok(email.fetch_optional(pool).await?)
}
