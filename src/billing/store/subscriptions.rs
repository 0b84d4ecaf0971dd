//! The SQL of subscriptions and invoices, as a payment service told of them.

use sqlx::{PgConnection, PgPool};

use crate::billing::money::Money;
use crate::billing::plan::{Receipt, Subscribed};
use crate::clock::Time;
use crate::error::Result;
use crate::names::AccountId;

/// What was known of an account's subscription.
#[derive(Debug, Clone)]
pub(in crate::billing) struct Before {
    pub(in crate::billing) subscription: String,
    pub(in crate::billing) status: String,
    pub(in crate::billing) paid_through: Option<Time>,
}

/// What is known of it from now on.
#[derive(Debug)]
pub(in crate::billing) struct Known<'a> {
    pub(in crate::billing) subscription: &'a str,
    pub(in crate::billing) status: &'a str,
    pub(in crate::billing) price: &'a str,
    pub(in crate::billing) seats: i64,
    pub(in crate::billing) seat_amount: Option<i64>,
    pub(in crate::billing) currency: &'a str,
    pub(in crate::billing) interval: &'a str,
    pub(in crate::billing) period_end: Option<Time>,
    pub(in crate::billing) paid_through: Option<Time>,
    pub(in crate::billing) cancels_at: Option<Time>,
    pub(in crate::billing) ended_at: Option<Time>,
}

pub(in crate::billing) async fn find_before(
    connection: &mut PgConnection,
    account: AccountId,
) -> Result<Option<Before>> {
    let before = sqlx::query_as!(
        Before,
        "select subscription, status, paid_through from billing_subscriptions where account_id = $1",
        account.0,
    );
    Ok(before.fetch_optional(connection).await?)
}

pub(in crate::billing) async fn upsert_subscription(
    connection: &mut PgConnection,
    account: AccountId,
    known: &Known<'_>,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "insert into billing_subscriptions (
             account_id, subscription, status, price, seats, seat_amount, currency, billing_interval,
             period_end, paid_through, cancels_at, ended_at, updated_at
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         on conflict (account_id) do update
         set subscription = excluded.subscription,
             status = excluded.status,
             price = excluded.price,
             seats = excluded.seats,
             seat_amount = excluded.seat_amount,
             currency = excluded.currency,
             billing_interval = excluded.billing_interval,
             period_end = excluded.period_end,
             paid_through = excluded.paid_through,
             cancels_at = excluded.cancels_at,
             ended_at = excluded.ended_at,
             updated_at = excluded.updated_at",
        account.0,
        known.subscription,
        known.status,
        known.price,
        known.seats,
        known.seat_amount,
        known.currency,
        known.interval,
        known.period_end,
        known.paid_through,
        known.cancels_at,
        known.ended_at,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::billing) async fn find_subscribed(pool: &PgPool, account: AccountId) -> Result<Option<Subscribed>> {
    let row = sqlx::query!(
        "select
             status, seats, seat_amount, currency, billing_interval, period_end, paid_through, cancels_at, ended_at
         from billing_subscriptions
         where account_id = $1",
        account.0,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Subscribed {
        status: row.status,
        seats: row.seats,
        seat_price: row.seat_amount.map(|amount| Money { amount, currency: row.currency.clone() }),
        interval: row.billing_interval,
        period_end: row.period_end,
        paid_through: row.paid_through,
        cancels_at: row.cancels_at,
        ended_at: row.ended_at,
    }))
}

pub(in crate::billing) async fn upsert_invoice(
    connection: &mut PgConnection,
    account: AccountId,
    invoice: &str,
    receipt: &Receipt,
) -> Result<()> {
    sqlx::query!(
        "insert into billing_invoices (invoice, account_id, number, issued_at, amount, currency, status, url)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (invoice) do update
         set number = excluded.number,
             amount = excluded.amount,
             status = excluded.status,
             url = excluded.url",
        invoice,
        account.0,
        receipt.number,
        receipt.issued_at,
        receipt.total.amount,
        receipt.total.currency,
        receipt.status,
        receipt.url,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::billing) async fn list_receipts(pool: &PgPool, account: AccountId) -> Result<Vec<Receipt>> {
    let rows = sqlx::query!(
        "select number, issued_at, amount, currency, status, url
         from billing_invoices
         where account_id = $1 and status <> 'draft'
         order by issued_at desc, invoice
         limit 24",
        account.0,
    )
    .fetch_all(pool)
    .await?;
    let receipts = rows.into_iter().map(|row| Receipt {
        number: row.number,
        issued_at: row.issued_at,
        total: Money { amount: row.amount, currency: row.currency },
        status: row.status,
        url: row.url,
    });
    Ok(receipts.collect())
}
