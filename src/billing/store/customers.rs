//! The SQL of customers, of turns to ask for them, and of events.

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::AccountId;

/// The right to ask how a customer stands. What a later turn brought is never replaced by what an earlier one did.
#[derive(Debug)]
pub(in crate::billing) struct Turn {
    pub(in crate::billing) account: AccountId,
    pub(in crate::billing) customer: String,
    pub(in crate::billing) number: i64,
    /// How many seats there have to be: members of an organization, one for a user.
    pub(in crate::billing) seats: i64,
}

pub(in crate::billing) async fn find_customer(pool: &PgPool, account: AccountId) -> Result<Option<(String, i64)>> {
    let row = sqlx::query!("select customer, turn from billing_customers where account_id = $1", account.0);
    Ok(row.fetch_optional(pool).await?.map(|row| (row.customer, row.turn)))
}

/// Notes the customer of an account; who was faster wins. Returns whose it is now.
pub(in crate::billing) async fn insert_customer(
    connection: &mut PgConnection,
    account: AccountId,
    customer: &str,
    due_at: Time,
    now: Time,
) -> Result<String> {
    let kept = sqlx::query_scalar!(
        "insert into billing_customers (account_id, customer, created_at, due_at)
         values ($1, $2, $3, $4)
         on conflict (account_id) do update set customer = billing_customers.customer
         returning customer",
        account.0,
        customer,
        now,
        due_at,
    )
    .fetch_one(connection)
    .await?;
    Ok(kept)
}

/// Forgets a customer that the payment service does not know.
pub(in crate::billing) async fn delete_customer(
    connection: &mut PgConnection,
    account: AccountId,
    customer: &str,
) -> Result<()> {
    sqlx::query!("delete from billing_customers where account_id = $1 and customer = $2", account.0, customer)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes an event. Returns whether it was not heard before.
pub(in crate::billing) async fn insert_event(
    connection: &mut PgConnection,
    event: &str,
    kind: &str,
    created_at: Time,
    now: Time,
) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into billing_events (event, kind, created_at, received_at)
         values ($1, $2, $3, $4)
         on conflict do nothing",
        event,
        kind,
        created_at,
        now,
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

pub(in crate::billing) async fn delete_events_before(connection: &mut PgConnection, before: Time) -> Result<()> {
    sqlx::query!("delete from billing_events where received_at < $1", before).execute(connection).await?;
    Ok(())
}

/// Has a customer asked for as soon as somebody can, and tells whose it is.
pub(in crate::billing) async fn nudge_customer(
    connection: &mut PgConnection,
    customer: &str,
) -> Result<Option<AccountId>> {
    let account = sqlx::query_scalar!(
        r#"update billing_customers set turn = turn + 1, due_at = 'epoch' where customer = $1
           returning account_id as "account: AccountId""#,
        customer,
    );
    Ok(account.fetch_optional(connection).await?)
}

pub(in crate::billing) async fn nudge_account(
    connection: &mut PgConnection,
    account: AccountId,
    due_at: Time,
) -> Result<()> {
    sqlx::query!(
        "update billing_customers set turn = turn + 1, due_at = least(due_at, $2) where account_id = $1",
        account.0,
        due_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a turn for one account, which is due again at `held_until` should nothing come of it.
pub(in crate::billing) async fn take_turn(
    connection: &mut PgConnection,
    account: AccountId,
    held_until: Time,
) -> Result<Option<Turn>> {
    let turn = sqlx::query_as!(
        Turn,
        r#"update billing_customers set turn = turn + 1, due_at = $2 where account_id = $1
           returning
               account_id as "account: AccountId",
               customer,
               turn as number,
               (select greatest(1, count(*)) from organization_members where organization_id = account_id) as "seats!""#,
        account.0,
        held_until,
    );
    Ok(turn.fetch_optional(connection).await?)
}

/// Takes the turns that are due; nodes share them out.
pub(in crate::billing) async fn take_due_turns(
    connection: &mut PgConnection,
    now: Time,
    held_until: Time,
    limit: i64,
) -> Result<Vec<Turn>> {
    let turns = sqlx::query_as!(
        Turn,
        r#"update billing_customers set turn = turn + 1, due_at = $2
           where account_id in (
               select account_id from billing_customers where due_at <= $1
               order by due_at limit $3 for update skip locked
           )
           returning
               account_id as "account: AccountId",
               customer,
               turn as number,
               (select greatest(1, count(*)) from organization_members where organization_id = account_id) as "seats!""#,
        now,
        held_until,
        limit,
    );
    Ok(turns.fetch_all(connection).await?)
}

/// Ends a turn that brought an answer. Where a later one did so already, it is `false` and the answer is out of date.
/// Where there was a reason to ask again meanwhile, that stays due; and so is the end of an administrator's word.
pub(in crate::billing) async fn end_turn(
    connection: &mut PgConnection,
    turn: &Turn,
    next: Time,
    now: Time,
) -> Result<bool> {
    let ended = sqlx::query!(
        "update billing_customers
         set applied = $3,
             failures = 0,
             due_at = case
                 when turn = $3 then least(
                     $4,
                     (select ends_at from billing_overrides where account_id = $1 and ends_at > $5)
                 )
                 else due_at
             end
         where account_id = $1 and customer = $2 and applied < $3",
        turn.account.0,
        turn.customer,
        turn.number,
        next,
        now,
    )
    .execute(connection)
    .await?;
    Ok(ended.rows_affected() > 0)
}

/// Ends a turn that failed: asked again in half a minute, then in one, two, up to an hour.
pub(in crate::billing) async fn fail_turn(connection: &mut PgConnection, turn: &Turn, now: Time) -> Result<()> {
    sqlx::query!(
        "update billing_customers
         set failures = least(failures + 1, 100),
             due_at = case
                 when turn = $2 then $3::timestamptz + make_interval(secs => least(3600, 30 * power(2, least(failures, 10))))
                 else due_at
             end
         where account_id = $1",
        turn.account.0,
        turn.number,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}
