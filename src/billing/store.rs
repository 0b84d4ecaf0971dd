//! The SQL of the billing flag.

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName};
use crate::policy::BillingFlag;

pub(super) async fn set_flag(
    connection: &mut PgConnection,
    account: &AccountName,
    flag: BillingFlag,
    now: Time,
) -> Result<Option<AccountId>> {
    let (paid, until) = match flag {
        BillingFlag::Unpaid => (false, None),
        BillingFlag::Paid { until } => (true, until),
    };
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

pub(super) async fn find_flag(pool: &PgPool, account: &AccountName) -> Result<Option<BillingFlag>> {
    let row = sqlx::query!("select paid, paid_until from accounts where name = $1", account.as_str())
        .fetch_optional(pool)
        .await?;
    Ok(row.map(|row| if row.paid { BillingFlag::Paid { until: row.paid_until } } else { BillingFlag::Unpaid }))
}
